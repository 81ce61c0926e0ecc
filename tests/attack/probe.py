"""Honest clients next to an attack, in a process of their own: health checks, and a shopper."""

import asyncio
import base64
import contextlib
import sys
import time
from collections.abc import AsyncIterator
from dataclasses import asdict, dataclass, field
from pathlib import Path

import httpx
import orjson

ROOT = Path(__file__).resolve().parents[2]


@dataclass
class Probe:
    """Calls /livez, the health check of a control process, and searches, again and again; times are in milliseconds."""

    livez_ms: list[float] = field(default_factory=list)
    control_ms: list[float] = field(default_factory=list)
    search_ms: list[float] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)

    def add(self, other: "Probe") -> None:
        """Add what others saw."""
        self.livez_ms.extend(other.livez_ms)
        self.control_ms.extend(other.control_ms)
        self.search_ms.extend(other.search_ms)
        self.failed.extend(other.failed)

    async def run(self, url: str, control: str, photo: bytes, pause_s: float) -> None:
        """Go on until cancelled."""
        async with httpx.AsyncClient(base_url=url, timeout=10, trust_env=False) as http:
            await http.get("/livez")  # opens a connection
            await http.get(control)
            await asyncio.gather(self._check(http, control, pause_s), self._search(http, photo, pause_s))

    async def _check(self, http: httpx.AsyncClient, control: str, pause_s: float) -> None:
        while True:
            self.control_ms.append(await self._timed(http.build_request("GET", control), http))
            self.livez_ms.append(await self._timed(http.build_request("GET", "/livez"), http))
            await asyncio.sleep(pause_s)

    async def _search(self, http: httpx.AsyncClient, photo: bytes, pause_s: float) -> None:
        headers = {"Content-Type": "image/jpeg"}
        while True:
            request = http.build_request("POST", "/v1/search", content=photo, headers=headers)
            self.search_ms.append(await self._timed(request, http))
            await asyncio.sleep(pause_s)

    async def _timed(self, request: httpx.Request, http: httpx.AsyncClient) -> float:
        started = time.perf_counter()
        try:
            response = await http.send(request)
            if response.status_code != httpx.codes.OK:
                self.failed.append(f"{request.url.path} {response.status_code}")
        except httpx.HTTPError as error:
            self.failed.append(f"{request.url.path} {type(error).__name__}")
        return (time.perf_counter() - started) * 1000


class Honest:
    """The process of the honest clients, and that of the control."""

    def __init__(self, url: str, photo: bytes, pause_s: float = 0.1) -> None:
        self._url = url
        self._photo = photo
        self._pause_s = pause_s

    @contextlib.asynccontextmanager
    async def probing(self) -> AsyncIterator[Probe]:
        """Run honest clients for as long as the block; afterwards, the probe has what they saw."""
        probe = Probe()
        async with _process("tests.attack.control") as control:
            port = int(await _line(control))
            async with _process("tests.attack.probe") as clients:
                assert clients.stdin is not None
                request = {"url": self._url, "control": f"http://127.0.0.1:{port}/", "pause_s": self._pause_s}
                clients.stdin.write(orjson.dumps({**request, "photo": base64.b64encode(self._photo).decode()}) + b"\n")
                await _line(clients)  # they have begun
                yield probe
                clients.stdin.close()
                probe.add(Probe(**orjson.loads(await _line(clients))))


@contextlib.asynccontextmanager
async def _process(module: str) -> AsyncIterator[asyncio.subprocess.Process]:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        module,
        cwd=ROOT,
        limit=1 << 24,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()


async def _line(process: asyncio.subprocess.Process) -> bytes:
    assert process.stdout is not None
    line = await process.stdout.readline()
    assert line, "the process of the honest clients has ended"
    return line


def percentile(values: list[float], share: float) -> float:
    """Return the value below which a share of the values lies; 0 without values."""
    return sorted(values)[min(len(values) - 1, int(share * len(values)))] if values else 0.0


async def main() -> None:
    """Read what to do from the input, go on until it is closed, and print what was seen."""
    request = orjson.loads(sys.stdin.readline())
    probe = Probe()
    photo = base64.b64decode(request["photo"])
    task = asyncio.create_task(probe.run(request["url"], request["control"], photo, request["pause_s"]))
    sys.stdout.write("begun\n")
    sys.stdout.flush()
    await asyncio.to_thread(sys.stdin.read)
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
    sys.stdout.write(orjson.dumps(asdict(probe)).decode() + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(main())
