"""What this process has of its machine: the processors of its container, and memory that it can give back."""

import ctypes
import math
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

CGROUP = Path("/sys/fs/cgroup")
# glibc's M_TRIM_THRESHOLD and M_MMAP_THRESHOLD: the free end of the heap that is kept, and the blocks that are mapped.
MALLOC_BOUNDS = {-1: 64 * 1024 * 1024, -3: 32 * 1024 * 1024}


def available_processors(cgroup: Path = CGROUP) -> int:
    """Return the number of processors, at least 1: the least of the machine's, the affinity's and the quota's.

    `os.cpu_count` does not know the container's quota. A quota of 1.5 processors counts as 2.

    Args:
        cgroup: the folder of the container's control group, version 2 or 1.
    """
    affinity = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    quota = _quota(cgroup)
    return max(1, affinity if quota is None else min(affinity, math.ceil(quota)))


def memory_trimmer() -> Callable[[int], int] | None:
    """Return glibc's `malloc_trim`, which gives freed memory back to the system. None with another C library.

    By itself, glibc gives back the end of its heap only, and keeps the holes.
    """
    trim = _c_function("malloc_trim")
    if trim is None:
        return None
    trim.argtypes, trim.restype = [ctypes.c_size_t], ctypes.c_int
    return cast(Callable[[int], int], trim)


def keep_freed_memory() -> None:
    """Let glibc keep freed memory until `memory_trimmer` gives it back; nothing with another C library.

    By itself, it gives the end of its heap back after each picture, and decoding the next one takes 260 page faults.
    Its bounds grow with the largest block that was freed, up to these.
    """
    setting = _c_function("mallopt")
    if setting is None:
        return
    for parameter, size in MALLOC_BOUNDS.items():
        setting(parameter, size)


def release_freed_memory() -> None:
    """Give freed memory back to the system, if the C library can."""
    trim = memory_trimmer()
    if trim is not None:
        trim(0)


def _c_function(name: str) -> Any:
    """Return a function of the C library; None if it has none of this name."""
    try:
        return getattr(ctypes.CDLL(None), name)
    except (AttributeError, OSError, TypeError):
        return None


def _quota(cgroup: Path) -> float | None:
    """Return the quota in processors, or None without one."""
    try:
        limit, period = (cgroup / "cpu.max").read_text().split()
    except (OSError, ValueError):
        try:
            limit = (cgroup / "cpu" / "cpu.cfs_quota_us").read_text().strip()
            period = (cgroup / "cpu" / "cpu.cfs_period_us").read_text().strip()
        except OSError:
            return None
    if not (limit.isdecimal() and period.isdecimal() and int(limit) and int(period)):  # `max`, or -1
        return None
    return int(limit) / int(period)
