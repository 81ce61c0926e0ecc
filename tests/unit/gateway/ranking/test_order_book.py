"""Learned orders that are read ahead."""

import asyncio
from dataclasses import dataclass, field

import pytest
from structlog.testing import capture_logs

from services.catalogue.store.learned_orders import OrderNote
from services.contracts.domain.errors import CatalogueUnavailable
from services.gateway.ranking import order_book as module
from services.gateway.ranking.order_book import OrderBook
from tests.support.values.learning import order_by

DATA = order_by("age").to_bytes()
HERE = ("default",)


@dataclass
class Orders:
    """Learned orders in this process. Every call raises `trouble` while it is set."""

    active: str | None = None
    versions: dict[str, bytes] = field(default_factory=lambda: {"1": DATA, "2": DATA, "broken": b"damaged"})
    trouble: CatalogueUnavailable | None = None
    read: list[str] = field(default_factory=list)
    noted: asyncio.Event = field(default_factory=asyncio.Event)
    gate: asyncio.Event | None = None

    async def note(self) -> OrderNote:
        self.noted.set()
        if self.gate is not None:
            await self.gate.wait()
        if self.trouble is not None:
            raise self.trouble
        return OrderNote(self.active)

    async def data(self, version: str) -> bytes | None:
        if self.trouble is not None:
            raise self.trouble
        self.read.append(version)
        return self.versions.get(version)

    async def read_again(self) -> None:
        """Wait until two readings have begun: the first one has ended by then."""
        for _ in range(2):
            self.noted.clear()
            await self.noted.wait()


def version(book: OrderBook) -> str | None:
    active = book.of(HERE).get(HERE[0])
    return None if active is None else active.version


def test_a_promotion_and_a_rollback_take_effect_at_the_next_reading() -> None:
    async def run() -> None:
        source, book = Orders(), OrderBook()
        async with book.following({"default": source}, refresh_s=0.001):
            collected = []
            for active in ("1", "2", "1", None):
                source.active = active
                await source.read_again()
                collected.append(version(book))
            assert collected == ["1", "2", "1", None]

    asyncio.run(run())


def test_the_order_is_read_once_for_each_change() -> None:
    async def run() -> None:
        source, book = Orders("1"), OrderBook()
        for _ in range(3):
            await book.read({"default": source})
        assert source.read == ["1"]

    asyncio.run(run())


def test_the_order_stays_while_the_database_is_unavailable() -> None:
    async def run() -> None:
        source, book = Orders("1"), OrderBook()
        await book.read({"default": source})
        source.trouble = CatalogueUnavailable("the database does not answer")
        source.active = None
        await book.read({"default": source})
        assert version(book) == "1"

    asyncio.run(run())


def test_a_version_that_cannot_be_used_leaves_the_plain_order_and_is_named_once() -> None:
    async def run() -> None:
        source, book = Orders("1"), OrderBook()
        await book.read({"default": source})
        for active in ("broken", "broken", "missing"):
            source.active = active
            await book.read({"default": source})
            assert version(book) is None
        source.active = "2"
        await book.read({"default": source})
        assert version(book) == "2"

    with capture_logs() as lines:
        asyncio.run(run())
    refused = [line["version"] for line in lines if line["event"] == "learned_order_refused"]
    assert refused == ["broken", "missing"]


def test_a_start_does_not_wait_for_a_database_that_does_not_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    async def run() -> None:
        source, book = Orders("1", gate=asyncio.Event()), OrderBook()
        async with book.following({"default": source}, refresh_s=3600):
            assert version(book) is None

    monkeypatch.setattr(module, "FIRST_READING_S", 0.0)
    asyncio.run(run())
