"""The processes of a stack, found without its supervisor: by a mark in their environment."""

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import psutil  # type: ignore[import-untyped]

MARK = "LOOKALIKE_STACK"  # a variable in the environment of every process of a stack: the path of its state folder
END_TIMEOUT_S = 20.0  # the services stop within 8 s


def own_processes(state: Path) -> list[psutil.Process]:
    """Return the running processes of the stack in a state folder, its supervisor included, oldest first."""
    matches = [process for process in psutil.process_iter() if _mark(process) == str(state)]
    return sorted(matches, key=lambda process: (process.create_time(), process.pid))


def _mark(process: psutil.Process) -> str | None:
    try:
        return None if process.status() == psutil.STATUS_ZOMBIE else process.environ().get(MARK)
    except (psutil.Error, OSError):  # it has ended, or belongs to another user
        return None


def describe(processes: Iterable[psutil.Process]) -> list[str]:
    """Return one line for each process: its name and its id."""
    return [f"{name_of(process):<12} pid {process.pid}" for process in processes]


def name_of(process: psutil.Process) -> str:
    """Return the last part of the process's module, `gateway` for `python -m services.gateway --port 8000`."""
    try:
        words: list[str] = process.cmdline()
    except psutil.Error:
        return "ended"
    if "-m" in words[:-1]:
        return words[words.index("-m") + 1].rpartition(".")[2]
    return Path(words[0]).name if words else "unknown"


def end(processes: Sequence[psutil.Process]) -> list[psutil.Process]:
    """End processes, those that started the others first: they start nothing again. Return those that remain."""
    numbers = {process.pid for process in processes}
    starters = [process for process in processes if _parent(process) not in numbers]
    _signal(starters, psutil.Process.terminate)
    psutil.wait_procs(starters, timeout=END_TIMEOUT_S)
    _signal(processes, psutil.Process.terminate)
    _, alive = psutil.wait_procs(processes, timeout=END_TIMEOUT_S)
    _signal(alive, psutil.Process.kill)
    return list(psutil.wait_procs(alive, timeout=END_TIMEOUT_S)[1])


def _parent(process: psutil.Process) -> int | None:
    try:
        return int(process.ppid())
    except psutil.Error:
        return None


def _signal(processes: Iterable[psutil.Process], action: Callable[[psutil.Process], None]) -> None:
    for process in processes:
        try:
            action(process)
        except psutil.NoSuchProcess:
            continue
