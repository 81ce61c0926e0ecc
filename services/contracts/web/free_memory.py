"""Returns freed memory to the operating system: the C library keeps what large bodies and pictures have used."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable

from services.contracts.domain.machine import keep_freed_memory, memory_trimmer
from services.contracts.web.background import in_background

INTERVAL_S = 10.0


@contextlib.asynccontextmanager
async def returning_memory(interval_s: float = INTERVAL_S) -> AsyncIterator[None]:
    """Return freed memory again and again for as long as the block lasts, if the C library can (glibc)."""
    trim = memory_trimmer()
    if trim is None:
        yield
        return
    keep_freed_memory()
    async with in_background(_every(interval_s, trim), "return freed memory"):
        yield


async def _every(interval_s: float, trim: Callable[[int], int]) -> None:
    while True:
        await asyncio.sleep(interval_s)
        await asyncio.to_thread(trim, 0)  # which waits for no Python code
