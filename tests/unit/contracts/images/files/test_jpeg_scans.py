"""Whether the scans of a JPEG file hold its whole picture, segment by segment.

Without an end marker, a file with all scans goes to the decoder, which refuses the bytes of these tests; one that lacks
a part of a scan is refused before that.
"""

import struct

import pytest

from services.contracts.images.jpeg_end import with_end_marker

BASELINE, PROGRESSIVE = 0xC0, 0xC2
NO_FRAMES = {0xC4, 0xC8, 0xCC}  # tables, and a marker that is reserved: ITU-T T.81, table B.1


def segment(marker: int, payload: bytes) -> bytes:
    return bytes((0xFF, marker)) + struct.pack(">H", len(payload) + 2) + payload


def frame(marker: int, *components: int) -> bytes:
    sizes = struct.pack(">BHHB", 8, 16, 16, len(components))
    return segment(marker, sizes + b"".join(bytes((component, 0x11, 0)) for component in components))


def scan(*components: int, first: int = 0, last: int = 63, bits: int = 0) -> bytes:
    tables = b"".join(bytes((component, 0)) for component in components)
    return segment(0xDA, bytes([len(components)]) + tables + bytes((first, last, bits))) + b"\x12\x34"


def is_complete(*segments: bytes) -> bool:
    """Return whether a file of these segments, without an end marker, goes to the decoder."""
    try:
        assert with_end_marker(b"\xff\xd8" + b"".join(segments)) is None
    except (OSError, SyntaxError):
        return True
    return False


@pytest.mark.parametrize("marker", range(0xBF, 0xD1))
def test_every_kind_of_frame_needs_a_scan(marker: int) -> None:
    is_frame = 0xC0 <= marker <= 0xCF and marker not in NO_FRAMES
    assert is_complete(frame(marker, 1), scan(1)) is is_frame
    assert not is_complete(frame(marker, 1))
    assert not is_complete(scan(1))


@pytest.mark.parametrize("marker", [marker for marker in range(0xC0, 0xD0) if marker not in NO_FRAMES])
def test_only_progressive_scans_have_a_part_of_the_coefficients(marker: int) -> None:
    is_progressive = marker in (0xC2, 0xC6, 0xCA, 0xCE)
    assert is_complete(frame(marker, 1), scan(1, last=62)) is not is_progressive
    assert is_complete(frame(marker, 1), scan(1, bits=0x01)) is not is_progressive


@pytest.mark.parametrize("components", [(1,), (1, 2, 3), (0, 1, 255)])
def test_every_component_needs_its_scan(components: tuple[int, ...]) -> None:
    for marker in (BASELINE, PROGRESSIVE):
        assert is_complete(frame(marker, *components), scan(*components))
        assert is_complete(frame(marker, *components), *(scan(component) for component in components))
        for left_out in components:
            scans = [scan(component) for component in components if component != left_out]
            assert not is_complete(frame(marker, *components), *scans)


@pytest.mark.parametrize(
    ("scans", "complete"),
    [
        ((scan(1, last=0), scan(1, first=1)), True),
        ((scan(1, last=0), scan(1, first=2)), False),
        ((scan(1, last=0), scan(1, first=1, last=62)), False),
        ((scan(1, last=0), scan(1, first=1, last=5), scan(1, first=6)), True),
        ((scan(1, bits=0x01), scan(1, bits=0x10)), True),
        ((scan(1, bits=0x02), scan(1, bits=0x21)), False),
        ((scan(1, bits=0xF0),), True),
        ((scan(1), scan(1, first=1, bits=0x01)), True),
        ((scan(1), scan(7)), True),
        ((scan(7),), False),
    ],
)
def test_the_scans_together_need_every_coefficient_to_its_last_bit(scans: tuple[bytes, ...], complete: bool) -> None:
    assert is_complete(frame(PROGRESSIVE, 1), *scans) is complete


def test_a_second_frame_needs_scans_of_its_own() -> None:
    assert is_complete(frame(BASELINE, 1), scan(1), frame(BASELINE, 1), scan(1))
    assert not is_complete(frame(BASELINE, 1), scan(1), frame(BASELINE, 1))
    assert not is_complete(frame(PROGRESSIVE, 1), scan(1), frame(PROGRESSIVE, 1), scan(1, last=62))
    assert is_complete(frame(PROGRESSIVE, 1), frame(BASELINE, 1), scan(1, last=62))


@pytest.mark.parametrize(
    "between",
    [b"", b"\xff" * 9, b"junk", b"\xff\x00", b"\xff\x01", b"\xff\xd0", b"\xff\xd8", segment(0xFE, b"\xff\xda")],
)
def test_markers_without_a_length_and_other_bytes_stand_between_segments(between: bytes) -> None:
    assert is_complete(between, frame(BASELINE, 1), between, scan(1))


@pytest.mark.parametrize("marker", [0x02, 0xBF, 0xD9, 0xE0, 0xFE])
def test_the_content_of_other_segments_holds_no_frame_and_no_scan(marker: int) -> None:
    assert not is_complete(segment(marker, frame(BASELINE, 1)), scan(1))
    assert not is_complete(frame(BASELINE, 1), segment(marker, scan(1)))
    assert is_complete(frame(BASELINE, 1), segment(marker, b""), scan(1))


def test_a_segment_that_is_cut_short_does_not_count() -> None:
    whole = frame(BASELINE, 1) + segment(0xDA, b"\x01\x01\x00\x00\x3f\x00")
    assert is_complete(whole)
    for cut in range(1, 9):
        assert not is_complete(whole[:-cut])


def test_a_scan_without_content_does_not_count() -> None:
    assert not is_complete(frame(BASELINE, 1), segment(0xDA, b""))
    assert is_complete(frame(BASELINE, 1), segment(0xDA, b""), scan(1))


def test_scans_behind_two_thousand_segments_are_not_read() -> None:
    comment = segment(0xFE, b"")
    assert is_complete(frame(BASELINE, 1), comment * 1998, scan(1))
    assert not is_complete(frame(BASELINE, 1), comment * 1999, scan(1))
