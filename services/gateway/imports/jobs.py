"""Imports that the API was asked for: each is received into a file, and then goes the way of `lookalike import`."""

import asyncio
import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import structlog

from services.catalogue.importing.importer import ImportHooks, ImportOptions
from services.catalogue.importing.lease import ImportUnderWay
from services.catalogue.importing.record import UNDER_WAY, ImportRecord, present
from services.catalogue.importing.report import RejectedFile
from services.catalogue.importing.session import ImportSession, Plan, SessionServices
from services.catalogue.model_switch.switch import serving_facts
from services.catalogue.process_mark import this_process
from services.catalogue.retry import RetriesExhausted, Retry
from services.catalogue.sources.records.rows import Source
from services.catalogue.store.database import CatalogueDatabase
from services.contracts.clients.embedding_client import EmbeddingClient
from services.contracts.domain.errors import (
    ImageUrlRefused,
    ImportConflict,
    LookalikeError,
    NoRoom,
    UnknownImport,
    UpstreamTimeout,
)
from services.contracts.images.fetch import ImageFetcher
from services.contracts.wire.embedding import ModelFacts
from services.gateway.imports.options import ImportParameters
from services.gateway.imports.responses import ImportResponse
from services.gateway.imports.result_lines import ResultLines
from services.gateway.imports.upload import open_feed, receive

WAIT_S = 60.0  # for a service that is away while an import runs
RECEIVE_S = 600.0
CLOSE_S = 3.0
IN_FLIGHT = 2  # batches: the gateway has less memory than an import of its own
SHOWN = 50
log = structlog.get_logger()


@dataclass(frozen=True)
class ImportDependencies:
    """What imports are made with. Without a fetcher, no image can be had."""

    store: CatalogueDatabase
    embedding: EmbeddingClient
    fetcher: ImageFetcher | None
    folder: Path | None
    max_bytes: int


class ImportJob:
    """One import: begun, received, run, in this order. It holds the catalogue's lease from its beginning on."""

    def __init__(self, means: ImportDependencies, options: ImportParameters) -> None:
        self.stopping = asyncio.Event()
        self.results = ResultLines(self.stopping)
        self._means = means
        self._options = options
        self._retry = Retry(WAIT_S, self.stopping, lambda _: None)
        at_once = Retry(0.0, self.stopping, lambda _: None)
        self.record = ImportRecord(means.store, options.name, at_once, self.stopping, state="receiving")
        self._stack = AsyncExitStack()
        self._facts: ModelFacts | None = None
        self._feed: Source | None = None

    async def begin(self) -> None:
        """Take the catalogue's lease.

        Raises:
            ImportConflict: another import is under way.
            EmbeddingUnavailable, CatalogueUnavailable: a service is away.
        """
        self._facts = await serving_facts(self._means.store.models, self._means.embedding)
        try:
            await self._stack.enter_async_context(self.record)
        except ImportUnderWay as error:
            raise ImportConflict(str(error), import_id=error.lease.import_id) from None
        except RetriesExhausted as error:
            raise error.__cause__ or error from None

    async def receive(self, parts: AsyncIterator[bytes], suffix: str, *, gzipped: bool) -> None:
        """Take the feed in.

        Raises:
            FeedTooLarge, InvalidFeed: it cannot be taken.
            UpstreamTimeout: it does not arrive.
            NoRoom: it cannot be kept.
        """
        try:
            async with asyncio.timeout(RECEIVE_S):
                self._feed = await self._received(parts, suffix, gzipped=gzipped)
        except TimeoutError:
            raise UpstreamTimeout(f"the feed did not arrive within {RECEIVE_S:g} s") from None
        except OSError as error:
            raise NoRoom(f"the feed cannot be kept: {error.strerror}") from None
        self._stack.callback(self._feed.close)

    async def _received(self, parts: AsyncIterator[bytes], suffix: str, *, gzipped: bool) -> Source:
        folder = await asyncio.to_thread(tempfile.mkdtemp, prefix="lookalike-import-", dir=self._means.folder)
        self._stack.push_async_callback(asyncio.to_thread, shutil.rmtree, folder, True)
        path = Path(folder) / f"feed{suffix}"
        await receive(parts, path, self._means.max_bytes, gzipped=gzipped)
        return await asyncio.to_thread(open_feed, path, self._options.mapping)

    async def run(self, *, with_results: bool) -> None:
        """Import what was received; products written before it ended early stay."""
        assert self._feed is not None
        assert self._facts is not None
        assert self._means.fetcher is not None
        options = ImportOptions(self._options.url_template, self._options.limit, IN_FLIGHT)
        limit = self._options.sync_limit if self._options.sync else None
        hooks = ImportHooks(on_outcome=self.results.add, room=self.results.room) if with_results else None
        session = ImportSession(
            Plan(self._feed, self._options.name, self._options.mapping, options, limit),
            SessionServices(self._means.embedding, self._means.store, self._means.fetcher, self._retry),
            RejectedFile(None),
            self.stopping,
            hooks,
        )
        async with self._stack:
            await session.run(self.record, self._facts)

    async def give_up(self, error: BaseException) -> None:
        """End an import that has not run, and say why."""
        reason = error.detail if isinstance(error, LookalikeError) else "the feed did not arrive"
        self.record.facts = lambda: {"reason": reason}
        self.record.state = "failed"
        await self._stack.aclose()


class ImportJobs:
    """The imports of this gateway, and the notes of all."""

    def __init__(self, means: ImportDependencies) -> None:
        """Remember what imports are made with."""
        self.means = means
        self._jobs: dict[str, ImportJob] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    async def begin(self, options: ImportParameters) -> ImportJob:
        """Return a new import, which holds the catalogue's lease and waits for its feed.

        Raises:
            ImageUrlRefused: this installation fetches no images.
            ImportConflict, EmbeddingUnavailable, CatalogueUnavailable, UpstreamTimeout: as `ImportJob.begin`.
        """
        if self.means.fetcher is None:
            raise ImageUrlRefused(
                "this installation fetches no image URLs: set GATEWAY_FETCH_ENABLED, or use lookalike import"
            )
        job = ImportJob(self.means, options)
        await job.begin()
        self._jobs[job.record.id] = job
        return job

    async def give_up(self, job: ImportJob, error: BaseException) -> None:
        """End an import whose feed cannot be had."""
        await job.give_up(error)
        del self._jobs[job.record.id]

    def start(self, job: ImportJob, *, with_results: bool) -> dict[str, Any]:
        """Run an import that has been received; return its note as it is now."""
        job.record.state = "running"
        note = present(job.record.document())
        task = asyncio.create_task(self._run(job, with_results=with_results))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return note

    async def last(self) -> list[dict[str, Any]]:
        """Return the notes of the last imports, the latest first.

        Raises:
            CatalogueUnavailable.
        """
        return [self._present(note) for note in await self.means.store.notes.list_imports(SHOWN)]

    async def get(self, import_id: str) -> dict[str, Any]:
        """Return the note of an import.

        Raises:
            UnknownImport, CatalogueUnavailable.
        """
        if import_id in self._jobs:
            return present(self._jobs[import_id].record.document())
        note = await self.means.store.notes.get_import(import_id)
        if note is None:
            raise UnknownImport(f"there is no import {import_id!r}")
        return self._present(note)

    async def cancel(self, import_id: str) -> dict[str, Any]:
        """Let an import end early, wherever it runs; return its note. One that has ended stays as it is.

        Raises:
            UnknownImport, CatalogueUnavailable.
        """
        note = await self.get(import_id)
        if note["state"] in UNDER_WAY:
            await self.means.store.notes.request_cancel(import_id)
            if import_id in self._jobs:
                self._jobs[import_id].record.cancel()
        return note

    async def close(self) -> None:
        """End what runs; what is under way is written if it takes no longer than CLOSE_S."""
        for job in self._jobs.values():
            job.stopping.set()
        if self._tasks:
            _, late = await asyncio.wait(self._tasks, timeout=CLOSE_S)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    async def _run(self, job: ImportJob, *, with_results: bool) -> None:
        try:
            await job.run(with_results=with_results)
        except Exception as error:
            log.error("import_failed", exc_info=error, import_id=job.record.id)
        finally:
            del self._jobs[job.record.id]
            job.results.end(ImportResponse.of(present(job.record.document())).model_dump())

    def _present(self, note: dict[str, Any]) -> dict[str, Any]:
        """Return a note as it is true; an import of ours that has ended without a last word has not survived."""
        ours = note["process"] == asdict(this_process()) and note["id"] not in self._jobs
        return present({**note, "process": {**note["process"], "pid": 0}} if ours else note)
