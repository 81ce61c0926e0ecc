"""The file of a backup: what is written is read, and files that cannot be used are named for what they are."""

import errno
import gzip
import hashlib
import os
from pathlib import Path
from typing import Any

import bson
import pytest
from bson.objectid import ObjectId
from bson.raw_bson import RawBSONDocument

from services.catalogue.backup import backup_file
from services.catalogue.backup.backup_file import BackupError, Contents, check, contents_of, read, writing

LEGACY = ObjectId("6564a1b2c3d4e5f60718293a")
DOCUMENTS: list[tuple[str, dict[str, Any]]] = [
    ("products", {"_id": "a", "vector": b"\x27\x00" + bytes(256), "price": 1.5}),
    ("products", {"_id": LEGACY, "id": 7, "vector": [0.5] * 64}),
    ("images", {"_id": "a", "data": bytes(range(256)) * 40}),
]


def contents() -> Contents:
    return Contents("2026-11-29T03:00:00+00:00", "lookalike", ("default", "shoes"), "0.2.0")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "one.backup"
    with writing(path, contents()) as writer:
        for name, document in DOCUMENTS:
            writer.add(name, RawBSONDocument(bson.encode(document)))
    return path


def test_every_document_is_read_as_it_was_written(path: Path) -> None:
    assert [(name, bson.decode(document.raw)) for name, document in read(path)] == DOCUMENTS
    checked = check(path)
    assert checked.documents == {"products": 2, "images": 1}
    assert (checked.database, checked.catalogues) == ("lookalike", ("default", "shoes"))
    assert contents_of(path).begun_at == "2026-11-29T03:00:00+00:00"
    assert path.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("part", [0.1, 0.5, 0.9, 0.999])
def test_a_cut_file_is_an_error(path: Path, part: float) -> None:
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * part)])
    with pytest.raises(BackupError, match=r"one\.backup (is cut or damaged|is not a backup)"):
        check(path)


def test_a_changed_byte_is_noticed_or_changes_nothing(path: Path) -> None:
    data, noticed = path.read_bytes(), 0
    places = range(12, len(data), max(1, len(data) // 60))  # after the head, whose flags say nothing
    for place in places:
        path.write_bytes(data[:place] + bytes([data[place] ^ 0x10]) + data[place + 1 :])
        try:
            check(path)
        except BackupError:
            noticed += 1
        else:
            assert [(name, bson.decode(document.raw)) for name, document in read(path)] == DOCUMENTS
    assert noticed >= len(places) - 1  # the last bits before gzip's checksum fill a byte


def test_a_changed_document_in_a_sound_archive_is_noticed(path: Path) -> None:
    plain = gzip.decompress(path.read_bytes())
    path.write_bytes(gzip.compress(plain.replace(b"price", b"prize")))
    with pytest.raises(BackupError, match="its checksum is another one"):
        check(path)


@pytest.mark.parametrize(
    "data",
    [b"", b"id,title\n1,shirt\n", gzip.compress(b"id,title\n"), gzip.compress(bson.encode({"a": 1}))],
    ids=["empty", "table", "packed table", "other BSON"],
)
def test_another_file_is_named_for_what_it_is(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "feed.csv"
    path.write_bytes(data)
    for use in (check, contents_of):
        with pytest.raises(BackupError, match=r"feed\.csv is not a backup of Lookalike"):
            use(path)


def test_a_backup_of_a_later_version_names_both_versions(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backup_file, "VERSION", 0)
    with pytest.raises(BackupError, match=r"written by Lookalike 0\.2\.0 in format 1, and this is format 0"):
        check(path)


@pytest.mark.parametrize("use", [check, contents_of])
def test_a_missing_file_is_an_error(tmp_path: Path, use: Any) -> None:
    with pytest.raises(BackupError, match="cannot be read: No such file or directory"):
        use(tmp_path / "none.backup")


def test_an_existing_file_stays(path: Path) -> None:
    data = path.read_bytes()
    with pytest.raises(BackupError, match="exists"), writing(path, contents()):
        pass
    assert path.read_bytes() == data


def test_a_failure_leaves_no_file(tmp_path: Path) -> None:
    with (
        pytest.raises(BackupError, match="cannot be written: No space left on device"),
        writing(tmp_path / "full.backup", contents()),
    ):
        raise OSError(errno.ENOSPC, "No space left on device")
    with pytest.raises(ZeroDivisionError), writing(tmp_path / "broken.backup", contents()):
        raise ZeroDivisionError
    assert list(tmp_path.iterdir()) == []


def test_a_backup_is_on_the_disk_before_it_has_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, synced = tmp_path / "one.backup", list[bytes]()

    def fsync(file: int) -> None:
        assert not path.exists()
        synced.append((tmp_path / "one.backup.partial").read_bytes())

    monkeypatch.setattr(os, "fsync", fsync)
    with writing(path, contents()) as writer:
        writer.add_all({"products": [RawBSONDocument(bson.encode({"_id": key})) for key in "ab"]})
        assert writer.contents.documents == {"products": 2}
    assert synced == [path.read_bytes()]
    assert list(tmp_path.iterdir()) == [path]
    assert [document["_id"] for _, document in read(path)] == ["a", "b"]


HEADER = bson.encode(contents().header())


def end(sha256: str, **documents: int) -> bytes:
    return bson.encode({"end": {"documents": documents, "sha256": sha256}})


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        ((17 * 1024 * 1024).to_bytes(4, "little"), "the file ends early"),
        ((17 * 1024 * 1024 + 1).to_bytes(4, "little"), "a document has 17,825,793 bytes"),
        ((4).to_bytes(4, "little"), "a document has 4 bytes"),
        ((5).to_bytes(4, "little"), "the file ends early"),
        (b"\x05\x00\x00", "the file ends early"),
        (b"", "the file ends early"),
        (bson.encode({"end": {}}), "'sha256'"),
    ],
)
def test_what_is_no_document_is_damage_and_says_how_far_it_was_read(tmp_path: Path, data: bytes, reason: str) -> None:
    path = tmp_path / "one.backup"
    whole = bson.encode({"c": "products", "d": {"_id": "a"}})
    path.write_bytes(gzip.compress(HEADER + whole + data))
    with pytest.raises(BackupError, match=rf"is cut or damaged after 1 documents \({reason}\); use another backup"):
        list(read(path))


@pytest.mark.parametrize(
    ("count", "more", "is_sound"), [(1, b"", True), (2, b"", False), (0, b"", False), (1, b"x", False)]
)
def test_the_end_has_the_number_of_documents_and_nothing_follows(
    tmp_path: Path, count: int, more: bytes, is_sound: bool
) -> None:
    path = tmp_path / "one.backup"
    data = HEADER + bson.encode({"c": "products", "d": {"_id": "a"}})
    path.write_bytes(gzip.compress(data + end(hashlib.sha256(data).hexdigest(), products=count) + more))
    if is_sound:
        assert check(path).documents == {"products": 1}
    else:
        with pytest.raises(BackupError, match="its checksum is another one"):
            check(path)


@pytest.mark.parametrize("missing", ["version", "lookalike", "begun_at", "database", "catalogues", "format"])
def test_a_header_has_every_field(tmp_path: Path, missing: str) -> None:
    path = tmp_path / "one.backup"
    header = contents().header()
    del header[missing]
    path.write_bytes(gzip.compress(bson.encode(header)))
    with pytest.raises(BackupError, match="is not a backup of Lookalike"):
        contents_of(path)


def test_a_folder_cannot_be_read(tmp_path: Path) -> None:
    for use in (check, contents_of, lambda path: list(read(path))):
        with pytest.raises(BackupError, match="cannot be read: Is a directory"):
            use(tmp_path)
