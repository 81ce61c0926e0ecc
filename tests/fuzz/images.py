"""Damaged images against a running gateway."""

import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

import httpx

from tests.fuzz.damage import damaged


@dataclass
class ImageRun:
    """What the gateway answered: how often each status, the times in milliseconds, and files with server errors."""

    statuses: Counter[int] = field(default_factory=Counter)
    times_ms: list[float] = field(default_factory=list)
    errors: list[bytes] = field(default_factory=list)

    @property
    def p99_ms(self) -> float:
        """The 99th percentile of the times."""
        return sorted(self.times_ms)[int(0.99 * (len(self.times_ms) - 1))] if self.times_ms else 0.0


def fuzz_images(url: str, *, count: int, seed: int) -> ImageRun:
    """Search by damaged images."""
    run = ImageRun()
    with httpx.Client(base_url=url, timeout=60, trust_env=False) as http:
        for data in _first(count, damaged(seed)):
            started = time.perf_counter()
            response = http.post("/v1/search", content=data, headers={"Content-Type": "image/jpeg"})
            run.times_ms.append((time.perf_counter() - started) * 1000)
            run.statuses[response.status_code] += 1
            if response.is_server_error:
                run.errors.append(data)
    return run


def _first(count: int, files: Iterable[bytes]) -> Iterable[bytes]:
    return (data for _, data in zip(range(count), files, strict=False))
