"""Runs pytest many times without starting Python, pytest and the libraries each time.

The process imports them once. For each line on stdin, the arguments and the time limit as JSON, it forks a process that
runs pytest, and answers with a line: the exit code, null after the limit.
"""

import contextlib
import importlib
import json
import os
import select
import signal
import sys
import time
from collections.abc import Sequence

import pytest

OUTPUT = "output.txt"
# What most tests import, apart from the services and the tests themselves: these are imported again after each mutant.
LIBRARIES = (
    *("numpy", "orjson", "httpx", "structlog", "PIL.Image", "pydantic_settings", "prometheus_client", "hypothesis"),
    *("fastapi.testclient", "uvicorn", "typer.testing", "rich.table", "pymongo", "motor.motor_asyncio", "limits.aio"),
    *("faiss", "grpc.aio", "lxml.etree", "chardet", "opentelemetry.trace", "xdist", "pytest_asyncio", "pytest_timeout"),
)


def main() -> None:
    """Answer lines until stdin ends."""
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))  # so that the tests are ended
    for name in LIBRARIES:
        with contextlib.suppress(ImportError):
            importlib.import_module(name)
    for line in sys.stdin:
        request = json.loads(line)
        sys.stdout.write(json.dumps(run(request["arguments"], request["limit_s"])) + "\n")
        sys.stdout.flush()


def run(arguments: Sequence[str], limit_s: float) -> int | None:
    """Return pytest's exit code, or None if it did not end in time. Every process that it started is ended."""
    child = os.fork()
    if child == 0:
        _run_pytest(arguments)
    try:
        return _exit_code(child, time.monotonic() + limit_s)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child, signal.SIGKILL)


def _run_pytest(arguments: Sequence[str]) -> None:
    os.setsid()
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    output = os.open(OUTPUT, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    empty = os.open(os.devnull, os.O_RDONLY)
    for descriptor, target in ((empty, 0), (output, 1), (output, 2)):
        os.dup2(descriptor, target)
    code = 3  # pytest's code of an internal error
    try:
        code = int(pytest.main(list(arguments)))
        sys.stdout.flush()
    finally:
        os._exit(code)


def _exit_code(child: int, deadline: float) -> int | None:
    watched = os.pidfd_open(child)
    try:
        has_ended, _, _ = select.select([watched], [], [], max(0.0, deadline - time.monotonic()))
        if not has_ended:
            os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
        return os.waitstatus_to_exitcode(status) if has_ended else None
    finally:
        os.close(watched)


if __name__ == "__main__":
    main()
