"""A shadow node: it gets a share of the searches too, and its answers are compared and thrown away.

Before another engine takes the place of the index, its differences are known from real searches. A shadow never delays
or changes a response.
"""

import asyncio
import contextvars
import random
from collections.abc import Awaitable, Callable

import structlog
from prometheus_client import CollectorRegistry, Counter

from services.contracts.domain.errors import LookalikeError
from services.contracts.wire.index import IndexResponse, IndexSearch, IndexSimilar
from services.gateway.index_nodes.client import IndexClient

log = structlog.get_logger()
MOST_AT_ONCE = 8  # comparisons; a shadow that is slower gets fewer searches
SCORE_NOISE = 1e-6
EXAMPLES = 5


class ShadowCounts:
    """Counts the results of comparisons."""

    def __init__(self, registry: CollectorRegistry | None = None) -> None:
        """Make the counters; without a registry, nothing shows them."""
        self.searches = Counter(
            "lookalike_index_shadow_searches_total",
            "Searches that were repeated on the shadow node, by the result of the comparison.",
            ("result",),
            registry=registry,
        )
        self.hits = Counter(
            "lookalike_index_shadow_hits_total",
            "Hits of these searches, by whether the shadow node returned them as well.",
            ("result",),
            registry=registry,
        )


class Shadow:
    """Compares the answers of a node with those that were returned."""

    def __init__(self, client: IndexClient, share: float, counts: ShadowCounts) -> None:
        """Set what to compare.

        Args:
            client: of the shadow node.
            share: of the searches that are compared, 0 to 1.
            counts: of the results.
        """
        self._client = client
        self._share = share
        self._tasks: set[asyncio.Task[None]] = set()
        self._counts = counts

    def search(self, query: IndexSearch, response: IndexResponse) -> None:
        """Repeat a search in the background, perhaps, and compare."""
        self._begin(lambda: self._client.search(query), response)

    def similar(self, query: IndexSimilar, response: IndexResponse) -> None:
        """Repeat a search by product in the background, perhaps, and compare."""
        self._begin(lambda: self._client.similar(query), response)

    async def close(self) -> None:
        """End the comparisons in progress, and close the client."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._client.close()

    def _begin(self, repeat: Callable[[], Awaitable[IndexResponse]], response: IndexResponse) -> None:
        if random.random() >= self._share:
            return
        if len(self._tasks) >= MOST_AT_ONCE:
            self._counts.searches.labels("skipped").inc()
            return
        # In a context of its own: the deadline of the request is over when the comparison runs.
        task = asyncio.create_task(
            self._compare(repeat, response), name="compare with the shadow node", context=contextvars.Context()
        )
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _compare(self, repeat: Callable[[], Awaitable[IndexResponse]], response: IndexResponse) -> None:
        try:
            shadowed = await repeat()
        except LookalikeError as error:
            self._counts.searches.labels("failed").inc()
            log.warning("index_shadow_failed", reason=error.detail, problem=error.slug)
            return
        expected, shadow_scores = _scores(response), _scores(shadowed)
        shared = expected.keys() & shadow_scores.keys()
        self._counts.hits.labels("shared").inc(len(shared))
        self._counts.hits.labels("missing").inc(len(expected.keys() - shared))
        if (
            list(expected) == list(shadow_scores)
            and response.total == shadowed.total
            and _are_near(expected, shadow_scores)
        ):
            self._counts.searches.labels("same").inc()
            return
        self._counts.searches.labels("different").inc()
        log.info(
            "index_shadow_differs",
            category=response.category,
            model=response.model,
            hits=len(expected),
            shared=len(shared),
            missing=[key for _, key in expected.keys() - shared][:EXAMPLES],
            surplus=[key for _, key in shadow_scores.keys() - shared][:EXAMPLES],
            total=response.total,
            shadow_total=shadowed.total,
        )


def _scores(response: IndexResponse) -> dict[tuple[str, str], float]:
    """Return the score of each hit by catalogue and id, in order."""
    return {(hit.catalogue, hit.id): hit.score for hit in response.hits}


def _are_near(first: dict[tuple[str, str], float], other: dict[tuple[str, str], float]) -> bool:
    return all(abs(score - other[key]) <= SCORE_NOISE for key, score in first.items())
