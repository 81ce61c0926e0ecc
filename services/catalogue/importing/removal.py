"""`--sync`: which products the feed no longer has, and whether so many may go."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from datetime import datetime
from typing import Protocol

from services.catalogue.importing.description import Placer
from services.catalogue.importing.report import Tally
from services.catalogue.retry import Retry
from services.catalogue.sources.records.key_registry import KeyRegistry
from services.catalogue.sources.records.rows import RejectedRow, Source, SourceRow

REMOVED_AT_ONCE = 1000


class SyncRefused(Exception):
    """Nothing was removed. The text says why."""


class SyncedCatalogue(Protocol):
    """The part of `ProductCollection` that a sync needs."""

    def keys(self, batch: int = 5000) -> AsyncIterator[list[str]]: ...
    async def delete_many(self, keys: Sequence[str], *, written_before: datetime | None = None) -> int: ...


class FeedKeys:
    """A source that remembers which products it gave: keys only, on disk beyond a few megabytes.

    A row that is rejected with a known id is still in the feed; a row outside the categories is not in the catalogue.
    `unreadable` counts the rows whose id is not known: any product may be one of them.
    """

    def __init__(self, source: Source, placer: Placer) -> None:
        """Stand in for a source."""
        self._source = source
        self._placer = placer
        self._seen = KeyRegistry()
        self.unreadable = 0

    @property
    def kind(self) -> str:
        """What the source is."""
        return self._source.kind

    def rows(self) -> Iterator[SourceRow | RejectedRow]:
        """Yield the source's rows."""
        for row in self._source.rows():
            if row.key is None:
                self.unreadable += 1
            elif isinstance(row, RejectedRow) or self._placer.place(row) is not None:
                self._seen.earlier(row.key, 0)
            yield row

    def progress(self) -> tuple[int, int]:
        """Return how far the source is."""
        return self._source.progress()

    def close(self) -> None:
        """Forget the keys; the source stays open."""
        self._seen.close()

    def missing(self, keys: Sequence[str]) -> list[str]:
        """Return those of the keys that the source did not give."""
        return [key for key in dict.fromkeys(keys) if not self._seen.has(key)]


async def find_gone(feed: FeedKeys, catalogue: SyncedCatalogue, limit: float, imported: int) -> list[str]:
    """Return the keys of the products that the feed no longer has, once it was read to its end.

    Args:
        feed: the source's keys.
        catalogue: where the products are.
        limit: the greatest share of the products of before that may go, 0 to 1.
        imported: how many products the feed has just added.

    Raises:
        SyncRefused: there are rows whose id is not known, or more would go than may.
    """
    if feed.unreadable:
        rows = "1 row" if feed.unreadable == 1 else f"{feed.unreadable:,} rows"
        raise SyncRefused(f"--sync removes nothing: {rows} of the feed had no readable id, and could be any product")
    gone: dict[str, None] = {}
    there = 0
    async for keys in catalogue.keys():
        there += len(keys)
        gone.update(dict.fromkeys(await asyncio.to_thread(feed.missing, keys)))
    before = max(there - imported, 1)
    if len(gone) > limit * before:
        share = f"{len(gone):,} of {before:,} products ({len(gone) / before:.0%})"
        raise SyncRefused(f"--sync removes nothing: {share} are not in the feed, and --sync-limit is {limit:g}")
    return list(gone)


async def remove(
    gone: list[str],
    catalogue: SyncedCatalogue,
    retry: Retry,
    stopping: asyncio.Event,
    tally: Tally,
    written_before: datetime,
) -> None:
    """Remove products, counting them, until `stopping` is set.

    What was written since `written_before`, when the import began, stays: whoever wrote it knows more than the feed.
    """
    for start in range(0, len(gone), REMOVED_AT_ONCE):
        if stopping.is_set():
            return
        part = gone[start : start + REMOVED_AT_ONCE]
        tally.removed += await retry.call(
            lambda part=part: catalogue.delete_many(part, written_before=written_before)  # type: ignore[misc]
        )
