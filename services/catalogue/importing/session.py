"""One import from beginning to end: the model, the importer, `--sync`, and the summary."""

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from services.catalogue.importing.description import Placer, UnknownTarget
from services.catalogue.importing.importer import Importer, ImportHooks, ImportOptions, ImportServices
from services.catalogue.importing.ports import ImporterError, SourceImporter
from services.catalogue.importing.record import TAKEN_OVER, ImportRecord
from services.catalogue.importing.removal import FeedKeys, SyncRefused, find_removed, remove
from services.catalogue.importing.report import RejectedFile, RejectedFileError, Status, Summary, Tally
from services.catalogue.retry import RetriesExhausted, Stopped
from services.catalogue.sources.records.mapping import FeedMapping
from services.catalogue.sources.records.rows import Source, SourceError
from services.catalogue.sources.source_part import SourcePart
from services.catalogue.store.database import CatalogueDatabase
from services.catalogue.store.notes import LAST_IMPORT
from services.contracts.domain.errors import LookalikeError
from services.contracts.domain.parts import WHOLE, Part
from services.contracts.wire.embedding import ModelFacts

FAILURES = (SyncRefused, SourceError, UnknownTarget, RetriesExhausted, RejectedFileError, ImporterError, LookalikeError)
# Makes the importer of a plan's source, given the placer and what records the source's keys for `--sync`, if anything.
MakeImporter = Callable[[Placer, FeedKeys | None], SourceImporter]


@dataclass(frozen=True)
class Plan:
    """An import to run.

    Attributes:
        source: where the products are.
        name: the source's name, for people.
        mapping: the feed's words in the model's terms.
        options: how to import.
        sync_limit: the greatest share of products to remove because the feed no longer has them; None to remove none.
        part: which of the source's products to import.
    """

    source: Source
    name: str
    mapping: FeedMapping = field(default_factory=FeedMapping)
    options: ImportOptions = field(default_factory=ImportOptions)
    sync_limit: float | None = None
    part: Part = WHOLE


@dataclass(frozen=True)
class SessionServices(ImportServices):
    """What an import session calls: it also needs the catalogue's notes and keys."""

    catalogue: CatalogueDatabase


class ImportSession:
    """One import. `tally` can be read at any time."""

    def __init__(
        self,
        plan: Plan,
        services: SessionServices,
        rejected: RejectedFile,
        stopping: asyncio.Event,
        hooks: ImportHooks | None = None,
        make_importer: MakeImporter | None = None,
    ) -> None:
        """Put the parts together.

        Args:
            plan: what to import.
            services: what the import calls.
            rejected: the file of rejected rows.
            stopping: set to end early.
            hooks: what it reports while it runs.
            make_importer: makes the importer. Default: one that works in this process.
        """
        self.tally = Tally()
        self.model: str | None = None
        self._plan = plan
        self._services = services
        self._rejected = rejected
        self._stopping = stopping
        self._hooks = hooks or ImportHooks()
        self._make_importer = make_importer or self._importer
        self._started = time.monotonic()

    async def run(self, record: ImportRecord, facts: ModelFacts) -> Summary:
        """Import and return the summary. Products written before an early end stay.

        Args:
            record: of this import; it shows the progress.
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
        with suppress(LookalikeError):  # the import succeeded even if its note cannot be written
            await self._services.catalogue.notes.put(LAST_IMPORT, self._last_import(summary))
        return summary

    async def _run(self, record: ImportRecord, facts: ModelFacts) -> None:
        placer = Placer(facts.categories, self._plan.mapping)
        feed = None if self._plan.sync_limit is None else FeedKeys(self._plan.source, placer)
        try:
            importer = self._make_importer(placer, feed)
            self.tally = importer.tally
            await importer.run(facts.model, self._stopping)
            if feed is not None and self._plan.sync_limit is not None and not self._stopping.is_set():
                await self._sync(feed, self._plan.sync_limit, record)
        finally:
            if feed is not None:
                feed.close()

    async def _sync(self, feed: FeedKeys, limit: float, record: ImportRecord) -> None:
        products, retry = self._services.catalogue.products, self._services.retry
        removed = await find_removed(feed, products, limit, self.tally.imported, self._plan.part)
        await remove(removed, products, retry, self._stopping, self.tally, record.started_at)

    def _importer(self, placer: Placer, feed: FeedKeys | None) -> SourceImporter:
        source = feed or self._plan.source
        part = source if self._plan.part.is_whole else SourcePart(source, self._plan.part)
        return Importer(part, placer, self._services, self._rejected, self._plan.options, self._hooks)

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
