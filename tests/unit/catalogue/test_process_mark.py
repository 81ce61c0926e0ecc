"""Marks of processes: which ones are known to run, to have ended, or not known at all."""

import os
from dataclasses import replace
from pathlib import Path

import psutil  # type: ignore[import-untyped]
import pytest

from services.catalogue import process_mark
from services.catalogue.process_mark import TOLERANCE_S, is_alive, this_process


def test_this_process_runs_and_knows_where() -> None:
    mark = this_process()
    assert (mark.pid, is_alive(mark)) == (os.getpid(), True)
    assert mark.began == pytest.approx(psutil.Process().create_time())
    assert mark.place is not None
    assert mark.place.startswith(f"{mark.host} ")
    assert this_process() is mark


@pytest.mark.parametrize(
    ("moved_s", "expected"),
    [(0.0, True), (TOLERANCE_S / 2, True), (-TOLERANCE_S / 2, True), (1.5 * TOLERANCE_S, False), (-60.0, False)],
)
def test_an_id_that_another_process_has_now_is_not_the_process(moved_s: float, expected: bool) -> None:
    mark = this_process()
    assert mark.began is not None
    assert is_alive(replace(mark, began=mark.began + moved_s)) is expected


def test_a_process_that_has_ended_does_not_run() -> None:
    gone = replace(this_process(), pid=2**22 + 1)  # beyond the largest id of Linux
    assert is_alive(gone) is False
    assert is_alive(replace(this_process(), began=None)) is False


@pytest.mark.parametrize("place", [None, "another machine"])
def test_of_another_machine_nothing_is_known(place: str | None) -> None:
    assert is_alive(replace(this_process(), place=place)) is None


def test_a_zombie_does_not_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(psutil.Process, "status", lambda _: psutil.STATUS_ZOMBIE)
    assert is_alive(this_process()) is False


def test_a_system_without_namespaces_has_one(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(process_mark, "NAMESPACE", tmp_path / "none")
    process_mark._mark.cache_clear()
    try:
        mark = this_process()
        assert mark.place == f"{mark.host} {psutil.boot_time():.0f} "
        assert is_alive(mark) is True
    finally:
        process_mark._mark.cache_clear()
