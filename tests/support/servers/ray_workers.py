"""The processes of a local Ray cluster that a command has started, and a run in which they are killed."""

import random
import subprocess
import time
from collections.abc import Mapping
from contextlib import suppress
from importlib.util import find_spec
from typing import Any

import psutil  # type: ignore[import-untyped]

from tests.support.servers.import_stack import Imported, finish

IS_INSTALLED = all(find_spec(name) is not None for name in ("ray", "pyarrow"))
WORKERS = "ray::MapWorker"
READER = "ray::Read"
# A product's times, and its revision, which is drawn for each write.
TIMES = frozenset({"updated_at", "created_at", "revision"})
LOOK_S = 0.05


def ray_processes(command: int, *names: str) -> list[psutil.Process]:
    """Return the processes below a command whose titles begin with one of the names."""
    collected = []
    with suppress(psutil.NoSuchProcess):
        for process in psutil.Process(command).children(recursive=True):
            with suppress(psutil.Error):
                if process.cmdline() and process.cmdline()[0].startswith(names):
                    collected.append(process)
    return collected


def finish_with_kills(
    command: "subprocess.Popen[bytes]", kills: int, chance: random.Random, pause_s: tuple[float, float] = (0.3, 2.0)
) -> tuple[Imported, list[str]]:
    """Kill workers, and the reader, at random instants until the command ends; return how it ended and what was killed.

    Args:
        command: `lookalike embed` or `lookalike reembed`.
        kills: the most kills.
        chance: chooses the processes and the instants.
        pause_s: the shortest and the longest time between two kills.
    """
    killed: list[str] = []
    due = time.monotonic()
    while command.poll() is None:
        processes = ray_processes(command.pid, WORKERS, READER)
        if processes and len(killed) < kills and time.monotonic() >= due:
            victim = chance.choice(processes)
            with suppress(psutil.NoSuchProcess):
                title = victim.cmdline()[0]
                victim.kill()
                killed.append(title)
            due = time.monotonic() + chance.uniform(*pause_s)
        time.sleep(LOOK_S)
    return finish(command), killed


def differences(expected: Mapping[Any, Mapping[str, Any]], rows: Mapping[Any, Mapping[str, Any]]) -> list[str]:
    """Return, as lines, which documents are missing, are too many, or differ in a field apart from their times."""
    lines = [f"{key}: missing" for key in expected.keys() - rows.keys()]
    lines += [f"{key}: not in the feed" for key in rows.keys() - expected.keys()]
    for key in expected.keys() & rows.keys():
        names = (expected[key].keys() | rows[key].keys()) - TIMES
        lines += [f"{key}: {name}" for name in sorted(names) if expected[key].get(name) != rows[key].get(name)]
    return lines
