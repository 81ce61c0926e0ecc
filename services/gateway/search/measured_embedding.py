"""The client of the embedding service, with the durations of its calls."""

from typing import Any

from services.contracts.clients.embedding_client import EmbeddingClient
from services.contracts.web.observability.upstream_calls import UpstreamCalls


class MeasuredEmbeddingClient(EmbeddingClient):
    """An `EmbeddingClient` whose calls are measured."""

    def __init__(self, base_url: str, timeout_s: float, calls: UpstreamCalls, **options: Any) -> None:
        """Create the client; the other arguments are those of `EmbeddingClient`."""
        super().__init__(base_url, timeout_s, **options)
        self._calls = calls

    async def _send(self, *arguments: Any, **named: Any) -> bytes:
        with self._calls.timed("embedding"):
            return await super()._send(*arguments, **named)
