"""The memory of the services' processes, and the limits that the Compose file gives them (Linux)."""

import re
import resource
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from services.local.stack import Stack

SERVICES = ("gateway", "embedding", "index")
UNITS = {"m": 1.0, "g": 1024.0}
COMPOSE = Path(__file__).resolve().parents[2] / "docker-compose.yml"


@dataclass(frozen=True)
class Memory:
    """Resident memory of a process and its children in MB, now and at its peak."""

    now: float
    peak: float


def limits_mb() -> dict[str, float]:
    """Return the memory limit of each service's container in MB: the default in the Compose file."""
    text = COMPOSE.read_text(encoding="utf-8")
    match = re.findall(r"\$\{(GATEWAY|EMBEDDING|INDEX)_MEMORY:-(\d+)([mg])\}", text)
    return {name.lower(): int(number) * UNITS[unit] for name, number, unit in match}


def process_ids(stack: Stack) -> dict[str, int]:
    """Return the process of each service."""
    program = Path(sys.executable).with_name("supervisorctl")
    config = stack.settings.state_dir.resolve() / "supervisord.conf"
    done = subprocess.run([program, "-c", config, "status"], check=False, capture_output=True, text=True)
    rows = re.findall(r"^(\S+)\s+RUNNING\s+pid (\d+)", done.stdout, re.MULTILINE)
    return {name: int(pid) for name, pid in rows if name in SERVICES}


def memory_of(pid: int) -> Memory:
    """Return the memory of a process and its children."""
    values = [_status(process) for process in (pid, *_children(pid))]
    return Memory(sum(value.now for value in values), sum(value.peak for value in values))


def bound_memory(pid: int, limit_mb: float) -> None:
    """Let a process and its later children have no more memory than `limit_mb`, so that asking for more fails.

    The kernel bounds what is reserved, not what is resident, so the bound is the limit and what is reserved unused now.
    """
    status = _fields(pid)
    unused_kb = max(0, status["VmData"] - status["VmRSS"])
    limit = int(limit_mb * 1024 + unused_kb) * 1024
    _, hard = resource.prlimit(pid, resource.RLIMIT_DATA)
    resource.prlimit(pid, resource.RLIMIT_DATA, (limit, hard))


def forget_peak(pid: int) -> None:
    """Let the peak begin with the present memory."""
    for process in (pid, *_children(pid)):
        try:
            Path(f"/proc/{process}/clear_refs").write_text("5")
        except OSError:
            continue


def _children(pid: int) -> list[int]:
    try:
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


def _status(pid: int) -> Memory:
    fields = _fields(pid)
    return Memory(fields.get("VmRSS", 0) / 1024, fields.get("VmHWM", 0) / 1024)


def _fields(pid: int) -> dict[str, int]:
    """Return the sizes of a process in kB; none if it has ended."""
    try:
        text = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return {}
    return {name: int(value) for name, value in re.findall(r"^(Vm\w+):\s+(\d+)", text, re.MULTILINE)}
