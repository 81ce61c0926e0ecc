"""The baskets of each catalogue as the gateway knows them: read ahead, so that no look waits for the database.

They hold no visitor: only which products were in one basket.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

import structlog

from services.catalogue.documents.product_document import Record
from services.catalogue.events.baskets import BASKET_ACTIONS, Baskets
from services.catalogue.events.event import Action, Event
from services.catalogue.product import Float32Array
from services.contracts.domain.errors import LookalikeError
from services.contracts.web.background import in_background
from services.look.bought_together import BoughtTogether

IDS_AT_ONCE = 400
PAUSE_S = 5.0  # between two readings at least, and after one that failed
log = structlog.get_logger()


class BasketEvents(Protocol):
    """A catalogue's log."""

    def events(
        self, since: datetime | None = None, until: datetime | None = None, *, actions: Sequence[Action] | None = None
    ) -> AsyncIterator[list[Event]]: ...


class BasketProducts(Protocol):
    """A catalogue's products."""

    async def read(self, document_ids: Sequence[Any]) -> Sequence[object]: ...


@dataclass(frozen=True)
class BasketSource:
    """Where the baskets of a catalogue and their products are."""

    events: BasketEvents
    products: BasketProducts


class BasketBook:
    """The pairs of each catalogue that were bought together. For one event loop."""

    def __init__(
        self, sources: Mapping[str, BasketSource], model: Callable[[], Awaitable[str]], days: float, weight: float
    ) -> None:
        """Take where the facts are.

        Args:
            sources: by the catalogue's name.
            model: returns the id of the active model, whose vectors count.
            days: of the log that count.
            weight: the greatest that baskets have in a look.
        """
        self._sources = sources
        self._model = model
        self._days = days
        self.weight = weight
        self._kept: dict[str, tuple[str, BoughtTogether]] = {}
        self._wake = asyncio.Event()
        self._forgotten = 0  # visitors so far: a reading that began before the last one was removed does not count

    def of(self, catalogues: tuple[str, ...], model: str) -> BoughtTogether | None:
        """Return the pairs for a look, in a model's vectors; None through several catalogues: a basket is of one."""
        kept = self._kept.get(catalogues[0]) if len(catalogues) == 1 else None
        if kept is None:
            return None
        if kept[0] != model:  # another model has become active
            self._wake.set()
            return None
        return kept[1]

    def take(self, catalogue: str, model: str, bought: BoughtTogether) -> None:
        """Use pairs from now on; their vectors are a model's."""
        self._kept[catalogue] = model, bought

    async def forget(self, visitor: str) -> None:
        """Drop all pairs, which may be a visitor's, and read them again."""
        self._kept.clear()
        self._forgotten += 1
        self._wake.set()

    @contextlib.asynccontextmanager
    async def following(self, refresh_s: float) -> AsyncIterator[None]:
        """Read the baskets, and again after each interval, for as long as the block lasts; it begins at once."""
        async with in_background(self._follow(refresh_s), "read the baskets"):
            yield

    async def read(self) -> bool:
        """Read the baskets once. Return whether all could be read; those that could not stay as they are."""
        is_whole = True
        for name, source in self._sources.items():
            forgotten = self._forgotten
            try:
                model = await self._model()
                bought = await self._read(source, model)
                if forgotten == self._forgotten:
                    self.take(name, model, bought)
                else:
                    is_whole = False
            except LookalikeError as error:
                log.debug("baskets_not_read", catalogue=name, trouble=error.detail)
                is_whole = False
        return is_whole

    async def _read(self, source: BasketSource, model: str) -> BoughtTogether:
        since = datetime.now(UTC) - timedelta(days=self._days)
        gathered = Baskets()
        async for page in source.events.events(since, actions=BASKET_ACTIONS):
            gathered.add(page)
        baskets = gathered.of_several()
        keys = sorted({key for basket in baskets for key in basket})
        products: dict[str, tuple[int, Float32Array]] = {}
        for begin in range(0, len(keys), IDS_AT_ONCE):
            documents = await source.products.read(keys[begin : begin + IDS_AT_ONCE])
            for product in [document.product for document in documents if isinstance(document, Record)]:
                own = product.embedded_by(model)
                if own is not None:
                    products[own.key] = own.category, own.vector
        return await asyncio.to_thread(BoughtTogether.of, baskets, products)

    async def _follow(self, refresh_s: float) -> None:
        while True:
            self._wake.clear()
            try:
                is_whole = await self.read()
            except Exception:
                log.exception("baskets_not_read")
                is_whole = False
            await asyncio.sleep(min(PAUSE_S, refresh_s))
            if is_whole:
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._wake.wait(), max(refresh_s - PAUSE_S, 0))
