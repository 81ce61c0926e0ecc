import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from datetime import UTC, datetime

import pytest

from services.catalogue.importing.description import Placer
from services.catalogue.importing.removal import REMOVED_AT_ONCE, FeedKeys, SyncRefused, find_removed, remove
from services.catalogue.importing.report import Tally
from services.catalogue.retry import Retry
from services.catalogue.sources.records.mapping import FeedMapping
from services.catalogue.sources.records.rows import RejectedRow, SourceRow
from services.contracts.domain.errors import CatalogueUnavailable
from services.contracts.domain.parts import Part
from tests.support.fakes.import_fakes import CATEGORIES, ListSource, row

BEGAN = datetime(2026, 5, 1, tzinfo=UTC)


class FakeKeys:
    """A catalogue of keys, in batches of two."""

    def __init__(self, *there: str) -> None:
        self.there = list(there)
        self.failures: list[Exception] = []
        self.stops: asyncio.Event | None = None

    async def keys(self, batch: int = 2) -> AsyncIterator[list[str]]:
        for start in range(0, len(self.there), 2):
            yield self.there[start : start + 2]

    async def delete_many(self, keys: Sequence[str], *, written_before: datetime | None = None) -> int:
        assert written_before == BEGAN
        if self.failures:
            raise self.failures.pop(0)
        if self.stops is not None:
            self.stops.set()
        self.there = [key for key in self.there if key not in set(keys)]
        return len(keys)


@pytest.fixture
def feeds() -> Iterator[list[FeedKeys]]:
    made: list[FeedKeys] = []
    yield made
    for feed in made:
        feed.close()


def read(feeds: list[FeedKeys], *rows: SourceRow | RejectedRow) -> FeedKeys:
    """Return a feed that was read to its end."""
    feed = FeedKeys(ListSource(rows), Placer(CATEGORIES, FeedMapping()))
    feeds.append(feed)
    assert list(feed.rows()) == list(rows)
    assert (feed.kind, feed.progress()[0]) == ("list", len(rows))
    return feed


async def test_the_products_that_the_feed_does_not_have_are_gone(feeds: list[FeedKeys]) -> None:
    feed = read(feeds, row("a"), row("b"), row("c"))
    assert await find_removed(feed, FakeKeys("a", "x", "b", "y", "c"), 0.5, imported=0) == ["x", "y"]


async def test_a_rejected_row_with_an_id_is_in_the_feed_and_a_row_outside_is_not(feeds: list[FeedKeys]) -> None:
    feed = read(feeds, RejectedRow(1, "a", "no image"), row("b", category_words=("Perfume",), category_required=True))
    assert await find_removed(feed, FakeKeys("a", "b"), 0.5, imported=0) == ["b"]


async def test_nothing_goes_while_a_row_could_be_any_product(feeds: list[FeedKeys]) -> None:
    feed = read(feeds, row("a"), RejectedRow(2, None, "not UTF-8"), RejectedRow(3, None, "not UTF-8"))
    with pytest.raises(SyncRefused, match="2 rows of the feed had no readable id"):
        await find_removed(feed, FakeKeys("a", "b"), 1, imported=0)
    feed = read(feeds, RejectedRow(2, None, "not UTF-8"))
    with pytest.raises(SyncRefused, match="removes nothing: 1 row of the feed"):
        await find_removed(feed, FakeKeys("a", "b"), 1, imported=0)


async def test_only_products_of_the_part_are_looked_at(feeds: list[FeedKeys]) -> None:
    keys = [f"p{number}" for number in range(20)]
    mine = [key for key in keys if Part(1, 2).holds(key)]
    assert 0 < len(mine) < 20
    feed = read(feeds, *(row(key) for key in mine[1:]))
    assert await find_removed(feed, FakeKeys(*keys), 1.5 / len(mine), imported=0, part=Part(1, 2)) == mine[:1]
    with pytest.raises(SyncRefused, match="of 20 products"):
        await find_removed(feed, FakeKeys(*keys), 0.1, imported=0)


async def test_a_key_that_two_documents_have_is_removed_once(feeds: list[FeedKeys]) -> None:
    feed = read(feeds, row("a"))
    assert await find_removed(feed, FakeKeys("x", "x", "a", "x"), 0.5, imported=0) == ["x"]


@pytest.mark.parametrize(("limit", "refused"), [(0.0, True), (0.24, True), (0.25, False), (1.0, False)])
async def test_more_than_the_share_never_goes(feeds: list[FeedKeys], limit: float, refused: bool) -> None:
    feed, catalogue = read(feeds, row("a"), row("b"), row("c")), FakeKeys("a", "b", "c", "d")
    if refused:
        with pytest.raises(SyncRefused, match=r"1 of 4 products \(25%\) are not in the feed"):
            await find_removed(feed, catalogue, limit, imported=0)
    else:
        assert await find_removed(feed, catalogue, limit, imported=0) == ["d"]


async def test_the_share_is_of_the_products_of_before_so_that_new_ids_do_not_drive_out_the_old(
    feeds: list[FeedKeys],
) -> None:
    feed = read(feeds, *(row(f"new{n}") for n in range(4)))
    catalogue = FakeKeys(*(f"new{n}" for n in range(4)), "old")
    with pytest.raises(SyncRefused, match=r"1 of 1 products \(100%\)"):
        await find_removed(feed, catalogue, 0.2, imported=4)


async def test_an_empty_catalogue_and_an_empty_feed_are_no_trouble(feeds: list[FeedKeys]) -> None:
    assert await find_removed(read(feeds), FakeKeys(), 0.2, imported=0) == []
    with pytest.raises(SyncRefused):
        await find_removed(read(feeds), FakeKeys("a"), 0.2, imported=0)


async def test_what_goes_is_counted_and_a_database_that_is_away_is_waited_for() -> None:
    gone = [f"p{n}" for n in range(REMOVED_AT_ONCE + 5)]
    catalogue, tally, stopping = FakeKeys("kept", *gone), Tally(), asyncio.Event()
    catalogue.failures = [CatalogueUnavailable("away")]
    await remove(gone, catalogue, Retry(5, stopping, lambda _: None), stopping, tally, BEGAN)
    assert (catalogue.there, tally.removed) == (["kept"], REMOVED_AT_ONCE + 5)


async def test_an_interruption_leaves_the_rest_as_it_is() -> None:
    gone = [f"p{n}" for n in range(REMOVED_AT_ONCE + 5)]
    catalogue, tally, stopping = FakeKeys(*gone), Tally(), asyncio.Event()
    catalogue.stops = stopping
    await remove(gone, catalogue, Retry(5, stopping, lambda _: None), stopping, tally, BEGAN)
    assert (len(catalogue.there), tally.removed) == (5, REMOVED_AT_ONCE)
