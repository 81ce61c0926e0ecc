"""A file of named blocks of bytes with a checksum, written and read without holding it in memory.

    magic 16, format u32, header length u32 · header (JSON) · blocks, each at a multiple of 64 · directory (JSON: name →
    offset and length) · its offset u64 and length u64 · SHA-256 of everything before it

Integers are little-endian. docs/adr/0012 compares the format with safetensors and Arrow IPC.
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

from services.engine.packed.texts import PackedTexts

Part = bytes | NDArray[Any]
START = struct.Struct("<16sII")
END = struct.Struct("<QQ")
MAGIC = b"lookalike-index\n"
CHECKSUM_BYTES = 32
ALIGNMENT = 64
PIECE_BYTES = 1 << 20
CHUNK_ROWS = 8192  # texts that are joined or split at a time; other threads wait no longer than that takes


class UnusableFile(Exception):
    """The file cannot be used. The text completes a sentence that begins with "the snapshot"."""


class BlockWriter:
    """Writes one file of blocks. After an error the file is incomplete."""

    def __init__(
        self, file: BinaryIO, version: int, header: Mapping[str, Any], check_cancelled: Callable[[], None]
    ) -> None:
        """Write the start of the file.

        Args:
            file: an empty file, open for writing.
            version: of what the blocks mean.
            header: what describes the whole file, as JSON.
            check_cancelled: called before each piece is written; an exception that it raises ends the writing.
        """
        self._file = file
        self._check_cancelled = check_cancelled
        self._checksum = hashlib.sha256()
        self._directory: dict[str, tuple[int, int]] = {}
        self._offset = 0
        text = orjson.dumps(header)
        self._write(START.pack(MAGIC, version, len(text)))
        self._write(text)

    def block(self, name: str, parts: Iterable[Part]) -> None:
        """Write a block, one part after the other."""
        self._write(bytes(-self._offset % ALIGNMENT))
        start = self._offset
        for part in parts:
            self._write(part)
        self._directory[name] = (start, self._offset - start)

    def texts(self, name: str, texts: Iterable[bytes]) -> None:
        """Write texts as two blocks: the joined texts, and their lengths."""
        lengths: list[NDArray[np.uint32]] = []

        def parts() -> Iterator[bytes]:
            remaining = iter(texts)
            while chunk := list(islice(remaining, CHUNK_ROWS)):
                lengths.append(np.fromiter(map(len, chunk), np.uint32, len(chunk)))
                yield b"".join(chunk)

        self.block(name, parts())
        self.block(f"{name}.lengths", lengths)

    def packed(self, name: str, parts: Iterable[PackedTexts]) -> None:
        """Write texts as `texts` does; the parts follow one another."""
        lengths: list[NDArray[np.uint32]] = []

        def joined() -> Iterator[Part]:
            for part in parts:
                lengths.append(part.lengths)
                yield part.joined

        self.block(name, joined())
        self.block(f"{name}.lengths", lengths)

    def strings(self, name: str, strings: Iterable[str]) -> None:
        """Write strings as UTF-8. Lone surrogates, which documents may hold, are read back unchanged."""
        self.texts(name, (string.encode("utf-8", "surrogatepass") for string in strings))

    def finish(self) -> int:
        """Write the directory and the checksum; return the number of bytes written."""
        offset, text = self._offset, orjson.dumps(self._directory)
        self._write(text)
        self._write(END.pack(offset, len(text)))
        self._file.write(self._checksum.digest())
        return self._offset + CHECKSUM_BYTES

    def _write(self, part: Part) -> None:
        self._check_cancelled()
        if len(part):
            view = memoryview(part).cast("B")  # type: ignore[arg-type,unused-ignore]
            self._file.write(view)
            self._checksum.update(view)
            self._offset += len(view)


class BlockReader:
    """Reads a complete file of blocks.

    Attributes:
        header: the mapping that the writer was given.
        size: the file's length in bytes.
    """

    def __init__(self, path: Path, version: int, oldest: int | None = None) -> None:
        """Open a file and check every byte of it.

        Args:
            path: of the file.
            version: the latest version that can be read.
            oldest: the oldest one; None for `version`.

        Raises:
            UnusableFile: it is not a file of blocks, has another version, is damaged or cut short.
            OSError: it cannot be read.
        """
        self._file = path.open("rb", buffering=0)
        try:
            self.size = self._file.seek(0, os.SEEK_END)
            start = self._read(0, START.size)
            magic, file_version, header_bytes = START.unpack(start) if len(start) == START.size else (b"", 0, 0)
            if magic != MAGIC:
                raise UnusableFile("is no index snapshot, or its first bytes are damaged")
            if not (version if oldest is None else oldest) <= file_version <= version:
                raise UnusableFile(f"has format {file_version}, and this version of Lookalike reads format {version}")
            self._verify_checksum()
            self.header: dict[str, Any] = orjson.loads(self._read(START.size, header_bytes))
            offset, length = END.unpack(self._read(self.size - CHECKSUM_BYTES - END.size, END.size))
            self._directory: dict[str, tuple[int, int]] = orjson.loads(self._read(offset, length))
        except BaseException:
            self._file.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def array(self, name: str, dtype: type[np.generic], width: int = 1) -> NDArray[Any]:
        """Return a block as an array of shape (n,), or (n, width), that maps the file into memory."""
        offset, length = self._directory[name]
        rows = length // np.dtype(dtype).itemsize // width
        shape = (rows,) if width == 1 else (rows, width)
        return np.memmap(self._file, dtype, "r", offset, shape) if rows else np.empty(shape, dtype)

    def __contains__(self, name: str) -> bool:
        """Return whether the file has a block."""
        return name in self._directory

    def packed(self, name: str) -> PackedTexts:
        """Return a copy of the texts of a block in memory."""
        return PackedTexts(self.array(name, np.uint8).tobytes(), self.array(f"{name}.lengths", np.uint32))

    def texts(self, name: str) -> Iterator[bytes]:
        """Yield the texts of a block."""
        offset, _ = self._directory[name]
        lengths = self.array(f"{name}.lengths", np.uint32)
        for begin in range(0, len(lengths), CHUNK_ROWS):
            ends = np.cumsum(lengths[begin : begin + CHUNK_ROWS], dtype=np.int64).tolist()
            joined = self._read(offset, ends[-1])
            offset += ends[-1]
            yield from (joined[start:end] for start, end in pairwise([0, *ends]))

    def strings(self, name: str) -> Iterator[str]:
        """Yield the strings of a block."""
        return (text.decode("utf-8", "surrogatepass") for text in self.texts(name))

    def _read(self, offset: int, length: int) -> bytes:
        return os.pread(self._file.fileno(), length, offset)

    def _verify_checksum(self) -> None:
        end = self.size - CHECKSUM_BYTES
        checksum = hashlib.sha256()
        for offset in range(0, end, PIECE_BYTES):
            checksum.update(self._read(offset, min(PIECE_BYTES, end - offset)))
        is_long_enough = self.size >= START.size + END.size + CHECKSUM_BYTES
        if not is_long_enough or self._read(end, CHECKSUM_BYTES) != checksum.digest():
            raise UnusableFile("is damaged or cut short: its checksum does not match")
