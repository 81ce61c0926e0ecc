"""What the index service holds while it runs, and how routes reach it."""

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
    """The models with what follows the database, the categories that are held, the threads that search, and what is measured."""

    models: ModelIndexes
    held: frozenset[int]
    threads: Executor
    metrics: IndexMetrics

    async def search(self, work: Callable[[], T], *, filtered: bool) -> tuple[T, float]:
        """Run a search in one of the threads. Returns what it found and how many milliseconds it took."""

        def timed() -> tuple[T, float]:
            started = time.perf_counter()
            found = work()
            return found, time.perf_counter() - started

        found, seconds = await asyncio.get_running_loop().run_in_executor(self.threads, timed)
        self.metrics.searches.labels("yes" if filtered else "no").observe(seconds)
        return found, round(seconds * 1000, 3)

    async def aside(self, work: Callable[[], T]) -> T:
        """Do other work in one of the threads that search."""
        return await asyncio.get_running_loop().run_in_executor(self.threads, work)


def index_state(request: Request) -> IndexState:
    """Return the running service's state."""
    return cast(IndexState, request.state.index)


State = Annotated[IndexState, Depends(index_state)]
