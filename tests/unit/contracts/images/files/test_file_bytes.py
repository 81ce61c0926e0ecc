"""Image files byte by byte: what their metadata's removal keeps, and the exact bounds of their structure."""

import struct

import pytest

from services.contracts.domain.errors import InvalidImage
from services.contracts.images.exif import minimal_exif, orientation_of
from services.contracts.images.metadata import without_metadata
from services.contracts.images.structure import check_structure
from tests.support.pictures.parts import (
    bmp,
    chunk,
    exif,
    extended,
    extension,
    gif,
    jpeg,
    picture,
    png,
    segment,
    webp,
)

TAIL = b"bytes after the end"


@pytest.mark.parametrize(
    ("width", "height", "bits", "compression", "size", "stored"),
    [
        (3, 2, 24, 0, 0, 24),  # rows of nine bytes take twelve
        (3, -2, 24, 0, 7, 24),  # from the top
        (4, 1, 8, 0, 0, 4),
        (5, 1, 8, 0, 0, 8),
        (33, 1, 1, 0, 0, 8),
        (2, 3, 32, 3, 5, 24),
        (9, 9, 8, 1, 20, 20),
        (9, 9, 4, 2, 21, 21),
    ],
)
def test_a_bmp_ends_after_its_pixels(
    width: int, height: int, bits: int, compression: int, size: int, stored: int
) -> None:
    file = bmp(width, height, bits, compression, size, bytes(range(stored)))
    assert without_metadata(file + TAIL) == file
    assert without_metadata(file[:-1]) == file[:-1]


def test_a_bmp_that_does_not_say_its_size_stays_as_it_is() -> None:
    for file in (bmp(9, 9, 8, 1, 0, b"runs"), b"BM" + struct.pack("<IHHII", 99, 0, 0, 26, 12) + bytes(60)):
        assert without_metadata(file + TAIL) == file + TAIL


CONTROL = extension(0xF9, b"\x04\x05\0\0")
LOOP = extension(0xFF, b"NETSCAPE2.0", b"\x01\0\0")
OTHER_LOOP = extension(0xFF, b"ANIMEXTS1.0", b"\x01\0\0")


@pytest.mark.parametrize("flags", [0, 0x80, 0x81, 0x87, 0x07])
def test_a_gif_keeps_colours_pictures_their_control_and_loops(flags: int) -> None:
    kept = (LOOP, OTHER_LOOP, CONTROL, picture(), CONTROL, picture(0x80, 6), picture(0x81, 12))
    dropped = (extension(0xFE, b"a comment"), extension(0xFF, b"XMP DataXMP", b"xml"), extension(0x01, b"text" * 3))
    mixed = [part for pair in zip(kept, (*dropped, *dropped, b""), strict=True) for part in pair]
    assert without_metadata(gif(flags, *mixed) + TAIL) == gif(flags, *kept)


def test_a_gif_of_an_unknown_block_stays_as_it_is() -> None:
    file = gif(0, b"\x99", picture()) + TAIL
    assert without_metadata(file) == file


def test_a_webp_keeps_its_chunks_and_their_flags() -> None:
    pixels, profile = (b"VP8L", b"odd"), (b"ICCP", b"even")
    metadata = (b"EXIF", minimal_exif(1)), (b"XMP ", b"xml"), (b"JUNK", b"x")
    file = webp(extended(0x2C), profile, pixels, *metadata)
    assert without_metadata(file + TAIL) == webp(extended(0x20), profile, pixels)
    assert without_metadata(webp(pixels, (b"JUNK", b"x"))) == webp(pixels)


@pytest.mark.parametrize("header", [b"", b"Exif\0\0"])
def test_a_webp_keeps_its_orientation_and_nothing_else(header: bytes) -> None:
    pixels = (b"VP8 ", b"data")
    file = webp(extended(0x08), pixels, (b"EXIF", header + minimal_exif(6)), (b"XMP ", b"xml"))
    assert without_metadata(file) == webp(extended(0x08), pixels, (b"EXIF", minimal_exif(6)))


def test_a_webp_that_is_cut_short_stays_as_it_is() -> None:
    file = webp(extended(0), (b"VP8 ", b"data"), (b"XMP ", b"xm"))
    assert without_metadata(file[:-1]) == file[:-1]
    longer = webp((b"VP8 ", b"data"), (b"XMP ", b"xm"))
    wrong = longer[:-6] + struct.pack("<I", 3) + longer[-2:]
    assert without_metadata(wrong) == wrong


def test_a_png_keeps_the_chunks_of_its_picture_and_its_orientation() -> None:
    kept = chunk(b"gAMA", b"abcd"), chunk(b"IDAT", b"pixels")
    dropped = chunk(b"tEXt", b"k\0v"), chunk(b"iTXt", b"k"), chunk(b"tIME", b"now")
    assert without_metadata(png(dropped[0], kept[0], dropped[1], kept[1], dropped[2]) + TAIL) == png(*kept)
    turned = without_metadata(png(*kept, chunk(b"eXIf", minimal_exif(8))))
    assert turned == png(chunk(b"eXIf", minimal_exif(8)), *kept)
    assert without_metadata(png(*kept)[:-1]) == png(*kept)[:-1]


SCAN = segment(0xDA, b"\0") + b"pixels\xff\x00more\xff\xd0restart"
JFIF = segment(0xE0, b"JFIF\0density")


def test_a_jpeg_keeps_what_decoders_need() -> None:
    kept = JFIF, segment(0xE2, b"ICC_PROFILE\0icc"), segment(0xEE, b"Adobe"), segment(0xDB, b"table"), SCAN
    dropped = segment(0xE1, b"Exif\0\0" + minimal_exif(1)), segment(0xEF, b"x"), segment(0xFE, b"a comment")
    assert without_metadata(jpeg(*kept[:3], *dropped, *kept[3:]) + TAIL) == jpeg(*kept)


@pytest.mark.parametrize(
    "payload", [b"Exif\0\0" + minimal_exif(6), b'ns/<x tiff:Orientation="6"/>', b"tiff:Orientation>6"]
)
def test_a_jpeg_keeps_its_orientation_behind_its_density(payload: bytes) -> None:
    turned = segment(0xE1, b"Exif\0\0" + minimal_exif(6))
    assert without_metadata(jpeg(JFIF, segment(0xE1, payload), SCAN)) == jpeg(JFIF, turned, SCAN)
    assert without_metadata(jpeg(segment(0xE1, payload), SCAN)) == jpeg(turned, SCAN)


@pytest.mark.parametrize(
    ("data", "orientation"),
    [
        (exif(1), 6),
        (exif(3, "<"), 6),
        (exif(1000), 6),
        (exif(1001), 1),
        (exif(1, value=1), 1),
        (exif(1, value=8), 8),
        (exif(1, value=9), 1),
        (exif(1, value=0), 1),
        (exif(1, kind=4), 1),
        (exif(1, tag=0x0113), 1),
        (exif(2)[:-5], 1),
        (b"XX\0*" + exif(1)[4:], 1),
        (b"", 1),
        *((minimal_exif(value), value) for value in range(1, 9)),
    ],
)
def test_the_orientation_is_that_of_its_entry(data: bytes, orientation: int) -> None:
    assert orientation_of(data) == orientation


def is_ordinary(kind: str, data: bytes) -> bool:
    try:
        check_structure(kind, data)
    except InvalidImage:
        return False
    return True


@pytest.mark.parametrize(
    ("kind", "at_bound", "beyond"),
    [
        ("JPEG", jpeg(segment(0xFE, b"x") * 999, SCAN), jpeg(segment(0xFE, b"x") * 1000, SCAN)),
        ("JPEG", jpeg(b"\xff" * 4096, SCAN), jpeg(b"\xff" * 4097, SCAN)),
        ("JPEG", jpeg(b"\0" * 4095, SCAN), jpeg(b"\0" * 4097, SCAN)),
        ("JPEG", jpeg(SCAN * 100), jpeg(SCAN * 101)),
        ("PNG", png(chunk(b"tEXt") * 9_998), png(chunk(b"tEXt") * 9_999)),
        ("GIF", gif(0x81, extension(0xFE, b"x") * 4_999, picture()), gif(0x81, extension(0xFE, b"x") * 5_001)),
        ("GIF", gif(0, b"\0" * 10_000, picture()), gif(0, b"\0" * 10_001, picture())),
        ("BMP", bmp(9, 9, 8, 1, 0, bytes(2**20 - 54)), bmp(9, 9, 8, 1, 0, bytes(2**20 - 53))),
        ("BMP", bmp(9, 9, 4, 2, 0, bytes(2**20 - 54)), bmp(9, 9, 4, 2, 0, bytes(2**20 - 53))),
    ],
    ids=["segments", "fill bytes", "padding", "scans", "chunks", "extensions", "blocks", "runs of 8", "runs of 4"],
)
def test_a_file_at_a_bound_is_ordinary_and_beyond_it_is_not(kind: str, at_bound: bytes, beyond: bytes) -> None:
    assert (is_ordinary(kind, at_bound), is_ordinary(kind, beyond)) == (True, False)


def test_a_large_bmp_without_runs_is_ordinary() -> None:
    assert is_ordinary("BMP", bmp(9, 9, 24, 0, 0, bytes(2**21)))
    assert is_ordinary("BMP", bmp(9, 9, 32, 3, 0, bytes(2**21)))


def test_a_png_without_its_end_has_as_many_chunks_as_begin_in_it() -> None:
    most = png(chunk(b"tEXt") * 9_998)[:-12]
    assert is_ordinary("PNG", most)
    for rest in (b"", b"\0" * 7, chunk(b"IDAT")[:7]):
        assert is_ordinary("PNG", most + rest)
    for rest in (chunk(b"IDAT")[:8], chunk(b"IDAT"), b"\0" * 8):
        assert not is_ordinary("PNG", most + rest)


@pytest.mark.parametrize("length", range(6, 20))
@pytest.mark.parametrize("flags", [0x00, 0x80, 0x87])
def test_a_gif_that_ends_within_its_header_is_left_to_the_decoder(length: int, flags: int) -> None:
    assert is_ordinary("GIF", gif(flags)[:length])


@pytest.mark.parametrize("rest", [0, 1, 5000])
def test_a_segment_that_is_longer_than_its_file_is_left_to_the_decoder(rest: int) -> None:
    assert is_ordinary("JPEG", b"\xff\xd8\xff\xe0\xff\xff" + bytes(rest))


def test_padding_without_a_marker_counts_from_the_last_segment() -> None:
    start = b"\xff\xd8" + segment(0xFE, bytes(5000))
    for padding in (b"\0", b"\xff"):
        assert is_ordinary("JPEG", start + padding * 4096)
        assert not is_ordinary("JPEG", start + padding * 4097)
    assert is_ordinary("JPEG", start + b"\0" * 2000 + segment(0xFE, b"") + b"\0" * 2094 + SCAN)
    assert not is_ordinary("JPEG", start + b"\0" * 2000 + segment(0xFE, b"") + b"\0" * 2099 + SCAN)


def test_scans_count_from_the_first_one_and_the_end_of_the_picture_ends_the_segments() -> None:
    hidden = segment(0xFE, b"\xff\xda" * 200)
    assert is_ordinary("JPEG", jpeg(hidden, SCAN * 100))
    assert not is_ordinary("JPEG", jpeg(SCAN, hidden))
    assert is_ordinary("JPEG", jpeg() + segment(0xFE, b"") * 2000)


def test_the_blocks_of_a_gif_count_from_the_end_of_its_colours() -> None:
    for flags in (0x00, 0x07, 0x70, 0x80, 0x87, 0xFF):
        assert is_ordinary("GIF", gif(flags, b"\0" * 10_000, picture()))
        assert not is_ordinary("GIF", gif(flags, b"\0" * 10_001, picture()))


def test_the_last_byte_of_a_gif_without_a_picture_is_no_block() -> None:
    start = gif(0)[:-1]
    assert is_ordinary("GIF", start + b"\0" * 10_001)
    assert not is_ordinary("GIF", start + b"\0" * 10_002)


def test_a_gif_that_ends_within_an_extension_is_left_to_the_decoder() -> None:
    whole = gif(0x80, extension(0xFE, b"abc", b"de"))
    assert all(is_ordinary("GIF", whole[:length]) for length in range(19, len(whole)))


def test_a_large_bmp_of_another_compression_is_ordinary() -> None:
    pixels = bytes(2**20)
    for compression in (4, 0x0101, 0x010001, 0x01000001, 0x02000000):
        assert is_ordinary("BMP", bmp(9, 9, 8, compression, 0, pixels))
