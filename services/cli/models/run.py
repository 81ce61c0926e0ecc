"""The steps of a change of models, as commands take them: look, compare, promote, go back, forget."""

import asyncio
import time
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any

from services.catalogue.model_switch.comparison import Chosen, ModelExamination, ModelReport, Overlap
from services.catalogue.model_switch.switch import ModelSwitch
from services.catalogue.store.database import CatalogueDatabase
from services.catalogue.store.model_note import ModelNote, ModelSwitchRefused, short
from services.cli.gateway_client import GatewayClient
from services.contracts.clients.embedding_client import EmbeddingClient
from services.contracts.domain.catalogues import ALL, DEFAULT_CATALOGUE, SETTING

EMBEDDING_TIMEOUT_S = 10.0
SCAN_BATCH = 1000
RESULTS = 10
LOOK_S = 0.25
Say = Callable[[str], None]


@dataclass(frozen=True)
class Where:
    """The services that a command speaks to, and how long it waits for them."""

    gateway: str
    embedding_url: str
    mongo_url: str
    mongo_database: str
    unversioned_model: str = "fashion/1"
    wait_s: float = 60.0
    catalogues: tuple[str, ...] = (DEFAULT_CATALOGUE,)


class ModelCommands:
    """What the commands do; each of them raises ModelSwitchRefused, GatewayError or a LookalikeError with one sentence."""

    def __init__(self, where: Where, say: Say) -> None:
        self._where = where
        self._say = say
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> "ModelCommands":
        where = self._where
        self._gateway = self._stack.enter_context(GatewayClient(where.gateway))
        self._embedding = EmbeddingClient(where.embedding_url, EMBEDDING_TIMEOUT_S)
        self._stack.push_async_callback(self._embedding.close)
        self._store = await self._stack.enter_async_context(CatalogueDatabase(where.mongo_url, where.mongo_database))
        self._change = ModelSwitch(self._store.models, self._embedding)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    async def overview(self) -> dict[str, Any]:
        """Return every model with what it is here, how many products have its vectors, and what is wrong with it."""
        note, listed = await self._store.models.note(), await self._embedding.models()
        first = next(one.model for one in listed if one.first)
        stats = await self._stats()
        indexed = {one["model"]: one for one in stats["models"]}
        roles = {note.serving(first): "active", note.candidate: "candidate", note.previous: "previous"}
        names = dict.fromkeys([*(one.model for one in listed), *indexed, *note.kept(first)])
        problems = {one.model: one.problem for one in listed}
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
                    "problem": problems.get(name, "there is no such model beside the others"),
                }
                for name in names
            ],
        }

    async def compare(self, given: str | None, queries: int) -> ModelReport:
        """Return what would change with a model, the candidate if none is given."""
        note, first = await self._store.models.note(), await self._change.first()
        model = note.secondary if given is None else await self._change.named(given)
        if model is None:
            raise ModelSwitchRefused(
                "there is no candidate to compare with: run lookalike reembed --model 2 first, say"
            )
        if model not in note.kept(first):
            note.promoted(model, first)  # says that it has not been prepared
        if model == note.serving(first):
            raise ModelSwitchRefused(f"{model} is the active model: it can be compared with another one only")
        await self._check_catalogues()
        report, chosen = await self._examine(note.serving(first), model, queries)
        if queries and chosen:
            await self._until_indexed(model)
            report.overlap = await asyncio.to_thread(self._overlap, report, chosen)
        return report

    async def promote(self, given: str, queries: int, least: float) -> tuple[ModelReport, ModelNote | None]:
        """Return the report, and the new note; None in its place if fewer products than `least` have the model's vectors."""
        note, first = await self._store.models.note(), await self._change.first()
        model = await self._change.named(given)
        note.promoted(model, first)  # refused early, before anything is looked through
        await self._change.usable(model)
        await self._until_indexed(model)
        report = await self.compare(model, queries)
        if report.coverage < least:
            return report, None
        new = await self._change.change(lambda note: note.promoted(model, first))
        await self._until_searched(model)
        return report, new

    async def rollback(self) -> tuple[ModelNote, int]:
        """Return the new note, and how many products have no vector of the model that serves again."""
        new = await self._change.change(ModelNote.rolled_back)
        model = str(new.active)
        await self._until_searched(model)
        return new, int((await self._indexed(model) or {}).get("without_vector", 0))

    async def forget(self, given: str) -> tuple[str, int, int]:
        """Return the model's name, how many documents gave up its vectors, and how many have no other and keep them."""
        model, first = await self._change.named(given), await self._change.first()
        new = await self._change.change(lambda note: note.without(model, first))
        changed = unseen = seen = 0
        for name in self._where.catalogues:
            async for part in self._store.of(name).models.retire(model, new.serving(first)):
                changed, unseen, seen = changed + part.changed, unseen + part.unseen, seen + part.documents
                self._say(f"taking the vectors out: {seen:,} documents, {changed:,} changed")
        return model, changed, unseen

    async def _check_catalogues(self) -> None:
        """Return if the gateway has the catalogues that we go by.

        Raises:
            ModelSwitchRefused: it has others; one that we do not know of would not be looked at.
        """
        names = await asyncio.to_thread(self._gateway.catalogues)
        if set(names) != set(self._where.catalogues):
            raise ModelSwitchRefused(
                f"the gateway has the catalogues {', '.join(names)}, and {SETTING} is set for "
                f"{', '.join(self._where.catalogues)} here: set it alike"
            )

    async def _stats(self) -> dict[str, Any]:
        """Return what the gateway says of all catalogues together."""
        name = ALL if len(self._where.catalogues) > 1 else DEFAULT_CATALOGUE
        return await asyncio.to_thread(self._gateway.stats, name)

    async def _examine(self, serving: str, model: str, queries: int) -> tuple[ModelReport, list[Chosen]]:
        now, then = await self._embedding.model(serving), await self._embedding.model(model)
        examination = ModelExamination(now, then, self._where.unversioned_model, queries=queries)
        for name in self._where.catalogues:
            async for entries in self._store.of(name).products.scan(SCAN_BATCH):
                await asyncio.to_thread(examination.add, entries, name)
                self._say(f"looking through the catalogue: {examination.report.products:,} products")
        return examination.report, examination.chosen

    def _overlap(self, report: ModelReport, keys: list[Chosen]) -> Overlap:
        shares = []
        for number, (catalogue, key) in enumerate(keys, 1):
            now, then = (
                set(self._gateway.similar(key, model, RESULTS, catalogue)) for model in (report.serving, report.model)
            )
            if now or then:
                shares.append(len(now & then) / max(len(now), len(then)))
            self._say(f"comparing results: {number:,} of {len(keys):,} queries")
        return Overlap.of(shares, RESULTS)

    async def _indexed(self, model: str) -> dict[str, Any] | None:
        stats = await self._stats()
        return next((one for one in stats["models"] if one["model"] == model), None)

    async def _until_indexed(self, model: str) -> None:
        """Wait until the index can search with a model, and has been level with the database since this was called.

        Raises:
            ModelSwitchRefused: it cannot within the time.
        """
        started = time.monotonic()
        while True:
            found = await self._indexed(model)
            passed = time.monotonic() - started
            lag = None if found is None else found["lag_seconds"]
            if found is not None and found["complete"] and lag is not None and lag < passed:
                return
            if passed > self._where.wait_s:
                what = "does not hold" if found is None else "is not level with the database for"
                raise ModelSwitchRefused(f"the index {what} {model} after {self._where.wait_s:g} s: see its log")
            self._say(f"waiting for the index to hold {model}")
            await asyncio.sleep(LOOK_S)

    async def _until_searched(self, model: str) -> None:
        """Wait until searches use a model.

        Raises:
            ModelSwitchRefused: they do not within the time; the change is written all the same.
        """
        until = time.monotonic() + self._where.wait_s
        while (stats := await self._stats())["model"] != model:
            if time.monotonic() > until:
                raise ModelSwitchRefused(
                    f"{model} is noted as the active model, but searches still use {stats['model']} after "
                    f"{self._where.wait_s:g} s: see the index's log, or lookalike rollback ({short(stats['model'])})"
                )
            self._say(f"waiting for searches to use {model}")
            await asyncio.sleep(LOOK_S)
