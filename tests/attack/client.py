"""What attacks send: requests by HTTP, and bytes over raw sockets."""

import asyncio
import contextlib
from collections import Counter
from dataclasses import dataclass, field

import httpx

TIMEOUT_S = 60.0


@dataclass
class Answers:
    """The answers of one attack: how often each status came, and the size of the largest error in bytes."""

    statuses: Counter[str] = field(default_factory=Counter)
    largest_error: int = 0

    def add(self, response: httpx.Response) -> None:
        """Count an answer."""
        self.statuses[str(response.status_code)] += 1
        if response.status_code >= httpx.codes.BAD_REQUEST:
            self.largest_error = max(self.largest_error, len(response.content))


class AttackClient:
    """An anonymous client of the gateway."""

    def __init__(self, url: str) -> None:
        self.url = httpx.URL(url)
        self.answers = Answers()
        self._http = httpx.AsyncClient(base_url=url, timeout=TIMEOUT_S, trust_env=False)

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def send(self, method: str, path: str, content: bytes = b"", kind: str = "application/json") -> None:
        """Send a request, and count its answer."""
        headers = {"Content-Type": kind} if content else {}
        try:
            self.answers.add(await self._http.request(method, path, content=content, headers=headers))
        except httpx.HTTPError as error:
            self.answers.statuses[type(error).__name__] += 1

    async def raw(self, data: bytes, *, then: bytes = b"", every_s: float = 0.0, for_s: float = 5.0) -> None:
        """Send bytes over a connection, then others again and again; count the status of the answer, if one comes."""
        reader, writer = await asyncio.open_connection(self.url.host, self.url.port)
        answer = b""
        try:
            writer.write(data)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(for_s):
                    reading = asyncio.create_task(reader.read(4096))
                    while then and not reading.done():
                        writer.write(then)
                        await asyncio.sleep(every_s)
                    answer = await reading
        except OSError as error:
            self.answers.statuses[type(error).__name__] += 1
            return
        finally:
            writer.close()
        self.answers.statuses[answer[9:12].decode("ascii", "replace") or "none"] += 1
