"""What is opened is closed: the client, the cursor of a scan, and the change stream."""

from contextlib import aclosing
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest
from pymongo.collection import Collection
from pymongo.errors import InvalidOperation

from services.catalogue.store.database import CatalogueDatabase
from tests.support.values.events import make_event, make_query
from tests.support.values.products import make_product


async def test_a_closed_database_has_closed_its_client(url: str, database: str) -> None:
    store = CatalogueDatabase(url, database)
    await store.connect()
    await store.ping()
    client = store._connection._opened().client
    await store.close()
    with pytest.raises(InvalidOperation, match="after close"):
        await client.admin.command("ping")
    with pytest.raises(RuntimeError, match="call connect"):
        await store.ping()


async def test_every_call_goes_through_the_chosen_driver(store: CatalogueDatabase, driver: type) -> None:
    assert type(store._connection._opened()) is driver


@pytest.fixture
def closed_cursors(store: CatalogueDatabase, monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """The cursors that are closed during the test."""
    closed: list[object] = []
    cursor_class = type(store.products.collection.find())
    close = cursor_class.close

    async def recorded(cursor: Any) -> None:
        closed.append(cursor)
        await close(cursor)

    monkeypatch.setattr(cursor_class, "close", recorded)
    return closed


async def test_an_abandoned_scan_has_closed_its_cursor_and_removed_its_marker(
    store: CatalogueDatabase, raw: Collection[dict[str, Any]], closed_cursors: list[object]
) -> None:
    await store.products.put_many([make_product(str(n), 0, np.ones(4, np.float32), "fashion/1") for n in range(20)])
    async with aclosing(store.products.scan(5)) as pages:
        async for _ in pages:
            break
    assert len(closed_cursors) == 1
    assert raw.count_documents({}) == 20


@pytest.mark.parametrize("read", ["events", "queries", "references"])
async def test_an_abandoned_reading_of_the_log_has_closed_its_cursor(
    store: CatalogueDatabase, closed_cursors: list[object], read: str
) -> None:
    now = datetime(2026, 11, 30, tzinfo=UTC)
    await store.events.add_events([make_event("click", str(n), now, query="q1") for n in range(3)])
    await store.events.add_queries([make_query(f"q{n}", now) for n in range(3)])
    async with aclosing(getattr(store.events, read)()) as pages:
        async for _ in pages:
            break
    assert len(closed_cursors) == 1


async def test_a_closed_feed_has_closed_its_stream(store: CatalogueDatabase) -> None:
    feed = await store.products.watch()
    assert feed._stream.alive
    await feed.close()
    assert not feed._stream.alive
