"""Which model a search uses. Knows no HTTP.

Each response of an index node names the active model. A search takes one model at its start and calls embedding and
index with it, so a promotion during the search never mixes vectors of two models.
"""

import time

from services.contracts.clients.embedding_client import EmbeddingClient
from services.contracts.domain.errors import IndexNotReady, UpstreamTimeout
from services.contracts.wire.embedding import ModelFacts
from services.gateway.index_nodes.nodes import IndexNodes

FRESH_S = 2.0  # for how long the active model counts as known; the responses of searches renew it


class ModelBinding:
    """Knows the active model, and the facts of each model."""

    def __init__(self, embedding: EmbeddingClient, index: IndexNodes) -> None:
        self._embedding = embedding
        self._index = index
        self._active: str | None = None
        self._observed_at = -float("inf")
        self._facts: dict[str, ModelFacts] = {}

    def observe(self, active: str) -> None:
        """Take the active model that an index node has named. If it has changed, the next search asks every node."""
        self._observed_at = time.monotonic() if active == self._active else -float("inf")

    async def active(self) -> str:
        """Return the model that a search which starts now uses; the last known one if the index is unavailable.

        Raises:
            IndexNotReady, UpstreamTimeout: no model is known yet, and the index does not answer.
        """
        if self._active is None or time.monotonic() - self._observed_at > FRESH_S:
            try:
                return await self.refresh()
            except (IndexNotReady, UpstreamTimeout):
                if self._active is None:
                    raise
        return self._active

    async def refresh(self) -> str:
        """Ask the index for the active model, and return it.

        Raises:
            IndexNotReady, UpstreamTimeout: it does not answer.
        """
        self._active, self._observed_at = (await self._index.status()).model, time.monotonic()
        return self._active

    async def facts(self, model: str) -> ModelFacts:
        """Return a model's facts.

        Raises:
            UnknownModel, EmbeddingUnavailable, UpstreamTimeout: the embedding service fails.
        """
        if model not in self._facts:
            self._facts[model] = await self._embedding.model(model)
        return self._facts[model]

    async def serving_facts(self, promoted: str | None = None) -> ModelFacts:
        """Return the facts of the model for writing and showing products. It works while the index is unavailable.

        Args:
            promoted: the active model by the database's note, if the caller has read it.

        Raises:
            UnknownModel, EmbeddingUnavailable, UpstreamTimeout: as `facts`.
        """
        if promoted is not None:
            return await self.facts(promoted)
        try:
            return await self.facts(await self.active())
        except (IndexNotReady, UpstreamTimeout):
            return await self._embedding.model()  # that of the settings; not kept, because it may not be the active one
