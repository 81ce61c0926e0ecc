"""Files that cannot be read, or not to their end: each is an error that names the file and the reason."""

import errno
import io
import os
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from services.catalogue.sources.decoded_source import DecodedSource
from services.catalogue.sources.formats.image_folder import ImageFolder
from services.catalogue.sources.formats.kaggle_archive import MAX_IMAGE_BYTES as MOST_IN_ARCHIVE
from services.catalogue.sources.formats.kaggle_archive import ArchiveError, ArchiveImageError, KaggleArchive
from services.catalogue.sources.formats.kaggle_source import KaggleSource
from services.catalogue.sources.open_source import open_source
from services.catalogue.sources.packed_source import is_gzip
from services.catalogue.sources.parsing.encoding import Encoding, encoding_of
from services.catalogue.sources.parsing.json_layout import json_layout
from services.catalogue.sources.parsing.lines import LineReader
from services.catalogue.sources.parsing.xml_document import XmlDocument
from services.catalogue.sources.records.images import MAX_IMAGE_BYTES, read_image
from services.catalogue.sources.records.mapping import FeedMapping, base_address
from services.catalogue.sources.records.rows import SourceError, SourceImageError

TABLE = "id,gender,masterCategory,subCategory,articleType,baseColour,season,year,usage,productDisplayName\n"


@pytest.mark.parametrize(
    ("read", "verb"),
    [
        (is_gzip, "read"),
        (encoding_of, "read"),
        (json_layout, "read"),
        (LineReader, "read"),
        (lambda path: XmlDocument(path), "read"),
        (lambda path: DecodedSource(path, Encoding("cp1252"), open_source), "decoded"),
    ],
)
def test_a_file_that_is_gone_is_an_error_that_names_it(
    tmp_path: Path, read: Callable[[Path], object], verb: str
) -> None:
    path = tmp_path / "feed"
    with pytest.raises(SourceError) as raised:
        read(path)
    assert str(raised.value) == f"{path} cannot be {verb}: {os.strerror(errno.ENOENT)}"


def test_a_folder_that_disappears_while_it_is_read_is_an_error(tmp_path: Path) -> None:
    image = tmp_path / "shoes" / "a.jpg"
    image.parent.mkdir()
    image.write_bytes(b"jpeg")
    source = ImageFolder(tmp_path)
    image.unlink()
    image.parent.rmdir()
    tmp_path.rmdir()
    with pytest.raises(SourceError, match="cannot be read: No such file"):
        list(source.rows())


class FailingFile(io.BytesIO):
    """A file whose last part cannot be read."""

    def read(self, size: int | None = -1) -> bytes:
        data = super().read(size)
        if size is not None and size > 3 and not data:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        return data


def test_a_file_that_cannot_be_read_to_its_end_names_the_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "feed.ndjson"
    path.write_text("one\ntwo\nthree")
    with monkeypatch.context() as patched:
        patched.setattr(Path, "open", lambda *_: FailingFile(b"one\ntwo\nthree"))
        reader = LineReader(path)
    lines = iter(reader)
    assert [next(lines).text, next(lines).text] == ["one\n", "two\n"]
    with pytest.raises(SourceError, match=r"feed\.ndjson cannot be read after line 2: Input/output error"):
        next(lines)


def test_a_zip_that_is_gone_or_damaged_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "archive.zip"
    path.write_bytes(b"PK")
    with pytest.raises(ArchiveError, match="is not a zip archive"):
        KaggleArchive.open(path)

    def fail(*_: object) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(zipfile, "ZipFile", fail)
    with pytest.raises(ArchiveError, match=r"archive\.zip cannot be read: Input/output error"):
        KaggleArchive.open(path)


def damaged_zip(path: Path) -> Path:
    """Write a zip whose table has a wrong checksum."""
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("styles.csv", TABLE + "1,Men,Apparel,Topwear,Shirts,Blue,Fall,2011,Casual,Shirt\n" * 9)
    data = path.read_bytes()
    at = data.index(b"Shirts")
    path.write_bytes(data[:at] + b"Socks!" + data[at + 6 :])
    return path


def test_a_damaged_table_in_a_zip_is_an_error_of_the_rows_and_of_the_count(tmp_path: Path) -> None:
    path = damaged_zip(tmp_path / "archive.zip")
    with KaggleArchive.open(path) as archive:
        with pytest.raises(ArchiveError, match="is damaged: Bad CRC-32"):
            list(archive.rows())
        with pytest.raises(ArchiveError, match="is damaged: Bad CRC-32"):
            archive.count_lines()
    with pytest.raises((SourceError, ArchiveError), match="is damaged: Bad CRC-32"):
        list(KaggleSource(path).rows())


def test_a_header_that_is_not_utf_8_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "styles.csv").write_bytes(b"id,\xff\n1,2\n")
    with (
        KaggleArchive.open(tmp_path) as archive,
        pytest.raises(ArchiveError, match=r"header of styles\.csv in .* UTF-8"),
    ):
        list(archive.rows())


def sparse_file(path: Path, size: int) -> None:
    with path.open("wb") as file:
        file.truncate(size)


def test_an_image_file_may_be_as_large_as_the_limit(tmp_path: Path) -> None:
    sparse_file(tmp_path / "most.jpg", MAX_IMAGE_BYTES)
    sparse_file(tmp_path / "more.jpg", MAX_IMAGE_BYTES + 1)
    assert len(read_image(tmp_path, "most.jpg")) == MAX_IMAGE_BYTES
    with pytest.raises(SourceImageError, match="has 33,554,433 bytes: at most 33,554,432 are accepted"):
        read_image(tmp_path, "more.jpg")


def test_an_image_of_an_archive_may_be_as_large_as_the_limit(tmp_path: Path) -> None:
    (tmp_path / "styles.csv").write_text(TABLE)
    (tmp_path / "images").mkdir()
    sparse_file(tmp_path / "images" / "1.jpg", MOST_IN_ARCHIVE)
    sparse_file(tmp_path / "images" / "2.jpg", MOST_IN_ARCHIVE + 1)
    with KaggleArchive.open(tmp_path) as archive:
        assert len(archive.read_image("1")) == MOST_IN_ARCHIVE
        with pytest.raises(ArchiveImageError, match=r"images/2\.jpg has 33,554,433 bytes: at most 33,554,432"):
            archive.read_image("2")


@pytest.mark.parametrize(
    ("field", "value", "reason"),
    [
        ("encoding", "utf-99", "'utf-99' is not an encoding"),
        ("image_base_url", "shop example", "'shop example' is not a web address: it"),
        ("currency", "gold", "'gold' is not a currency"),
    ],
)
def test_a_mapping_with_a_wrong_value_is_refused(field: str, value: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        FeedMapping.model_validate({field: value})


def test_a_folder_s_address_loses_the_slash_at_its_end() -> None:
    assert base_address("HTTPS://Shop.example/images/") == "https://shop.example/images"
