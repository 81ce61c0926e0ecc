"""Which process somebody is, so that another one can tell whether it still runs, where that can be told (Linux)."""

import os
import socket
from dataclasses import dataclass
from pathlib import Path

BOOT = Path("/proc/sys/kernel/random/boot_id")
PIDS = Path("/proc/self/ns/pid")
BEGAN_FIELD = 19  # of /proc/PID/stat, counted after the name in brackets: proc(5), starttime


@dataclass(frozen=True, slots=True)
class ProcessMark:
    """A process.

    Attributes:
        host: the machine's or container's name, for people.
        place: this boot of the machine and the namespace of its process ids: within it, an id is one process at a time.
        pid: its id.
        began: when it began, in ticks of the clock since the boot: an id is given again to another process.
    """

    host: str
    place: str | None
    pid: int
    began: int | None


def this_process() -> ProcessMark:
    """Return the mark of the process that asks."""
    try:
        place = f"{BOOT.read_text().strip()} {PIDS.readlink()}"
    except OSError:
        place = None
    return ProcessMark(socket.gethostname(), place, os.getpid(), _began(os.getpid()))


def is_alive(mark: ProcessMark) -> bool | None:
    """Return whether a process still runs; None where it cannot be told from here."""
    here = this_process()
    if mark.place is None or mark.place != here.place:
        return None
    return _began(mark.pid) == mark.began


def _began(pid: int) -> int | None:
    try:
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[BEGAN_FIELD])
    except (OSError, ValueError, IndexError):
        return None
