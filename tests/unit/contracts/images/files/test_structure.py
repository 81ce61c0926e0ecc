"""Files of millions of tiny parts are refused before a decoder reads them; ordinary files are not."""

import io
import struct
import zlib

import pytest
from PIL import Image, ImageCms, PngImagePlugin

from services.contracts.domain.errors import ImageTooLarge, InvalidImage
from services.contracts.domain.manifest import InputSize
from services.contracts.images import preparation
from services.contracts.images.formats import sniff
from services.contracts.images.preparation import ImageLimits, LargePicture, prepare_image
from services.contracts.images.structure import MAX_BLOCKS, MAX_CHUNKS, MAX_PADDING, MAX_SEGMENTS, check_structure
from tests.support.pictures import images

SIZE = InputSize(height=32, width=32)
JPEG = images.jpeg()
SIZE_BYTES = 2_000_000


def chunk(name: bytes, data: bytes = b"") -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def in_png(chunks: bytes) -> bytes:
    data = images.png()
    end_of_header = 8 + 25
    return data[:end_of_header] + chunks + data[end_of_header:]


def in_gif(blocks: bytes) -> bytes:
    data = images.encode(images.garment().convert("P"), "GIF")
    end_of_header = 13 + (3 << ((data[10] & 7) + 1))
    return data[:end_of_header] + blocks + data[end_of_header:]


def rle_bmp(size: int) -> bytes:
    header = struct.pack("<IiiHHIIiiII", 40, 500, 500, 1, 8, 1, size, 0, 0, 256, 0)
    begin = 14 + len(header) + 1024
    return b"BM" + struct.pack("<IHHI", begin + size, 0, 0, begin) + header + bytes(1024) + b"\x05\x01" * (size // 2)


UNUSUAL = {
    "padding": b"\xff\xd8" + b"\xff" * SIZE_BYTES,
    "padding before a picture": b"\xff\xd8" + b"\xff" * SIZE_BYTES + JPEG[2:],
    "padding in parts": b"\xff\xd8" + (b"\xff" * 1000 + b"\xfe\x00\x02") * 100 + JPEG[2:],
    "bytes between segments": b"\xff\xd8\xff\xfe\x00\x02" + b"\x00" * SIZE_BYTES + JPEG[2:],
    "comments": b"\xff\xd8" + b"\xff\xfe\x00\x02" * (SIZE_BYTES // 4) + JPEG[2:],
    "lengths of zero": b"\xff\xd8" + b"\xff\xfe\x00\x00" * (SIZE_BYTES // 4) + JPEG[2:],
    "restarts": b"\xff\xd8" + b"\xff\xd0" * (SIZE_BYTES // 2) + JPEG[2:],
    "scans": JPEG[:-2] + JPEG[JPEG.rfind(b"\xff\xda") : -2] * 200 + JPEG[-2:],
    "chunks": in_png(chunk(b"abCd") * (SIZE_BYTES // 12)),
    "texts": in_png(chunk(b"tEXt", b"a\0b") * (SIZE_BYTES // 15)),
    "data chunks": in_png(chunk(b"IDAT") * (SIZE_BYTES // 12)),
    "one comment of tiny blocks": in_gif(b"\x21\xfe" + b"\x01x" * (SIZE_BYTES // 2) + b"\0"),
    "comment blocks": in_gif(b"\x21\xfe\x01x\0" * (SIZE_BYTES // 5)),
    "an unknown extension": in_gif(b"\x21\x99" + b"\x01x" * (SIZE_BYTES // 2) + b"\0"),
    "bytes between blocks": in_gif(b"\0" * SIZE_BYTES),
    "runs": rle_bmp(SIZE_BYTES),
}


@pytest.mark.parametrize("name", UNUSUAL)
def test_a_file_of_very_many_parts_is_invalid_and_no_decoder_sees_it(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Image, "open", lambda *_, **__: pytest.fail("a decoder reads the file"))
    with pytest.raises(InvalidImage, match="save the picture again"):
        prepare_image(UNUSUAL[name], SIZE)


@pytest.mark.parametrize("name", images.ACCEPTED)
def test_ordinary_files_pass(name: str) -> None:
    data = images.ACCEPTED[name]
    check_structure(str(sniff(data)), data)


def test_a_photo_with_a_large_profile_a_preview_and_comments_passes() -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes() + bytes(600_000)
    data = images.jpeg(icc_profile=profile, comment=b"x" * 60_000)
    padded = data[:2] + b"\xff" * (MAX_PADDING // 2) + data[2:]
    assert prepare_image(padded, SIZE)[0].shape == (32, 32, 3)


def test_a_png_of_many_texts_and_small_data_chunks_passes() -> None:
    info = PngImagePlugin.PngInfo()
    for number in range(200):
        info.add_text(f"key{number}", "text")
    data = images.encode(images.garment(), "PNG", pnginfo=info)
    assert prepare_image(data, SIZE)[0].shape == (32, 32, 3)
    small = in_png(chunk(b"abCd", b"x") * (MAX_CHUNKS // 2))
    assert prepare_image(small, SIZE)[0].shape == (32, 32, 3)


def test_segments_and_blocks_up_to_the_bounds_pass() -> None:
    jpeg = JPEG[:2] + b"\xff\xfe\x00\x03x" * (MAX_SEGMENTS // 2) + JPEG[2:]
    gif = in_gif(b"\x21\xfe" + (b"\xff" + b"x" * 255) * (MAX_BLOCKS // 2) + b"\0")
    for data in (jpeg, gif, rle_bmp(500_000)):
        check_structure(str(sniff(data)), data)


@pytest.mark.parametrize("block", [0x2C, 0x3B])
def test_what_follows_the_first_picture_or_the_end_of_a_gif_does_not_count(block: int) -> None:
    check_structure("GIF", b"GIF89a" + bytes(7) + bytes([block]) + bytes(2 * MAX_BLOCKS))


@pytest.mark.parametrize("marker", [0x00, 0x01, *range(0xD0, 0xD9)])
def test_segments_after_a_marker_without_a_length_count(marker: int) -> None:
    comments = b"\xff\xfe\x00\x02" * MAX_SEGMENTS
    with pytest.raises(InvalidImage, match="segments before its picture"):
        check_structure("JPEG", JPEG[:2] + bytes((0xFF, marker)) + comments + JPEG[2:])


@pytest.mark.parametrize("marker", [0x02, 0xCF, 0xDC, 0xE0])
def test_markers_within_a_segment_do_not_count(marker: int) -> None:
    restarts = b"\xff\xd0" * (2 * MAX_SEGMENTS)
    segment = bytes((0xFF, marker)) + struct.pack(">H", 2 + len(restarts)) + restarts
    check_structure("JPEG", JPEG[:2] + segment + JPEG[2:])


@pytest.mark.parametrize("length", [0, 1])
def test_the_two_bytes_of_a_length_that_is_too_small_are_no_padding(length: int) -> None:
    segments = (b"\xff\xfe" + struct.pack(">H", length)) * (MAX_SEGMENTS // 2)
    check_structure("JPEG", JPEG[:2] + b"\xff" * (MAX_PADDING - 300) + segments + JPEG[2:])


@pytest.mark.parametrize("data", [b"\xff\xd8\xff", b"\xff\xd8\xff\xe0", b"\x89PNG\r\n\x1a\n", b"GIF89a", b"BM"])
def test_a_file_cut_short_is_left_to_the_decoder(data: bytes) -> None:
    check_structure(str(sniff(data)), data)


@pytest.mark.parametrize(
    ("kind", "mode", "bytes_per_pixel"),
    [
        *(("PNG", "1", 1), ("PNG", "L", 1), ("PNG", "P", 1), ("PNG", "I;16", 2), ("PNG", "RGB", 4), ("PNG", "RGBA", 4)),
        *(("GIF", "P", 1), ("BMP", "RGB", 4), ("WEBP", "RGB", 16), ("AVIF", "RGB", 12)),
    ],
)
def test_the_memory_of_a_picture_depends_on_its_mode_and_format(kind: str, mode: str, bytes_per_pixel: int) -> None:
    data, needed = images.encode(Image.new(mode, (600, 500)), kind), 600 * 500 * bytes_per_pixel
    assert prepare_image(data, SIZE, inline_bytes=needed)[0].shape == (32, 32, 3)
    with pytest.raises(LargePicture):
        prepare_image(data, SIZE, inline_bytes=needed - 1)
    limits = ImageLimits(max_memory_bytes=needed - 1)
    with pytest.raises(ImageTooLarge, match=f"takes {needed:,} bytes"):
        prepare_image(data, SIZE, limits)


def test_a_large_jpeg_is_decoded_small_and_a_progressive_one_keeps_its_coefficients() -> None:
    picture = Image.new("RGB", (1600, 1600))
    drafted = 200 * 200 * 4
    assert prepare_image(images.encode(picture), SIZE, inline_bytes=drafted)[0].shape == (32, 32, 3)
    progressive = images.encode(picture, progressive=True)
    with pytest.raises(LargePicture):
        prepare_image(progressive, SIZE, inline_bytes=drafted + 1600 * 1600 * 6 - 1)
    assert prepare_image(progressive, SIZE, inline_bytes=drafted + 1600 * 1600 * 6)[0].shape == (32, 32, 3)


@pytest.mark.parametrize(("kind", "mode", "pixels"), [("JPEG", "CMYK", 1_000), ("JPEG", "L", 1_000), ("GIF", "P", 500)])
def test_a_picture_of_many_pixels_is_large_whatever_memory_it_takes(
    monkeypatch: pytest.MonkeyPatch, kind: str, mode: str, pixels: int
) -> None:
    monkeypatch.setattr(preparation, "INLINE_PIXELS", {"JPEG": 1_000})
    monkeypatch.setattr(preparation, "OTHER_INLINE_PIXELS", 500)
    small, large = (images.encode(Image.new(mode, (pixels // 10, side)), kind) for side in (10, 11))
    assert prepare_image(small, SIZE, inline_bytes=10**9)[0].shape == (32, 32, 3)
    with pytest.raises(LargePicture):
        prepare_image(large, SIZE, inline_bytes=10**9)
    assert prepare_image(large, SIZE)[0].shape == (32, 32, 3)


def test_the_scans_of_a_progressive_jpeg_are_bounded_by_its_size(monkeypatch: pytest.MonkeyPatch) -> None:
    data = images.encode(Image.new("RGB", (100, 100)), progressive=True)
    scans = data.count(b"\xff\xda")
    monkeypatch.setattr(preparation, "MAX_SCANNED_PIXELS", 10_000 * scans)
    prepare_image(data, SIZE)
    monkeypatch.setattr(preparation, "MAX_SCANNED_PIXELS", 10_000 * scans - 1)
    with pytest.raises(InvalidImage, match="too many scans"):
        prepare_image(data, SIZE)


def test_text_in_a_png_that_expands_to_gigabytes_is_refused() -> None:
    bomb = chunk(b"zTXt", b"a\0\0" + zlib.compress(bytes(1 << 20), 9)) * 50
    with pytest.raises(InvalidImage):
        prepare_image(in_png(bomb), SIZE)
    assert io.BytesIO(in_png(bomb)).getbuffer().nbytes < 100_000
