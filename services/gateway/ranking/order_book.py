"""The learned orders as the gateway knows them: read ahead, and kept while the database is unavailable."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Protocol

import structlog

from services.catalogue.learning.learned_order import InvalidLearnedOrder, LearnedOrder
from services.catalogue.store.learned_orders import OrderNote
from services.contracts.domain.errors import CatalogueUnavailable

FIRST_READING_S = 1.0
log = structlog.get_logger()


class OrderSource(Protocol):
    """Where the learned orders of a catalogue are stored."""

    async def note(self) -> OrderNote: ...
    async def data(self, version: str) -> bytes | None: ...


@dataclass(frozen=True)
class ActiveOrder:
    """The order that searches use, and its version."""

    version: str
    order: LearnedOrder


class OrderBook:
    """The active order of each catalogue. A search never waits for the database."""

    def __init__(self) -> None:
        self._orders: dict[str, ActiveOrder] = {}
        self._refused: dict[str, str] = {}  # version that cannot be used, by catalogue

    def of(self, catalogues: tuple[str, ...]) -> dict[str, ActiveOrder]:
        """Return the active orders of catalogues, by the catalogue's name."""
        return {name: self._orders[name] for name in catalogues if name in self._orders}

    @contextlib.asynccontextmanager
    async def following(self, sources: Mapping[str, OrderSource], refresh_s: float) -> AsyncIterator[None]:
        """Read the orders, and again after each interval, for as long as the block lasts.

        The block begins when they have been read, or after FIRST_READING_S: a start does not wait for a database that
        is unavailable.
        """
        first = asyncio.create_task(self.read(sources), name="read the learned orders for the first time")
        await asyncio.wait({first}, timeout=FIRST_READING_S)
        task = asyncio.create_task(self._follow(first, sources, refresh_s), name="read the learned orders")
        try:
            yield
        finally:
            for running in (task, first):
                running.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await running

    async def read(self, sources: Mapping[str, OrderSource]) -> None:
        """Read the orders once. Those that cannot be read stay as they are."""
        for name, source in sources.items():
            try:
                await self._read(name, source)
            except CatalogueUnavailable as error:
                log.debug("learned_order_not_read", catalogue=name, trouble=error.detail)

    async def _read(self, catalogue: str, source: OrderSource) -> None:
        version = (await source.note()).active
        active = self._orders.get(catalogue)
        if version is None:
            if self._orders.pop(catalogue, None) is not None:
                log.info("learned_order_changed", catalogue=catalogue, version=None)
            return
        if (active is not None and active.version == version) or self._refused.get(catalogue) == version:
            return
        data = await source.data(version)
        try:
            if data is None:
                raise InvalidLearnedOrder(f"version {version} of the learned order is not stored any more")
            order = await asyncio.to_thread(LearnedOrder.from_bytes, data)
        except InvalidLearnedOrder as error:
            self._refused[catalogue] = version
            self._orders.pop(catalogue, None)  # the version before is not the one that was promoted
            log.error("learned_order_refused", catalogue=catalogue, version=version, trouble=str(error))
            return
        self._refused.pop(catalogue, None)
        self._orders[catalogue] = ActiveOrder(version, order)
        log.info("learned_order_changed", catalogue=catalogue, version=version)

    async def _follow(self, first: asyncio.Task[None], sources: Mapping[str, OrderSource], refresh_s: float) -> None:
        await asyncio.wait({first})
        while True:
            await asyncio.sleep(refresh_s)
            try:
                await self.read(sources)
            except Exception:
                log.exception("learned_order_not_read")
