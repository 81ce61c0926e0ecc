"""The processes of a stack: memory, open files, threads and tasks (Linux)."""

import re
from dataclasses import dataclass
from pathlib import Path

import httpx
import psutil  # type: ignore[import-untyped]

from services.local.stack import Stack

TASKS = re.compile(r"^lookalike_asyncio_tasks (\S+)$", re.MULTILINE)


@dataclass(frozen=True)
class Usage:
    """What a process and its children hold: memory in MB, and the numbers of files, threads and tasks."""

    memory_mb: float
    files: int
    threads: int
    tasks: int


def processes(stack: Stack) -> dict[str, psutil.Process]:
    """Return the process of each part of the stack by its name; a part that is starting may be missing."""
    rows = (line.split() for line in stack.status().splitlines())
    return {row[0]: psutil.Process(int(row[3].rstrip(","))) for row in rows if row[1:3] == ["RUNNING", "pid"]}


def usage(process: psutil.Process, url: str) -> Usage:
    """Return what a service's process and its children hold now."""
    every = [process, *process.children(recursive=True)]
    with httpx.Client(base_url=url, timeout=10, trust_env=False) as http:
        matches = TASKS.search(http.get("/metrics").text)
    return Usage(
        memory_mb=sum(each.memory_info().rss for each in every) / 1e6,
        files=sum(each.num_fds() for each in every),
        threads=sum(each.num_threads() for each in every),
        tasks=int(float(matches[1])) if matches else 0,
    )


def service_urls(stack: Stack) -> dict[str, str]:
    """Return the addresses of the services that have metrics."""
    settings = stack.settings
    return {
        "gateway": settings.gateway_url,
        "embedding": settings.embedding_url,
        "index": f"http://127.0.0.1:{settings.index_port}",
    }


def signalled(process: psutil.Process) -> str:
    """Return the state letter of a process from the kernel: T if it is stopped."""
    return Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()[0]
