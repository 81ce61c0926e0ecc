"""The faults of `make faults`, each on a process of the test's own: it happens, is proved, and is over."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil  # type: ignore[import-untyped]
import pytest

from tests.faults.outages import fault
from tests.support.waiting import WITHIN_S, eventually

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux has prlimit and /proc")
# Writes again and again; says in another file, by a rename, how often it went round and whether the last write failed.
PROGRAM = """
import os, sys, time
count = 0
while True:
    count += 1
    try:
        with open("data", "w") as file:
            file.write("x")
        state = "written"
    except OSError as error:
        state = type(error).__name__
    os.rename(*sorted([name for name in os.listdir(".") if name.startswith("state")])[:1], f"state {count} {state}")
    time.sleep(0.005)
"""


class Writer:
    """A process that writes to its folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "state 0 none").touch()
        self.start()

    def start(self) -> None:
        self.popen = subprocess.Popen([sys.executable, "-c", PROGRAM], cwd=self.folder)

    def current(self) -> psutil.Process | None:
        if self.popen.poll() is not None:  # as the supervisor does
            self.start()
        return psutil.Process(self.popen.pid)

    def state(self) -> tuple[int, str]:
        """How often it went round, and what became of the last write."""
        names = [path.name for path in self.folder.iterdir() if path.name.startswith("state")]
        _, count, state = names[0].split() if names else ("", "0", "renaming")
        return int(count), state


@pytest.fixture
def writer(tmp_path: Path) -> Iterator[Writer]:
    writer = Writer(tmp_path)
    eventually(lambda: writer.state()[1] == "written")
    yield writer
    writer.popen.kill()
    writer.popen.wait(WITHIN_S)


async def test_a_killed_process_is_another_one_afterwards(writer: Writer) -> None:
    before = writer.popen.pid
    async with fault.kill(writer.current, 0.0) as proof:
        assert writer.popen.poll() is not None
    assert proof.text == f"process {before} ended, {writer.popen.pid} runs"


async def test_a_stopped_process_does_nothing_and_goes_on_afterwards(writer: Writer) -> None:
    async with fault.stop(writer.current, 0.1) as proof:
        eventually(lambda: psutil.Process(writer.popen.pid).status() == psutil.STATUS_STOPPED)
        before = writer.state()
    assert "was stopped" in proof.text
    eventually(lambda: writer.state() > before)


async def test_a_delayed_process_is_stopped_for_most_of_the_time(writer: Writer) -> None:
    before = writer.state()
    async with fault.delay(writer.current, 0.5) as proof:
        pass
    assert "was stopped for" in proof.text
    eventually(lambda: writer.state() > before)


async def test_a_process_without_a_disk_writes_nothing_until_it_has_one_again(writer: Writer) -> None:
    async with fault.disk_full(writer.current, 0.1) as proof:
        eventually(lambda: writer.state()[1] == "OSError")
    assert "could write 0 bytes" in proof.text
    eventually(lambda: writer.state()[1] == "written")
