"""The snapshot's file: what is written comes back, and no damage goes unseen."""

from collections.abc import Iterator
from pathlib import Path

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


def test_what_is_written_comes_back(path: Path) -> None:
    whole = write(path)
    with BlockReader(path, 1) as file:
        assert file.header == {"name": "x"}
        assert file.size == len(whole)
        assert file.array("vectors", np.float32, 4).tolist() == VECTORS.tolist()
        assert file.array("none", np.float32, 4).shape == (0, 4)
        assert file.array("nothing", np.uint32).shape == (0,)
        assert list(file.texts("texts")) == TEXTS
        assert list(file.strings("strings")) == ["ä", "\ud800"]


def test_arrays_begin_where_processors_like_them_to(path: Path) -> None:
    whole = write(path)
    assert whole.index(VECTORS.tobytes()) % 64 == 0


def test_more_texts_than_are_put_together_at_a_time_come_back(path: Path) -> None:
    texts = [b"x" * (number % 5) for number in range(2 * CHUNK_ROWS + 7)]
    with path.open("wb") as file:
        writer = BlockWriter(file, 1, {}, lambda: None)
        writer.texts("texts", texts)
        writer.finish()
    with BlockReader(path, 1) as file:
        assert list(file.texts("texts")) == texts


def test_a_changed_byte_anywhere_is_found(path: Path) -> None:
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
    ("change", "said"),
    [
        (lambda whole: b"", "no index snapshot"),
        (lambda whole: b"PK" + whole, "no index snapshot"),
        (lambda whole: whole[:100], "cut short"),
        (lambda whole: whole[:16] + b"\x02" + whole[17:], "format 2, and this version of Lookalike reads format 1"),
    ],
)
def test_what_is_wrong_is_said(path: Path, change: object, said: str) -> None:
    path.write_bytes(change(write(path)))  # type: ignore[operator]
    with pytest.raises(UnusableFile, match=said):
        BlockReader(path, 1)


def test_writing_can_be_ended_between_pieces(path: Path) -> None:
    class Enough(Exception):
        pass

    left = iter(range(4))

    def check_cancelled() -> None:
        if next(left, None) is None:
            raise Enough

    def parts() -> Iterator[bytes]:
        while True:
            yield b"x"

    with path.open("wb") as file, pytest.raises(Enough):
        BlockWriter(file, 1, {}, check_cancelled).block("endless", parts())
