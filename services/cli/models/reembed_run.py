"""Runs `lookalike reembed`: opens the services, shows the progress and handles signals."""

import asyncio
import os
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from services.catalogue.importing.ports import ImporterError
from services.catalogue.importing.report import RejectedFile, RejectedFileError, Status
from services.catalogue.importing.web_images import WebImages
from services.catalogue.model_switch.product_pictures import ProductPictures
from services.catalogue.model_switch.reembedding import Reembedder
from services.catalogue.model_switch.reembedding_report import ReembedSummary, ReembedTally
from services.catalogue.model_switch.switch import ModelSwitch
from services.catalogue.retry import RetriesExhausted, Retry, Stopped
from services.catalogue.store.database import CatalogueDatabase
from services.catalogue.store.model_note import ModelSwitchRefused
from services.cli.bulk.options import own_models
from services.cli.interrupts import interruptible
from services.cli.models.reembed_display import ReembedProgress
from services.cli.options import FIRST_MODEL, Services
from services.contracts.clients.embedding_client import EmbeddingClient
from services.contracts.domain.catalogues import DEFAULT_CATALOGUE
from services.contracts.domain.errors import LookalikeError
from services.contracts.domain.parts import WHOLE, Part
from services.contracts.images.fetch import ImageFetcher
from services.contracts.wire.embedding import ModelFacts

if TYPE_CHECKING:
    from services.bulk.options import BulkOptions

EMBEDDING_TIMEOUT_S = 60.0
FAILURES = (ModelSwitchRefused, RetriesExhausted, RejectedFileError, ImporterError, LookalikeError)


@dataclass(frozen=True)
class ReembedRequest:
    """The options of one run over one catalogue; the command's help describes them.

    Attributes:
        rejected: the file for products without a vector; if it is None, `rejected_file` is named after the model.
    """

    model: str
    services: Services
    rejected: Path | None = None
    catalogue: str = DEFAULT_CATALOGUE
    rate: float | None = None
    image_url_template: str | None = None
    allow_hosts: tuple[str, ...] = ()
    per_host: int = 8
    unversioned_model: str = FIRST_MODEL
    part: Part = WHOLE
    wait_s: float = 60.0
    bulk: "BulkOptions | None" = None

    @property
    def rejected_file(self) -> Path:
        """The file for products without a vector."""
        suffix = "" if self.catalogue == DEFAULT_CATALOGUE else f"-{self.catalogue}"
        return self.rejected or Path(f"reembed-{self.model.replace('/', '-')}{suffix}.rejected.ndjson")


def run(request: ReembedRequest) -> ReembedSummary:
    """Compute the vectors of a catalogue and return the summary, however the run ended.

    Raises:
        ValueError: an option is not valid.
    """
    file = request.rejected_file
    if not os.access(file.parent, os.W_OK):
        raise ValueError(f"rejected products cannot be written to {file}: name another file with --rejected")
    return ReembedRun(request).summary()


class ReembedRun:
    """One run over one catalogue."""

    def __init__(self, request: ReembedRequest) -> None:
        self._request = request
        self._rejected = RejectedFile(request.rejected_file)
        self._progress = ReembedProgress()
        self._tally = ReembedTally()
        self._model: str | None = None

    def summary(self) -> ReembedSummary:
        """Run, and return the summary. If the run ends early, vectors already written stay."""
        status: Status = "done"
        reason: str | None = None
        with self._progress:
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
        catalogue = self._request.catalogue
        return ReembedSummary(self._tally, status, self._model, self._tally.seconds, reason, file, catalogue)

    async def _main(self) -> bool:
        """Return whether the run was interrupted."""
        stopping = asyncio.Event()
        with interruptible(stopping.set):
            async with AsyncExitStack() as stack:
                await self._reembed(stack, stopping)
        return stopping.is_set()

    async def _reembed(self, stack: AsyncExitStack, stopping: asyncio.Event) -> None:
        request = self._request
        services = request.services
        embedding = EmbeddingClient(services.embedding_url, EMBEDDING_TIMEOUT_S, token=services.service_token)
        stack.push_async_callback(embedding.close)
        store = CatalogueDatabase(services.mongo_url, services.mongo_database, catalogue=request.catalogue)
        await stack.enter_async_context(store)
        pictures = self._pictures(stack, store, stopping)  # before waiting: an option may not be valid
        retry = Retry(request.wait_s, stopping, self._progress.waiting)
        models = None if request.bulk is None else own_models(request.bulk)
        facts = await retry.call(lambda: prepare(ModelSwitch(store.models, models or embedding), request.model))
        self._model = facts.model
        if request.bulk is not None:
            await self._by_workers(request.bulk, facts, stopping)
            return
        job = Reembedder(
            store.models,
            embedding,
            pictures,
            self._rejected,
            retry,
            part=request.part,
            rate=request.rate,
            on_progress=self._show,
        )
        self._tally = job.tally
        await job.run(facts, request.unversioned_model, stopping)

    async def _by_workers(self, options: "BulkOptions", facts: ModelFacts, stopping: asyncio.Event) -> None:
        from services.cli.bulk.reembed import reembedder, reembedding

        job = reembedder(options, self._rejected, self._show)
        self._tally = job.tally
        await job.run(*reembedding(self._request, options, facts), stopping)

    def _show(self) -> None:
        self._progress.update(self._tally)

    def _pictures(self, stack: AsyncExitStack, store: CatalogueDatabase, stopping: asyncio.Event) -> ProductPictures:
        fetcher = ImageFetcher(allowed_hosts=self._request.allow_hosts)
        stack.push_async_callback(fetcher.close)
        web = WebImages(fetcher, stopping, self._request.per_host)

        async def fetch(url: str) -> bytes:
            return (await web.get(url)).data or b""

        return ProductPictures(store.pictures, fetch, self._request.image_url_template)


async def prepare(change: ModelSwitch, name: str) -> ModelFacts:
    """Make a model the candidate, unless it is one of the catalogue's models already; return its facts.

    Raises:
        ModelSwitchRefused: the model cannot be used, or there is another candidate.
    """
    facts = await change.usable(await change.named(name))
    first = await change.first()
    await change.change(lambda note: note.preparing(facts.model, first))
    return facts
