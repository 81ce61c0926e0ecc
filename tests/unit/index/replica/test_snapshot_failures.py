"""A snapshot that cannot be read or written is logged and counted, and the index goes on."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from services.index.replica import snapshot
from services.index.replica.snapshot_keeper import SnapshotKeeper
from tests.support.fakes.follow import empty
from tests.support.fakes.snapshots import ORIGIN, one_product, write

NOBODY = 65534
pytestmark = pytest.mark.usefixtures("short_pauses")


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (lambda whole: whole[:-1], "the snapshot is damaged or cut short"),
        (lambda whole: b"?" + whole[1:], "the snapshot is no index snapshot"),
        (lambda whole: whole[:16] + b"\x09" + whole[17:], "the snapshot has format 9"),
    ],
)
async def test_an_unusable_snapshot_is_one_line_in_the_log_and_counted(
    keeper: SnapshotKeeper, damage: Any, reason: str
) -> None:
    await write(keeper, one_product(), 1)
    keeper.path.write_bytes(damage(keeper.path.read_bytes()))
    with capture_logs() as lines:
        assert keeper.load(empty()) is None
    assert [line["event"] for line in lines] == ["snapshot_unusable"]
    assert reason in lines[0]["reason"]
    assert keeper.status().failures == 1
    await write(keeper, one_product(), 2)
    assert keeper.status().last_error is None


async def test_an_undamaged_snapshot_with_invalid_content_is_a_failure(
    keeper: SnapshotKeeper, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(snapshot, "token_text", lambda _: "[]")
        await write(keeper, one_product(), 1)
    with capture_logs() as lines:
        assert keeper.load(empty()) is None
    assert [line["event"] for line in lines] == ["snapshot_unusable", "snapshot_unusable"]
    assert keeper.status().last_error == "the snapshot cannot be read (ValueError): see the log"


def test_an_unreadable_snapshot_is_one_line_in_the_log(keeper: SnapshotKeeper) -> None:
    keeper.path.mkdir(parents=True)
    with capture_logs() as lines:
        assert keeper.load(empty()) is None
    assert [line["event"] for line in lines] == ["snapshot_unusable"]
    assert "the snapshot cannot be read: Is a directory" in lines[0]["reason"]


async def test_a_snapshot_that_cannot_be_written_is_counted_each_time_and_logged_once(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    keeper = SnapshotKeeper(tmp_path / "file" / "folder", ORIGIN, 0)
    with capture_logs() as lines:
        for _ in range(3):
            await write(keeper, one_product(), 1)
    assert [line["event"] for line in lines] == ["snapshot_not_written"]
    assert lines[0]["reason"] == "the snapshot cannot be written: Not a directory"
    assert keeper.status().failures == 3
    assert keeper.status().bytes is None


async def test_an_error_in_our_own_code_is_a_failure(keeper: SnapshotKeeper, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any) -> int:
        raise KeyError("s3cret")

    monkeypatch.setattr(snapshot, "write", fail)
    await write(keeper, one_product(), 1)
    assert keeper.status().last_error == "the snapshot cannot be written (KeyError): see the log"


@contextmanager
def nobody() -> Iterator[None]:
    """Run as a user who owns no file here."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)


async def test_the_error_of_a_folder_of_another_user_names_both_users(tmp_path: Path) -> None:
    os.chmod(tmp_path, 0o555)  # noqa: PTH101
    for folder in tmp_path.parents[:-2]:  # pytest's folders, which only their user may enter
        os.chmod(folder, 0o711)  # noqa: PTH101
    keeper = SnapshotKeeper(tmp_path, ORIGIN, 0)
    with nobody():
        await write(keeper, one_product(), 1)
        user = os.geteuid()
    assert keeper.status().last_error == (
        f"the snapshot cannot be written: Permission denied: {tmp_path} belongs to user {os.getuid()}, "
        f"and this process is user {user}"
    )
