"""Processor time and memory of other processes, from /proc."""

import os
from collections.abc import Mapping
from pathlib import Path

_TICKS_PER_S = os.sysconf("SC_CLK_TCK")


def cpu_ms(pid: int) -> float:
    """Return the processor time of a process, of all its threads together, in milliseconds."""
    # The second field is the program's name in parentheses, which may contain spaces; see proc(5).
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) * 1000 / _TICKS_PER_S


def cpu_of(pids: Mapping[str, int]) -> dict[str, float]:
    """Return the processor time of each process by its name, in milliseconds."""
    return {name: cpu_ms(pid) for name, pid in pids.items()}


def resident_mb(pid: int) -> float:
    """Return the memory of a process that no other process shares, in megabytes; as `smem` counts (PSS)."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / 1000
