"""The steps of a model switch, each checked against the state of the services."""

import asyncio
import time
from collections.abc import Callable
from typing import Protocol

from services.catalogue.store.initial_model import InitialModel
from services.catalogue.store.model_note import ModelNote, ModelSwitchRefused, full_name
from services.catalogue.store.models import CatalogueModels
from services.contracts.domain.errors import EmbeddingUnavailable, UnknownModel
from services.contracts.wire.embedding import ListedModel, ModelFacts

LOADED_WITHIN_S = 15.0  # TensorFlow Serving looks for new versions every few seconds
CHECK_S = 0.5


class EmbeddingModels(Protocol):
    """`EmbeddingClient`, or the models that the workers of an import run themselves."""

    async def model(self, model: str | None = None) -> ModelFacts: ...
    async def models(self) -> list[ListedModel]: ...


async def serving_facts(store: CatalogueModels, embedding: EmbeddingModels) -> ModelFacts:
    """Return the facts of the model that searches use, and that products are written with.

    Raises:
        CatalogueUnavailable, UnknownModel, EmbeddingUnavailable, UpstreamTimeout: from the database or the service.
    """
    listed = await embedding.models()  # first, so that an unavailable service is reported as such
    names = [entry.model for entry in listed]
    first = next(entry.model for entry in listed if entry.first)
    return await embedding.model((await InitialModel(store, first, names.__contains__).note()).active)


class ModelSwitch:
    """The models of a catalogue and of the embedding service, for commands that switch models.

    Every method raises EmbeddingUnavailable, UpstreamTimeout or CatalogueUnavailable if a service is unavailable.
    """

    def __init__(self, catalogue: CatalogueModels, embedding: EmbeddingModels) -> None:
        self._catalogue = catalogue
        self._embedding = embedding

    async def first(self) -> str:
        """Return the model of the embedding service's settings."""
        listed = await self._embedding.models()
        return next(entry.model for entry in listed if entry.first)

    async def serving(self) -> str:
        """Return the model that searches use."""
        return (await self._catalogue.note()).serving(await self.first())

    async def named(self, name: str) -> str:
        """Return the full name of a model given as `2` or `fashion/2`.

        Raises:
            ModelSwitchRefused: it is not a model's name.
        """
        try:
            return full_name(name, await self.first())
        except ValueError as error:
            raise ModelSwitchRefused(str(error)) from None

    async def usable(self, model: str) -> ModelFacts:
        """Return a model's facts when the model responds; waits while TensorFlow Serving may be loading it.

        Raises:
            ModelSwitchRefused: the model is missing, incomplete or does not respond, or its categories are different.
        """
        facts = await self._facts(model)
        serving = await self._facts(await self.serving())
        if facts.categories != serving.categories:
            raise ModelSwitchRefused(
                f"{model} has other categories than {serving.model} ({', '.join(facts.categories)}): "
                "the products' categories are those of the model that serves"
            )
        until = time.monotonic() + LOADED_WITHIN_S
        while (problem := await self._problem(model)) is not None:
            if time.monotonic() > until:
                raise ModelSwitchRefused(f"{model} does not respond: {problem}")
            await asyncio.sleep(CHECK_S)
        return facts

    async def change(self, step: Callable[[ModelNote], ModelNote]) -> ModelNote:
        """Change the note of the models by a step of `ModelNote`, again if another process was faster.

        Raises:
            ModelSwitchRefused: the step is not possible.
        """
        while True:
            old = await self._catalogue.note()
            new = step(old)
            if new == old or await self._catalogue.replace_note(old, new):
                return new

    async def _facts(self, model: str) -> ModelFacts:
        await self._embedding.models()  # the service responds: later errors are the model's
        try:
            return await self._embedding.model(model)
        except UnknownModel as error:
            raise ModelSwitchRefused(error.detail) from None
        except EmbeddingUnavailable as error:
            raise ModelSwitchRefused(f"{model} cannot be used: {error.detail}") from None

    async def _problem(self, model: str) -> str | None:
        return next(
            (entry.problem for entry in await self._embedding.models() if entry.model == model), "it is missing"
        )
