"""The baskets as the gateway knows them."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np

from services.catalogue.documents.product_document import Record
from services.catalogue.events.event import Action, Event
from services.contracts.domain.errors import CatalogueUnavailable
from services.gateway.look import basket_book as module
from services.gateway.look.basket_book import BasketBook, BasketSource
from tests.support.values.events import make_event
from tests.support.values.products import make_product
from tests.support.values.tastes import MODEL
from tests.support.waiting import WITHIN_S

HERE = ("default",)
NOON = datetime(2026, 11, 30, 12, tzinfo=UTC)


def done(action: str, visitor: str, product: str) -> Event:
    return make_event(action, f"{action}-{visitor}-{product}", NOON, product=product, visitor=visitor)


class Log:
    """A log and the products of a catalogue: a top and shoes. `on_read` is called during each reading."""

    def __init__(self, events: list[Event]) -> None:
        self.rows = events
        self.is_down = False
        self.readings = 0
        self.since: datetime | None = None
        self.on_read: Callable[[], Awaitable[None]] | None = None

    async def events(
        self, since: datetime | None = None, until: datetime | None = None, *, actions: Sequence[Action] | None = None
    ) -> AsyncIterator[list[Event]]:
        self.readings += 1
        self.since = since
        if self.is_down:
            raise CatalogueUnavailable("the database is unavailable")
        rows = list(self.rows)
        if self.on_read is not None:
            await self.on_read()
        yield [event for event in rows if actions is None or event.action_name in actions]

    async def read(self, document_ids: Sequence[Any]) -> list[Record]:
        vectors = {"top": (0, [1.0, 0, 0, 0]), "shoes": (1, [0, 1.0, 0, 0])}
        return [
            Record(key, make_product(key, vectors[key][0], np.array(vectors[key][1], np.float32), model=MODEL))
            for key in document_ids
            if key in vectors
        ]


def book(log: Log, model: str = MODEL) -> BasketBook:
    async def active() -> str:
        return model

    return BasketBook({"default": BasketSource(log, log)}, active, days=90, weight=0.5)


def pairs(baskets: BasketBook, catalogues: tuple[str, ...] = HERE, model: str = MODEL) -> int | None:
    bought = baskets.of(catalogues, model)
    return None if bought is None else len(bought)


def test_baskets_are_read_with_the_vectors_of_the_active_model() -> None:
    log = Log([done("purchase", "v", "top"), done("add_to_cart", "v", "shoes"), done("purchase", "w", "gone")])
    baskets = book(log)
    assert pairs(baskets) is None
    assert asyncio.run(baskets.read())
    assert pairs(baskets) == 1
    assert pairs(baskets, model="another/1") is None
    assert pairs(baskets, ("default", "outlet")) is None


def test_while_the_database_is_unavailable_the_last_baskets_stay() -> None:
    log = Log([done("purchase", "v", "top"), done("purchase", "v", "shoes")])
    baskets = book(log)
    asyncio.run(baskets.read())
    log.is_down = True
    assert not asyncio.run(baskets.read())
    assert pairs(baskets) == 1


def test_a_reading_that_a_deletion_overtakes_does_not_count() -> None:
    log = Log([done("purchase", "v", "top"), done("purchase", "v", "shoes")])
    baskets = book(log)
    log.on_read = lambda: baskets.forget("v")
    assert not asyncio.run(baskets.read())
    assert pairs(baskets) is None


def test_a_deleted_visitor_is_in_no_basket_at_once(monkeypatch: Any) -> None:
    monkeypatch.setattr(module, "PAUSE_S", 0.0)
    log = Log([done("purchase", "v", "top"), done("purchase", "v", "shoes")])

    async def main() -> None:
        baskets = book(log)
        async with baskets.following(3600):
            while pairs(baskets) != 1:  # noqa: ASYNC110
                await asyncio.sleep(0.001)
            log.rows = []
            await baskets.forget("v")
            assert pairs(baskets) is None
            while pairs(baskets) is None:  # noqa: ASYNC110 - read before the interval is over
                await asyncio.sleep(0.001)
            assert pairs(baskets) == 0
            for _ in range(10):
                await asyncio.sleep(0.001)  # the next reading is an interval later

    asyncio.run(asyncio.wait_for(main(), WITHIN_S))
    assert log.readings == 2


def test_baskets_are_read_again_once_another_model_is_active(monkeypatch: Any) -> None:
    monkeypatch.setattr(module, "PAUSE_S", 0.0)
    log = Log([done("purchase", "v", "top"), done("purchase", "v", "shoes")])
    models = ["older/1", MODEL]

    async def active() -> str:
        return models.pop(0)

    async def main() -> None:
        baskets = BasketBook({"default": BasketSource(log, log)}, active, days=90, weight=0.5)
        async with baskets.following(3600):
            while pairs(baskets, model="older/1") is None:  # noqa: ASYNC110
                await asyncio.sleep(0.001)
            assert pairs(baskets, model="older/1") == 0  # no product has a vector of it
            while pairs(baskets) is None:  # noqa: ASYNC110
                await asyncio.sleep(0.001)
            assert pairs(baskets) == 1

    asyncio.run(asyncio.wait_for(main(), WITHIN_S))


def test_a_reading_that_fails_is_repeated_before_the_interval_is_over(monkeypatch: Any) -> None:
    monkeypatch.setattr(module, "PAUSE_S", 0.0)
    log = Log([done("purchase", "v", "top"), done("purchase", "v", "shoes")])

    async def fail() -> None:
        if log.readings < 3:
            raise CatalogueUnavailable("it is unavailable") if log.readings == 1 else ZeroDivisionError

    async def main() -> None:
        log.on_read = fail
        baskets = book(log)
        async with baskets.following(3600):
            while pairs(baskets) is None:  # noqa: ASYNC110
                await asyncio.sleep(0.001)

    asyncio.run(asyncio.wait_for(main(), WITHIN_S))
    assert log.readings == 3


def test_only_the_last_days_count() -> None:
    log = Log([])
    assert asyncio.run(book(log).read())
    assert log.since is not None
    assert timedelta(days=90) <= datetime.now(UTC) - log.since < timedelta(days=91)


def test_one_catalogue_is_read_while_the_log_of_another_is_unavailable() -> None:
    log, other = Log([done("purchase", "v", "top"), done("purchase", "v", "shoes")]), Log([])
    other.is_down = True

    async def active() -> str:
        return MODEL

    sources = {"other": BasketSource(other, other), "default": BasketSource(log, log)}
    baskets = BasketBook(sources, active, days=90, weight=0.5)
    assert not asyncio.run(baskets.read())
    assert (pairs(baskets), pairs(baskets, ("other",))) == (1, None)
