"""Large and compressed feeds, and full disks."""

import gzip
import sqlite3
import tempfile
import tracemalloc
from pathlib import Path

import pytest

from services.catalogue.sources.open_source import open_source
from services.catalogue.sources.packed_source import PackedSource, RenamedSource
from services.catalogue.sources.records.key_registry import KeyRegistry
from services.catalogue.sources.records.rows import RejectedRow, SourceError, SourceRow
from tests.support.feeds.generated import KINDS

LONG_LINE = 1 << 26


def write(path: Path, count: int) -> Path:
    packed = path.suffix == ".gz"
    with gzip.open(path, "wb", compresslevel=1) if packed else path.open("wb") as file:
        for part in KINDS[path.name.removesuffix(".gz")](range(count)):
            file.write(part)
    return path


def read(path: Path) -> list[SourceRow | RejectedRow]:
    source = open_source(path)
    try:
        return list(source.rows())
    finally:
        source.close()


@pytest.mark.parametrize("name", [*KINDS, "feed.ndjson.gz"])
def test_memory_does_not_grow_with_the_feed(tmp_path: Path, name: str) -> None:
    """The ids are in SQLite, whose bounded memory is not measured here."""

    def peak(count: int) -> int:
        source = open_source(write(tmp_path / name, count))
        tracemalloc.start()
        try:
            assert sum(isinstance(row, SourceRow) for row in source.rows()) == count
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
            source.close()

    additional = sum(map(len, KINDS[name.removesuffix(".gz")](range(2500))))
    small, large = peak(500), peak(3000)
    assert large - small < additional / 4


def test_a_line_of_64_megabytes_is_rejected(tmp_path: Path) -> None:
    path = tmp_path / "feed.ndjson"
    with path.open("wb") as file:
        file.write(b'{"id": "A", "image": "1.jpg"}\n')
        file.seek(LONG_LINE)
        file.write(b'\n{"id": "B", "image": "2.jpg"}\n')
    rows = [(row.line, row.key, row.reason if isinstance(row, RejectedRow) else None) for row in read(path)]
    assert rows == [(1, "A", None), (2, None, "the line is longer than 1,048,576 bytes"), (3, "B", None)]


def open_paths() -> list[str]:
    """Return the paths of the open files of this process."""
    return [str(link.readlink()) for link in Path("/proc/self/fd").iterdir() if link.is_symlink()]


@pytest.mark.parametrize("name", KINDS)
def test_closing_a_source_closes_its_file_and_its_key_registry(
    tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    registries: list[KeyRegistry] = []
    create = KeyRegistry.__init__

    def record(registry: KeyRegistry) -> None:
        create(registry)
        registries.append(registry)

    monkeypatch.setattr(KeyRegistry, "__init__", record)
    path = write(tmp_path / name, 3)
    source = open_source(path)
    assert next(iter(source.rows())).key == "p0"
    assert str(path) in open_paths()
    source.close()
    assert str(path) not in open_paths()
    (registry,) = registries
    with pytest.raises(sqlite3.ProgrammingError, match="closed"):
        registry.has("p0")


@pytest.mark.parametrize("name", KINDS)
def test_a_compressed_feed_has_the_same_rows_and_leaves_no_temporary_files(
    tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "tmp").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "tmp"))
    plain = read(write(tmp_path / name, 30))
    assert len(plain) == 30
    assert read(write(tmp_path / f"{name}.gz", 30)) == plain
    assert list((tmp_path / "tmp").iterdir()) == []


def test_the_images_of_a_compressed_feed_are_in_its_folder(tmp_path: Path) -> None:
    (tmp_path / "1.jpg").write_bytes(b"a picture")
    (tmp_path / "feed.csv.gz").write_bytes(gzip.compress(b"id,image\nA,1.jpg\n", mtime=0))
    (row,) = read(tmp_path / "feed.csv.gz")
    assert isinstance(row, SourceRow)
    assert callable(row.image)
    assert row.image() == b"a picture"


@pytest.mark.parametrize("name", KINDS)
def test_gzip_is_recognised_by_its_first_bytes_and_not_by_the_suffix(tmp_path: Path, name: str) -> None:
    plain = write(tmp_path / name, 3)
    data, rows = plain.read_bytes(), read(plain)
    (tmp_path / f"{name}.gz").write_bytes(data)
    plain.write_bytes(gzip.compress(data, mtime=0))
    assert len(rows) == 3
    assert read(tmp_path / f"{name}.gz") == rows
    assert read(tmp_path / name) == rows


def test_a_truncated_compressed_feed_yields_its_rows_and_then_an_error(tmp_path: Path) -> None:
    path = write(tmp_path / "feed.ndjson.gz", 2000)
    path.write_bytes(path.read_bytes()[:-2000])
    source = open_source(path)
    keys: list[str | None] = []
    with pytest.raises(SourceError, match=r"feed\.ndjson\.gz cannot be read to its end: its gzip data is truncated"):
        for row in source.rows():
            keys.append(row.key)  # noqa: PERF401  # a comprehension would lose the list with the error
    source.close()
    assert 100 < len(keys) < 2000
    assert keys[:100] == [f"p{n}" for n in range(100)]


@pytest.mark.parametrize(
    ("name", "data", "message"),
    [
        ("feed.csv.gz", gzip.compress(b"", mtime=0)[:5], "is not a gzip file"),
        ("feed.csv.gz", gzip.compress(b"title\n", mtime=0), r"feed\.csv\.gz has no column id"),
        ("feed.pdf.gz", gzip.compress(b"x", mtime=0), "cannot be imported: give"),
        ("feed.gz", gzip.compress(b"x", mtime=0), "cannot be imported: give"),
    ],
)
def test_the_error_of_an_invalid_compressed_feed_has_its_name(
    tmp_path: Path, name: str, data: bytes, message: str
) -> None:
    (tmp_path / name).write_bytes(data)
    with pytest.raises(SourceError, match=message) as caught:
        read(tmp_path / name)
    assert "lookalike-feed-" not in str(caught.value)


def test_an_error_in_the_rows_of_a_renamed_source_has_its_name(tmp_path: Path) -> None:
    path = tmp_path / "upload.json"
    path.write_text('{"products": [')
    source = RenamedSource(path, "the feed", open_source)
    with pytest.raises(SourceError, match=r"^the feed cannot be read to its end: it is truncated at line 1$"):
        list(source.rows())
    source.close()


def test_closing_a_compressed_feed_closes_and_removes_the_decompressed_one(tmp_path: Path) -> None:
    source = open_source(write(tmp_path / "feed.ndjson.gz", 3))
    assert isinstance(source, PackedSource)
    folder, lines = source._folder, source._source._source._lines  # type: ignore[attr-defined]
    assert folder.is_dir() and not lines._file.closed
    source.close()
    assert lines._file.closed and not folder.exists()


def test_a_full_disk_is_an_error_of_a_compressed_feed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(tmp_path / "feed.ndjson.gz", 10)

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("services.catalogue.sources.packed_source.gzip.GzipFile.read1", full)
    with pytest.raises(SourceError, match=r"feed\.ndjson\.gz cannot be decompressed: No space left on device"):
        read(path)


def test_a_disk_that_is_full_of_ids_is_an_error() -> None:
    registry = KeyRegistry()
    registry._db.execute("PRAGMA max_page_count = 20")
    with pytest.raises(SourceError, match=r"the ids of the feed do not fit on the disk.*\(line \d+\)"):
        for number in range(100_000):
            assert registry.earlier(f"product-{number}", number) is None
    registry.close()
