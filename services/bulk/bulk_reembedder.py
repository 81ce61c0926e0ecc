"""A re-embedding by an engine's workers; this process merges the results of their blocks.

The database is the checkpoint: products that have the vectors are not read again.
"""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from services.bulk.block_reembedder import MissingReader, ReembedResult, ReembedWork
from services.bulk.engine import Engine, OpenEngine, opened, results
from services.catalogue.importing.ports import ImporterError
from services.catalogue.importing.report import RejectedFile
from services.catalogue.model_switch.reembedding_report import ReembedTally


class BulkReembedder:
    """One run. `tally` can be read at any time."""

    def __init__(
        self, open_engine: OpenEngine, rejected_file: RejectedFile, *, on_progress: Callable[[], None] = lambda: None
    ) -> None:
        self.tally = ReembedTally()
        self._open_engine = open_engine
        self._rejected_file = rejected_file
        self._on_progress = on_progress

    async def run(self, read: MissingReader, work: ReembedWork, stopping: asyncio.Event) -> None:
        """Compute missing vectors until none is missing, or `stopping` is set.

        Raises:
            ImporterError: the engine, or a service of the workers, has failed.
            RejectedFileError: rejected products cannot be written down.
        """
        async with opened(self._open_engine) as engine:
            services, count = work.services.shared_by(engine.workers), engine.workers
            rate = None if work.rate is None else work.rate / count
            await self._passes(engine, read, replace(work, services=services, rate=rate), stopping)

    async def _passes(self, engine: Engine, read: MissingReader, work: ReembedWork, stopping: asyncio.Event) -> None:
        """Scan the catalogue until a scan embeds nothing: others may have written products meanwhile."""
        skipped: set[Any] = set()
        while not stopping.is_set():
            before = self.tally.embedded
            async for result in results(engine, replace(read, skipped=frozenset(skipped)), work, stopping):
                skipped |= result.skipped
                self._take(result)
            if self.tally.embedded == before:
                return

    def _take(self, result: ReembedResult) -> None:
        self.tally.merge(result.tally)
        for row in result.rejected:
            self._rejected_file.add(row)
        if result.failure is not None:
            raise ImporterError(result.failure)
        self._on_progress()
