"""Returns freed memory to the operating system: the C library keeps what large bodies and pictures have used."""

import asyncio
import contextlib
import ctypes
from collections.abc import AsyncIterator, Callable

from services.contracts.web.background import in_background

INTERVAL_S = 10.0


@contextlib.asynccontextmanager
async def returning_memory(interval_s: float = INTERVAL_S) -> AsyncIterator[None]:
    """Return freed memory again and again for as long as the block lasts, if the C library can (glibc)."""
    trim = _trim()
    if trim is None:
        yield
        return
    async with in_background(_every(interval_s, trim), "return freed memory"):
        yield


async def _every(interval_s: float, trim: Callable[[int], int]) -> None:
    while True:
        await asyncio.sleep(interval_s)
        await asyncio.to_thread(trim, 0)  # which waits for no Python code


def _trim() -> Callable[[int], int] | None:
    """Return glibc's `malloc_trim`. None with another C library."""
    try:
        trim = ctypes.CDLL(None).malloc_trim
    except (AttributeError, OSError, TypeError):
        return None
    trim.argtypes, trim.restype = [ctypes.c_size_t], ctypes.c_int
    return trim
