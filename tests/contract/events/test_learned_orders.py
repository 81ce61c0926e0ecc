"""Learned orders in the database, against the server that MONGO_URL names, else a stand-in."""

import asyncio
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from services.catalogue.learning import log_reader
from services.catalogue.learning.log_reader import read_searches
from services.catalogue.store import learned_orders
from services.catalogue.store.database import CatalogueDatabase
from services.catalogue.store.learned_orders import OrderNote, OrderVersion
from services.cli.learn.session import LearnSession
from services.gateway.ranking.order_book import OrderBook
from tests.support.values.events import make_event, make_query
from tests.support.values.learning import order_by
from tests.support.values.products import make_product

NOON = datetime(2026, 11, 30, 12, tzinfo=UTC)


async def test_a_version_is_read_as_it_was_stored(store: CatalogueDatabase) -> None:
    data = bytes(range(256)) * 100
    first = await store.learned_orders.add(data, {"gain": 0.5, "names": ["ü", "a.b", "$c"]})
    second = await store.learned_orders.add(b"", {})
    assert (first.version, second.version) == ("1", "2")
    assert await store.learned_orders.list() == [first, second]
    assert await store.learned_orders.data("1") == data
    assert await store.learned_orders.data("2") == b""
    assert await store.learned_orders.data("3") is None


async def test_the_note_is_replaced_only_if_it_is_the_one_that_was_read(store: CatalogueDatabase) -> None:
    orders = store.learned_orders
    assert await orders.note() == OrderNote()
    assert await orders.replace_note(OrderNote(), OrderNote("1"))
    assert not await orders.replace_note(OrderNote(), OrderNote("2"))
    assert await orders.replace_note(OrderNote("1"), OrderNote("2", "1"))
    assert await orders.note() == OrderNote("2", "1")
    assert await orders.replace_note(OrderNote("2", "1"), OrderNote())
    assert await orders.replace_note(OrderNote(), OrderNote("3"))
    assert await store.of("shoes").learned_orders.note() == OrderNote()


async def test_old_versions_are_removed_but_not_those_in_use(
    store: CatalogueDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(learned_orders, "KEPT", 2)
    for number in range(1, 6):
        await store.learned_orders.add(b"%d" % number, {})
        if number == 2:
            await store.learned_orders.replace_note(OrderNote(), OrderNote("2", "1"))
    assert [version.version for version in await store.learned_orders.list()] == ["1", "2", "4", "5"]


async def test_an_order_that_is_too_large_is_refused(store: CatalogueDatabase, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ValueError, match="at most"):
        await store.learned_orders.add(bytes(learned_orders.MAX_ORDER_BYTES + 1), {})
    assert await store.learned_orders.list() == []
    monkeypatch.setattr(learned_orders, "MAX_ORDER_BYTES", 3)
    assert (await store.learned_orders.add(b"123", {})).version == "1"


async def test_orders_that_are_stored_at_the_same_time_are_two_versions(store: CatalogueDatabase) -> None:
    first = await store.learned_orders.add(b"0", {})
    added = await asyncio.gather(*(store.learned_orders.add(b"%d" % number, {}) for number in range(3)))
    assert [first.version, *sorted(order.version for order in added)] == ["1", "2", "3", "4"]
    assert [await store.learned_orders.data(order.version) for order in added] == [b"0", b"1", b"2"]


async def test_a_number_that_another_process_has_taken_meanwhile_is_passed_over(
    store: CatalogueDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def before(_: object) -> list[OrderVersion]:
        return []

    await store.learned_orders.add(b"theirs", {})
    with monkeypatch.context() as context:
        context.setattr(learned_orders.LearnedOrderCollection, "list", before)
        assert (await store.learned_orders.add(b"mine", {})).version == "2"
    assert [await store.learned_orders.data(version) for version in "12"] == [b"theirs", b"mine"]


def test_a_promotion_and_a_rollback_exchange_the_versions() -> None:
    note = OrderNote().promoted("1")
    assert (note, note.promoted("1")) == (OrderNote("1"), note)
    assert note.promoted("2") == OrderNote("2", "1")
    assert note.promoted("2").rolled_back() == OrderNote("1")
    assert note.rolled_back() == OrderNote()


async def test_the_log_is_read_with_the_products_attributes(store: CatalogueDatabase) -> None:
    await store.products.put(
        make_product("b", 0, np.ones(4, np.float32), "fashion/1", attributes={"gender": "Men", "price": 12.5})
    )
    scored = make_query("q1", NOON, hits=("a", "b"), hit_scores=(0.9, 0.8), visitor="v-1")
    without_scores = make_query("q2", NOON, hits=("a",))
    old = make_query("q3", NOON - timedelta(days=9), hits=("a",), hit_scores=(0.5,))
    await store.events.add_queries([scored, without_scores, old])
    await store.events.add_events([make_event("purchase", "e1", NOON, product="b", query="q1")])
    (search,) = await read_searches(store, NOON - timedelta(days=1))
    assert [(shown.candidate.id, shown.candidate.score, shown.gain) for shown in search.shown] == [
        ("a", 0.9, 0.0),
        ("b", 0.8, 3.0),
    ]
    assert dict(search.shown[1].candidate.attributes) == {"gender": "Men", "price": 12.5}
    assert len(await read_searches(store)) == 2


async def test_of_a_long_log_the_latest_searches_are_read(
    store: CatalogueDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log_reader, "MAX_SEARCHES", 2)
    hours = [make_query(f"q{n}", NOON + timedelta(hours=n), hits=("a",), hit_scores=(n / 10,)) for n in range(4)]
    await store.events.add_queries(hours)
    scores = [search.shown[0].candidate.score for search in await read_searches(store)]
    assert scores == [0.2, 0.3]


async def test_a_rollback_takes_effect_at_the_next_reading_of_a_gateway(store: CatalogueDatabase) -> None:
    orders, book = store.learned_orders, OrderBook()
    session = LearnSession(orders)
    sources = {"default": orders}
    for gain in (0.01, 0.02):
        report = {"comparison": {"gain": {"mean": gain, "low": gain, "high": gain}}}
        await orders.add(order_by("click_rate").to_bytes(), report)
    active = []
    for version in ("1", "2"):
        await session.promote(version, force=False)
        await book.read(sources)
        active.append(book.of(("default",)).get("default"))
    for _ in range(2):
        await session.rollback()
        await book.read(sources)
        active.append(book.of(("default",)).get("default"))
    assert [order and order.version for order in active] == ["1", "2", "1", None]
    assert active[0] is not None
    assert active[0].order.to_bytes() == order_by("click_rate").to_bytes()
