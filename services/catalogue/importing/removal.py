"""`--sync`: which products the feed no longer has, and whether their share is within the limit."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from datetime import datetime
from typing import Protocol

from services.catalogue.importing.description import Placer
from services.catalogue.importing.report import Tally
from services.catalogue.retry import Retry
from services.catalogue.sources.records.key_registry import KeyRegistry
from services.catalogue.sources.records.rows import RejectedRow, Source, SourceRow
from services.catalogue.sources.records.wrapped_source import WrappedSource
from services.contracts.domain.parts import WHOLE, Part

REMOVED_AT_ONCE = 1000


class SyncRefused(Exception):
    """Nothing was removed. The text says why."""


class SyncedProducts(Protocol):
    """The part of `ProductCollection` that a sync needs."""

    def keys(self, batch: int = 5000) -> AsyncIterator[list[str]]: ...
    async def delete_many(self, keys: Sequence[str], *, written_before: datetime | None = None) -> int: ...


class FeedKeys(WrappedSource):
    """A source that records the keys of its products, on disk beyond a few megabytes.

    A rejected row with a known id is still in the feed; a row outside the categories is not in the catalogue.
    `unreadable` counts the rows without a readable id: any product may be one of them.
    """

    def __init__(self, source: Source, placer: Placer) -> None:
        """Wrap a source."""
        super().__init__(source)
        self._placer = placer
        self._keys = KeyRegistry()
        self.unreadable = 0

    def rows(self) -> Iterator[SourceRow | RejectedRow]:
        """Yield the source's rows."""
        for row in self._source.rows():
            self.unreadable += row.key is None
            self.record(kept_keys(row, self._placer))
            yield row

    def record(self, keys: Iterable[str]) -> None:
        """Record keys that the source has."""
        for key in keys:
            self._keys.earlier(key, 0)

    def close(self) -> None:
        """Delete the recorded keys; the source stays open."""
        self._keys.close()

    def missing(self, keys: Sequence[str]) -> list[str]:
        """Return the keys that the source did not have."""
        return [key for key in dict.fromkeys(keys) if not self._keys.has(key)]


def kept_keys(row: SourceRow | RejectedRow, placer: Placer) -> Iterator[str]:
    """Yield the key of a row, if it has one and the catalogue may keep its product."""
    if row.key is not None and (isinstance(row, RejectedRow) or placer.place(row) is not None):
        yield row.key


async def find_removed(
    feed: FeedKeys, products: SyncedProducts, limit: float, imported: int, part: Part = WHOLE
) -> list[str]:
    """Return the keys of the products that the feed no longer has, after it was read to its end.

    Args:
        feed: the source's keys.
        products: those of the catalogue.
        limit: the greatest share of the earlier products that may be removed, 0 to 1.
        imported: how many products the feed has just added.
        part: which products are looked at.

    Raises:
        SyncRefused: there are rows without a readable id, or the share is above the limit.
    """
    if feed.unreadable:
        rows = "1 row" if feed.unreadable == 1 else f"{feed.unreadable:,} rows"
        raise SyncRefused(f"--sync removes nothing: {rows} of the feed had no readable id, and could be any product")
    removed: dict[str, None] = {}
    count = 0
    async for every in products.keys():
        keys = [key for key in every if part.holds(key)]
        count += len(keys)
        removed.update(dict.fromkeys(await asyncio.to_thread(feed.missing, keys)))
    before = max(count - imported, 1)
    if len(removed) > limit * before:
        share = f"{len(removed):,} of {before:,} products ({len(removed) / before:.0%})"
        raise SyncRefused(f"--sync removes nothing: {share} are not in the feed, and --sync-limit is {limit:g}")
    return list(removed)


async def remove(
    keys: Sequence[str],
    products: SyncedProducts,
    retry: Retry,
    stopping: asyncio.Event,
    tally: Tally,
    written_before: datetime,
) -> None:
    """Remove products and count them, until `stopping` is set.

    Products that were written since `written_before`, the start of the import, stay: their writer knows more than the
    feed.
    """
    for start in range(0, len(keys), REMOVED_AT_ONCE):
        if stopping.is_set():
            return
        part = keys[start : start + REMOVED_AT_ONCE]
        tally.removed += await retry.call(
            lambda part=part: products.delete_many(part, written_before=written_before)  # type: ignore[misc]
        )
