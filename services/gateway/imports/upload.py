"""A feed in a request's body → a file, and the source in that file. Memory does not grow with the feed."""

import asyncio
import zlib
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import BinaryIO

from services.catalogue.sources.packed_source import GZIP_MAGIC, RenamedSource, is_gzip
from services.catalogue.sources.records.images import NO_FILES
from services.catalogue.sources.records.mapping import FeedMapping
from services.catalogue.sources.records.rows import Source, SourceError
from services.contracts.domain.errors import FeedTooLarge, InvalidFeed

NDJSON = "application/x-ndjson"
# The media types of feeds, and the suffix by which `open_source` recognises each.
SUFFIXES = {
    NDJSON: ".ndjson",
    "application/ndjson": ".ndjson",
    "application/jsonl": ".ndjson",
    "application/x-jsonlines": ".ndjson",
    "text/csv": ".csv",
    "text/tab-separated-values": ".tsv",
    "application/xml": ".xml",
    "text/xml": ".xml",
    "application/rss+xml": ".xml",
    "application/atom+xml": ".xml",
    "application/json": ".json",
}
UNKNOWN = ""  # in the place of a suffix: the feed's type does not name its format
HEAD_BYTES = 4096
PIECE = 1 << 20  # bytes that are decompressed and written at a time
GZIP = 16 + zlib.MAX_WBITS


class Inflater:
    """Decompresses gzip a piece at a time: a few kilobytes may hold gigabytes."""

    def __init__(self) -> None:
        self._inflating = zlib.decompressobj(GZIP)
        self._is_open = False

    def pieces(self, data: bytes) -> Iterator[bytes]:
        """Yield the decompressed data, at most PIECE bytes at a time.

        Raises:
            InvalidFeed: the data is not gzip.
        """
        try:
            while data:
                self._is_open = True
                piece = self._inflating.decompress(data, PIECE)
                data = self._inflating.unconsumed_tail
                if self._inflating.eof:  # another gzip stream may follow
                    data = self._inflating.unused_data
                    self._inflating, self._is_open = zlib.decompressobj(GZIP), False
                if piece:
                    yield piece
        except zlib.error:
            raise InvalidFeed("the feed is not gzip, although Content-Encoding says so") from None

    def finish(self) -> None:
        """Check that the data is complete.

        Raises:
            InvalidFeed: the data is cut short.
        """
        if self._is_open:
            raise InvalidFeed("the feed's gzip is cut short")


async def receive(parts: AsyncIterator[bytes], path: Path, max_bytes: int, *, gzipped: bool) -> None:
    """Write a request's body to a file.

    Args:
        parts: the body.
        path: the file's.
        max_bytes: bound on the file's size.
        gzipped: whether the body is compressed. A body that begins with gzip's first two bytes is decompressed, too.

    Raises:
        FeedTooLarge, InvalidFeed: the file would be too large; the body is not gzip.
        OSError: the disk is full, or the file cannot be written.
    """
    start, parts = await _start(parts)
    inflater = Inflater() if gzipped or start == GZIP_MAGIC else None
    held = bytearray()
    written = 0
    file: BinaryIO
    with await asyncio.to_thread(path.open, "wb") as file:
        async for part in parts:
            for piece in inflater.pieces(part) if inflater is not None else (part,):
                held += piece
                if written + len(held) > max_bytes:
                    raise too_large(max_bytes)
                if len(held) >= PIECE:
                    written += await asyncio.to_thread(file.write, bytes(held))
                    held.clear()
        if inflater is not None:
            inflater.finish()
        await asyncio.to_thread(file.write, bytes(held))


async def _start(parts: AsyncIterator[bytes]) -> tuple[bytes, AsyncIterator[bytes]]:
    """Return the first two bytes of a body, and the whole body."""
    head = b""
    async for part in parts:
        head += part
        if len(head) >= len(GZIP_MAGIC):
            break

    async def whole() -> AsyncIterator[bytes]:
        yield head
        async for part in parts:
            yield part

    return head[: len(GZIP_MAGIC)], whole()


def suffix_of(path: Path) -> str:
    """Return the suffix of a received feed's format, by its first bytes; the readers distinguish its variants."""
    with path.open("rb") as file:
        head = file.read(HEAD_BYTES)
    text = head.replace(b"\x00", b"").lstrip(b"\xef\xbb\xbf\xff\xfe \t\r\n")
    if text.startswith(b"<") or b"<?xml" in text:
        return ".xml"
    return ".json" if text.startswith((b"{", b"[")) else ".csv"


def too_large(max_bytes: int) -> FeedTooLarge:
    """Return the error for a feed that is too large."""
    return FeedTooLarge(
        f"the feed has more than the {max_bytes:,} bytes, uncompressed, of one request: send it in parts, set "
        "GATEWAY_MAX_IMPORT_BYTES, or use lookalike import"
    )


def open_feed(path: Path, mapping: FeedMapping) -> Source:
    """Return the source in a file. Errors call it "the feed" and do not name the file.

    Raises:
        InvalidFeed: the file is not a feed of its type, or is compressed twice.
    """
    # The readers of all formats take 3 MB, which a gateway without imports does without.
    from services.catalogue.sources.open_source import open_source

    try:
        if is_gzip(path):  # its decompressed size is not bounded
            raise InvalidFeed("the feed is compressed twice: send it with one layer of gzip")
        return RenamedSource(path, "the feed", lambda moved: open_source(moved, mapping, NO_FILES))
    except SourceError as error:
        raise InvalidFeed(str(error)) from None
