"""Marks of processes, by which another process finds out whether one still runs."""

import os
import socket
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import psutil  # type: ignore[import-untyped]

NAMESPACE = Path("/proc/self/ns/pid")
TOLERANCE_S = 2.0  # a process's start is computed from the boot time, which moves with the clock


@dataclass(frozen=True, slots=True)
class ProcessMark:
    """A process.

    Attributes:
        host: the name of the machine or container, for people.
        place: the boot of the machine and the namespace of the process ids: within it, an id is one process at a time.
        pid: the process id.
        began: when the process began, Unix time in seconds: an id is reused later. None if the process has ended.
    """

    host: str
    place: str | None
    pid: int
    began: float | None


def this_process() -> ProcessMark:
    """Return the mark of this process."""
    return _mark(os.getpid())


@lru_cache(maxsize=1)  # always the same for one process, though the clock may move
def _mark(pid: int) -> ProcessMark:
    host = socket.gethostname()
    return ProcessMark(host, f"{host} {psutil.boot_time():.0f} {_namespace()}", pid, _began(pid))


def is_alive(mark: ProcessMark) -> bool | None:
    """Return whether a process still runs; None if this process cannot tell: it is on another machine, say."""
    if mark.place is None or mark.place != this_process().place:
        return None
    began = _began(mark.pid)
    return began is not None and mark.began is not None and abs(began - mark.began) <= TOLERANCE_S


def _namespace() -> str:
    """Return the namespace of the process ids. Only Linux has several: two containers may have the same name."""
    try:
        return str(NAMESPACE.readlink())
    except OSError:
        return ""


def _began(pid: int) -> float | None:
    """Return when a process began; None if there is none that runs."""
    try:
        process = psutil.Process(pid)
        return None if process.status() == psutil.STATUS_ZOMBIE else float(process.create_time())
    except psutil.NoSuchProcess:
        return None
