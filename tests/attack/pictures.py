"""Image files that cost a decoder as much as possible."""

import io
import struct
import zlib
from collections.abc import Callable

from PIL import Image

SIDE = 5000  # 25 megapixels, the limit
BYTES = 9_900_000  # just under the limit of a file


def encoded(image: Image.Image, kind: str, **options: object) -> bytes:
    """Return a picture as a file."""
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def png_chunk(name: bytes, data: bytes = b"") -> bytes:
    """Return a chunk of a PNG file."""
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def small_jpeg() -> bytes:
    """Return an ordinary small photo."""
    return encoded(Image.effect_noise((60, 60), 50).convert("RGB"), "JPEG")


def flat(mode: str, kind: str, **options: object) -> bytes:
    """Return a picture of one colour with as many pixels as are accepted."""
    return encoded(Image.new(mode, (SIDE, SIDE)), kind, **options)


def jpeg_with(parts: bytes) -> bytes:
    """Return a JPEG file with parts before its picture."""
    return b"\xff\xd8" + parts + small_jpeg()[2:]


def jpeg_of_scans() -> bytes:
    """Return a progressive JPEG file of 25 megapixels with its last scan repeated."""
    data = flat("RGB", "JPEG", progressive=True)
    return data[:-2] + data[data.rfind(b"\xff\xda") : -2] * 85 + data[-2:]


def png_with(chunks: bytes) -> bytes:
    """Return a PNG file with chunks before its picture."""
    data = encoded(Image.new("RGB", (20, 20)), "PNG")
    return data[:33] + chunks + data[33:]


def gif_with(blocks: bytes) -> bytes:
    """Return a GIF file with blocks before its picture."""
    data = encoded(Image.new("P", (20, 20)), "GIF")
    end = 13 + (3 << ((data[10] & 7) + 1))
    return data[:end] + blocks + data[end:]


def rle_bmp() -> bytes:
    """Return a BMP file of run-length encoding, which Pillow decodes in Python."""
    header = struct.pack("<IiiHHIIiiII", 40, SIDE, SIDE, 1, 8, 1, BYTES, 0, 0, 256, 0)
    begin = 14 + len(header) + 1024
    runs = b"\x05\x01" * ((BYTES - begin) // 2)
    return b"BM" + struct.pack("<IHHI", begin + len(runs), 0, 0, begin) + header + bytes(1024) + runs


PICTURES: dict[str, Callable[[], bytes]] = {
    "JPEG of 0xFF": lambda: b"\xff\xd8" + b"\xff" * BYTES,
    "JPEG with padding": lambda: jpeg_with(b"\xff" * (BYTES - 5000)),
    "JPEG of comments": lambda: jpeg_with(b"\xff\xfe\x00\x02" * (BYTES // 4 - 2000)),
    "JPEG of 95 scans": jpeg_of_scans,
    "JPEG cut short, then FF00": lambda: small_jpeg()[:400] + b"\xff\x00" * (BYTES // 2 - 400),
    "progressive JPEG": lambda: flat("RGB", "JPEG", progressive=True),
    "CMYK JPEG": lambda: flat("CMYK", "JPEG"),
    "PNG of chunks": lambda: png_with(png_chunk(b"abCd") * (BYTES // 12 - 100)),
    "PNG of unpacked text": lambda: png_with(png_chunk(b"zTXt", b"a\0\0" + zlib.compress(bytes(1 << 20), 9)) * 60),
    "RGBA PNG": lambda: flat("RGBA", "PNG"),
    "LA PNG": lambda: flat("LA", "PNG"),
    "16-bit PNG": lambda: flat("I;16", "PNG"),
    "GIF of tiny blocks": lambda: gif_with(b"\x21\xfe" + b"\x01x" * (BYTES // 2 - 500) + b"\0"),
    "GIF": lambda: flat("P", "GIF"),
    "BMP of runs": rle_bmp,
    "WebP": lambda: flat("RGBA", "WEBP", lossless=True),
    "AVIF": lambda: flat("RGBA", "AVIF", speed=10),
}
