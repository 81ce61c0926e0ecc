"""When the snapshot is written, and what becomes of one that cannot be written or read."""

import asyncio
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from services.index.replica import snapshot
from services.index.replica import snapshot_keeper as keeping
from services.index.replica.replica import Replica
from services.index.replica.snapshot import Origin, SyncPosition
from services.index.replica.snapshot_keeper import SnapshotKeeper
from tests.support.follow import empty, record, until

ORIGIN = Origin("lookalike.products", "fashion/1", "fashion/1", 1, 4)
POSITION = SyncPosition("database", {"_data": "82AB"}, 1_000_000.0)
NOBODY = 65534


@pytest.fixture
def keeper(tmp_path: Path) -> SnapshotKeeper:
    return SnapshotKeeper(tmp_path / "new" / "folder", ORIGIN, interval_s=0)


@pytest.fixture(autouse=True)
def _often(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the pause be what it is set to, however long the writing took."""
    monkeypatch.setattr(keeping, "REST_FACTOR", 0)


def one_product() -> Replica:
    replica = empty()
    replica.apply((), [record("1")])
    return replica


async def written(keeper: SnapshotKeeper, replica: Replica, changes: int) -> None:
    """Have the keeper write, and wait for it."""
    assert keeper.is_due(changes)
    keeper.save(replica.freeze(), POSITION, changes)
    await until(lambda: keeper._writing is None)


async def test_a_snapshot_is_written_into_a_folder_that_is_made_and_is_read_again(keeper: SnapshotKeeper) -> None:
    await written(keeper, one_product(), 5)
    status, again = keeper.status(), empty()
    assert status.bytes == keeper.path.stat().st_size
    assert status.age_seconds is not None and status.age_seconds < 60
    assert SnapshotKeeper(keeper.path.parent, ORIGIN, 0).load(again) == POSITION
    assert len(again.gallery) == 1


def test_each_catalogue_and_model_has_a_file_of_its_own(tmp_path: Path) -> None:
    others = [Origin(catalogue, model, "", 1, 4) for catalogue in ("a.b", "a/b", "../a") for model in ("m/1", "m/2")]
    paths = {SnapshotKeeper(tmp_path, origin, 0).path for origin in others}
    assert len(paths) == 6
    assert {path.parent for path in paths} == {tmp_path}


async def test_it_is_written_when_something_has_changed_and_not_sooner_than_told(tmp_path: Path) -> None:
    keeper = SnapshotKeeper(tmp_path, ORIGIN, interval_s=0)
    await written(keeper, one_product(), 5)
    assert not keeper.is_due(5)
    assert keeper.is_due(6)
    patient = SnapshotKeeper(tmp_path, ORIGIN, interval_s=1000)
    await written(patient, one_product(), 5)
    assert not patient.is_due(6)


async def test_writing_takes_a_small_part_of_the_time(keeper: SnapshotKeeper, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keeping, "REST_FACTOR", 10_000_000)
    await written(keeper, one_product(), 1)
    assert not keeper.is_due(2)


async def test_it_is_written_without_changes_when_its_place_in_the_stream_is_old(
    keeper: SnapshotKeeper, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keeping, "MAX_AGE_S", 0.0)
    await written(keeper, one_product(), 5)
    assert keeper.is_due(5)


async def test_while_one_is_written_no_other_is_begun(keeper: SnapshotKeeper, monkeypatch: pytest.MonkeyPatch) -> None:
    may_end = threading.Event()

    def wait(*_: Any) -> int:
        assert may_end.wait(20)
        return 1

    monkeypatch.setattr(snapshot, "write", wait)
    keeper.save(one_product().freeze(), POSITION, 1)
    assert not keeper.is_due(2)
    may_end.set()
    await until(lambda: keeper._writing is None)
    assert keeper.is_due(2)


async def test_the_last_changes_are_written_at_the_end(keeper: SnapshotKeeper) -> None:
    await keeper.close(one_product(), POSITION, 1)
    assert SnapshotKeeper(keeper.path.parent, ORIGIN, 0).load(empty()) == POSITION


async def test_at_the_end_nothing_is_written_that_cannot_be_gone_on_from(keeper: SnapshotKeeper) -> None:
    await keeper.close(one_product(), None, 1)
    assert not keeper.path.exists()


async def test_at_the_end_nothing_is_written_twice(keeper: SnapshotKeeper) -> None:
    await written(keeper, one_product(), 5)
    before = keeper.path.stat().st_mtime_ns
    await keeper.close(one_product(), POSITION, 5)
    assert keeper.path.stat().st_mtime_ns == before


async def test_the_end_does_not_wait_for_what_takes_too_long(
    keeper: SnapshotKeeper, monkeypatch: pytest.MonkeyPatch
) -> None:
    await written(keeper, one_product(), 1)
    before = keeper.path.read_bytes()
    monkeypatch.setattr(keeping, "CLOSE_TIMEOUT_S", -1.0)
    await keeper.close(empty(), POSITION, 2)
    assert keeper.path.read_bytes() == before
    assert list(keeper.path.parent.iterdir()) == [keeper.path]


async def test_the_end_gives_up_what_is_being_written(keeper: SnapshotKeeper, monkeypatch: pytest.MonkeyPatch) -> None:
    begun, write = threading.Event(), snapshot.write

    def slowly(*arguments: Any) -> int:
        begun.set()
        while True:
            arguments[-1]()

    monkeypatch.setattr(snapshot, "write", slowly)
    keeper.save(one_product().freeze(), POSITION, 1)
    await asyncio.to_thread(begun.wait, 20)
    monkeypatch.setattr(snapshot, "write", write)
    await keeper.close(one_product(), POSITION, 1)
    assert SnapshotKeeper(keeper.path.parent, ORIGIN, 0).load(empty()) == POSITION


def test_without_a_snapshot_there_is_nothing_to_complain_about(keeper: SnapshotKeeper) -> None:
    assert keeper.load(empty()) is None
    assert (keeper.status().failures, keeper.status().last_error) == (0, None)


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lambda whole: whole[:-1], "the snapshot is damaged or cut short"),
        (lambda whole: b"?" + whole[1:], "the snapshot is no index snapshot"),
        (lambda whole: whole[:16] + b"\x09" + whole[17:], "the snapshot has format 9"),
    ],
)
async def test_a_snapshot_that_is_of_no_use_is_said_in_one_line_and_counted(
    keeper: SnapshotKeeper, damage: Any, said: str
) -> None:
    await written(keeper, one_product(), 1)
    keeper.path.write_bytes(damage(keeper.path.read_bytes()))
    with capture_logs() as lines:
        assert keeper.load(empty()) is None
    assert [line["event"] for line in lines] == ["snapshot_unusable"]
    assert said in lines[0]["reason"]
    assert keeper.status().failures == 1
    await written(keeper, one_product(), 2)
    assert keeper.status().last_error is None


async def test_a_snapshot_that_is_whole_and_makes_no_sense_is_told_too(
    keeper: SnapshotKeeper, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(snapshot, "token_text", lambda _: "[]")
        await written(keeper, one_product(), 1)
    with capture_logs() as lines:
        assert keeper.load(empty()) is None
    assert [line["event"] for line in lines] == ["snapshot_unusable", "snapshot_unusable"]
    assert keeper.status().last_error == "the snapshot cannot be read (ValueError): see the log"


def test_a_snapshot_that_cannot_be_read_is_said_in_one_line(keeper: SnapshotKeeper) -> None:
    keeper.path.mkdir(parents=True)
    with capture_logs() as lines:
        assert keeper.load(empty()) is None
    assert [line["event"] for line in lines] == ["snapshot_unusable"]
    assert "the snapshot cannot be read: Is a directory" in lines[0]["reason"]


async def test_a_snapshot_that_cannot_be_written_is_counted_each_time_and_said_once(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    keeper = SnapshotKeeper(tmp_path / "file" / "folder", ORIGIN, 0)
    with capture_logs() as lines:
        for _ in range(3):
            await written(keeper, one_product(), 1)
    assert [line["event"] for line in lines] == ["snapshot_not_written"]
    assert lines[0]["reason"] == "the snapshot cannot be written: Not a directory"
    assert keeper.status().failures == 3
    assert keeper.status().bytes is None


async def test_an_error_of_our_own_is_told_too(keeper: SnapshotKeeper, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any) -> int:
        raise KeyError("s3cret")

    monkeypatch.setattr(snapshot, "write", fail)
    await written(keeper, one_product(), 1)
    assert keeper.status().last_error == "the snapshot cannot be written (KeyError): see the log"


@contextmanager
def nobody() -> Iterator[None]:
    """Have the rights of a user who owns nothing here."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)


async def test_a_folder_of_another_user_is_said_with_both_users(tmp_path: Path) -> None:
    os.chmod(tmp_path, 0o555)  # noqa: PTH101
    for folder in tmp_path.parents[:-2]:  # pytest's own folders below the system's, which only their user may enter
        os.chmod(folder, 0o711)  # noqa: PTH101
    keeper = SnapshotKeeper(tmp_path, ORIGIN, 0)
    with nobody():
        await written(keeper, one_product(), 1)
        user = os.geteuid()
    assert keeper.status().last_error == (
        f"the snapshot cannot be written: Permission denied: {tmp_path} belongs to user {os.getuid()}, "
        f"and this process is user {user}"
    )
