"""Which model a search is bound to, and what is known of the models. Knows no HTTP.

Each index node says with its answers which model is active. A search takes one model at its beginning and asks embedding
and index for exactly that one, so whatever is promoted meanwhile, no vector meets those of another.
"""

import time

from services.contracts.clients.embedding_client import EmbeddingClient
from services.contracts.domain.errors import IndexNotReady, UpstreamTimeout
from services.contracts.wire.embedding import ModelFacts
from services.gateway.index_nodes.nodes import IndexNodes

FRESH_S = 2.0  # with searches under way, answers keep it fresh; after a pause the index is asked


class Models:
    """Knows the model for searches, and each model's facts."""

    def __init__(self, embedding: EmbeddingClient, index: IndexNodes) -> None:
        self._embedding = embedding
        self._index = index
        self._active: str | None = None
        self._told_at = -float("inf")
        self._facts: dict[str, ModelFacts] = {}

    def told(self, active: str) -> None:
        """Take a node's word for which model is active; where it is another, all nodes are asked before the next search."""
        self._told_at = time.monotonic() if active == self._active else -float("inf")

    async def active(self) -> str:
        """Return the model that a search which begins now is to use; the last one that was heard of, if need be.

        Raises:
            IndexNotReady, UpstreamTimeout: none is known yet, and the index does not answer.
        """
        if self._active is None or time.monotonic() - self._told_at > FRESH_S:
            try:
                return await self.look()
            except (IndexNotReady, UpstreamTimeout):
                if self._active is None:
                    raise
        return self._active

    async def look(self) -> str:
        """Ask the index which model is active.

        Raises:
            IndexNotReady, UpstreamTimeout: it does not answer.
        """
        self._active, self._told_at = (await self._index.status()).model, time.monotonic()
        return self._active

    async def facts(self, model: str) -> ModelFacts:
        """Return a model's facts.

        Raises:
            UnknownModel, EmbeddingUnavailable, UpstreamTimeout: they are not known yet and the embedding service cannot say.
        """
        if model not in self._facts:
            self._facts[model] = await self._embedding.model(model)
        return self._facts[model]

    async def serving_facts(self, promoted: str | None = None) -> ModelFacts:
        """Return the facts of the model that products are written and shown by, which needs no index.

        Args:
            promoted: the model that the database notes as the active one, where it was asked.

        Raises:
            UnknownModel, EmbeddingUnavailable, UpstreamTimeout: as `facts`.
        """
        if promoted is not None:
            return await self.facts(promoted)
        try:
            return await self.facts(await self.active())
        except (IndexNotReady, UpstreamTimeout):
            return await self._embedding.model()  # that of the settings, which may be others by the next time
