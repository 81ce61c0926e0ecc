"""HTTP requests that cost the sender next to nothing: prepared bytes, and connections that are used again."""

import asyncio
import contextlib
from collections import deque
from dataclasses import dataclass

import httpx

Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@dataclass(frozen=True)
class Answer:
    """The status of an answer as text, `timeout` or `disconnected` without one, and its body."""

    status: str
    body: bytes = b""


def prepared(method: str, path: str, body: bytes = b"", kind: str = "application/json") -> bytes:
    """Return a whole request as bytes."""
    lines = [f"{method} {path} HTTP/1.1", "Host: lookalike"]
    lines += [f"Content-Type: {kind}", f"Content-Length: {len(body)}"] if body else []
    return "\r\n".join([*lines, "", ""]).encode() + body


def with_key(request: bytes, key: str) -> bytes:
    """Return a prepared request with an API key; an empty key changes nothing."""
    first, _, rest = request.partition(b"\r\n")
    return b"\r\n".join([first, f"Authorization: Bearer {key}".encode(), rest]) if key else request


class Sender:
    """Sends prepared requests to one server."""

    def __init__(self, url: str, timeout_s: float = 15.0) -> None:
        self._url = httpx.URL(url)
        self._timeout_s = timeout_s
        self._idle: deque[Connection] = deque()

    async def send(self, request: bytes) -> Answer:
        """Send a request and return its answer. A connection that the server closed meanwhile is replaced once."""
        try:
            async with asyncio.timeout(self._timeout_s):
                if self._idle:
                    with contextlib.suppress(OSError, EOFError, ValueError):
                        return await self._over(self._idle.pop(), request)
                return await self._over(await asyncio.open_connection(self._url.host, self._url.port), request)
        except TimeoutError:
            return Answer("timeout")
        except (OSError, EOFError, ValueError):
            return Answer("disconnected")

    async def _over(self, connection: Connection, request: bytes) -> Answer:
        reader, writer = connection
        is_kept = False
        try:
            writer.write(request)
            head = await reader.readuntil(b"\r\n\r\n")
            fields = dict(line.lower().split(b": ", 1) for line in head.split(b"\r\n")[1:-2])
            body = await reader.readexactly(int(fields.get(b"content-length", b"0")))
            is_kept = fields.get(b"connection") != b"close"
            return Answer(head[9:12].decode(), body)
        finally:
            if is_kept:
                self._idle.append(connection)
            else:
                writer.close()

    def close(self) -> None:
        """Close the connections that are not in use."""
        while self._idle:
            self._idle.pop()[1].close()
