"""Puts an import together: source, services, progress, signals. What it did comes back as a summary, however it ended."""

import asyncio
import os
import time
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from services.catalogue.describing import Placer, UnknownTarget
from services.catalogue.embedding_client import EmbeddingClient
from services.catalogue.import_check import check
from services.catalogue.import_report import RejectedFile, RejectedFileError, Status, Summary, Tally
from services.catalogue.importer import Importer, ImportOptions
from services.catalogue.kaggle import CATEGORIES
from services.catalogue.patience import GivenUp, Patience, Stopped
from services.catalogue.sources import FeedMapping, Source, SourceError, load_mapping, open_source
from services.catalogue.store import LAST_IMPORT, ProductStore
from services.catalogue.sync import FeedKeys, SyncRefused, find_gone, remove
from services.cli.import_shown import Display
from services.cli.interrupts import interruptible
from services.contracts.errors import LookalikeError
from services.contracts.fetch import ImageFetcher
from services.contracts.manifest import InputSize
from services.contracts.wire import ModelFacts

EMBEDDING_TIMEOUT_S = 30.0
DATABASE_TIMEOUT_S = (2.0, 10.0)  # least and most; no call should take longer than we are to wait
LOOK_TIMEOUT_S = 2.0
FAILURES = (SyncRefused, SourceError, UnknownTarget, GivenUp, RejectedFileError, LookalikeError)
# What a dry run checks against when no embedding service is there to be asked: the shipped models.
SHIPPED = ModelFacts(
    model="", categories=list(CATEGORIES), dimension=64, input={"height": 80, "width": 80}, thresholds={}
)


class UsageError(Exception):
    """An option makes no sense. The text says which."""


@dataclass(frozen=True)
class ImportRequest:
    """What the command line asks for; see the command's help."""

    source: Path
    rejected: Path
    mapping: Path | None = None
    images: Path | None = None
    url_template: str | None = None
    limit: int | None = None
    dry_run: bool = False
    sync: bool = False
    sync_limit: float = 0.2
    allow_hosts: tuple[str, ...] = ()
    per_host: int = 8
    wait_s: float = 60.0
    embedding_url: str = "http://127.0.0.1:8001"
    mongo_url: str = "mongodb://127.0.0.1:27017"
    mongo_database: str = "lookalike"


def run(request: ImportRequest) -> Summary:
    """Import, and return what was done.

    Raises:
        UsageError: an option makes no sense.
    """
    if request.url_template is not None and "{id}" not in request.url_template:
        raise UsageError("--url-template needs {id} where the product's id goes")
    if request.sync and request.limit is not None:
        raise UsageError("--sync needs the whole feed: leave --limit out")
    if not os.access(request.rejected.parent, os.W_OK):
        raise UsageError(f"rejected rows cannot be written to {request.rejected}: give another file with --rejected")
    started = time.monotonic()
    try:
        mapping = FeedMapping() if request.mapping is None else load_mapping(request.mapping)
        source = open_source(request.source, mapping, request.images)
    except SourceError as error:
        return Summary(Tally(), "failed", None, time.monotonic() - started, str(error))
    try:
        return _Run(request, mapping, source, started).summary()
    finally:
        source.close()


class _Run:
    """One import under way."""

    def __init__(self, request: ImportRequest, mapping: FeedMapping, source: Source, started: float) -> None:
        self._request = request
        self._started = started
        self._mapping = mapping
        self._source = source
        self._rejected = RejectedFile(request.rejected)
        self._display = Display(source)
        self._tally = Tally()
        self._model: str | None = None

    def summary(self) -> Summary:
        """Run, and say how it went; products written before it ended early stay."""
        status: Status = "done"
        reason: str | None = None
        with self._display:
            try:
                stopped = asyncio.run(self._main())
                status = "interrupted" if stopped else "done"
            except Stopped:
                status = "interrupted"
            except FAILURES as error:
                status, reason = "failed", str(error)
        try:
            file = self._rejected.close()
        except RejectedFileError as error:
            status, reason, file = "failed", str(error), None
        seconds = time.monotonic() - self._started
        return Summary(self._tally, status, self._model, seconds, reason, file, self._request.dry_run)

    async def _main(self) -> bool:
        """Return whether it was interrupted."""
        stopping = asyncio.Event()
        with interruptible(stopping.set):
            async with AsyncExitStack() as stack:
                await (self._check(stack, stopping) if self._request.dry_run else self._import(stack, stopping))
        return stopping.is_set()

    async def _import(self, stack: AsyncExitStack, stopping: asyncio.Event) -> None:
        request = self._request
        embedding = self._embedding(stack, EMBEDDING_TIMEOUT_S)
        store = await self._store(stack)
        fetcher = self._fetcher(stack)
        patience = Patience(request.wait_s, stopping, self._display.waiting)
        facts = await patience.call(embedding.model)
        self._model = facts.model
        placer = Placer(facts.categories, self._mapping)
        feed = self._feed(stack, placer)
        importer = Importer(
            feed or self._source,
            placer,
            embedding,
            store,
            fetcher,
            self._rejected,
            patience,
            ImportOptions(request.url_template, request.limit, per_host=request.per_host),
            lambda: self._display.update(self._tally),
        )
        self._tally = importer.tally
        status: Status = "failed"
        try:
            await importer.run(facts.model, stopping)
            if feed is not None and not stopping.is_set():
                gone = await find_gone(feed, store, request.sync_limit, self._tally.imported)
                await remove(gone, store, patience, stopping, self._tally)
            status = "interrupted" if stopping.is_set() else "done"
        finally:
            await self._record(store, status)

    async def _record(self, store: ProductStore, status: Status) -> None:
        """Leave word for the catalogue page. An import is not worse for a database that does not take it."""
        summary = Summary(self._tally, status, self._model, time.monotonic() - self._started).document()
        about = {"source": self._request.source.name, "finished_at": datetime.now(UTC).isoformat()}
        with suppress(LookalikeError):
            await store.put_note(LAST_IMPORT, {**about, **summary, "rejected_rows": self._rejected.first})

    async def _check(self, stack: AsyncExitStack, stopping: asyncio.Event) -> None:
        try:
            facts = await self._embedding(stack, LOOK_TIMEOUT_S).model()
        except LookalikeError:
            facts = SHIPPED
        self._model = facts.model or None

        def on_progress() -> None:
            self._display.update(self._tally)
            if stopping.is_set():
                raise Stopped

        placer = Placer(facts.categories, self._mapping)
        size = InputSize(**facts.input)
        feed = self._feed(stack, placer)
        arguments = (feed or self._source, placer, size, self._rejected, self._tally, self._request.limit, on_progress)
        await asyncio.to_thread(check, *arguments)
        if feed is not None and not stopping.is_set():
            gone = await find_gone(feed, await self._store(stack), self._request.sync_limit, imported=0)
            self._tally.removable = len(gone)

    async def _store(self, stack: AsyncExitStack) -> ProductStore:
        least, most = DATABASE_TIMEOUT_S
        timeout_s = min(most, max(least, self._request.wait_s))
        store = ProductStore(self._request.mongo_url, self._request.mongo_database, timeout_s=timeout_s)
        return await stack.enter_async_context(store)

    def _feed(self, stack: AsyncExitStack, placer: Placer) -> FeedKeys | None:
        """Return the source as one that remembers its keys, if products are to be removed by them."""
        if not self._request.sync:
            return None
        feed = FeedKeys(self._source, placer)
        stack.callback(feed.close)
        return feed

    def _embedding(self, stack: AsyncExitStack, timeout_s: float) -> EmbeddingClient:
        try:
            client = EmbeddingClient(self._request.embedding_url, timeout_s)
        except ValueError as error:
            raise UsageError(str(error)) from None
        stack.push_async_callback(client.close)
        return client

    def _fetcher(self, stack: AsyncExitStack) -> ImageFetcher:
        try:
            fetcher = ImageFetcher(allowed_hosts=self._request.allow_hosts)
        except ValueError as error:
            raise UsageError(f"--allow-host: {error}") from None
        stack.push_async_callback(fetcher.close)
        return fetcher
