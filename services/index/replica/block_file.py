"""A file of named blocks of bytes with a checksum over all of it, written and read without holding it in memory.

    magic 16, format u32, bytes of the label u32 · label (JSON) · blocks, each at a multiple of 64 · directory (JSON: name →
    place and bytes) · its place u64 and bytes u64 · SHA-256 of everything before it

Numbers are little-endian. SHA-256 and not a faster sum: it was measured at 1.7 GB/s, and it leaves nothing to chance.
"""

import hashlib
import os
import struct
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import islice, pairwise
from pathlib import Path
from typing import Any, BinaryIO, Self

import numpy as np
import orjson
from numpy.typing import NDArray

Part = bytes | NDArray[Any]
HEAD = struct.Struct("<16sII")
TAIL = struct.Struct("<QQ")
MAGIC = b"lookalike-index\n"
SUM_BYTES = 32
ALIGNMENT = 64
PIECE_BYTES = 1 << 20
CHUNK_ROWS = (
    8192  # texts are put together and taken apart so many at a time: other threads wait no longer than that takes
)


class UnusableFile(Exception):
    """The file cannot be used. The text says why, after "it"."""


class BlockWriter:
    """Writes one file of blocks. After an error the file is of no use."""

    def __init__(
        self, file: BinaryIO, version: int, label: Mapping[str, Any], check_cancelled: Callable[[], None]
    ) -> None:
        """Begin the file.

        Args:
            file: open for writing, empty.
            version: of what the blocks mean.
            label: what can be said of the whole, as JSON.
            check_cancelled: called before each piece; what it raises ends the writing.
        """
        self._file = file
        self._go_on = check_cancelled
        self._sum = hashlib.sha256()
        self._directory: dict[str, tuple[int, int]] = {}
        self._place = 0
        text = orjson.dumps(label)
        self._write(HEAD.pack(MAGIC, version, len(text)))
        self._write(text)

    def block(self, name: str, parts: Iterable[Part]) -> None:
        """Write a block, one part after the other."""
        self._write(bytes(-self._place % ALIGNMENT))
        began = self._place
        for part in parts:
            self._write(part)
        self._directory[name] = (began, self._place - began)

    def texts(self, name: str, texts: Iterable[bytes]) -> None:
        """Write texts: one block of them all, one of their lengths."""
        lengths: list[NDArray[np.uint32]] = []

        def parts() -> Iterator[bytes]:
            left = iter(texts)
            while chunk := list(islice(left, CHUNK_ROWS)):
                lengths.append(np.fromiter(map(len, chunk), np.uint32, len(chunk)))
                yield b"".join(chunk)

        self.block(name, parts())
        self.block(f"{name}.lengths", lengths)

    def strings(self, name: str, strings: Iterable[str]) -> None:
        """Write texts in UTF-8; what a document holds that is none comes back as it was."""
        self.texts(name, (string.encode("utf-8", "surrogatepass") for string in strings))

    def finish(self) -> int:
        """Write the directory and the checksum, and return how many bytes there are."""
        place, text = self._place, orjson.dumps(self._directory)
        self._write(text)
        self._write(TAIL.pack(place, len(text)))
        self._file.write(self._sum.digest())
        return self._place + SUM_BYTES

    def _write(self, part: Part) -> None:
        self._go_on()
        if len(part):
            view = memoryview(part).cast("B")  # type: ignore[arg-type,unused-ignore]
            self._file.write(view)
            self._sum.update(view)
            self._place += len(view)


class BlockReader:
    """Reads a file of blocks that is whole."""

    def __init__(self, path: Path, version: int) -> None:
        """Open a file and look at every byte of it.

        Raises:
            UnusableFile: it is none of ours, of another format, damaged or cut short.
            OSError: it cannot be read.
        """
        self._file = path.open("rb", buffering=0)
        try:
            self.size = self._file.seek(0, os.SEEK_END)
            head = self._read(0, HEAD.size)
            magic, found, label_bytes = HEAD.unpack(head) if len(head) == HEAD.size else (b"", 0, 0)
            if magic != MAGIC:
                raise UnusableFile("is no index snapshot, or its first bytes are damaged")
            if found != version:
                raise UnusableFile(f"has format {found}, and this version of Lookalike reads format {version}")
            self._check_sum()
            self.label: dict[str, Any] = orjson.loads(self._read(HEAD.size, label_bytes))
            place, length = TAIL.unpack(self._read(self.size - SUM_BYTES - TAIL.size, TAIL.size))
            self._directory: dict[str, tuple[int, int]] = orjson.loads(self._read(place, length))
        except BaseException:
            self._file.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def array(self, name: str, kind: type[np.generic], width: int = 1) -> NDArray[Any]:
        """Return a block as an array of shape (n,), or (n, width): pages of the file, which is no memory of the process."""
        place, length = self._directory[name]
        rows = length // np.dtype(kind).itemsize // width
        shape = (rows,) if width == 1 else (rows, width)
        return np.memmap(self._file, kind, "r", place, shape) if rows else np.empty(shape, kind)

    def texts(self, name: str) -> Iterator[bytes]:
        """Yield the texts of a block."""
        place, _ = self._directory[name]
        lengths = self.array(f"{name}.lengths", np.uint32)
        for begin in range(0, len(lengths), CHUNK_ROWS):
            ends = np.cumsum(lengths[begin : begin + CHUNK_ROWS], dtype=np.int64).tolist()
            joined = self._read(place, ends[-1])
            place += ends[-1]
            yield from (joined[start:end] for start, end in pairwise([0, *ends]))

    def strings(self, name: str) -> Iterator[str]:
        """Yield the texts of a block that are in UTF-8."""
        return (text.decode("utf-8", "surrogatepass") for text in self.texts(name))

    def _read(self, place: int, length: int) -> bytes:
        return os.pread(self._file.fileno(), length, place)

    def _check_sum(self) -> None:
        found = hashlib.sha256()
        for place in range(0, self.size - SUM_BYTES, PIECE_BYTES):
            found.update(self._read(place, min(PIECE_BYTES, self.size - SUM_BYTES - place)))
        if (
            self.size < HEAD.size + TAIL.size + SUM_BYTES
            or self._read(self.size - SUM_BYTES, SUM_BYTES) != found.digest()
        ):
            raise UnusableFile("is damaged or cut short: its checksum does not match")
