"""One import from beginning to end, whoever asked for it: the model, the importer, `--sync`, and how it went."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from services.catalogue.importing.description import Placer, UnknownTarget
from services.catalogue.importing.importer import Importer, ImportOptions
from services.catalogue.importing.ports import Embedding, Fetcher
from services.catalogue.importing.record import TAKEN_OVER, ImportRecord
from services.catalogue.importing.removal import FeedKeys, SyncRefused, find_gone, remove
from services.catalogue.importing.report import Outcome, RejectedFile, RejectedFileError, Status, Summary, Tally
from services.catalogue.retry import GivenUp, Patience, Stopped
from services.catalogue.sources.records.mapping import FeedMapping
from services.catalogue.sources.records.rows import Source, SourceError
from services.catalogue.store.database import CatalogueDatabase
from services.catalogue.store.notes import LAST_IMPORT
from services.contracts.domain.errors import LookalikeError
from services.contracts.wire.embedding import ModelFacts

FAILURES = (SyncRefused, SourceError, UnknownTarget, GivenUp, RejectedFileError, LookalikeError)


@dataclass(frozen=True)
class Plan:
    """What is to be imported, and how.

    Attributes:
        source: where the products are.
        name: what the source is called, for people.
        mapping: the feed's words in the model's terms.
        options: how to import.
        sync_limit: the greatest share of products that may go because the feed no longer has them; None if none goes.
    """

    source: Source
    name: str
    mapping: FeedMapping = field(default_factory=FeedMapping)
    options: ImportOptions = field(default_factory=ImportOptions)
    sync_limit: float | None = None


@dataclass(frozen=True)
class Services:
    """What an import speaks to."""

    embedding: Embedding
    store: CatalogueDatabase
    fetcher: Fetcher


class ImportSession:
    """One import. `tally` can be read at any time."""

    def __init__(
        self,
        plan: Plan,
        services: Services,
        rejected: RejectedFile,
        patience: Patience,
        stopping: asyncio.Event,
        *,
        on_progress: Callable[[Tally], None] = lambda _: None,
        on_outcome: Callable[[Outcome], None] = lambda _: None,
        room: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        """Put the parts together; `stopping` ends it early. The others are the `Importer`'s."""
        self.tally = Tally()
        self.model: str | None = None
        self._plan = plan
        self._services = services
        self._rejected = rejected
        self._patience = patience
        self._stopping = stopping
        self._on_progress = on_progress
        self._on_outcome = on_outcome
        self._room = room
        self._started = time.monotonic()

    async def run(self, record: ImportRecord, facts: ModelFacts) -> Summary:
        """Import, and say how it went; products written before it ended early stay.

        Args:
            record: the import's own; it tells how this goes.
            facts: of the active model.
        """
        self.model = facts.model
        record.state = "running"
        record.facts = self._facts
        status: Status = "done"
        reason: str | None = None
        try:
            await self._run(record, facts)
        except Stopped:
            self._stopping.set()
        except FAILURES as error:
            status, reason = "failed", str(error)
        if record.taken_over:
            status, reason = "failed", TAKEN_OVER
        elif status == "done" and self._stopping.is_set():
            status = "cancelled" if record.cancelled else "interrupted"
        summary = self._summary(status, reason)
        record.state = summary.status
        record.facts = lambda: self._described(summary)
        with suppress(LookalikeError):  # an import is not worse for a database that does not take the note
            await self._services.store.notes.put(LAST_IMPORT, self._last_import(summary))
        return summary

    async def _run(self, record: ImportRecord, facts: ModelFacts) -> None:
        placer = Placer(facts.categories, self._plan.mapping)
        feed = None if self._plan.sync_limit is None else FeedKeys(self._plan.source, placer)
        try:
            await self._importer(feed or self._plan.source, placer).run(facts.model, self._stopping)
            if feed is not None and self._plan.sync_limit is not None and not self._stopping.is_set():
                await self._sync(feed, self._plan.sync_limit, record)
        finally:
            if feed is not None:
                feed.close()

    async def _sync(self, feed: FeedKeys, limit: float, record: ImportRecord) -> None:
        gone = await find_gone(feed, self._services.store.products, limit, self.tally.imported)
        await remove(gone, self._services.store.products, self._patience, self._stopping, self.tally, record.started_at)

    def _importer(self, source: Source, placer: Placer) -> Importer:
        importer = Importer(
            source,
            placer,
            self._services.embedding,
            self._services.store,
            self._services.fetcher,
            self._rejected,
            self._patience,
            self._plan.options,
            lambda: self._on_progress(self.tally),
            self._on_outcome,
            self._room,
        )
        self.tally = importer.tally
        return importer

    def _summary(self, status: Status, reason: str | None) -> Summary:
        try:
            file = self._rejected.close()
        except RejectedFileError as error:
            status, reason, file = "failed", str(error), None
        return Summary(self.tally, status, self.model, time.monotonic() - self._started, reason, file)

    def _facts(self) -> dict[str, Any]:
        return self._described(Summary(self.tally, "done", self.model, time.monotonic() - self._started))

    def _described(self, summary: Summary) -> dict[str, Any]:
        done, total = self._plan.source.progress()
        facts = summary.document()
        del facts["status"], facts["dry_run"], facts["rejected_file"]
        return {**facts, "progress": [done, total], "rejected_rows": list(self._rejected.first)}

    def _last_import(self, summary: Summary) -> dict[str, Any]:
        about = {"source": self._plan.name, "finished_at": datetime.now(UTC).isoformat()}
        return {**about, **summary.document(), "rejected_rows": self._rejected.first}
