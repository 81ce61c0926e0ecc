"""A feed as it comes in over HTTP → a file, however long it is; and what kind of feed it is."""

import asyncio
import zlib
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import BinaryIO

from services.catalogue.sources.open_source import open_source
from services.catalogue.sources.packed_source import RenamedSource
from services.catalogue.sources.records.images import NO_FILES
from services.catalogue.sources.records.mapping import FeedMapping
from services.catalogue.sources.records.rows import Source, SourceError
from services.contracts.domain.errors import FeedTooLarge, InvalidFeed

NDJSON = "application/x-ndjson"
# The media types that feeds of each kind come under, and the suffix by which `open_source` knows them.
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
PIECE = 1 << 20  # bytes that are unpacked, and written, at a time
GZIP = 16 + zlib.MAX_WBITS


class Inflater:
    """Unpacks gzip a piece at a time: a few kilobytes of it may hold gigabytes."""

    def __init__(self) -> None:
        self._inflating = zlib.decompressobj(GZIP)
        self._begun = False

    def pieces(self, data: bytes) -> Iterator[bytes]:
        """Yield what the data unpacks to, at most PIECE bytes at a time.

        Raises:
            InvalidFeed: it is no gzip.
        """
        try:
            while data:
                self._begun = True
                piece = self._inflating.decompress(data, PIECE)
                data = self._inflating.unconsumed_tail
                if self._inflating.eof:  # another gzip may follow
                    data = self._inflating.unused_data
                    self._inflating, self._begun = zlib.decompressobj(GZIP), False
                if piece:
                    yield piece
        except zlib.error:
            raise InvalidFeed("the feed says that it is gzip, and is not") from None

    def finish(self) -> None:
        """Say that there is no more.

        Raises:
            InvalidFeed: it is cut short.
        """
        if self._begun:
            raise InvalidFeed("the feed's gzip is cut short")


async def receive(parts: AsyncIterator[bytes], path: Path, max_bytes: int, *, gzipped: bool) -> None:
    """Write a request's body to a file.

    Args:
        parts: the body.
        path: where to.
        max_bytes: of the file.
        gzipped: whether the body is to be unpacked first.

    Raises:
        FeedTooLarge, InvalidFeed: it is; it is not what it says.
        OSError: the disk is full, or cannot be written.
    """
    inflater = Inflater() if gzipped else None
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


def too_large(max_bytes: int) -> FeedTooLarge:
    """Return what is said of a feed with more bytes than are taken."""
    return FeedTooLarge(
        f"the feed has more than the {max_bytes:,} bytes that are taken at once (unpacked): send it in parts, set "
        "GATEWAY_MAX_IMPORT_BYTES, or use lookalike import"
    )


def open_feed(path: Path, mapping: FeedMapping) -> Source:
    """Return the source in a file of ours, whose name is nobody's business.

    Raises:
        InvalidFeed: it is no feed of its kind.
    """
    try:
        return RenamedSource(path, "the feed", lambda moved: open_source(moved, mapping, NO_FILES))
    except SourceError as error:
        raise InvalidFeed(str(error)) from None
