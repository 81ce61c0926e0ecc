"""Metadata of AVIF files: items of a container (ISO/IEC 14496-12 and 23008-12) whose bytes are overwritten.

The places of all items are absolute, so nothing is taken out. The orientation of an AVIF file is a property of its
picture, not of its metadata.
"""

import struct
from collections.abc import Iterator

from services.contracts.images.exif import minimal_exif

METADATA = frozenset({b"Exif", b"mime", b"uri "})
# An EXIF item begins with the offset of the TIFF header.
EMPTY_EXIF = b"\0\0\0\0" + minimal_exif(1)


def without_avif_metadata(data: bytes) -> bytes:
    """Return the file without bytes after its last box, and with its metadata overwritten.

    Raises:
        struct.error, IndexError: it does not have the structure of such a file.
    """
    boxes = {name: (start, end) for name, start, end in _boxes(data, 0, len(data))}
    clean = bytearray(data[: max(end for _, end in boxes.values())])
    start, end = boxes[b"meta"]
    parts = {name: (first, last) for name, first, last in _boxes(data, start + 4, end)}
    metadata = {number: kind for number, kind in _items(data, *parts[b"iinf"]) if kind in METADATA}
    idat = parts.get(b"idat", (0, 0))[0]
    for number, method, offset, length in _extents(data, *parts[b"iloc"]):
        if number in metadata and method in (0, 1):
            first = offset + (idat if method else 0)
            filler = EMPTY_EXIF if metadata[number] == b"Exif" and length >= len(EMPTY_EXIF) else b""
            clean[first : first + length] = filler + bytes(max(0, min(length, len(clean) - first) - len(filler)))
    return bytes(clean)


def _boxes(data: bytes, at: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    """Yield the name of each box, and the places where its content begins and ends."""
    while at + 8 <= end:
        size, name = struct.unpack_from(">I4s", data, at)
        start = at + 8
        if size == 1:
            (size,) = struct.unpack_from(">Q", data, start)
            start += 8
        last = end if size == 0 else at + size
        if last < start or last > end or not name.isalnum():
            return  # bytes after the last box
        yield name, start, last
        at = last


def _items(data: bytes, start: int, end: int) -> Iterator[tuple[int, bytes]]:
    """Yield the number and the type of each item."""
    at = start + (6 if data[start] == 0 else 8)
    for name, first, _ in _boxes(data, at, end):
        version = data[first]
        if name == b"infe" and version in (2, 3):
            number, kind = struct.unpack_from(">H2x4s" if version == 2 else ">I2x4s", data, first + 4)
            yield number, kind


def _extents(data: bytes, start: int, _: int) -> Iterator[tuple[int, int, int, int]]:
    """Yield item number, construction method, offset and length of each part of an item."""
    version, sizes, more = data[start], data[start + 4], data[start + 5]
    offset_size, length_size, base_size = sizes >> 4, sizes & 15, more >> 4
    index_size = more & 15 if version else 0
    at = start + 6
    count, at = _number(data, at, 4 if version == 2 else 2)
    for _ in range(count):
        number, at = _number(data, at, 4 if version == 2 else 2)
        method, at = _number(data, at, 2) if version else (0, at)
        base, at = _number(data, at + 2, base_size)
        extents, at = _number(data, at, 2)
        for _ in range(extents):
            _, at = _number(data, at, index_size)
            offset, at = _number(data, at, offset_size)
            length, at = _number(data, at, length_size)
            yield number, method & 15, base + offset, length


def _number(data: bytes, at: int, size: int) -> tuple[int, int]:
    """Return a number of some bytes, and the place behind it."""
    if at + size > len(data):
        raise IndexError
    return int.from_bytes(data[at : at + size], "big"), at + size
