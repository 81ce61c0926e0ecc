"""Puts a run of `lookalike reembed` together. What it did comes back as a summary, however it ended."""

import asyncio
import os
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from services.catalogue.importing.report import RejectedFile, RejectedFileError, Status
from services.catalogue.importing.web_images import WebImages
from services.catalogue.model_switch.product_pictures import ProductPictures
from services.catalogue.model_switch.reembedding import Reembedder
from services.catalogue.model_switch.reembedding_report import ReembedSummary, ReembedTally
from services.catalogue.model_switch.switch import ModelChange
from services.catalogue.retry import RetriesExhausted, Retry, Stopped
from services.catalogue.store.database import CatalogueDatabase
from services.catalogue.store.model_note import ModelChangeRefused
from services.catalogue.store.notes import LAST_REEMBED
from services.cli.interrupts import interruptible
from services.cli.models.reembed_display import Display
from services.contracts.clients.embedding_client import EmbeddingClient
from services.contracts.domain.catalogues import DEFAULT_CATALOGUE
from services.contracts.domain.errors import LookalikeError
from services.contracts.images.fetch import ImageFetcher
from services.contracts.wire.embedding import ModelFacts

EMBEDDING_TIMEOUT_S = 60.0
FAILURES = (ModelChangeRefused, RetriesExhausted, RejectedFileError, LookalikeError)


@dataclass(frozen=True)
class ReembedRequest:
    """What the command line asks for; see the command's help."""

    model: str
    rejected: Path
    catalogue: str = DEFAULT_CATALOGUE
    rate: float | None = None
    image_url_template: str | None = None
    allow_hosts: tuple[str, ...] = ()
    per_host: int = 8
    unversioned_model: str = "fashion/1"
    wait_s: float = 60.0
    embedding_url: str = "http://127.0.0.1:8001"
    mongo_url: str = "mongodb://127.0.0.1:27017"
    mongo_database: str = "lookalike"


def run(request: ReembedRequest) -> ReembedSummary:
    """Compute the vectors, and return what was done.

    Raises:
        ValueError: an option makes no sense. The text says which.
    """
    if not os.access(request.rejected.parent, os.W_OK):
        raise ValueError(
            f"rejected products cannot be written to {request.rejected}: give another file with --rejected"
        )
    return _Run(request).summary()


class _Run:
    """One run."""

    def __init__(self, request: ReembedRequest) -> None:
        self._request = request
        self._rejected = RejectedFile(request.rejected)
        self._display = Display()
        self._tally = ReembedTally()
        self._model: str | None = None

    def summary(self) -> ReembedSummary:
        """Run, and say how it went; vectors written before it ended early stay."""
        status: Status = "done"
        reason: str | None = None
        with self._display:
            try:
                status = "interrupted" if asyncio.run(self._main()) else "done"
            except Stopped:
                status = "interrupted"
            except FAILURES as error:
                status, reason = "failed", str(error)
        try:
            file = self._rejected.close()
        except RejectedFileError as error:
            status, reason, file = "failed", str(error), None
        return self._summary(status, reason, file)

    def _summary(self, status: Status, reason: str | None = None, file: Path | None = None) -> ReembedSummary:
        seconds, catalogue = self._tally.seconds, self._request.catalogue
        return ReembedSummary(self._tally, status, self._model, seconds, reason, file, catalogue)

    async def _main(self) -> bool:
        """Return whether it was interrupted."""
        stopping = asyncio.Event()
        with interruptible(stopping.set):
            async with AsyncExitStack() as stack:
                await self._reembed(stack, stopping)
        return stopping.is_set()

    async def _reembed(self, stack: AsyncExitStack, stopping: asyncio.Event) -> None:
        request = self._request
        embedding = EmbeddingClient(request.embedding_url, EMBEDDING_TIMEOUT_S)
        stack.push_async_callback(embedding.close)
        store = CatalogueDatabase(request.mongo_url, request.mongo_database, catalogue=request.catalogue)
        await stack.enter_async_context(store)
        retry = Retry(request.wait_s, stopping, self._display.waiting)
        facts = await retry.call(lambda: prepare(ModelChange(store.models, embedding), request.model))
        self._model = facts.model
        job = Reembedder(
            store.models,
            embedding,
            self._pictures(stack, store, stopping),
            self._rejected,
            retry,
            rate=request.rate,
            on_progress=lambda: self._display.update(self._tally),
        )
        self._tally = job.tally
        status: Status = "failed"
        try:
            await job.run(facts, request.unversioned_model, stopping)
            status = "interrupted" if stopping.is_set() else "done"
        finally:
            await self._record(store, status)

    def _pictures(self, stack: AsyncExitStack, store: CatalogueDatabase, stopping: asyncio.Event) -> ProductPictures:
        fetcher = ImageFetcher(allowed_hosts=self._request.allow_hosts)
        stack.push_async_callback(fetcher.close)
        web = WebImages(fetcher, stopping, self._request.per_host)

        async def fetch(url: str) -> bytes:
            return (await web.get(url)).data or b""

        return ProductPictures(store.pictures, fetch, self._request.image_url_template)

    async def _record(self, store: CatalogueDatabase, status: Status) -> None:
        """Leave word for the report before a promotion."""
        note = {**self._summary(status).document(), "finished_at": datetime.now(UTC).isoformat()}
        with suppress(LookalikeError):
            await store.notes.put(LAST_REEMBED, {**note, "rejected_products": self._rejected.first})


async def prepare(change: ModelChange, given: str) -> ModelFacts:
    """Make a model the candidate, unless it is one of the catalogue's models already; return its facts.

    Raises:
        ModelChangeRefused: it cannot be one.
    """
    facts = await change.usable(await change.named(given))
    first = await change.first()
    await change.change(lambda note: note.preparing(facts.model, first))
    return facts
