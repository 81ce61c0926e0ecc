"""Marks of real processes, and the lease of one that ends."""

import asyncio
import os
import subprocess
import sys
from collections.abc import Iterator

import psutil  # type: ignore[import-untyped]
import pytest

from services.catalogue.importing import lease as import_lease
from services.catalogue.importing.lease import ImportLease, ImportUnderWay
from services.catalogue.process_mark import ProcessMark, is_alive, this_process
from services.catalogue.store.notes import Lease
from tests.unit.catalogue.importing.test_lease import FakeLeases


@pytest.fixture
def process() -> Iterator["subprocess.Popen[bytes]"]:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        yield process
        process.kill()


def mark_of(process: "subprocess.Popen[bytes]") -> ProcessMark:
    here = this_process()
    return ProcessMark(here.host, here.place, process.pid, psutil.Process(process.pid).create_time())


def test_a_process_is_alive_until_it_ends(process: "subprocess.Popen[bytes]") -> None:
    mark = mark_of(process)
    assert is_alive(mark) is True
    process.kill()
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)  # it has ended; its parent has not looked yet
    assert is_alive(mark) is False
    process.wait()
    assert is_alive(mark) is False


async def test_a_lease_is_kept_while_its_process_runs_and_taken_over_at_once_when_that_has_ended(
    process: "subprocess.Popen[bytes]", monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(import_lease, "STALE_S", 1000.0)
    stopping = asyncio.Event()
    notes = FakeLeases(Lease("theirs", "theirs.csv", "2026-05-01T00:00:00+00:00", mark_of(process)))
    with pytest.raises(ImportUnderWay):
        await ImportLease(notes, "ours", "ours.csv", "now").take(stopping)
    process.kill()
    process.wait()
    await ImportLease(notes, "ours", "ours.csv", "now").take(stopping)
    assert notes.held is not None and notes.held.import_id == "ours"
