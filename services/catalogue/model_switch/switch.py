"""The steps of a change of models, each checked against what the services say of the models."""

import asyncio
import time
from collections.abc import Callable

from services.catalogue.store.initial_model import InitialModel
from services.catalogue.store.model_note import ModelChangeRefused, ModelNote, full_name
from services.catalogue.store.models import CatalogueModels
from services.contracts.clients.embedding_client import EmbeddingClient
from services.contracts.domain.errors import EmbeddingUnavailable, UnknownModel
from services.contracts.wire.embedding import ModelFacts

LOADED_WITHIN_S = 15.0  # TensorFlow Serving looks for new versions every few seconds
LOOK_S = 0.5


async def serving_facts(store: CatalogueModels, embedding: EmbeddingClient) -> ModelFacts:
    """Return the facts of the model that searches use, and that products are written with.

    Raises:
        CatalogueUnavailable, UnknownModel, EmbeddingUnavailable, UpstreamTimeout: as the two say.
    """
    listed = await embedding.models()  # a service that is away is the first thing to say
    names = [one.model for one in listed]
    first = next(one.model for one in listed if one.first)
    return await embedding.model((await InitialModel(store, first, names.__contains__).note()).active)


class ModelChange:
    """What a command that changes models goes by.

    Every method raises EmbeddingUnavailable, UpstreamTimeout or CatalogueUnavailable when a service is away.
    """

    def __init__(self, store: CatalogueModels, embedding: EmbeddingClient) -> None:
        self._store = store
        self._embedding = embedding

    async def first(self) -> str:
        """Return the model that the embedding service's settings name."""
        listed = await self._embedding.models()
        return next(one.model for one in listed if one.first)

    async def serving(self) -> str:
        """Return the model that searches use."""
        return (await self._store.note()).serving(await self.first())

    async def named(self, given: str) -> str:
        """Return the full name of a model that somebody has named, `2` or `fashion/2`.

        Raises:
            ModelChangeRefused: it is no name.
        """
        try:
            return full_name(given, await self.first())
        except ValueError as error:
            raise ModelChangeRefused(str(error)) from None

    async def usable(self, model: str) -> ModelFacts:
        """Return a model's facts, once it answers; it is waited for while TensorFlow Serving may be loading it.

        Raises:
            ModelChangeRefused: it is not there, not whole, or does not answer; or its categories are others.
        """
        facts = await self._facts(model)
        serving = await self._facts(await self.serving())
        if facts.categories != serving.categories:
            raise ModelChangeRefused(
                f"{model} has other categories than {serving.model} ({', '.join(facts.categories)}): "
                "the products' categories are those of the model that serves"
            )
        until = time.monotonic() + LOADED_WITHIN_S
        while (problem := await self._problem(model)) is not None:
            if time.monotonic() > until:
                raise ModelChangeRefused(f"{model} does not answer: {problem}")
            await asyncio.sleep(LOOK_S)
        return facts

    async def change(self, step: Callable[[ModelNote], ModelNote]) -> ModelNote:
        """Change the note of the models by a step of `ModelNote`; taken again when somebody else was faster.

        Raises:
            ModelChangeRefused: the step cannot be taken.
        """
        while True:
            old = await self._store.note()
            new = step(old)
            if new == old or await self._store.replace_note(old, new):
                return new

    async def _facts(self, model: str) -> ModelFacts:
        await self._embedding.models()  # a service that answers this is there: what follows is the model's fault
        try:
            return await self._embedding.model(model)
        except UnknownModel as error:
            raise ModelChangeRefused(error.detail) from None
        except EmbeddingUnavailable as error:
            raise ModelChangeRefused(f"{model} cannot be used: {error.detail}") from None

    async def _problem(self, model: str) -> str | None:
        return next((one.problem for one in await self._embedding.models() if one.model == model), "it is gone")
