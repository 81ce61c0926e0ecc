"""Honest clients next to an attack: a health check, and a shopper."""

import asyncio
import time
from dataclasses import dataclass, field

import httpx


@dataclass
class Probe:
    """Calls /livez and searches, again and again; times are in milliseconds."""

    url: str
    photo: bytes
    pause_s: float = 0.1
    livez_ms: list[float] = field(default_factory=list)
    search_ms: list[float] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)

    async def run(self) -> None:
        """Go on until cancelled."""
        async with httpx.AsyncClient(base_url=self.url, timeout=10, trust_env=False) as http:
            await http.get("/livez")  # opens a connection
            await asyncio.gather(self._check(http), self._search(http))

    async def _check(self, http: httpx.AsyncClient) -> None:
        while True:
            self.livez_ms.append(await self._timed(http.build_request("GET", "/livez"), http))
            await asyncio.sleep(self.pause_s)

    async def _search(self, http: httpx.AsyncClient) -> None:
        headers = {"Content-Type": "image/jpeg"}
        while True:
            request = http.build_request("POST", "/v1/search", content=self.photo, headers=headers)
            self.search_ms.append(await self._timed(request, http))
            await asyncio.sleep(self.pause_s)

    async def _timed(self, request: httpx.Request, http: httpx.AsyncClient) -> float:
        started = time.perf_counter()
        try:
            response = await http.send(request)
            if response.status_code != httpx.codes.OK:
                self.failed.append(f"{request.url.path} {response.status_code}")
        except httpx.HTTPError as error:
            self.failed.append(f"{request.url.path} {type(error).__name__}")
        return (time.perf_counter() - started) * 1000


def percentile(values: list[float], share: float) -> float:
    """Return the value below which a share of the values lies; 0 without values."""
    return sorted(values)[min(len(values) - 1, int(share * len(values)))] if values else 0.0
