"""What the index service holds while it runs."""

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Annotated, TypeVar, cast

from fastapi import Depends, Request

from services.index.metrics import IndexMetrics
from services.index.models.model_indexes import ModelIndexes

T = TypeVar("T")


@dataclass(frozen=True)
class IndexState:
    """What the routes use.

    Attributes:
        models: the indexed models.
        held: the categories that this node holds.
        threads: run the searches.
        metrics: of the service.
    """

    models: ModelIndexes
    held: frozenset[int]
    threads: Executor
    metrics: IndexMetrics

    async def search(self, work: Callable[[], T], *, filtered: bool) -> tuple[T, float]:
        """Run a search in one of the threads. Return its result, and its duration in milliseconds."""

        def timed() -> tuple[T, float]:
            started = time.perf_counter()
            result = work()
            return result, time.perf_counter() - started

        result, seconds = await asyncio.get_running_loop().run_in_executor(self.threads, timed)
        self.metrics.searches.labels("yes" if filtered else "no").observe(seconds)
        return result, round(seconds * 1000, 3)

    async def run_in_thread(self, work: Callable[[], T]) -> T:
        """Run other work in one of the threads that search."""
        return await asyncio.get_running_loop().run_in_executor(self.threads, work)


def index_state(request: Request) -> IndexState:
    """Return the running service's state."""
    return cast(IndexState, request.state.index)


State = Annotated[IndexState, Depends(index_state)]
