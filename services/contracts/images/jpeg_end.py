"""JPEG files without their end marker: whether the picture is complete.

Cameras and servers lose the last bytes of a file. Pillow refuses such a file, and its decoder cannot say whether more
than the marker is missing: it fills the rest with grey. The picture is complete if all components have all their scans,
and if bytes after the last scan change nothing.
"""

import io
import re
import zlib
from collections.abc import Iterator

from PIL import Image

END = b"\xff\xd9"
START_OF_SCAN = 0xDA
FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}  # SOF0 to SOF15: ITU-T T.81, table B.1
PROGRESSIVE = frozenset({0xC2, 0xC6, 0xCA, 0xCE})
# A marker with a length: not 01, D0 to D8, the 00 of data, or the FF of padding.
MARKER = re.compile(rb"\xff[\x02-\xcf\xd9-\xfe]")
MAX_SEGMENTS = 2000  # that are read; the file has lost more than its end if its scans are not among them
# Data of two kinds. A decoder that still needs data makes different pictures of them.
FILLERS = (b"\x00" * 16, b"\xa5\x5a" * 8)


def with_end_marker(data: bytes) -> bytes | None:
    """Return a JPEG file with its end marker, or None if it has one, or if more than the marker is missing."""
    if data.endswith(END):
        return None
    data = data.removesuffix(END[:1])
    if not _has_all_scans(data):
        return None
    first, second = (_checksum(data + filler + _next_restart(data) + filler + END) for filler in FILLERS)
    return data + END if first == second else None


def _checksum(data: bytes) -> int:
    with Image.open(io.BytesIO(data), formats=("JPEG",)) as image:
        return zlib.crc32(image.tobytes())


def _next_restart(data: bytes) -> bytes:
    """Return the restart marker that the decoder expects at the end: they count from D0 to D7 in each scan."""
    scan = data.rfind(bytes((0xFF, START_OF_SCAN)))
    number = sum(data.count(bytes((0xFF, 0xD0 + digit)), scan) for digit in range(8))
    return bytes((0xFF, 0xD0 + number % 8))


def _has_all_scans(data: bytes) -> bool:
    """Return whether the scans contain every coefficient of every component to its last bit."""
    missing: dict[int, set[int]] = {}
    is_progressive = False
    for marker, payload in _segments(data):
        if marker in FRAMES:
            is_progressive = marker in PROGRESSIVE
            missing = {component: set(range(64)) for component in payload[6::3]}
        elif marker == START_OF_SCAN and payload:
            components = payload[1 : 1 + 2 * payload[0] : 2]
            first, last, bits = payload[-3:] if is_progressive else (0, 63, 0)
            for component in components:
                if bits & 0x0F == 0:  # the lowest bit of the coefficients is in this scan
                    missing.get(component, set()).difference_update(range(first, last + 1))
    return bool(missing) and not any(missing.values())


def _segments(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield the marker and the payload of each complete segment."""
    at = 2
    for _ in range(MAX_SEGMENTS):
        match = MARKER.search(data, at)
        if match is None or match.end() + 2 > len(data):
            return
        begin = match.end()
        end = begin + int.from_bytes(data[begin : begin + 2], "big")
        if end <= len(data):
            yield data[begin - 1], data[begin + 2 : end]
        at = max(end, begin)
