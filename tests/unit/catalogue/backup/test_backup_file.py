"""The file of a backup: what is written is read, and files that cannot be used are named for what they are."""

import errno
import gzip
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
