"""Imports through the API: each feed is received into a file, and then imported as by `lookalike import`."""

import asyncio
import shutil
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import structlog

from services.catalogue.importing.importer import ImportHooks, ImportOptions
from services.catalogue.importing.lease import ImportUnderWay, LeaseWatch
from services.catalogue.importing.record import UNDER_WAY, ImportRecord, is_elsewhere, present
from services.catalogue.importing.report import RejectedFile
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
from services.gateway.imports.upload import UNKNOWN, open_feed, receive, suffix_of

WAIT_S = 60.0  # for a service that is unavailable during an import
RECEIVE_S = 600.0
CLOSE_S = 3.0
IN_FLIGHT = 2  # batches at a time: the gateway has less memory than a process that only imports
LISTED = 50  # imports
WaitForLevel = Callable[[], Awaitable[bool]]
log = structlog.get_logger()


@dataclass(frozen=True)
class ImportDependencies:
    """The clients and bounds of imports. Without a fetcher, nothing can be imported."""

    store: CatalogueDatabase
    embedding: EmbeddingClient
    fetcher: ImageFetcher | None
    folder: Path | None
    max_bytes: int


class ImportJob:
    """One import: begin, receive, run, in this order. It holds the catalogue's lease from its beginning to its end."""

    def __init__(self, dependencies: ImportDependencies, options: ImportParameters) -> None:
        self.stopping = asyncio.Event()
        self.results = ResultLines(self.stopping)
        self._dependencies = dependencies
        self._options = options
        self._retry = Retry(WAIT_S, self.stopping, lambda _: None)
        at_once = Retry(0.0, self.stopping, lambda _: None)
        self.record = ImportRecord(dependencies.store, options.name, at_once, self.stopping, state="receiving")
        self._stack = AsyncExitStack()
        self._facts: ModelFacts | None = None
        self._feed: Source | None = None

    async def begin(self) -> None:
        """Take the catalogue's lease.

        Raises:
            ImportConflict: another import is under way.
            EmbeddingUnavailable, CatalogueUnavailable: a service is unavailable.
        """
        self._facts = await serving_facts(self._dependencies.store.models, self._dependencies.embedding)
        try:
            await self._stack.enter_async_context(self.record)
        except ImportUnderWay as error:
            raise ImportConflict(str(error), import_id=error.lease.import_id) from None
        except RetriesExhausted as error:
            raise error.__cause__ or error from None

    async def receive(self, parts: AsyncIterator[bytes], suffix: str, *, gzipped: bool) -> None:
        """Write the feed to a file, and open it.

        Raises:
            FeedTooLarge, InvalidFeed: the feed cannot be imported.
            UpstreamTimeout: it does not arrive in time.
            NoRoom: it cannot be written.
        """
        try:
            async with asyncio.timeout(RECEIVE_S):
                self._feed = await self._received(parts, suffix, gzipped=gzipped)
        except TimeoutError:
            raise UpstreamTimeout(f"the feed did not arrive within {RECEIVE_S:g} s") from None
        except OSError as error:
            raise NoRoom(f"the feed cannot be stored: {error.strerror}") from None
        self._stack.callback(self._feed.close)

    async def _received(self, parts: AsyncIterator[bytes], suffix: str, *, gzipped: bool) -> Source:
        folder = await asyncio.to_thread(tempfile.mkdtemp, prefix="lookalike-import-", dir=self._dependencies.folder)
        self._stack.push_async_callback(asyncio.to_thread, shutil.rmtree, folder, True)
        path = Path(folder) / f"feed{suffix}"
        await receive(parts, path, self._dependencies.max_bytes, gzipped=gzipped)
        if suffix == UNKNOWN:
            path = await asyncio.to_thread(path.rename, path.with_suffix(await asyncio.to_thread(suffix_of, path)))
        return await asyncio.to_thread(open_feed, path, self._options.feed_mapping)

    async def run(self, *, with_results: bool) -> None:
        """Import the received feed. Products that are written stay, even if the import ends early."""
        # A gateway without imports does without a megabyte.
        from services.catalogue.importing.session import ImportSession, Plan, SessionServices

        assert self._feed is not None
        assert self._facts is not None
        assert self._dependencies.fetcher is not None
        options = ImportOptions(self._options.url_template, self._options.limit, IN_FLIGHT)
        limit = self._options.sync_limit if self._options.sync else None
        hooks = ImportHooks(on_outcome=self.results.add, room=self.results.room) if with_results else None
        session = ImportSession(
            Plan(self._feed, self._options.name, self._options.mapping, options, limit),
            SessionServices(
                self._dependencies.embedding, self._dependencies.store, self._dependencies.fetcher, self._retry
            ),
            RejectedFile(None),
            self.stopping,
            hooks,
        )
        async with self._stack:
            await session.run(self.record, self._facts)

    async def give_up(self, error: BaseException) -> None:
        """End the import before it runs; its record has the reason."""
        reason = error.detail if isinstance(error, LookalikeError) else "the feed did not arrive"
        self.record.facts = lambda: {"reason": reason}
        self.record.state = "failed"
        await self._stack.aclose()


class ImportJobs:
    """The imports of this gateway, and the records of all imports into the catalogue."""

    def __init__(self, dependencies: ImportDependencies) -> None:
        """Take the clients and bounds of imports."""
        self.dependencies = dependencies
        self._jobs: dict[str, ImportJob] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._watch = LeaseWatch()

    async def begin(self, options: ImportParameters) -> ImportJob:
        """Return a new import. It holds the catalogue's lease and waits for its feed.

        Raises:
            ImageUrlRefused: fetching images is switched off.
            ImportConflict, EmbeddingUnavailable, CatalogueUnavailable, UpstreamTimeout: as `ImportJob.begin`.
        """
        if self.dependencies.fetcher is None:
            raise ImageUrlRefused(
                "this installation fetches no image URLs: set GATEWAY_FETCH_ENABLED, or use lookalike import"
            )
        job = ImportJob(self.dependencies, options)
        await job.begin()
        self._jobs[job.record.id] = job
        return job

    async def give_up(self, job: ImportJob, error: BaseException) -> None:
        """End an import that has not received its feed."""
        await job.give_up(error)
        del self._jobs[job.record.id]

    def start(self, job: ImportJob, *, with_results: bool, level: WaitForLevel | None = None) -> dict[str, Any]:
        """Run an import whose feed has been received; return its record.

        Args:
            job: the import.
            with_results: whether a client waits for the outcome of each row.
            level: waits at the end until searches see the products, and returns whether they do.
        """
        job.record.state = "running"
        record = present(job.record.document())
        task = asyncio.create_task(self._run(job, with_results=with_results, level=level))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return record

    async def last(self) -> list[dict[str, Any]]:
        """Return the records of the last imports, the latest first.

        Raises:
            CatalogueUnavailable.
        """
        return [await self._present(record) for record in await self.dependencies.store.notes.list_imports(LISTED)]

    async def get(self, import_id: str) -> dict[str, Any]:
        """Return the record of an import.

        Raises:
            UnknownImport, CatalogueUnavailable.
        """
        if import_id in self._jobs:
            return present(self._jobs[import_id].record.document())
        record = await self.dependencies.store.notes.get_import(import_id)
        if record is None:
            raise UnknownImport(f"there is no import {import_id!r}")
        return await self._present(record)

    async def cancel(self, import_id: str) -> dict[str, Any]:
        """Let an import in any process end early, and return its record. An ended import does not change.

        Raises:
            UnknownImport, CatalogueUnavailable.
        """
        record = await self.get(import_id)
        if record["state"] in UNDER_WAY:
            await self.dependencies.store.notes.request_cancel(import_id)
            if import_id in self._jobs:
                self._jobs[import_id].record.cancel()
        return record

    async def close(self) -> None:
        """End the imports that run. Batches under way are written if that takes no longer than CLOSE_S."""
        for job in self._jobs.values():
            job.stopping.set()
        if self._tasks:
            _, late = await asyncio.wait(self._tasks, timeout=CLOSE_S)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    async def _run(self, job: ImportJob, *, with_results: bool, level: WaitForLevel | None) -> None:
        try:
            await job.run(with_results=with_results)
        except Exception as error:
            log.error("import_failed", exc_info=error, import_id=job.record.id)
        finally:
            del self._jobs[job.record.id]
            searchable = None if level is None else await level()
            record = {**present(job.record.document()), "searchable": searchable}
            job.results.end(ImportResponse.of(record).model_dump())

    async def _present(self, record: dict[str, Any]) -> dict[str, Any]:
        """Return a record with its present state: an import of this process that no job runs is interrupted."""
        if record["process"] == asdict(this_process()) and record["id"] not in self._jobs:
            return present({**record, "process": {**record["process"], "pid": 0}})
        if not is_elsewhere(record):
            return present(record)
        notes = self.dependencies.store.notes
        if self._watch.is_renewed(await notes.leases(), record["id"]):
            return present(record)
        # An import writes its last state before it gives the lease back.
        latest = await notes.get_import(record["id"])
        return present(latest or record, is_lease_renewed=False)
