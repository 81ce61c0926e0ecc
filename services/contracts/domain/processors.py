"""How many processors this process may use: those of its container, which `os.cpu_count` does not know."""

import math
import os
from pathlib import Path

CGROUP = Path("/sys/fs/cgroup")


def available_processors(cgroup: Path = CGROUP) -> int:
    """Return the number of processors, at least 1: the least of the machine's, the affinity's and the quota's.

    A quota of 1.5 processors counts as 2.

    Args:
        cgroup: the folder of the container's control group, version 2 or 1.
    """
    affinity = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    quota = _quota(cgroup)
    return max(1, affinity if quota is None else min(affinity, math.ceil(quota)))


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
