"""Removes metadata from image files, and bytes after their end, without decoding them: the pixels stay as they are.

Photos say where and by whom they were taken, and may hold anything after the picture. Colour profiles stay, and so does
the orientation, which is needed to show the picture upright.
"""

import re
import struct
import zlib
from collections.abc import Callable, Iterator

from services.contracts.images.avif_metadata import without_avif_metadata
from services.contracts.images.exif import minimal_exif, orientation_of
from services.contracts.images.formats import sniff

EOI, SOS, COMMENT = 0xD9, 0xDA, 0xFE
APP = range(0xE0, 0xF0)
WITHOUT_LENGTH = frozenset({0x01, *range(0xD0, 0xD9)})
# Application segments that decoders need: JFIF's density, colour profiles, and Adobe's colour transformation.
KEPT_SEGMENTS = (b"JFIF\0", b"ICC_PROFILE\0", b"Adobe")
SCAN_END = re.compile(rb"\xff[^\x00\xff\xd0-\xd7]")
EXIF_HEADER = b"Exif\0\0"
XMP_ORIENTATION = re.compile(rb"tiff:Orientation(?:=\"|>)([1-8])")
PNG_SIGNATURE = 8
PNG_CHUNKS = frozenset(
    b"IHDR PLTE IDAT IEND tRNS gAMA cHRM sRGB iCCP cICP sBIT bKGD hIST pHYs sPLT acTL fcTL fdAT".split()
)
WEBP_CHUNKS = frozenset({b"VP8 ", b"VP8L", b"VP8X", b"ALPH", b"ANIM", b"ANMF", b"ICCP"})
WEBP_EXIF, WEBP_XMP = 0x08, 0x04  # flags of the chunk VP8X
GIF_CONTROL, GIF_APPLICATION, GIF_EXTENSION, GIF_PICTURE, GIF_END = 0xF9, 0xFF, 0x21, 0x2C, 0x3B
GIF_LOOPS = (b"NETSCAPE2.0", b"ANIMEXTS1.0")


class _Unreadable(Exception):
    """The file does not have the structure of its format."""


def without_metadata(data: bytes) -> bytes:
    """Return an image file without metadata and without bytes after its end.

    A file whose structure cannot be read is returned as it is: decoders accept files that are slightly damaged.
    """
    clean = _FORMATS.get(sniff(data) or "")
    try:
        return data if clean is None else clean(data)
    except (_Unreadable, IndexError, KeyError, ValueError, struct.error):
        return data


def _jpeg(data: bytes) -> bytes:
    kept, orientation, profile_at = [data[:2]], 1, 1
    for marker, segment, payload in _jpeg_parts(data):
        if marker == 0xE1:
            orientation = max(orientation, _orientation(payload))
        if (marker in APP and not payload.startswith(KEPT_SEGMENTS)) or marker == COMMENT:
            continue
        kept.append(segment)
        if marker == 0xE0:
            profile_at = len(kept)
    if orientation != 1:
        exif = EXIF_HEADER + minimal_exif(orientation)
        kept.insert(profile_at, b"\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif)
    return b"".join(kept)


def _jpeg_parts(data: bytes) -> Iterator[tuple[int, bytes, bytes]]:
    """Yield marker, whole segment and payload of each segment up to the end of the picture; scans with their data."""
    at = 2
    while at < len(data):
        if data[at] != 0xFF:
            raise _Unreadable
        start = at
        while data[at] == 0xFF:
            at += 1
        marker = data[at]
        if marker == EOI:
            yield marker, b"\xff\xd9", b""
            return
        end = at + 1
        payload = b""
        if marker not in WITHOUT_LENGTH:
            end += int.from_bytes(data[at + 1 : at + 3], "big")
            payload = data[at + 3 : end]
        if end > len(data):
            raise _Unreadable
        if marker == SOS:
            end = _end_of_scan(data, end)
        yield marker, data[start:end], payload
        at = end


def _end_of_scan(data: bytes, at: int) -> int:
    """Return the place of the marker that ends a scan: neither a stuffed byte nor a restart."""
    match = SCAN_END.search(data, at)
    return match.start() if match else len(data)


def _orientation(payload: bytes) -> int:
    if payload.startswith(EXIF_HEADER):
        return orientation_of(payload[len(EXIF_HEADER) :])
    match = XMP_ORIENTATION.search(payload)
    return int(match[1]) if match else 1


def _png(data: bytes) -> bytes:
    kept, orientation, at = [data[:PNG_SIGNATURE]], 1, PNG_SIGNATURE
    while True:
        length, name = struct.unpack_from(">I4s", data, at)
        end = at + 12 + length
        if end > len(data):
            raise _Unreadable
        if name == b"eXIf":
            orientation = orientation_of(data[at + 8 : end - 4])
        elif name in PNG_CHUNKS:
            kept.append(data[at:end])
        if name == b"IEND":
            break
        at = end
    if orientation != 1:
        kept.insert(2, _png_chunk(b"eXIf", minimal_exif(orientation)))
    return b"".join(kept)


def _png_chunk(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))


def _webp(data: bytes) -> bytes:
    size = int.from_bytes(data[4:8], "little") + 8
    if size > len(data):
        raise _Unreadable
    kept, orientation, at = [], 1, 12
    while at + 8 <= size:
        name, length = struct.unpack_from("<4sI", data, at)
        end = at + 8 + length + length % 2
        if at + 8 + length > size:
            raise _Unreadable
        if name == b"EXIF":
            orientation = orientation_of(data[at + 8 : at + 8 + length].removeprefix(EXIF_HEADER))
        elif name in WEBP_CHUNKS:
            kept.append((name, data[at + 8 : at + 8 + length]))
        at = end
    if kept and kept[0][0] == b"VP8X":
        flags = kept[0][1][0] & ~(WEBP_EXIF | WEBP_XMP) | (WEBP_EXIF if orientation != 1 else 0)
        kept[0] = (b"VP8X", bytes([flags]) + kept[0][1][1:])
        if orientation != 1:
            kept.append((b"EXIF", minimal_exif(orientation)))
    body = b"".join(name + struct.pack("<I", len(part)) + part + b"\0" * (len(part) % 2) for name, part in kept)
    return b"RIFF" + struct.pack("<I", len(body) + 4) + b"WEBP" + body


def _gif(data: bytes) -> bytes:
    at = 13 + _colours(data[10])
    kept = [data[:at]]
    while data[at] != GIF_END:
        start = at
        if data[at] == GIF_PICTURE:
            at = _end_of_blocks(data, at + 11 + _colours(data[at + 9]))
            is_kept = True
        elif data[at] == GIF_EXTENSION:
            label, name = data[at + 1], data[at + 3 : at + 14]
            at = _end_of_blocks(data, at + 2)
            is_kept = label == GIF_CONTROL or (label == GIF_APPLICATION and name in GIF_LOOPS)
        else:
            raise _Unreadable
        if is_kept:
            kept.append(data[start:at])
    return b"".join((*kept, bytes([GIF_END])))


def _colours(flags: int) -> int:
    """Return the bytes of a colour table."""
    return 3 << ((flags & 7) + 1) if flags & 0x80 else 0


def _end_of_blocks(data: bytes, at: int) -> int:
    while data[at]:
        at += 1 + data[at]
    return at + 1


def _bmp(data: bytes) -> bytes:
    offset, header = struct.unpack_from("<I", data, 10)[0], struct.unpack_from("<I", data, 14)[0]
    if header < 40:
        return data
    width, height, _, bits, compression, size = struct.unpack_from("<iiHHII", data, 18)
    if compression in (0, 3):  # not compressed
        size = (width * bits + 31) // 32 * 4 * abs(height)
    end = offset + size
    return data[:end] if size and end <= len(data) else data


_FORMATS: dict[str, Callable[[bytes], bytes]] = {
    "JPEG": _jpeg,
    "PNG": _png,
    "WEBP": _webp,
    "GIF": _gif,
    "BMP": _bmp,
    "AVIF": without_avif_metadata,
}
