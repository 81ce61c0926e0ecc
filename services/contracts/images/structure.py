"""Checks the structure of image files before a decoder sees them: Pillow reads headers byte by byte in Python.

Ordinary files have a few dozen segments, chunks or blocks before their pixels. Millions of them, or megabytes of
padding, cost seconds of processor time and say nothing.
"""

import re
from collections.abc import Callable

from services.contracts.domain.errors import InvalidImage

MAX_SEGMENTS = 1000  # of a JPEG file before its first scan; a large colour profile and a preview take some hundred
MAX_PADDING = 4096  # bytes between the segments of a JPEG file
MAX_SCANS = 100  # of a JPEG file. Each scan of a progressive one decodes the picture again; encoders write 10
MAX_CHUNKS = 10_000  # of a PNG file; encoders write chunks of 8 kB and more
MAX_BLOCKS = 10_000  # of a GIF file before its first picture, each of up to 255 bytes
MAX_RLE_BYTES = 1 << 20  # of a compressed BMP file, which Pillow decodes in Python

START_OF_SCAN, END_OF_IMAGE = 0xDA, 0xD9
PADDING = re.compile(rb"[^\xff]*\xff+")
WITHOUT_LENGTH = frozenset({0x01, *range(0xD0, 0xD9)})
GIF_EXTENSION, GIF_PICTURE, GIF_END = 0x21, 0x2C, 0x3B
RLE = frozenset({1, 2})


def check_structure(kind: str, data: bytes) -> None:
    """Return if the file of a format in `preparation.FORMATS` has an ordinary number of parts.

    Raises:
        InvalidImage: it has far more.
    """
    check = CHECKS.get(kind)
    if check is not None:
        check(data)


def _check_jpeg(data: bytes) -> None:
    at, padding = 2, 0
    for _ in range(MAX_SEGMENTS):
        match = PADDING.match(data, at, at + MAX_PADDING + 2)
        if match is None or match.end() >= len(data):
            if len(data) - at > MAX_PADDING:
                raise _unusual("JPEG", f"more than {MAX_PADDING:,} bytes of padding before its picture")
            return  # the decoder reports the fault
        marker = data[match.end()]
        padding += match.end() - at - 1
        if padding > MAX_PADDING:
            raise _unusual("JPEG", f"more than {MAX_PADDING:,} bytes of padding before its picture")
        if marker in (START_OF_SCAN, END_OF_IMAGE):
            break
        at = match.end() + 1
        if marker not in WITHOUT_LENGTH and marker != 0:
            at += max(2, int.from_bytes(data[at : at + 2], "big"))
    else:
        raise _unusual("JPEG", f"more than {MAX_SEGMENTS:,} segments before its picture")
    if data.count(b"\xff\xda", at) > MAX_SCANS:
        raise _unusual("JPEG", f"more than {MAX_SCANS} scans")


def _check_png(data: bytes) -> None:
    at = 8
    for _ in range(MAX_CHUNKS):
        if at + 8 > len(data) or data[at + 4 : at + 8] == b"IEND":
            return
        at += 12 + int.from_bytes(data[at : at + 4], "big")
    raise _unusual("PNG", f"more than {MAX_CHUNKS:,} chunks")


def _check_gif(data: bytes) -> None:
    flags, blocks = int.from_bytes(data[10:11], "big"), 0
    at = 13 + (3 << ((flags & 7) + 1) if flags & 0x80 else 0)
    while at + 1 < len(data) and data[at] not in (GIF_PICTURE, GIF_END):
        if data[at] == GIF_EXTENSION:
            at += 2
            while at < len(data) and data[at] and blocks <= MAX_BLOCKS:
                at += 1 + data[at]
                blocks += 1
        at += 1
        blocks += 1
        if blocks > MAX_BLOCKS:
            raise _unusual("GIF", f"more than {MAX_BLOCKS:,} blocks before its picture")


def _check_bmp(data: bytes) -> None:
    if len(data) > MAX_RLE_BYTES and int.from_bytes(data[30:34], "little") in RLE:
        raise _unusual("BMP", f"more than {MAX_RLE_BYTES:,} bytes of run-length encoding")


def _unusual(kind: str, what: str) -> InvalidImage:
    return InvalidImage(f"the {kind} file has {what}: save the picture again with an image editor")


CHECKS: dict[str, Callable[[bytes], None]] = {
    "JPEG": _check_jpeg,
    "PNG": _check_png,
    "GIF": _check_gif,
    "BMP": _check_bmp,
}
