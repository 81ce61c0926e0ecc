"""The tastes of visitors as the gateway knows them: computed from the log when a search asks, and kept for seconds.

A search waits for a taste for a short time only. While the database does not answer, searches are not personal.
"""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

import structlog

from services.catalogue.documents.product_document import Record
from services.catalogue.events.event import Action, Event
from services.catalogue.product import Product
from services.catalogue.taste.interests import MAX_EVENTS, WEIGHTS, Interests
from services.catalogue.taste.profile import Profile, profile_of
from services.contracts.domain.errors import CatalogueUnavailable

MAX_READING = 64  # visitors whose events are read at the same time
PAUSE_S = 2.0  # after a failed reading, in which none is tried
ACTIONS = tuple(WEIGHTS)
log = structlog.get_logger()
Key = tuple[tuple[str, ...], str, str]  # catalogues, visitor, model


class EventSource(Protocol):
    """A catalogue's log."""

    async def events_of(
        self, client_id: str, *, since: datetime | None = None, actions: Sequence[Action] | None = None, limit: int
    ) -> list[Event]: ...


class ProductSource(Protocol):
    """A catalogue's products."""

    async def read(self, document_ids: Sequence[Any]) -> Sequence[object]: ...


@dataclass(frozen=True)
class TasteSource:
    """Where the facts about a visitor are, in one catalogue."""

    events: EventSource
    products: ProductSource


@dataclass(frozen=True)
class TasteTimes:
    """How long things take.

    Attributes:
        deadline_s: how long a search waits for a taste.
        kept_s: how long a taste is used before it is computed again, and so how long a deletion of the visitor by
            another gateway may take effect later.
        days: of the log that count.
    """

    deadline_s: float = 0.2
    kept_s: float = 5.0
    days: float = 90


class TasteCache:
    """The tastes of visitors, at most `size`. For one event loop."""

    def __init__(self, sources: Mapping[str, TasteSource], times: TasteTimes, size: int) -> None:
        """Take the catalogues' logs and products, by the catalogue's name."""
        self._sources = sources
        self._times = times
        self._size = size
        self._kept: OrderedDict[Key, tuple[float, Profile]] = OrderedDict()
        self._reading: dict[Key, asyncio.Task[Profile | None]] = {}
        self._paused_until = -float("inf")

    def __len__(self) -> int:
        return len(self._kept)

    async def get(self, catalogues: tuple[str, ...], visitor: str, model: str) -> Profile | None:
        """Return a visitor's taste; None if it cannot be known in time."""
        begun = self.begin(catalogues, visitor, model)
        if begun is None or isinstance(begun, Profile):
            return begun
        done, _ = await asyncio.wait({begun}, timeout=self._times.deadline_s)
        return begun.result() if done and not begun.cancelled() else None

    def begin(
        self, catalogues: tuple[str, ...], visitor: str, model: str
    ) -> "Profile | asyncio.Task[Profile | None] | None":
        """Return a visitor's taste if it is known, otherwise what reads it; None if it cannot be read at present."""
        key = (catalogues, visitor, model)
        at, profile = self._kept.get(key, (-float("inf"), Profile()))
        if time.monotonic() - at < self._times.kept_s:
            return profile
        task = self._reading.get(key)
        if task is None:
            if len(self._reading) >= MAX_READING or time.monotonic() < self._paused_until:
                return None
            task = self._reading[key] = asyncio.create_task(self._read(key), name="read a taste")
            task.add_done_callback(lambda done: self._ended(key, done))
        return task

    async def forget(self, visitor: str) -> None:
        """Drop everything that is kept of a visitor, and end the readings of it."""
        for key in [key for key in self._kept if key[1] == visitor]:
            del self._kept[key]
        for key in [key for key in self._reading if key[1] == visitor]:
            self._reading.pop(key).cancel()

    async def close(self) -> None:
        """End all readings."""
        tasks = list(self._reading.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._kept.clear()

    async def _read(self, key: Key) -> Profile | None:
        catalogues, visitor, model = key
        began = time.monotonic()
        try:
            parts = [await self._facts(name, visitor) for name in catalogues]
        except CatalogueUnavailable as error:
            if time.monotonic() >= self._paused_until:
                log.warning("tastes_not_read", trouble=error.detail)
            self._paused_until = time.monotonic() + PAUSE_S
            return None
        hidden = [product for interests, _ in parts for product in interests.hidden]
        known = [
            (product, interests.products.get(product.key, 0.0)) for interests, products in parts for product in products
        ]
        profile = profile_of(known, hidden, model)
        self._kept[key] = (began, profile)
        self._kept.move_to_end(key)
        while len(self._kept) > self._size:
            self._kept.popitem(last=False)
        return profile

    async def _facts(self, catalogue: str, visitor: str) -> tuple[Interests, list[Product]]:
        source, now = self._sources[catalogue], datetime.now(UTC)
        since = now - timedelta(days=self._times.days)
        events = await source.events.events_of(visitor, since=since, actions=ACTIONS, limit=MAX_EVENTS)
        interests = Interests.of(events, now)
        documents = await source.products.read(list(interests.products)) if interests.products else []
        return interests, [document.product for document in documents if isinstance(document, Record)]

    def _ended(self, key: Key, task: asyncio.Task[Profile | None]) -> None:
        if self._reading.get(key) is task:
            del self._reading[key]
        if not task.cancelled() and task.exception() is not None:
            log.error("tastes_not_read", trouble=repr(task.exception()))
