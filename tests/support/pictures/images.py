"""Image files for tests, ordinary and unusual. All are deterministic."""

import io
import struct
import zlib
from typing import Any

import numpy as np
import pillow_heif  # type: ignore[import-untyped]
from PIL import Image, ImageDraw

ORIENTATION_TAG = 0x0112
TEXT_NAMED_JPG = b"This is a text file with the name of an image.\n" * 20
PDF = b"%PDF-1.7\n1 0 obj\n<< /Type /Catalog >>\nendobj\n%%EOF\n"
SVG = b'<?xml version="1.0"?>\n<svg xmlns="http://www.w3.org/2000/svg"><rect width="9" height="9"/></svg>'
HEIC = b"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic" + bytes(64)
TIFF = b"II*\x00\x08\x00\x00\x00" + bytes(64)

FLAT_ROWS = 1000  # of a flat picture that are packed once


def garment(width: int = 60, height: int = 80) -> Image.Image:
    """Return a simple shirt on white without symmetry: every mirrored or rotated version is different."""
    image = Image.new("RGB", (width, height), "white")
    draw = ImageDraw.Draw(image)
    draw.rectangle((width * 0.25, height * 0.2, width * 0.75, height * 0.9), fill=(30, 60, 160))
    draw.rectangle((width * 0.25, height * 0.2, width * 0.4, height * 0.35), fill=(210, 40, 40))
    draw.rectangle((width * 0.6, height * 0.7, width * 0.75, height * 0.9), fill=(40, 160, 60))
    return image


def encode(image: Image.Image, kind: str = "JPEG", **options: Any) -> bytes:
    """Return the picture as a file."""
    if kind == "HEIF":
        return heic(image)
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def heic(image: Image.Image, **options: Any) -> bytes:
    """Return the picture as a HEIC file. Pillow's decoder of these files, pi-heif, has no encoder."""
    file = io.BytesIO()
    pillow_heif.from_pillow(image).save(file, quality=95, **options)
    return file.getvalue()


def jpeg(width: int = 60, height: int = 80, **options: Any) -> bytes:
    """Return a JPEG photo of the garment."""
    return encode(garment(width, height), "JPEG", **options)


def png(width: int = 60, height: int = 80) -> bytes:
    """Return a PNG picture of the garment."""
    return encode(garment(width, height), "PNG")


def cropped_png(left: int, top: int, right: int, bottom: int) -> bytes:
    """Return a PNG file of a part of the garment of 60×80 pixels."""
    return encode(garment().crop((left, top, right, bottom)), "PNG")


def rotated(orientation: int, kind: str = "PNG", width: int = 60, height: int = 80) -> bytes:
    """Return a file of the garment that is upright after its EXIF orientation (1 to 8) is applied."""
    operations = {
        1: None,
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }
    image = garment(width, height)
    operation = operations[orientation]
    stored = image if operation is None else image.transpose(operation)
    exif = Image.Exif()
    exif[ORIENTATION_TAG] = orientation
    return encode(stored, kind, exif=exif, **({"lossless": True} if kind == "WEBP" else {}))


def png_chunk(kind: bytes, body: bytes) -> bytes:
    """Return one chunk of a PNG file."""
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def raw_png(width: int, height: int, depth: int, colour: int, rows: bytes, extra: bytes = b"") -> bytes:
    """Return a PNG of a header and raw rows (each with a filter byte); `extra` are chunks before the pixels."""
    return _png_of(width, height, depth, colour, zlib.compress(rows, 9), extra)


def _png_of(width: int, height: int, depth: int, colour: int, packed_rows: bytes, extra: bytes = b"") -> bytes:
    header = png_chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0))
    body = png_chunk(b"IDAT", packed_rows)
    return b"\x89PNG\r\n\x1a\n" + header + extra + body + png_chunk(b"IEND", b"")


def flat_png(width: int, height: int) -> bytes:
    """Return a one-bit white PNG with many pixels in a small file. 9000×9000 is a decompression bomb of 20 kB.

    Rows are packed once and repeated: to pack 100 MB of them takes a second in each process of the tests.
    """
    row, blocks, rest = b"\x00" + b"\xff" * ((width + 7) // 8), *divmod(height, FLAT_ROWS)
    packer = zlib.compressobj(9, wbits=-zlib.MAX_WBITS)
    block = packer.compress(row * FLAT_ROWS) + packer.flush(zlib.Z_FULL_FLUSH)
    checksum = 1
    for rows in [row * FLAT_ROWS] * blocks + [row * rest]:
        checksum = zlib.adler32(rows, checksum)
    last = packer.compress(row * rest) + packer.flush()
    return _png_of(width, height, 1, 0, b"\x78\xda" + block * blocks + last + struct.pack(">I", checksum))


def grey16_png(values: np.ndarray[Any, np.dtype[np.uint16]]) -> bytes:
    """Return a 16-bit grey PNG of the values, shape (height, width)."""
    rows = b"".join(b"\x00" + row.astype(">u2").tobytes() for row in values)
    return raw_png(values.shape[1], values.shape[0], 16, 0, rows)


def rgb16_png(colour: tuple[int, int, int], width: int = 60, height: int = 80) -> bytes:
    """Return a PNG of one colour with 16 bits per channel (0 to 65535)."""
    return raw_png(width, height, 16, 2, (b"\x00" + struct.pack(">HHH", *colour) * width) * height)


def palette_png_with_alpha(width: int = 60, height: int = 80) -> bytes:
    """Return a palette PNG: the left half transparent black, the right half opaque red."""
    palette = png_chunk(b"PLTE", bytes((0, 0, 0, 255, 0, 0)))
    row = b"\x00" + b"\x00" * (width // 2) + b"\x01" * (width - width // 2)
    return raw_png(width, height, 8, 3, row * height, palette + png_chunk(b"tRNS", bytes((0, 255))))


def half_transparent(kind: str = "PNG", width: int = 60, height: int = 80) -> bytes:
    """Return a picture whose left half is transparent black and whose right half is opaque red."""
    image = Image.new("RGBA", (width, height), (0, 0, 0, 0))
    image.paste((255, 0, 0, 255), (width // 2, 0, width, height))
    return encode(image, kind, **({"lossless": True} if kind == "WEBP" else {}))


def cmyk_jpeg() -> bytes:
    """Return a CMYK JPEG, as print shops send them."""
    return encode(garment().convert("CMYK"), "JPEG", quality=95)


def animation(kind: str = "GIF") -> bytes:
    """Return an animation whose first frame is the garment and whose others are black."""
    black = Image.new("RGB", (60, 80), "black")
    return encode(garment(), kind, save_all=True, append_images=[black, black], duration=40)


def multi_picture_jpeg() -> bytes:
    """Return a JPEG with a second picture after the first, like photos with depth or HDR data."""
    return encode(garment(1200, 1600), "MPO", save_all=True, append_images=[garment(300, 400)])


def huge_header(kind: str) -> bytes:
    """Return a small file whose header has far more pixels than the file."""
    if kind == "PNG":
        return raw_png(100_000, 100_000, 8, 2, b"\x00")
    if kind == "BMP":
        data = bytearray(encode(garment(), "BMP"))
        data[18:26] = struct.pack("<ii", 60_000, 60_000)
        return bytes(data)
    if kind == "GIF":
        data = bytearray(encode(garment(), "GIF"))
        data[6:10] = struct.pack("<HH", 65_535, 65_535)
        return bytes(data)
    data = bytearray(jpeg())
    frame = data.index(b"\xff\xc0")
    data[frame + 5 : frame + 9] = struct.pack(">HH", 65_500, 65_500)
    return bytes(data)


def many_scans() -> bytes:
    """Return a progressive JPEG that repeats its last scan 200 times."""
    data = jpeg(progressive=True)
    last = data.rindex(b"\xff\xda")
    scan = data[last:-2]
    return data[:-2] + scan * 200 + data[-2:]


REFUSED = {
    "an empty file": (b"", "invalid-image"),
    "text named .jpg": (TEXT_NAMED_JPG, "unsupported-image"),
    "a PDF": (PDF, "unsupported-image"),
    "an SVG": (SVG, "unsupported-image"),
    "a HEIC photo that is cut short": (HEIC, "invalid-image"),
    "a TIFF": (TIFF, "unsupported-image"),
    "a truncated JPEG": (jpeg(600, 800)[:4000], "invalid-image"),
    "a JPEG of three bytes": (b"\xff\xd8\xff", "invalid-image"),
    "a truncated PNG": (png(600, 800)[:900], "invalid-image"),
    "a truncated WebP": (encode(garment(600, 800), "WEBP")[:900], "invalid-image"),
    "a JPEG of 200 scans": (many_scans(), "invalid-image"),
    "50 megapixels": (flat_png(10_000, 5_000), "image-too-large"),
    "a decompression bomb": (flat_png(30_000, 30_000), "image-too-large"),
    "a PNG header of 10 gigapixels": (huge_header("PNG"), "image-too-large"),
    "a JPEG header of 4 gigapixels": (huge_header("JPEG"), "image-too-large"),
    "a GIF header of 4 gigapixels": (huge_header("GIF"), "image-too-large"),
    "a BMP header of 3.6 gigapixels": (huge_header("BMP"), "image-too-large"),
}
ACCEPTED = {
    "a JPEG": jpeg(),
    "a progressive JPEG": jpeg(progressive=True),
    "a PNG": png(),
    "a WebP": encode(garment(), "WEBP"),
    "an AVIF": encode(garment(), "AVIF"),
    "a BMP": encode(garment(), "BMP"),
    "a GIF": encode(garment(), "GIF"),
    "a GIF animation": animation("GIF"),
    "a WebP animation": animation("WEBP"),
    "an animated PNG": animation("PNG"),
    "one pixel": encode(Image.new("RGB", (1, 1), "red"), "PNG"),
    "a JPEG of one pixel": encode(Image.new("RGB", (1, 1), "red"), "JPEG"),
    "1×5000": encode(Image.new("RGB", (1, 5000), "red"), "PNG"),
    "5000×1": encode(Image.new("RGB", (5000, 1), "red"), "JPEG"),
    "CMYK": cmyk_jpeg(),
    "16-bit grey": grey16_png(np.full((80, 60), 40_000, np.uint16)),
    "16-bit colour": rgb16_png((65_535, 0, 32_768)),
    "a palette with alpha": palette_png_with_alpha(),
    "grey with alpha": encode(garment().convert("LA"), "PNG"),
    "one bit": encode(garment().convert("1"), "PNG"),
    "a phone's multi-picture JPEG": multi_picture_jpeg(),
    "rotated by EXIF": rotated(6, "JPEG"),
}
