"""The steps of a change of models that the commands take: overview, compare, promote, roll back, forget."""

import asyncio
import time
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from typing import Any, Self

from services.catalogue.model_switch.comparison import Chosen, ModelExamination, ModelReport, Overlap
from services.catalogue.model_switch.switch import ModelSwitch
from services.catalogue.store.database import CatalogueDatabase
from services.catalogue.store.model_note import ModelNote, ModelSwitchRefused, short
from services.cli.gateway_client import GatewayClient
from services.cli.options import FIRST_MODEL, GatewayServices
from services.cli.search import default_gateway
from services.contracts.clients.embedding_client import EmbeddingClient
from services.contracts.domain.catalogues import ALL, DEFAULT_CATALOGUE, SETTING

EMBEDDING_TIMEOUT_S = 10.0
SCAN_BATCH = 1000
RESULTS = 10
POLL_S = 0.25


class ModelSession:
    """The services that a change of models needs, open for the length of one command.

    Every step raises ModelSwitchRefused, GatewayError or a LookalikeError whose text is one sentence.
    """

    def __init__(
        self,
        services: GatewayServices,
        catalogues: Sequence[str] = (DEFAULT_CATALOGUE,),
        wait_s: float = 60.0,
        unversioned_model: str = FIRST_MODEL,
        *,
        on_progress: Callable[[str], None],
    ) -> None:
        """Open nothing yet.

        Args:
            services: the addresses.
            catalogues: the installation's catalogues; they change their model together.
            wait_s: seconds to wait for the index and for searches.
            unversioned_model: the model of documents that name none.
            on_progress: takes a line that describes the present work.
        """
        self._services = services
        self._catalogues = tuple(catalogues)
        self._wait_s = wait_s
        self._unversioned_model = unversioned_model
        self._on_progress = on_progress
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        services = self._services
        async with AsyncExitStack() as stack:
            self._gateway = stack.enter_context(GatewayClient(services.gateway or default_gateway(), services.key))
            self._embedding = EmbeddingClient(services.embedding_url, EMBEDDING_TIMEOUT_S, token=services.service_token)
            stack.push_async_callback(self._embedding.close)
            database = CatalogueDatabase(services.mongo_url, services.mongo_database)
            self._database = await stack.enter_async_context(database)
            self._change = ModelSwitch(self._database.models, self._embedding)
            self._stack = stack.pop_all()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    async def overview(self) -> dict[str, Any]:
        """Return every model with its role, the number of products that have its vectors, and its problem."""
        note, served = await self._database.models.note(), await self._embedding.models()
        first = next(model.model for model in served if model.first)
        stats = await self._stats()
        indexed = {model["model"]: model for model in stats["models"]}
        roles = {note.serving(first): "active", note.candidate: "candidate", note.previous: "previous"}
        names = dict.fromkeys([*(model.model for model in served), *indexed, *note.kept(first)])
        problems = {model.model: model.problem for model in served}
        return {
            "active": note.serving(first),
            "first": first,
            "promoted": note.active is not None,
            "searched": stats["model"],
            "models": [
                {
                    "model": name,
                    "role": roles.get(name),
                    "products": indexed.get(name, {}).get("products"),
                    "without_vector": indexed.get(name, {}).get("without_vector"),
                    "complete": indexed.get(name, {}).get("complete", False),
                    "problem": problems.get(name, "the embedding service has no such model"),
                }
                for name in names
            ],
        }

    async def compare(self, name: str | None, queries: int) -> ModelReport:
        """Return what a model would change. Default: the candidate, or else the previous model."""
        note, first = await self._database.models.note(), await self._change.first()
        model = note.secondary if name is None else await self._change.named(name)
        if model is None:
            raise ModelSwitchRefused(
                "there is no candidate to compare with: prepare one first, for example with lookalike reembed --model 2"
            )
        if model not in note.kept(first):
            note.promoted(model, first)  # raises: the model has not been prepared
        if model == note.serving(first):
            raise ModelSwitchRefused(f"{model} is the active model: compare it with another one")
        await self._check_catalogues()
        report, chosen = await self._examine(note.serving(first), model, queries)
        if queries and chosen:
            await self._until_indexed(model)
            report.overlap = await asyncio.to_thread(self._overlap, report, chosen)
        return report

    async def promote(self, name: str, queries: int, min_coverage: float) -> tuple[ModelReport, ModelNote | None]:
        """Return the report and the new note; no note if the report's coverage is below `min_coverage`."""
        note, first = await self._database.models.note(), await self._change.first()
        model = await self._change.named(name)
        note.promoted(model, first)  # raises early, before the catalogue is read
        await self._change.usable(model)
        await self._until_indexed(model)
        report = await self.compare(model, queries)
        if report.coverage < min_coverage:
            return report, None
        new = await self._change.change(lambda note: note.promoted(model, first))
        await self._until_searched(model)
        return report, new

    async def rollback(self) -> tuple[ModelNote, int]:
        """Return the new note, and the number of products without a vector of the model that serves again."""
        new = await self._change.change(ModelNote.rolled_back)
        model = str(new.active)
        await self._until_searched(model)
        return new, int((await self._indexed(model) or {}).get("without_vector", 0))

    async def forget(self, name: str) -> tuple[str, int, int]:
        """Remove a model and its vectors.

        Returns:
            The model's full name, the number of documents whose vectors are removed, and the number of documents that
            keep them because they have no others.
        """
        model, first = await self._change.named(name), await self._change.first()
        new = await self._change.change(lambda note: note.without(model, first))
        changed = unsearchable = documents = 0
        for catalogue in self._catalogues:
            async for part in self._database.of(catalogue).models.retire(model, new.serving(first)):
                changed += part.changed
                unsearchable += part.unseen
                documents += part.documents
                self._on_progress(f"removing vectors: {documents:,} documents, {changed:,} changed")
        return model, changed, unsearchable

    async def _check_catalogues(self) -> None:
        """Check that the gateway has the catalogues of this command: another one would not be examined.

        Raises:
            ModelSwitchRefused: it has others.
        """
        names = await asyncio.to_thread(self._gateway.catalogues)
        if set(names) != set(self._catalogues):
            raise ModelSwitchRefused(
                f"the gateway has the catalogues {', '.join(names)}, but {SETTING} names "
                f"{', '.join(self._catalogues)} here: set {SETTING} to the gateway's value"
            )

    async def _stats(self) -> dict[str, Any]:
        """Return the gateway's statistics of all catalogues together."""
        name = ALL if len(self._catalogues) > 1 else DEFAULT_CATALOGUE
        return await asyncio.to_thread(self._gateway.stats, name)

    async def _examine(self, serving: str, model: str, queries: int) -> tuple[ModelReport, list[Chosen]]:
        facts, other_facts = await self._embedding.model(serving), await self._embedding.model(model)
        examination = ModelExamination(facts, other_facts, self._unversioned_model, queries=queries)
        for name in self._catalogues:
            async for entries in self._database.of(name).products.scan(SCAN_BATCH):
                await asyncio.to_thread(examination.add, entries, name)
                self._on_progress(f"examining the catalogue: {examination.report.products:,} products")
        return examination.report, examination.chosen

    def _overlap(self, report: ModelReport, queries: Sequence[Chosen]) -> Overlap:
        """Return how much the two models' results have in common, with products as queries."""
        shares = []
        for number, (catalogue, key) in enumerate(queries, 1):
            results, other_results = (
                set(self._gateway.similar(key, model, RESULTS, catalogue)) for model in (report.serving, report.model)
            )
            if results or other_results:
                shares.append(len(results & other_results) / max(len(results), len(other_results)))
            self._on_progress(f"comparing results: {number:,} of {len(queries):,} queries")
        return Overlap.of(shares, RESULTS)

    async def _indexed(self, model: str) -> dict[str, Any] | None:
        stats = await self._stats()
        return next((entry for entry in stats["models"] if entry["model"] == model), None)

    async def _until_indexed(self, model: str) -> None:
        """Wait until the index can search with a model and holds every change that was written before this call.

        Raises:
            ModelSwitchRefused: it does not in time.
        """
        started = time.monotonic()
        while True:
            status = await self._indexed(model)
            elapsed_s = time.monotonic() - started
            lag_s = None if status is None else status["lag_seconds"]
            if status is not None and status["complete"] and lag_s is not None and lag_s < elapsed_s:
                return
            if elapsed_s > self._wait_s:
                state = "does not hold" if status is None else "is behind the database for"
                raise ModelSwitchRefused(f"the index {state} {model} after {self._wait_s:g} s: see its log")
            self._on_progress(f"waiting for the index to hold {model}")
            await asyncio.sleep(POLL_S)

    async def _until_searched(self, model: str) -> None:
        """Wait until searches use a model.

        Raises:
            ModelSwitchRefused: they do not in time. The change is written nevertheless.
        """
        deadline = time.monotonic() + self._wait_s
        while (stats := await self._stats())["model"] != model:
            if time.monotonic() > deadline:
                raise ModelSwitchRefused(
                    f"{model} is the active model now, but searches still use {stats['model']} after "
                    f"{self._wait_s:g} s: see the index's log, or go back with lookalike rollback "
                    f"({short(stats['model'])})"
                )
            self._on_progress(f"waiting for searches to use {model}")
            await asyncio.sleep(POLL_S)
