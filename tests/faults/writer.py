"""Writes and deletes products as the plan says, whatever the database does, and keeps the journal."""

import asyncio
import random
import time
from collections.abc import Callable, Sequence

from services.catalogue.store.database import CatalogueDatabase
from services.contracts.domain.errors import CatalogueUnavailable
from tests.faults.journal import Journal
from tests.faults.plan import GONE, Plan, Write, product

AGAIN = 0.5  # of the batches that were not acknowledged; what has become of the others stays open
AGAIN_AFTER_S = 0.1


class Writer:
    """The only one that writes its products: one batch after the other."""

    def __init__(self, plan: Plan, store: CatalogueDatabase, journal: Journal, rate: float) -> None:
        """Remember what to write, and how many operations a second at most."""
        self.done = 0
        self.unanswered = 0
        self._plan = plan
        self._store = store
        self._journal = journal
        self._rate = rate
        self._draw = random.Random(0)

    async def run(self, passed: Callable[[list[Write]], None]) -> None:
        """Do everything; `passed` is told each batch that has been done."""
        began = time.monotonic()
        for batch in self._plan.batches():
            await self.write(batch)
            self.done += len(batch)
            passed(batch)
            await asyncio.sleep(max(0.0, began + self.done / self._rate - time.monotonic()))

    async def write(self, batch: Sequence[Write]) -> None:
        """Send a batch until it is acknowledged, or leave open what has become of it."""
        self._journal.begin(batch)
        while not await self._is_answered(batch):
            self.unanswered += 1
            await self._database()
            if self._draw.random() >= AGAIN:
                return
        self._journal.acknowledge(batch, time.monotonic())

    async def _is_answered(self, batch: Sequence[Write]) -> bool:
        try:
            if batch[0].revision == GONE:
                await self._store.products.delete_many([write.key for write in batch])
                return True
            report = await self._store.products.put_many(map(product, batch))
        except CatalogueUnavailable:
            return False
        return not report.failures

    async def _database(self) -> None:
        """Return when the database answers again: what it was sent before has then been done, or never will be."""
        while True:
            try:
                return await self._store.ping()
            except CatalogueUnavailable:
                await asyncio.sleep(AGAIN_AFTER_S)
