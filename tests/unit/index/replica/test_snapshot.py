"""A replica is read back from its snapshot as it was; the file is replaced as a whole, or not at all."""

import errno
import os
import stat
from dataclasses import replace
from pathlib import Path
from typing import Any, BinaryIO, cast

import numpy as np
import pytest

from services.catalogue.documents.product_document import BrokenDocument, Record
from services.engine.flat_search import FaissFlat
from services.engine.gallery import Gallery, Query
from services.engine.packed import rows
from services.index.replica import snapshot
from services.index.replica.block_file import UnusableFile
from services.index.replica.replica import Replica
from services.index.replica.snapshot import Origin, SyncPosition
from tests.support.values.products import additional_image, make_product

ORIGIN = Origin("lookalike.products", "fashion/1", "fashion/1", 3, 4)
POSITION = SyncPosition("database", {"_data": "82AB"}, 1_000_000.5)
AXES = np.eye(4, dtype=np.float32)


def empty() -> Replica:
    return Replica(Gallery(3, 4, FaissFlat, merge_rows=4), "fashion/1", "fashion/1")


def record(document_id: str, key: str, category: int = 0, **fields: Any) -> Record:
    return Record(document_id, make_product(key, category, AXES[len(key) % 4], **fields))


def pictured(document_id: str, key: str, *axes: int) -> Record:
    """Return a product with additional images, and errors of two others."""
    images = tuple(additional_image(AXES[axis], url=f"https://shop.example/{axis}") for axis in axes)
    return replace(
        record(document_id, key, images=images, title="pictured"), faults=("images[9]: NaN", "images[10]: NaN")
    )


def filled() -> Replica:
    """Return a replica with documents of every kind: legacy, outranked, broken, of another model; in base and tail."""
    replica = empty()
    replica.apply((), [record(f"p{n}", f"p{n}", n % 2, title=f"größe {n}") for n in range(20)])
    replica.apply((), [record("oid1", "1"), record("oid2", "1"), record("oid3", "p1", title="outranked")])
    replica.apply((), [pictured("i1", "i1", 1, 2, 3), pictured("i2", "i2", 0), pictured("oid4", "i2", 2, 3)])
    replica.apply((), [BrokenDocument("bad", "the vector is missing"), record("other", "other", model="fashion/2")])
    replica.apply(["p3", "p4"], [record("p5", "p5", 2)])
    return replica


def shown(replica: Replica) -> Any:
    query = np.array([1, 2, 3, 4], np.float32)
    matches = [replica.gallery.search(category, query, Query(100)) for category in range(3)]
    return matches, replica.gallery.counts(), replica.skipped, replica.image_errors, replica.other_models


def write(path: Path, replica: Replica) -> int:
    return snapshot.write(path, ORIGIN, POSITION, replica.freeze(), lambda: None)


@pytest.fixture(autouse=True, params=[1, 50_000], ids=["compressed", "plain"])
def _compression(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Compress the payloads of all categories with products, or of none."""
    monkeypatch.setattr(rows, "COMPRESSED_TEXTS", request.param)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "x.snapshot"


def test_a_replica_is_read_back_as_it_was(path: Path) -> None:
    replica, again = filled(), empty()
    size = write(path, replica)
    assert snapshot.read(path, ORIGIN, again) == (POSITION, size)
    assert path.stat().st_size == size
    assert shown(again) == shown(replica)
    assert [hit.key for hit in again.gallery.similar("p0", Query(3))[1]] == [
        hit.key for hit in replica.gallery.similar("p0", Query(3))[1]
    ]


def test_later_changes_have_the_same_effect_on_the_replica_that_was_read(path: Path) -> None:
    replica, again = filled(), empty()
    write(path, replica)
    snapshot.read(path, ORIGIN, again)
    for deleted in ("oid2", "i1", "oid1", "p1", "oid3", "bad", "i2", "other", "p7", "oid4"):
        for each in (replica, again):
            each.apply([deleted], [record("p8", "p8", 1, title=deleted)])
        assert shown(again) == shown(replica)


def test_an_empty_replica_is_read_back_empty(path: Path) -> None:
    again = empty()
    write(path, empty())
    snapshot.read(path, ORIGIN, again)
    assert shown(again) == shown(empty())


def test_changes_during_the_writing_are_not_in_the_snapshot(path: Path) -> None:
    replica, again = filled(), empty()
    before, state = shown(filled()), replica.freeze()
    replica.apply(["p0", "oid2", "bad"], [record(f"q{n}", f"q{n}") for n in range(30)])
    snapshot.write(path, ORIGIN, POSITION, state, lambda: None)
    snapshot.read(path, ORIGIN, again)
    assert shown(again) == before


def test_a_replica_does_not_need_its_snapshot_after_it_was_read(path: Path) -> None:
    again = empty()
    write(path, filled())
    snapshot.read(path, ORIGIN, again)
    path.write_bytes(b"")
    assert shown(again) == shown(filled())


@pytest.mark.parametrize(
    ("other", "reason"),
    [
        ({"model": "fashion/2"}, "made with model fashion/1, not fashion/2"),
        ({"dimension": 5}, "made with dimension 4, not 5"),
        ({"categories": 9}, "made with categories 3, not 9"),
        ({"catalogue": "shop.products"}, "made with catalogue lookalike.products, not shop.products"),
        ({"held_categories": "0,2"}, "made with held categories all, not 0,2"),
        ({"unversioned_model": "x"}, "made with unversioned model fashion/1, not x"),
    ],
)
def test_a_snapshot_of_another_origin_is_not_used(path: Path, other: dict[str, Any], reason: str) -> None:
    write(path, filled())
    with pytest.raises(UnusableFile, match=reason):
        snapshot.read(path, replace(ORIGIN, **other), empty())


def test_a_changed_byte_in_any_of_its_blocks_is_found(path: Path) -> None:
    write(path, filled())
    whole = path.read_bytes()
    for place in range(0, len(whole), 5):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        with pytest.raises(UnusableFile):
            snapshot.read(path, ORIGIN, empty())


@pytest.mark.parametrize("error", [OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)), KeyboardInterrupt()], ids=repr)
def test_after_a_failure_the_previous_snapshot_is_there_and_no_temporary_file(
    path: Path, monkeypatch: pytest.MonkeyPatch, error: BaseException
) -> None:
    write(path, filled())
    before = path.read_bytes()

    def fail(_: int) -> None:
        raise error

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(type(error)):
        write(path, empty())
    assert path.read_bytes() == before
    assert list(path.parent.iterdir()) == [path]


def test_a_full_disk_leaves_the_previous_snapshot(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(path, empty())
    before = path.read_bytes()
    full = Path("/dev/full")  # every write to it fails: no space left
    opened: list[Path] = []

    def open_full(temporary: Path, mode: str, **options: Any) -> BinaryIO:
        opened.append(temporary)
        temporary.touch()
        return cast(BinaryIO, open(full, mode, **options))  # noqa: PTH123

    with monkeypatch.context() as patched:
        patched.setattr(Path, "open", open_full)
        with pytest.raises(OSError, match="No space left"):
            write(path, filled())
    assert opened and not opened[0].exists()
    assert path.read_bytes() == before


def test_the_temporary_files_of_an_ended_process_are_removed(path: Path) -> None:
    write(path, empty())
    for name in ("x.snapshot.7.tmp", "x.snapshot.8.tmp", "y.snapshot.7.tmp"):
        (path.parent / name).write_bytes(b"half")
    snapshot.remove_unfinished(path)
    assert {entry.name for entry in path.parent.iterdir()} == {"x.snapshot", "y.snapshot.7.tmp"}


def test_a_snapshot_is_durable_before_and_after_it_replaces_the_previous_one(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file is flushed to the disk before it is renamed, and the folder's entry afterwards."""
    steps: list[str] = []
    fsync, replace_file = os.fsync, Path.replace

    def record_fsync(descriptor: int) -> None:
        status = os.fstat(descriptor)
        if stat.S_ISDIR(status.st_mode):
            assert status.st_ino == path.parent.stat().st_ino
            steps.append("flush the folder")
        else:
            assert status.st_size == len(whole)
            steps.append("flush the file")
        fsync(descriptor)

    def record_replace(temporary: Path, target: Path) -> Path:
        steps.append("rename")
        return replace_file(temporary, target)

    write(path, filled())
    whole = path.read_bytes()
    monkeypatch.setattr(os, "fsync", record_fsync)
    monkeypatch.setattr(Path, "replace", record_replace)
    write(path, filled())
    assert steps == ["flush the file", "rename", "flush the folder"]


def test_no_file_is_left_open(path: Path) -> None:
    def open_files() -> list[Path]:
        links = (link.resolve() for link in Path("/proc/self/fd").iterdir())
        return [target for target in links if target.is_relative_to(path.parent)]

    write(path, filled())
    with path.open():
        assert open_files() == [path]
    snapshot.read(path, ORIGIN, empty())
    with pytest.raises(UnusableFile):
        snapshot.read(path, replace(ORIGIN, model="fashion/2"), empty())
    assert open_files() == []


def test_writing_can_be_cancelled_and_leaves_the_previous_snapshot(path: Path) -> None:
    class Cancelled(Exception):
        pass

    def cancel() -> None:
        raise Cancelled

    write(path, filled())
    whole = path.read_bytes()
    with pytest.raises(Cancelled):
        snapshot.write(path, ORIGIN, POSITION, empty().freeze(), cancel)
    assert path.read_bytes() == whole
    assert list(path.parent.iterdir()) == [path]


def test_a_position_without_a_change_stream_is_read_back(path: Path) -> None:
    position = replace(POSITION, token=None)
    snapshot.write(path, ORIGIN, position, filled().freeze(), lambda: None)
    assert snapshot.read(path, ORIGIN, empty())[0] == position


def test_a_category_of_more_rows_than_a_chunk_is_read_back(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(snapshot, "CHUNK_ROWS", 3)
    replica, again = filled(), empty()
    write(path, replica)
    snapshot.read(path, ORIGIN, again)
    assert shown(again) == shown(replica)
