"""The local stack in a folder with an odd name, whose supervisor is killed and whose socket is removed."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil  # type: ignore[import-untyped]
import pytest

from services.local.own_processes import MARK, describe, end, own_processes
from services.local.stack import Stack
from services.local.supervisor import PROCESSES, socket_path
from tests.support.servers.stack import stack_settings
from tests.support.servers.tfs import copy_version
from tests.support.web.ports import is_free

SLEEP = "import time; print('started', flush=True); time.sleep(600)"
STUBBORN = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); " + SLEEP


@pytest.fixture
def stack(tmp_path: Path) -> Iterator[Stack]:
    state = tmp_path / 'it\'s 50% "off" ;today #1'
    models = {"model_dir": copy_version(tmp_path / "fashion", 1), "detector_dir": tmp_path / "detector" / "1"}
    stack = Stack(stack_settings(state).model_copy(update=models))
    try:
        yield stack
    finally:
        stack.down()


def supervisor(stack: Stack) -> psutil.Process:
    (process,) = (
        process for process in own_processes(stack.settings.state_dir) if "supervisor.supervisord" in process.cmdline()
    )
    return process


def test_processes_whose_supervisor_was_killed_are_listed_ended_and_started_again(stack: Stack) -> None:
    lines: list[str] = []
    stack.up("test", lines.append)
    killed = supervisor(stack)
    killed.send_signal(signal.SIGKILL)
    psutil.wait_procs([killed])
    first, *rest = stack.status().splitlines()
    assert first == "the stack's supervisor does not respond; lookalike down ends these processes:"
    assert {line.split()[0] for line in rest} == set(PROCESSES)
    stack.up("test", lines.append)
    assert lines == ["ending 5 processes of this stack that have no supervisor"]
    assert {line.split()[1] for line in stack.status().splitlines()} == {"RUNNING"}
    socket_path(stack.settings.state_dir).unlink()
    assert stack.status().splitlines()[0] == first
    assert stack.down() is True
    assert own_processes(stack.settings.state_dir) == []
    assert all(is_free(port) for port in stack.settings.ports.values())
    assert stack.status() == "the stack is not running"


def start(program: str, state: Path) -> subprocess.Popen[bytes]:
    process = subprocess.Popen(
        [sys.executable, "-c", program], env={**os.environ, MARK: str(state)}, stdout=subprocess.PIPE
    )
    assert process.stdout is not None and process.stdout.readline() == b"started\n"
    return process


def test_only_processes_with_the_mark_of_the_folder_belong_to_a_stack(tmp_path: Path) -> None:
    with start(SLEEP, tmp_path / "a") as mine, start(SLEEP, tmp_path / "ab") as another:
        processes = own_processes(tmp_path / "a")
        assert [process.pid for process in processes] == [mine.pid]
        assert describe(processes)[0].endswith(f"pid {mine.pid}")
        assert end(processes) == []
        assert own_processes(tmp_path / "a") == []
        assert another.poll() is None
        another.kill()


def test_a_process_that_ignores_sigterm_is_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.local.own_processes.END_TIMEOUT_S", 0.2)
    with start(STUBBORN, tmp_path):
        assert end(own_processes(tmp_path)) == []
        assert own_processes(tmp_path) == []
