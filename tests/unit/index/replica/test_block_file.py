"""The snapshot's file is read back as it was written, and any damage is found."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from services.index.replica.block_file import CHUNK_ROWS, BlockReader, BlockWriter, UnusableFile

VECTORS = np.arange(12, dtype=np.float32).reshape(3, 4)
TEXTS = [b"one", b"", "größe".encode(), b"\0"]


def write(path: Path, version: int = 1) -> bytes:
    with path.open("wb") as file:
        writer = BlockWriter(file, version, {"name": "x"}, lambda: None)
        writer.block("vectors", [VECTORS[:2], VECTORS[2:]])
        writer.block("none", [])
        writer.block("nothing", [VECTORS[:0]])
        writer.texts("texts", iter(TEXTS))
        writer.strings("strings", ["ä", "\ud800"])
        assert writer.finish() == file.tell()
    return path.read_bytes()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "file"


def test_blocks_are_read_back_as_they_were_written(path: Path) -> None:
    whole = write(path)
    with BlockReader(path, 1) as file:
        assert file.header == {"name": "x"}
        assert file.size == len(whole)
        assert file.array("vectors", np.float32, 4).tolist() == VECTORS.tolist()
        assert file.array("none", np.float32, 4).shape == (0, 4)
        assert file.array("nothing", np.uint32).shape == (0,)
        assert list(file.texts("texts")) == TEXTS
        assert list(file.strings("strings")) == ["ä", "\ud800"]


def test_blocks_are_aligned(path: Path) -> None:
    whole = write(path)
    assert whole.index(VECTORS.tobytes()) % 64 == 0


@pytest.mark.parametrize("count", [CHUNK_ROWS - 1, CHUNK_ROWS, CHUNK_ROWS + 1, 3 * CHUNK_ROWS + 7])
def test_texts_of_several_chunks_are_read_back(path: Path, count: int) -> None:
    """Each text is unlike the others, so that a wrong offset of a later chunk shows."""
    texts = [f"{number}:".encode() * (number % 5) for number in range(count)]
    with path.open("wb") as file:
        writer = BlockWriter(file, 1, {}, lambda: None)
        writer.texts("texts", texts)
        writer.texts("more", texts[::-1])
        writer.finish()
    with BlockReader(path, 1) as file:
        assert list(file.texts("texts")) == texts
        assert list(file.texts("more")) == texts[::-1]


def test_a_changed_byte_is_found_wherever_it_is(path: Path) -> None:
    whole = write(path)
    for place in range(len(whole)):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 0x10]) + whole[place + 1 :])
        with pytest.raises(UnusableFile):
            BlockReader(path, 1)


def test_a_file_that_is_cut_short_or_has_grown_is_found(path: Path) -> None:
    whole = write(path)
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        with pytest.raises(UnusableFile):
            BlockReader(path, 1)
    path.write_bytes(whole + b"\0")
    with pytest.raises(UnusableFile, match="checksum"):
        BlockReader(path, 1)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda whole: b"", "no index snapshot"),
        (lambda whole: b"PK" + whole, "no index snapshot"),
        (lambda whole: whole[:100], "cut short"),
        (lambda whole: whole[:16] + b"\x02" + whole[17:], "format 2, and this version of Lookalike reads format 1"),
    ],
)
def test_the_error_says_why_a_file_is_unusable(path: Path, change: Callable[[bytes], bytes], reason: str) -> None:
    path.write_bytes(change(write(path)))
    with pytest.raises(UnusableFile, match=reason):
        BlockReader(path, 1)


def test_writing_can_be_cancelled_between_pieces(path: Path) -> None:
    class Cancelled(Exception):
        pass

    remaining = iter(range(4))

    def check_cancelled() -> None:
        if next(remaining, None) is None:
            raise Cancelled

    def parts() -> Iterator[bytes]:
        while True:
            yield b"x"

    with path.open("wb") as file, pytest.raises(Cancelled):
        BlockWriter(file, 1, {}, check_cancelled).block("endless", parts())


def test_a_reader_closes_its_file(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether the file is used, is no snapshot, has another format or is damaged."""
    files: list[Any] = []
    open_path = Path.open

    def open_and_record(path: Path, *arguments: Any, **options: Any) -> Any:
        files.append(open_path(path, *arguments, **options))
        return files[-1]

    whole = write(path)
    monkeypatch.setattr(Path, "open", open_and_record)
    with BlockReader(path, 1) as file:
        assert not files[0].closed
        vectors = file.array("vectors", np.float32, 4)
    for content in (b"", whole[:-1], b"?" + whole[1:]):
        path.unlink()  # `vectors` maps the first file
        path.write_bytes(content)
        with pytest.raises(UnusableFile):
            BlockReader(path, 1)
    assert vectors.tolist() == VECTORS.tolist()
    assert len(files) >= 4
    assert all(file.closed for file in files)


def test_an_array_maps_the_file_into_memory(path: Path) -> None:
    write(path)
    with BlockReader(path, 1) as file:
        vectors = file.array("vectors", np.float32, 4)
    assert isinstance(vectors, np.memmap)
    assert not vectors.flags.writeable
