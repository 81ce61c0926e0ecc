"""Many files in one body: each is its length, four bytes in network order, and then its bytes.

A multipart form says the same, but is taken apart byte by byte: for 128 thumbnails that costs more than their decoding.
"""

import struct
from collections.abc import Iterable

from services.contracts.domain.errors import InvalidRequest

FRAMED = "application/vnd.lookalike.files"
_LENGTH = struct.Struct("!I")


def pack(files: Iterable[bytes]) -> bytes:
    """Return the body that holds the files, in order."""
    return b"".join(part for file in files for part in (_LENGTH.pack(len(file)), file))


def unpack(body: bytes, most: int) -> list[bytes]:
    """Return the files of a body, in order.

    Raises:
        InvalidRequest: it holds none, more than `most`, or does not end where its last file does.
    """
    files: list[bytes] = []
    start = 0
    while start < len(body):
        if len(files) == most:
            raise InvalidRequest(f"the body holds more than {most} files: at most {most} are taken in one request")
        begin = start + _LENGTH.size
        if begin > len(body):
            raise InvalidRequest(f"the body ends within the length of file {len(files) + 1}")
        start = begin + _LENGTH.unpack_from(body, start)[0]
        if start > len(body):
            raise InvalidRequest(
                f"file {len(files) + 1} is said to have {start - begin:,} bytes, and the body ends after "
                f"{len(body) - begin:,} of them"
            )
        files.append(body[begin:start])
    if not files:
        raise InvalidRequest("the body holds no file")
    return files
