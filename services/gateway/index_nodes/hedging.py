"""Hedged requests: a search that takes longer than most goes to a replica as well, and the first answer counts.

Dean and Barroso, "The tail at scale" (2013): a second request after the 95th percentile costs about 5 % more requests,
and takes away most of the tail that one slow machine makes.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from prometheus_client import CollectorRegistry, Counter

T = TypeVar("T")
RECENT = 200  # calls whose durations are kept
FEWEST = 20  # calls after which the percentile is known
QUANTILE = 0.95
BURST = 10.0  # hedges that may be sent at once after quiet times


class RecentDurations:
    """The durations of the last calls of a node, in seconds."""

    def __init__(self) -> None:
        self._durations: deque[float] = deque(maxlen=RECENT)
        self._p95: float | None = None
        self._since = 0

    def add(self, seconds: float) -> None:
        """Add a call's duration."""
        self._durations.append(seconds)
        self._since += 1
        if self._since >= FEWEST:
            self._p95 = sorted(self._durations)[int(QUANTILE * len(self._durations))]
            self._since = 0

    @property
    def p95(self) -> float | None:
        """The 95th percentile; None before there were enough calls."""
        return self._p95


class Hedging:
    """Sends second requests, as a share of all requests at most."""

    def __init__(self, share: float, registry: CollectorRegistry | None = None) -> None:
        """Set the bound.

        Args:
            share: hedges for each request, at most, in the long run; 0 for none.
            registry: shows how many there were; None for nowhere.
        """
        self.share = share
        self._allowance = min(1.0, BURST * share)
        self._hedges = Counter(
            "lookalike_index_hedges_total",
            "Second requests to a replica because the first one was slow, by which of them answered first.",
            ("first",),
            registry=registry,
        )

    async def first(
        self,
        call: Callable[[], Awaitable[T]],
        replica: Callable[[], Awaitable[T]],
        after_s: float,
        retry: tuple[type[Exception], ...],
    ) -> T:
        """Return the answer of a call, or of the replica's if that comes first. The slower one is cancelled.

        Args:
            call: the request.
            replica: the same request to another node.
            after_s: the time after which the replica is asked, in seconds.
            retry: errors after which the other request's answer counts.

        Raises: what `call` raises, or both of them.
        """
        self._allowance = min(BURST, self._allowance + self.share)
        tasks = [asyncio.ensure_future(call())]
        try:
            await asyncio.wait(tasks, timeout=after_s)
            if not tasks[0].done() and self._allowance >= 1.0:
                self._allowance -= 1.0
                tasks.append(asyncio.ensure_future(replica()))
            return await self._first_of(tasks, retry)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _first_of(self, tasks: "Sequence[asyncio.Future[T]]", retry: tuple[type[Exception], ...]) -> T:
        """Return the first answer; an error of `retry` only if no request is left."""
        pending = set(tasks)
        while True:
            done, pending = await asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)
            responses = [task for task in done if not isinstance(task.exception(), retry)]
            if not responses and pending:
                continue
            first = min(responses or done, key=tasks.index)
            if len(tasks) > 1:
                self._hedges.labels("original" if first is tasks[0] else "replica").inc()
            return first.result()
