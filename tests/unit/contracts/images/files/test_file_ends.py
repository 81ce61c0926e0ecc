"""Files whose parts end exactly where they should, or a byte before or after: what is cleaned, and what stays."""

import struct

import pytest

from services.contracts.images.exif import minimal_exif
from services.contracts.images.metadata import without_metadata
from tests.support.pictures.parts import bmp, chunk, exif, extended, extension, gif, jpeg, picture, png, segment, webp

SCAN = segment(0xDA, b"\0") + b"pixels\xff\x00more\xff\xd0restart"
TABLE = segment(0xDB, b"table")
COMMENT = segment(0xFE, b"a comment")
PIXELS = b"VP8L", b"even"
XMP = b"XMP ", b"xm"
WITH_COMMENT = extension(0xFE, b"a comment")


def exif_of(orientation: int) -> bytes:
    return b"Exif\0\0" + minimal_exif(orientation)


@pytest.mark.parametrize(
    ("parts", "kept"),
    [
        ((COMMENT, TABLE), (TABLE,)),
        ((COMMENT, TABLE, SCAN), (TABLE, SCAN)),
        ((TABLE, COMMENT), (TABLE,)),
        ((COMMENT, b"\xff\xff\xff" + TABLE, SCAN), (b"\xff\xff\xff" + TABLE, SCAN)),
        ((COMMENT, TABLE, SCAN, COMMENT, SCAN), (TABLE, SCAN, SCAN)),
        ((COMMENT, segment(0xDB, b"")), (segment(0xDB, b""),)),
    ],
)
def test_a_jpeg_without_its_end_marker_is_cleaned_up_to_its_end(
    parts: tuple[bytes, ...], kept: tuple[bytes, ...]
) -> None:
    assert without_metadata(b"\xff\xd8" + b"".join(parts)) == b"\xff\xd8" + b"".join(kept)


@pytest.mark.parametrize(
    "file",
    [
        jpeg(COMMENT, b"junk", TABLE, SCAN),
        jpeg(COMMENT, b"\xfe", TABLE, SCAN),
        jpeg(COMMENT, TABLE, SCAN)[:2] + (COMMENT + TABLE)[:-1],
        b"\xff\xd8" + COMMENT + b"\xff\xdb\0\x0c",
        b"\xff\xd8" + COMMENT + b"\xff",
    ],
    ids=["junk", "a byte", "cut", "no content", "no marker"],
)
def test_a_jpeg_with_other_bytes_or_half_a_segment_stays_as_it_is(file: bytes) -> None:
    assert without_metadata(file) == file


@pytest.mark.parametrize(
    ("segments", "orientation"),
    [
        ((segment(0xE1, exif_of(6)),), 6),
        ((segment(0xE1, exif_of(1)), segment(0xE1, b"x tiff:Orientation>8<")), 8),
        ((segment(0xE1, exif_of(6)), segment(0xE1, b"x tiff:Orientation>1<")), 6),
        ((segment(0xE1, b"x tiff:Orientation>9<"),), 1),
        ((segment(0xE2, exif_of(6)),), 1),
        ((segment(0xE0, exif_of(6)),), 1),
        ((segment(0xFE, exif_of(6)),), 1),
        ((segment(0xE1, exif_of(2)),), 2),
    ],
)
def test_a_jpegs_orientation_is_in_its_second_application_segments(
    segments: tuple[bytes, ...], orientation: int
) -> None:
    kept = () if orientation == 1 else (segment(0xE1, exif_of(orientation)),)
    assert without_metadata(jpeg(*segments, TABLE, SCAN)) == jpeg(*kept, TABLE, SCAN)


def test_a_png_that_is_cut_short_keeps_its_text() -> None:
    file = png(chunk(b"tEXt", b"k\0v"), chunk(b"IDAT", b"pixels"))
    assert without_metadata(file) == png(chunk(b"IDAT", b"pixels"))
    for cut in range(1, 12):
        assert without_metadata(file[:-cut]) == file[:-cut]


@pytest.mark.parametrize(("cut", "orientation"), [(1, 6), (2, 6), (3, 1)])
def test_only_the_content_of_a_chunk_is_its_exif_data(cut: int, orientation: int) -> None:
    """The bytes of the entry after its value may be missing; those of the next chunk do not count."""
    data = exif(1)[:-cut]
    turned = [] if orientation == 1 else [chunk(b"eXIf", minimal_exif(6))]
    assert without_metadata(png(chunk(b"eXIf", data), chunk(b"IDAT"))) == png(*turned, chunk(b"IDAT"))
    kept = [(b"EXIF", minimal_exif(6))] if turned else []
    flags = 0x08 if turned else 0
    assert without_metadata(webp(extended(0x08), PIXELS, (b"EXIF", data))) == webp(extended(flags), PIXELS, *kept)


def test_the_padding_of_a_chunk_of_a_webp_is_no_exif_data() -> None:
    half = exif(1, "<")[:-3]  # with the zero of the padding, its last value would be 6
    assert without_metadata(webp(extended(0x08), PIXELS, (b"EXIF", half))) == webp(extended(0), PIXELS)


@pytest.mark.parametrize("last", [PIXELS, (b"ALPH", b"odd"), (b"ICCP", b"")], ids=["even", "odd", "empty"])
def test_a_webp_ends_with_its_last_chunk(last: tuple[bytes, bytes]) -> None:
    clean = webp(extended(0), PIXELS, last)
    assert without_metadata(webp(extended(0x04), XMP, PIXELS, last)) == clean
    assert without_metadata(webp(extended(0x04), XMP, PIXELS, last) + b"tail") == clean


def test_a_webp_of_an_odd_length_may_lack_its_last_byte_of_padding() -> None:
    file = webp(extended(0x04), XMP, PIXELS, (b"ALPH", b"odd"))
    short = file[:4] + struct.pack("<I", len(file) - 9) + file[8:-1]
    assert without_metadata(short) == webp(extended(0), PIXELS, (b"ALPH", b"odd"))


def test_bytes_that_are_no_chunk_at_the_end_of_a_webp_go() -> None:
    whole = webp(extended(0x04), XMP, PIXELS)
    for count in range(1, 8):
        file = whole[:4] + struct.pack("<I", len(whole) - 8 + count) + whole[8:] + b"\xff" * count
        assert without_metadata(file) == webp(extended(0), PIXELS)


@pytest.mark.parametrize("more", [1, 2**8, 2**16, 2**24])
def test_a_webp_that_is_shorter_than_it_says_stays_as_it_is(more: int) -> None:
    whole = webp(extended(0x04), XMP, PIXELS)
    file = whole[:4] + struct.pack("<I", len(whole) - 8 + more) + whole[8:]
    assert without_metadata(file) == file


def test_a_webp_whose_last_chunk_is_longer_than_the_file_stays_as_it_is() -> None:
    whole = webp(extended(0x04), XMP, PIXELS)
    file = whole[:-8] + struct.pack("<I", 5) + whole[-4:]
    assert without_metadata(file) == file
    assert without_metadata(file + b"x") == file + b"x"


def test_only_an_extended_webp_has_flags_and_an_orientation() -> None:
    turned = b"EXIF", minimal_exif(6)
    assert without_metadata(webp(PIXELS, turned)) == webp(PIXELS)
    assert without_metadata(webp(PIXELS, extended(0x2C))) == webp(PIXELS, extended(0x2C))
    assert without_metadata(webp(turned)) == webp()
    assert without_metadata(webp(extended(0xFF), PIXELS)) == webp(extended(0xF3), PIXELS)
    assert without_metadata(webp(extended(0xF3), PIXELS, turned)) == webp(extended(0xFB), PIXELS, turned)


@pytest.mark.parametrize("cut", range(1, 8))
def test_a_gif_that_is_cut_short_stays_as_it_is(cut: int) -> None:
    file = gif(0x80, WITH_COMMENT, picture(0x80, 6))
    assert without_metadata(file) == gif(0x80, picture(0x80, 6))
    assert without_metadata(file[:-cut]) == file[:-cut]


def test_an_application_extension_of_a_gif_is_a_loop_by_its_whole_name() -> None:
    other = extension(0xFF, b"NETSCAPE2.1", b"\x01\0\0"), extension(0xFE, b"NETSCAPE2.0", b"\x01\0\0")
    assert without_metadata(gif(0, *other, picture())) == gif(0, picture())


@pytest.mark.parametrize("header", [12, 39])
def test_a_bmp_with_an_old_header_stays_as_it_is(header: int) -> None:
    file = bytearray(bmp(4, 1, 8, 0, 0, bytes(4)))
    file[14] = header
    assert without_metadata(bytes(file) + b"tail") == bytes(file) + b"tail"


@pytest.mark.parametrize(
    ("compression", "size", "kept"), [(0, 9, 4), (3, 9, 4), (1, 9, 9), (2, 9, 9), (1, 13, 13), (1, 14, None)]
)
def test_a_bmp_that_is_compressed_says_how_long_its_pixels_are(compression: int, size: int, kept: int | None) -> None:
    file = bmp(4, 1, 8, compression, size, b"")
    pixels = bytes(range(13))
    assert without_metadata(file + pixels) == file + pixels[:kept]
