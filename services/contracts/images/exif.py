"""The orientation in EXIF metadata, and metadata that contains nothing else. EXIF 2.32 is TIFF 6.0."""

import struct

ORIENTATION = 0x0112
SHORT = 3
MAX_ENTRIES = 1000


def orientation_of(tiff: bytes) -> int:
    """Return the orientation that EXIF data names, 1 to 8; 1 if it names none or cannot be read."""
    order = {b"II": "<", b"MM": ">"}.get(tiff[:2])
    if order is None:
        return 1
    try:
        (at,) = struct.unpack_from(order + "I", tiff, 4)
        (count,) = struct.unpack_from(order + "H", tiff, at)
        for number in range(min(count, MAX_ENTRIES)):
            tag, kind, _, value = struct.unpack_from(order + "HHIH", tiff, at + 2 + 12 * number)
            if tag == ORIENTATION and kind == SHORT:
                return int(value) if 1 <= value <= 8 else 1
    except struct.error:
        return 1
    return 1


def minimal_exif(orientation: int) -> bytes:
    """Return EXIF data with an orientation and nothing else."""
    return b"MM\0*\0\0\0\x08" + struct.pack(">HHHIHHI", 1, ORIENTATION, SHORT, 1, orientation, 0, 0)
