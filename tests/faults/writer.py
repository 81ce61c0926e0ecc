"""Writes and deletes the plan's products, with or without the database, and keeps the journal."""

import asyncio
import random
import time
from collections.abc import Callable, Sequence

from services.catalogue.store.database import CatalogueDatabase
from services.contracts.domain.errors import CatalogueUnavailable
from tests.faults.journal import Journal
from tests.faults.plan import GONE, Plan, Write, product

RETRIED = (
    0.5  # the share of batches without acknowledgement that are sent again; the outcome of the others stays unknown
)
RETRY_AFTER_S = 0.1


class Writer:
    """Writes one batch after the other. No other client writes these products."""

    def __init__(self, plan: Plan, store: CatalogueDatabase, journal: Journal, rate: float) -> None:
        """Write nothing yet. `rate` is the largest number of operations a second."""
        self.done = 0
        self.unanswered = 0
        self._plan = plan
        self._store = store
        self._journal = journal
        self._rate = rate
        self._draw = random.Random(0)

    async def run(self, passed: Callable[[list[Write]], None]) -> None:
        """Write all batches; call `passed` with each one that is done."""
        began = time.monotonic()
        for batch in self._plan.batches():
            await self.write(batch)
            self.done += len(batch)
            passed(batch)
            await asyncio.sleep(max(0.0, began + self.done / self._rate - time.monotonic()))

    async def write(self, batch: Sequence[Write]) -> None:
        """Send a batch until it is acknowledged, or leave its outcome unknown."""
        self._journal.begin(batch)
        while not await self._is_answered(batch):
            self.unanswered += 1
            await self._database()
            if self._draw.random() >= RETRIED:
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
        """Return when the database answers again: by then, earlier operations are done or never will be."""
        while True:
            try:
                return await self._store.ping()
            except CatalogueUnavailable:
                await asyncio.sleep(RETRY_AFTER_S)
