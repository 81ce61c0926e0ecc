"""The client of the embedding service for searches: it measures its calls, and large files wait for each other."""

import asyncio
from contextlib import nullcontext
from typing import Any

from services.contracts.clients.embedding_client import EmbeddingClient
from services.contracts.web.observability.upstream_calls import UpstreamCalls

LARGE_BYTES = 4 << 20  # of a file: larger than most photos of phones
LARGE_AT_ONCE = 2


class MeasuredEmbeddingClient(EmbeddingClient):
    """An `EmbeddingClient` whose calls are measured, and that sends few large files at once.

    Both services read and copy a file of megabytes in steps of milliseconds, during which other searches wait.
    """

    def __init__(self, base_url: str, timeout_s: float, calls: UpstreamCalls, **options: Any) -> None:
        """Create the client; the other arguments are those of `EmbeddingClient`."""
        super().__init__(base_url, timeout_s, **options)
        self._calls = calls
        self._large = asyncio.Semaphore(LARGE_AT_ONCE)

    async def _send(self, *arguments: Any, **named: Any) -> bytes:
        is_large = len(named.get("content") or b"") > LARGE_BYTES
        async with self._large if is_large else nullcontext():
            with self._calls.timed("embedding"):
                return await super()._send(*arguments, **named)
