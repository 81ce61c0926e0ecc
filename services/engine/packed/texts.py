"""Texts that never change, in one block of memory. An object of Python for each would take 40 bytes more."""

from array import array
from collections.abc import Iterable, Iterator
from itertools import islice, pairwise
from typing import Any, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

T = TypeVar("T", covariant=True)
TextNumbers = NDArray[np.int64]
CHUNK = 8192  # texts that are read at a time
NARROW = 2**32  # bytes that offsets of four bytes reach


class Rows(Protocol[T]):
    """A value for each row: a list, or a packed sequence."""

    def __len__(self) -> int: ...

    def __getitem__(self, row: int, /) -> T: ...


class PackedTexts:
    """Texts that never change. It is thread-safe; indexes begin at 0.

    Attributes:
        joined: all texts, one after the other.
    """

    def __init__(self, joined: bytes, lengths: NDArray[Any]) -> None:
        """Hold texts.

        Args:
            joined: the texts, one after the other.
            lengths: of each text in bytes, shape (n,).
        """
        offsets = np.zeros(len(lengths) + 1, np.int64)
        np.cumsum(lengths, out=offsets[1:])
        self.joined = joined
        # Python reads the elements of this array faster than those of NumPy's.
        self._offsets: array[int] = array("I" if len(joined) < NARROW else "q")
        self._offsets.frombytes(offsets.astype(self._offsets.typecode).tobytes())

    @classmethod
    def of(cls, texts: Iterable[bytes]) -> "PackedTexts":
        """Pack texts."""
        remaining, joined, lengths = iter(texts), list[bytes](), list[NDArray[np.uint32]]()
        while chunk := list(islice(remaining, CHUNK)):
            joined.append(b"".join(chunk))
            lengths.append(np.fromiter(map(len, chunk), np.uint32, len(chunk)))
        return cls(b"".join(joined), np.concatenate([np.empty(0, np.uint32), *lengths]))

    @property
    def lengths(self) -> NDArray[np.uint32]:
        """The length of each text in bytes, shape (n,)."""
        return np.diff(self._all_offsets()).astype(np.uint32)

    def __len__(self) -> int:
        return len(self._offsets) - 1

    def __getitem__(self, number: int) -> bytes:
        return self.joined[self._offsets[number] : self._offsets[number + 1]]

    def __iter__(self) -> Iterator[bytes]:
        for begin in range(0, len(self), CHUNK):
            yield from (self.joined[start:end] for start, end in pairwise(self._offsets[begin : begin + CHUNK + 1]))

    def take(self, numbers: TextNumbers) -> "PackedTexts":
        """Return the texts of these numbers, shape (m,), in their order. Texts in a row are copied together."""
        offsets, joined = self._all_offsets(), memoryview(self.joined)
        starts, ends = offsets[:-1][numbers].astype(np.int64), offsets[1:][numbers].astype(np.int64)
        is_first = np.diff(numbers, prepend=-2) != 1  # of a run of consecutive numbers
        is_last = np.append(is_first[1:], True)[: len(numbers)]
        runs = zip(starts[is_first].tolist(), ends[is_last].tolist(), strict=True)
        return PackedTexts(b"".join([joined[start:end] for start, end in runs]), ends - starts)

    def followed_by(self, other: "PackedTexts") -> "PackedTexts":
        """Return these texts and then those of another object."""
        return PackedTexts(self.joined + other.joined, np.concatenate([self.lengths, other.lengths]))

    def _all_offsets(self) -> NDArray[Any]:
        return np.frombuffer(self._offsets, self._offsets.typecode)
