"""When the snapshot is written, and what happens if it cannot be written or read."""

import asyncio
import threading
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from structlog.testing import capture_logs

from services.index.replica import snapshot, snapshot_keeper
from services.index.replica.snapshot import Origin
from services.index.replica.snapshot_keeper import SnapshotKeeper
from tests.support.fakes.follow import empty, running, until
from tests.support.fakes.snapshots import ORIGIN, POSITION, one_product, write
from tests.support.waiting import WITHIN_S

pytestmark = pytest.mark.usefixtures("short_pauses")


async def test_a_snapshot_is_written_into_a_new_folder_and_read_again(keeper: SnapshotKeeper) -> None:
    await write(keeper, one_product(), 5)
    status, again = keeper.status(), empty()
    assert status.bytes == keeper.path.stat().st_size
    assert status.age_seconds is not None and status.age_seconds < 60
    assert SnapshotKeeper(keeper.path.parent, ORIGIN, 0).load(again) == POSITION
    assert len(again.gallery) == 1


async def test_the_log_has_the_seconds_of_the_loading(keeper: SnapshotKeeper, monkeypatch: pytest.MonkeyPatch) -> None:
    await write(keeper, one_product(), 5)
    clock = iter((10.0, 12.346))
    monkeypatch.setattr(snapshot_keeper, "time", SimpleNamespace(**{**vars(time), "perf_counter": lambda: next(clock)}))
    with capture_logs() as lines:
        SnapshotKeeper(keeper.path.parent, ORIGIN, 0).load(empty())
    assert [line["seconds"] for line in lines if line["event"] == "snapshot_loaded"] == [2.35]


def test_each_catalogue_and_model_has_a_file_of_its_own(tmp_path: Path) -> None:
    others = [Origin(catalogue, model, "", 1, 4) for catalogue in ("a.b", "a/b", "../a") for model in ("m/1", "m/2")]
    paths = {SnapshotKeeper(tmp_path, origin, 0).path for origin in others}
    assert len(paths) == 6
    assert {path.parent for path in paths} == {tmp_path}


async def test_a_snapshot_is_due_after_a_change_and_after_the_interval(tmp_path: Path) -> None:
    keeper = SnapshotKeeper(tmp_path, ORIGIN, interval_s=0)
    await write(keeper, one_product(), 5)
    assert not keeper.is_due(5)
    assert keeper.is_due(6)
    hourly = SnapshotKeeper(tmp_path, ORIGIN, interval_s=1000)
    await write(hourly, one_product(), 5)
    assert not hourly.is_due(6)


async def test_the_pause_is_a_multiple_of_the_time_of_the_writing(
    keeper: SnapshotKeeper, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(snapshot_keeper, "REST_FACTOR", 20)
    clock = [1000.0]
    monkeypatch.setattr(snapshot_keeper, "time", SimpleNamespace(**{**vars(time), "monotonic": lambda: clock[0]}))

    def take_three_seconds(*_: Any) -> int:
        clock[0] += 3
        return 1

    monkeypatch.setattr(snapshot, "write", take_three_seconds)
    await write(keeper, one_product(), 1)
    clock[0] = 1003 + 59.9
    assert not keeper.is_due(2)
    clock[0] = 1003 + 60.0
    assert keeper.is_due(2)


async def test_an_old_snapshot_is_due_without_changes(keeper: SnapshotKeeper, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [1000.0]
    monkeypatch.setattr(snapshot_keeper, "time", SimpleNamespace(**{**vars(time), "monotonic": lambda: clock[0]}))
    await write(keeper, one_product(), 5)
    loaded = SnapshotKeeper(keeper.path.parent, ORIGIN, 0)
    assert loaded.load(empty())
    for changes, snapshots in ((5, keeper), (0, loaded)):
        clock[0] = 1000.0 + 3599
        assert not snapshots.is_due(changes)
        clock[0] = 1000.0 + 3600
        assert snapshots.is_due(changes)


async def test_while_a_snapshot_is_written_no_other_is_due(
    keeper: SnapshotKeeper, monkeypatch: pytest.MonkeyPatch
) -> None:
    may_end = threading.Event()

    def wait(*_: Any) -> int:
        assert may_end.wait(WITHIN_S)
        return 1

    monkeypatch.setattr(snapshot, "write", wait)
    keeper.save(one_product().freeze(), POSITION, 1)
    assert not keeper.is_due(2)
    may_end.set()
    await until(lambda: keeper._writing is None)
    assert keeper.is_due(2)


async def test_closing_writes_the_last_changes(keeper: SnapshotKeeper) -> None:
    await keeper.close(one_product(), POSITION, 1)
    assert SnapshotKeeper(keeper.path.parent, ORIGIN, 0).load(empty()) == POSITION


async def test_closing_writes_nothing_without_a_position(keeper: SnapshotKeeper) -> None:
    await keeper.close(one_product(), None, 1)
    assert not keeper.path.exists()


async def test_closing_writes_nothing_without_changes(keeper: SnapshotKeeper) -> None:
    await write(keeper, one_product(), 5)
    before = keeper.path.stat().st_mtime_ns
    await keeper.close(one_product(), POSITION, 5)
    assert keeper.path.stat().st_mtime_ns == before


async def test_closing_cancels_a_writing_that_takes_too_long(
    keeper: SnapshotKeeper, monkeypatch: pytest.MonkeyPatch
) -> None:
    await write(keeper, one_product(), 1)
    before = keeper.path.read_bytes()
    monkeypatch.setattr(snapshot_keeper, "CLOSE_TIMEOUT_S", -1.0)
    await keeper.close(empty(), POSITION, 2)
    assert keeper.path.read_bytes() == before
    assert list(keeper.path.parent.iterdir()) == [keeper.path]


async def test_closing_cancels_a_writing_in_progress_and_writes_the_last_changes(
    keeper: SnapshotKeeper, monkeypatch: pytest.MonkeyPatch
) -> None:
    started, write_file = threading.Event(), snapshot.write

    def slowly(*arguments: Any) -> int:
        started.set()
        while True:
            arguments[-1]()

    monkeypatch.setattr(snapshot, "write", slowly)
    keeper.save(one_product().freeze(), POSITION, 1)
    await asyncio.to_thread(started.wait, 20)
    monkeypatch.setattr(snapshot, "write", write_file)
    await keeper.close(one_product(), POSITION, 1)
    assert SnapshotKeeper(keeper.path.parent, ORIGIN, 0).load(empty()) == POSITION


def test_a_missing_snapshot_is_no_failure(keeper: SnapshotKeeper) -> None:
    assert keeper.load(empty()) is None
    assert (keeper.status().failures, keeper.status().last_error) == (0, None)


async def test_a_new_index_writes_its_first_snapshot_at_once(keeper: SnapshotKeeper) -> None:
    assert keeper.is_due(0)


async def test_the_age_of_a_snapshot_that_was_read_is_that_of_its_replica(keeper: SnapshotKeeper) -> None:
    await write(keeper, one_product(), 5)
    loaded = SnapshotKeeper(keeper.path.parent, ORIGIN, 0)
    assert loaded.load(empty())
    assert loaded.status().bytes == keeper.path.stat().st_size
    assert loaded.status().age_seconds == pytest.approx(time.time() - POSITION.level_at, abs=60)


async def test_loading_removes_temporary_files(keeper: SnapshotKeeper) -> None:
    await write(keeper, one_product(), 5)
    temporary = keeper.path.with_name(f"{keeper.path.name}.7.tmp")
    temporary.write_bytes(b"half")
    assert keeper.load(empty())
    assert not temporary.exists()


async def test_closing_leaves_no_task_behind(keeper: SnapshotKeeper, monkeypatch: pytest.MonkeyPatch) -> None:
    def until_cancelled(*arguments: Any) -> int:
        while True:
            arguments[-1]()

    monkeypatch.setattr(snapshot, "write", until_cancelled)
    keeper.save(one_product().freeze(), POSITION, 1)
    assert running({"write the snapshot"})
    await keeper.close(one_product(), None, 1)
    assert running({"write the snapshot"}) == []


async def test_closing_gives_the_last_snapshot_three_seconds(
    keeper: SnapshotKeeper, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock, checks = [1000.0], list[float]()
    monkeypatch.setattr(snapshot_keeper, "time", SimpleNamespace(**{**vars(time), "monotonic": lambda: clock[0]}))

    def slowly(*arguments: Any) -> int:
        for _ in range(10):
            clock[0] += 1
            arguments[-1]()
            checks.append(clock[0])
        return 1

    monkeypatch.setattr(snapshot, "write", slowly)
    await keeper.close(one_product(), POSITION, 1)
    assert checks == [1001.0, 1002.0, 1003.0]


async def test_a_cancelled_writing_is_no_failure_and_stays_due(
    keeper: SnapshotKeeper, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(snapshot_keeper, "CLOSE_TIMEOUT_S", -1.0)
    with capture_logs() as lines:
        await keeper.close(one_product(), POSITION, 1)
    assert [line["event"] for line in lines] == ["snapshot_cancelled"]
    assert (keeper.status().failures, keeper.status().bytes) == (0, None)
    assert keeper.is_due(1)
