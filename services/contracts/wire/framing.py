"""Several files in one body: for each file its length, four bytes in network order, then its bytes.

A multipart form is parsed byte by byte, which for 128 thumbnails takes longer than decoding them (docs/adr/0020).
"""

import struct
from collections.abc import Iterable

from services.contracts.domain.errors import InvalidRequest

FRAMED = "application/vnd.lookalike.files"
_LENGTH = struct.Struct("!I")


def pack(files: Iterable[bytes]) -> bytes:
    """Return a body with the files, in order."""
    return b"".join(part for file in files for part in (_LENGTH.pack(len(file)), file))


def unpack(body: bytes, max_files: int) -> list[bytes]:
    """Return the files of a body, in order.

    Raises:
        InvalidRequest: it has no file or more than `max_files`, or it does not end with its last file.
    """
    files: list[bytes] = []
    start = 0
    while start < len(body):
        if len(files) == max_files:
            raise InvalidRequest(f"the body has more than {max_files} files: one request takes at most {max_files}")
        begin = start + _LENGTH.size
        if begin > len(body):
            raise InvalidRequest(f"the body is truncated in the length of file {len(files) + 1}")
        start = begin + _LENGTH.unpack_from(body, start)[0]
        if start > len(body):
            raise InvalidRequest(
                f"the body is truncated: file {len(files) + 1} has a length of {start - begin:,} bytes, "
                f"of which {len(body) - begin:,} are there"
            )
        files.append(body[begin:start])
    if not files:
        raise InvalidRequest("the body has no file")
    return files
