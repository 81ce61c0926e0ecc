"""Image files of parts that a test names, byte by byte: with the structure of their format, and hardly any pixels."""

import struct
import zlib


def bmp(width: int, height: int, bits: int, compression: int, size: int, pixels: bytes) -> bytes:
    """Return a BMP file."""
    header = struct.pack("<IiiHHIIiiII", 40, width, height, 1, bits, compression, size, 0, 0, 0, 0)
    return b"BM" + struct.pack("<IHHI", 54 + len(pixels), 0, 0, 54) + header + pixels


def gif(flags: int, *blocks: bytes) -> bytes:
    """Return a GIF file with a colour table if its flags say so."""
    colours = 3 << ((flags & 7) + 1) if flags & 0x80 else 0
    head = b"GIF89a" + struct.pack("<HHBBB", 1, 1, flags, 0, 0)
    return head + bytes(n % 251 for n in range(colours)) + b"".join(blocks) + b"\x3b"


def extension(label: int, *parts: bytes) -> bytes:
    """Return an extension block of a GIF file."""
    return bytes([0x21, label]) + b"".join(bytes([len(part)]) + part for part in parts) + b"\0"


def picture(flags: int = 0, colours: int = 0) -> bytes:
    """Return a picture of a GIF file."""
    head = b"\x2c" + struct.pack("<HHHHB", 0, 0, 1, 1, flags)
    return head + b"\x21" * colours + b"\x02" + b"\x02\x4c\x01" + b"\0"


def webp(*chunks: tuple[bytes, bytes], size: int | None = None) -> bytes:
    """Return a WebP file of chunks; `size` is the one in its header. Default: the right one."""
    body = b"".join(name + struct.pack("<I", len(part)) + part + b"\0" * (len(part) % 2) for name, part in chunks)
    return b"RIFF" + struct.pack("<I", len(body) + 4 if size is None else size) + b"WEBP" + body


def extended(flags: int) -> tuple[bytes, bytes]:
    """Return the first chunk of an extended WebP file."""
    return b"VP8X", bytes([flags]) + b"\0\0\0\x01\0\0\x01\0\0"


def chunk(name: bytes, content: bytes = b"") -> bytes:
    """Return a chunk of a PNG file."""
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))


def png(*chunks: bytes) -> bytes:
    """Return a PNG file with these chunks between the first and the last one."""
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", bytes(13)) + b"".join(chunks) + chunk(b"IEND")


def segment(marker: int, payload: bytes) -> bytes:
    """Return a segment of a JPEG file."""
    return bytes([0xFF, marker]) + struct.pack(">H", len(payload) + 2) + payload


def jpeg(*parts: bytes) -> bytes:
    """Return a JPEG file of parts between its first and its last marker."""
    return b"\xff\xd8" + b"".join(parts) + b"\xff\xd9"


def exif(entries: int, order: str = ">", tag: int = 0x0112, kind: int = 3, value: int = 6) -> bytes:
    """Return EXIF data whose last entry names an orientation."""
    others = struct.pack(order + "HHIHH", 0x0100, 3, 1, 9, 0) * (entries - 1)
    last = struct.pack(order + "HHIHH", tag, kind, 1, value, 0)
    start = (b"MM\0*" if order == ">" else b"II*\0") + struct.pack(order + "IxxH", 10, entries)
    return start + others + last
