"""Runs an import: opens the source and the services, shows the progress and handles signals."""

import asyncio
import gc
import os
import time
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Protocol

from services.catalogue.importing.description import Placer, UnknownTarget
from services.catalogue.importing.dry_run import check
from services.catalogue.importing.importer import ImportHooks, ImportOptions
from services.catalogue.importing.lease import ImportUnderWay
from services.catalogue.importing.ports import SourceImporter
from services.catalogue.importing.record import ImportRecord
from services.catalogue.importing.removal import FeedKeys, SyncRefused, find_removed
from services.catalogue.importing.report import RejectedFile, RejectedFileError, Status, Summary, Tally
from services.catalogue.importing.session import ImportSession, MakeImporter, Plan, SessionServices
from services.catalogue.model_switch.switch import EmbeddingModels, serving_facts
from services.catalogue.retry import RetriesExhausted, Retry, Stopped
from services.catalogue.sources.formats.kaggle_archive import CATEGORIES
from services.catalogue.sources.open_source import open_source
from services.catalogue.sources.records.encodings import known_codec
from services.catalogue.sources.records.mapping import FORMATS, FeedMapping, base_address, load_mapping
from services.catalogue.sources.records.money import DecimalSeparator, currency_code
from services.catalogue.sources.records.rows import Source, SourceError
from services.catalogue.sources.source_part import SourcePart
from services.catalogue.store.database import CatalogueDatabase
from services.cli.imports.display import ImportProgress
from services.cli.interrupts import interruptible
from services.cli.options import Services
from services.cli.output import sentence
from services.contracts.clients.embedding_client import EmbeddingClient
from services.contracts.domain.catalogues import DEFAULT_CATALOGUE
from services.contracts.domain.errors import LookalikeError
from services.contracts.domain.manifest import InputSize
from services.contracts.domain.parts import WHOLE, Part
from services.contracts.images.fetch import ImageFetcher
from services.contracts.wire.embedding import ModelFacts

EMBEDDING_TIMEOUT_S = 60.0
DATABASE_TIMEOUT_S = (2.0, 10.0)  # the bounds of a call's timeout, which is otherwise --wait
LOOK_TIMEOUT_S = 2.0
FAILURES = (
    SyncRefused,
    SourceError,
    UnknownTarget,
    RetriesExhausted,
    RejectedFileError,
    ImportUnderWay,
    LookalikeError,
)
# The categories and the input of the shipped model: a dry run uses them if the embedding service is unavailable.
SHIPPED = ModelFacts(
    model="", categories=list(CATEGORIES), dimension=64, input={"height": 128, "width": 128}, thresholds={}
)


class UsageError(Exception):
    """An option is not valid. The text says which."""


@dataclass(frozen=True)
class ImportRequest:
    """The options of one import; the command's help describes them."""

    source: Path
    rejected: Path
    services: Services
    catalogue: str = DEFAULT_CATALOGUE
    mapping: Path | None = None
    images: Path | None = None
    url_template: str | None = None
    decimal_separator: DecimalSeparator | None = None
    currency: str | None = None
    encoding: str | None = None
    format: str | None = None
    image_base_url: str | None = None
    limit: int | None = None
    dry_run: bool = False
    sync: bool = False
    sync_limit: float = 0.2
    part: Part = WHOLE
    allow_hosts: tuple[str, ...] = ()
    per_host: int = 8
    wait_s: float = 60.0


class Workers(Protocol):
    """Other processes that import in the place of this one.

    Attributes:
        source: shows how far they have come.
        models: the models that they run themselves; None if the embedding service does.
    """

    source: Source
    models: EmbeddingModels | None

    def importer(self, run: "ImportParts", placer: Placer, feed: FeedKeys | None) -> SourceImporter:
        """Return the importer of a session; see `ImportSession`."""


@dataclass(frozen=True)
class ImportParts:
    """The parts of an import that its workers share with it."""

    mapping: FeedMapping
    services: SessionServices
    rejected: RejectedFile
    on_progress: Callable[[Tally], None]


def run(request: ImportRequest, workers: Workers | None = None) -> Summary:
    """Import a catalogue and return the summary, however the import ended.

    Args:
        request: the options.
        workers: import in the place of this process.

    Raises:
        UsageError: an option is not valid.
    """
    if request.url_template is not None and "{id}" not in request.url_template:
        raise UsageError("--url-template must contain {id}, in the place of the product's id")
    if request.decimal_separator not in (None, ".", ","):
        raise UsageError("--decimal-separator must be a point or a comma")
    if request.currency is not None and currency_code(request.currency) is None:
        raise UsageError(f"--currency {request.currency} is not a currency: give a code of ISO 4217, such as USD")
    _check_feed_options(request)
    if request.sync and request.limit is not None:
        raise UsageError("--sync needs the whole feed: remove --limit")
    if not os.access(request.rejected.parent, os.W_OK):
        raise UsageError(f"rejected rows cannot be written to {request.rejected}: name another file with --rejected")
    started = time.monotonic()
    try:
        mapping = FeedMapping() if request.mapping is None else load_mapping(request.mapping)
        mapping = mapping.with_settings(
            decimal_separator=request.decimal_separator,
            currency=request.currency,
            encoding=request.encoding,
            format=request.format,
            image_base_url=request.image_base_url,
        )
        source = open_source(request.source, mapping, request.images) if workers is None else workers.source
    except SourceError as error:
        return Summary(Tally(), "failed", None, time.monotonic() - started, sentence(error))
    # The source's entries stay to the end. Without this, the garbage collector walks an archive's 40,000 entries again
    # and again, which takes an eighth of the import's processor time.
    gc.freeze()
    try:
        return ImportRun(request, mapping, source, started, workers).summary()
    finally:
        source.close()


def _check_feed_options(request: ImportRequest) -> None:
    if request.format is not None and request.format not in FORMATS:
        raise UsageError(f"--format {request.format} is not known: use one of {', '.join(FORMATS)}")
    try:
        if request.encoding is not None:
            known_codec(request.encoding)
        if request.image_base_url is not None:
            base_address(request.image_base_url)
    except LookupError:
        raise UsageError(
            f"--encoding {request.encoding} is not known: give a name such as utf-8 or windows-1252"
        ) from None
    except ValueError as error:
        raise UsageError(f"--image-base-url {error}") from None


class ImportRun:
    """One import, or one dry run."""

    def __init__(
        self,
        request: ImportRequest,
        mapping: FeedMapping,
        source: Source,
        started: float,
        workers: Workers | None = None,
    ) -> None:
        self._request = request
        self._workers = workers
        self._started = started
        self._mapping = mapping
        self._source = source
        self._rejected = RejectedFile(request.rejected)
        self._progress = ImportProgress(source)
        self._tally = Tally()
        self._model: str | None = None

    def summary(self) -> Summary:
        """Run, and return the summary. If the import ends early, products already written stay."""
        with self._progress:
            try:
                return asyncio.run(self._main())
            except Stopped:
                return self._closed("interrupted")
            except FAILURES as error:
                return self._closed("failed", sentence(error))

    async def _main(self) -> Summary:
        stopping = asyncio.Event()
        with interruptible(stopping.set):
            async with AsyncExitStack() as stack:
                return await (self._check(stack, stopping) if self._request.dry_run else self._import(stack, stopping))

    def _closed(self, status: Status, reason: str | None = None) -> Summary:
        """Return the summary of a dry run, or of an import that has not started."""
        file = None
        try:
            file = self._rejected.close() if self._request.dry_run else None
        except RejectedFileError as error:
            status, reason = "failed", sentence(error)
        seconds = time.monotonic() - self._started
        return Summary(self._tally, status, self._model, seconds, reason, file, self._request.dry_run)

    async def _import(self, stack: AsyncExitStack, stopping: asyncio.Event) -> Summary:
        request = self._request
        options = ImportOptions(request.url_template, request.limit, per_host=request.per_host)
        limit = request.sync_limit if request.sync else None
        plan = Plan(self._source, request.source.name, self._mapping, options, limit, request.part)
        retry = Retry(request.wait_s, stopping, self._progress.waiting)
        embedding, database = self._embedding(stack, EMBEDDING_TIMEOUT_S), await self._store(stack)
        services = SessionServices(embedding, database, self._fetcher(stack), retry)
        hooks = ImportHooks(self._progress.update)
        make_importer: MakeImporter | None = None
        models: EmbeddingModels = embedding
        if self._workers is not None:
            parts = ImportParts(self._mapping, services, self._rejected, self._progress.update)
            make_importer, models = partial(self._workers.importer, parts), self._workers.models or embedding
        session = ImportSession(plan, services, self._rejected, stopping, hooks, make_importer)
        facts = await retry.call(lambda: serving_facts(database.models, models))
        async with ImportRecord(database, plan.name, retry, stopping, part=plan.part) as record:
            return await session.run(record, facts)

    async def _check(self, stack: AsyncExitStack, stopping: asyncio.Event) -> Summary:
        try:
            facts = await self._embedding(stack, LOOK_TIMEOUT_S).model()
        except LookalikeError:
            facts = SHIPPED
        self._model = facts.model or None

        def on_progress() -> None:
            self._progress.update(self._tally)
            if stopping.is_set():
                raise Stopped

        placer = Placer(facts.categories, self._mapping)
        size = InputSize(**facts.input)
        feed = self._feed(stack, placer)
        part = self._request.part
        source = feed or self._source
        rows = source if part.is_whole else SourcePart(source, part)
        arguments = (rows, placer, size, self._rejected, self._tally, self._request.limit, on_progress)
        await asyncio.to_thread(check, *arguments)
        if feed is not None and not stopping.is_set():
            removed = await find_removed(feed, (await self._store(stack)).products, self._request.sync_limit, 0, part)
            self._tally.would_remove = len(removed)
        return self._closed("interrupted" if stopping.is_set() else "done")

    async def _store(self, stack: AsyncExitStack) -> CatalogueDatabase:
        least, most = DATABASE_TIMEOUT_S
        timeout_s = min(most, max(least, self._request.wait_s))
        services = self._request.services
        addresses = services.mongo_url, services.mongo_database
        store = CatalogueDatabase(*addresses, catalogue=self._request.catalogue, timeout_s=timeout_s)
        return await stack.enter_async_context(store)

    def _feed(self, stack: AsyncExitStack, placer: Placer) -> FeedKeys | None:
        """Return the source with a record of its keys, if --sync needs them."""
        if not self._request.sync:
            return None
        feed = FeedKeys(self._source, placer)
        stack.callback(feed.close)
        return feed

    def _embedding(self, stack: AsyncExitStack, timeout_s: float) -> EmbeddingClient:
        services = self._request.services
        try:
            client = EmbeddingClient(services.embedding_url, timeout_s, token=services.service_token)
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
