"""Metadata of AVIF files, box by box: only its bytes are overwritten, wherever the container says that they are."""

import struct
from dataclasses import dataclass

import pytest

from services.contracts.images.avif_metadata import without_avif_metadata
from services.contracts.images.exif import minimal_exif
from services.contracts.images.metadata import without_metadata

EMPTY = b"\0\0\0\0" + minimal_exif(1)  # what an EXIF item becomes
PIXELS = b"pixels of the picture"
SECRET = b"Jane Doe, 52.5200 N 13.4050 E, with a long name"
TAIL = b"\0\0\0\x10 bytes after the end"


def box(name: bytes, content: bytes, form: str = "32") -> bytes:
    """Return a box; its form is the width of its size, or "rest" for one up to the end of what it is in."""
    match form:
        case "64":
            return struct.pack(">I4sQ", 1, name, len(content) + 16) + content
        case "rest":
            return struct.pack(">I4s", 0, name) + content
        case _:
            return struct.pack(">I4s", len(content) + 8, name) + content


def number(value: int, size: int) -> bytes:
    return value.to_bytes(size, "big")


@dataclass(frozen=True)
class Container:
    """How a file names its items and their places."""

    version: int = 0  # of the places
    offset: int = 4  # bytes of a number
    length: int = 4
    base: int = 0
    index: int = 0
    info: int = 0  # version of the list of items
    entry: int = 2  # version of its entries
    form: str = "32"
    method: int = 0

    def items(self, kinds: list[bytes]) -> bytes:
        """Return the box that names the items, numbered from 1."""
        entries = b"".join(
            box(
                b"infe",
                bytes([self.entry, 0, 0, 0]) + number(place, 4 if self.entry == 3 else 2) + b"\xff\xff" + kind + b"\0",
            )
            for place, kind in enumerate(kinds, 1)
        )
        count = number(len(kinds), 4 if self.info else 2)
        return box(b"iinf", bytes([self.info, 0, 0, 0]) + count + entries)

    def places(self, extents: list[list[tuple[int, int]]]) -> bytes:
        """Return the box that has the offset and the length of each extent of each item."""
        wide = 4 if self.version == 2 else 2
        content = bytes([self.version, 0, 0, 0, self.offset << 4 | self.length, self.base << 4 | self.index])
        content += number(len(extents), wide)
        for place, parts in enumerate(extents, 1):
            start = min(offset for offset, _ in parts) if self.base else 0
            content += number(place, wide)
            content += number(0xAB0 | self.method, 2) if self.version else b""
            content += b"\xff\xff" + number(start, self.base) + number(len(parts), 2)
            for offset, length in parts:
                content += b"\x05" * (self.index if self.version else 0)
                content += number(offset - start, self.offset) + number(length, self.length)
        return box(b"iloc", content)

    def file(self, *items: tuple[bytes, list[bytes]]) -> bytes:
        """Return a file of items, each with its kind and its parts."""
        head = box(b"ftyp", b"avif\0\0\0\0avifmif1")
        data = b"".join(part for _, parts in items for part in parts)
        size = len(self._meta(items, 0))
        begin = 0 if self.method == 1 else len(head) + size + (16 if self.form == "64" else 8)
        return head + self._meta(items, begin) + (b"" if self.method == 1 else box(b"mdat", data, self.form))

    def _meta(self, items: tuple[tuple[bytes, list[bytes]], ...], begin: int) -> bytes:
        extents: list[list[tuple[int, int]]] = []
        at = begin
        for _, parts in items:
            extents.append([])
            for part in parts:
                extents[-1].append((at, len(part)))
                at += len(part)
        boxes = [box(b"hdlr", bytes(20)), self.items([kind for kind, _ in items]), self.places(extents)]
        if self.method == 1:
            boxes.append(box(b"idat", b"".join(part for _, parts in items for part in parts)))
        return box(b"meta", bytes(4) + b"".join(boxes), self.form if self.form != "rest" else "32")


CONTAINERS = [
    Container(),
    Container(offset=8, length=8, base=8),
    Container(base=4),
    Container(index=4),  # reserved in this version: there are no indexes
    Container(version=1),
    Container(version=1, index=4, base=4),
    Container(version=1, method=1),
    Container(version=2, index=8),
    Container(version=2, entry=3, info=1),
    Container(version=2, method=1, offset=8),
    Container(entry=3),
    Container(info=1),
    Container(form="64"),
    Container(form="rest"),
]


@pytest.mark.parametrize("container", CONTAINERS, ids=str)
def test_metadata_is_overwritten_wherever_it_is_and_the_picture_stays(container: Container) -> None:
    def file(exif: bytes, xmp: list[bytes], uri: bytes, short: bytes) -> bytes:
        return container.file(
            (b"av01", [PIXELS, PIXELS]),
            (b"Exif", [exif]),
            (b"mime", xmp),
            (b"av01", [PIXELS]),
            (b"uri ", [uri]),
            (b"Exif", [short]),
            (b"grid", [PIXELS]),
        )

    before = file(SECRET, [SECRET, SECRET[:9]], SECRET, SECRET[:29])
    after = file(EMPTY + bytes(len(SECRET) - len(EMPTY)), [bytes(len(SECRET)), bytes(9)], bytes(len(SECRET)), bytes(29))
    assert without_avif_metadata(before) == after
    assert without_metadata(before + (b"" if container.form == "rest" else TAIL)) == after


@pytest.mark.parametrize("length", [29, 30, 31])
def test_exif_data_that_has_room_for_it_names_an_orientation_afterwards(length: int) -> None:
    container = Container()
    rest = EMPTY + bytes(length - 30) if length >= 30 else bytes(length)
    assert len(EMPTY) == 30
    assert without_avif_metadata(container.file((b"Exif", [b"x" * length]))) == container.file((b"Exif", [rest]))


@pytest.mark.parametrize("method", [2, 15])
def test_an_item_that_is_made_of_other_items_has_no_bytes_of_its_own(method: int) -> None:
    file = Container(version=1, method=method).file((b"Exif", [SECRET]), (b"av01", [PIXELS]))
    assert without_avif_metadata(file) == file


@pytest.mark.parametrize("entry", [0, 1, 4])
def test_an_entry_of_another_version_names_no_metadata(entry: int) -> None:
    file = Container(entry=entry).file((b"Exif", [SECRET]), (b"av01", [PIXELS]))
    assert without_avif_metadata(file) == file


@pytest.mark.parametrize("cut", [1, 10, len(SECRET) - 1, len(SECRET)])
def test_metadata_that_is_cut_short_is_overwritten_up_to_the_end(cut: int) -> None:
    whole = Container(form="rest").file((b"av01", [PIXELS]), (b"mime", [SECRET]))
    assert without_avif_metadata(whole[:-cut]) == whole[: -len(SECRET)] + bytes(len(SECRET) - cut)


def test_a_place_behind_the_end_adds_no_bytes() -> None:
    whole = Container(form="rest").file((b"av01", [PIXELS]), (b"mime", [SECRET]))
    file = whole[: -len(SECRET) - 5]
    assert without_avif_metadata(file) == file
    assert without_metadata(file) == file


def test_boxes_end_at_bytes_that_are_none() -> None:
    file = Container().file((b"av01", [PIXELS]), (b"mime", [SECRET]))
    clean = without_avif_metadata(file)
    sizes = [b"\0" * 8, *(struct.pack(">I4s", size, b"free") for size in (2, 7, 9, 99))]
    junk = [*sizes, struct.pack(">I4s", 8, b"no!!"), struct.pack(">I4sQ", 1, b"free", 15)]
    for tail in (*junk, b"\0\0\0"):
        assert without_avif_metadata(file + tail) == clean
    for free in (box(b"free", b""), box(b"free", b"", "64")):
        assert without_avif_metadata(file + free) == clean + free


@pytest.mark.parametrize("name", [b"meta", b"iinf", b"iloc"])
def test_a_file_without_one_of_its_boxes_is_returned_as_it_is(name: bytes) -> None:
    file = Container().file((b"Exif", [SECRET])).replace(name, b"free")
    with pytest.raises(KeyError):
        without_avif_metadata(file)
    assert without_metadata(file) == file


def test_places_that_are_cut_short_are_an_error() -> None:
    head, places = box(b"ftyp", b"avif\0\0\0\0"), Container().places([[(0, 8)]])
    for cut in range(1, 17):
        short = box(b"iloc", places[8:-cut])
        file = head + box(b"meta", bytes(4) + Container().items([b"Exif"]) + short)
        with pytest.raises(IndexError):
            without_avif_metadata(file)
