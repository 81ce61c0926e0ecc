"""What the index service holds while it runs, and how routes reach it."""

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Annotated, TypeVar, cast

from fastapi import Depends, Request

from services.contracts.errors import IndexNotReady
from services.contracts.manifest import Manifest
from services.index.calibrator import Calibrator
from services.index.gallery import Gallery
from services.index.metrics import IndexMetrics
from services.index.sync import Follower

T = TypeVar("T")


@dataclass(frozen=True)
class IndexState:
    """The model, the categories that are held, what follows the database, how alike scores are, the threads that search, and
    what is measured.
    """

    manifest: Manifest
    held: frozenset[int]
    follower: Follower
    calibrator: Calibrator
    threads: Executor
    metrics: IndexMetrics

    @property
    def gallery(self) -> Gallery:
        """The products that are searched.

        Raises:
            IndexNotReady: they have not been loaded yet.
        """
        if self.follower.mirror is None:
            raise IndexNotReady(self.obstacle)
        return self.follower.mirror.gallery

    @property
    def obstacle(self) -> str:
        """Why the index cannot answer yet."""
        return self.follower.last_error or "the products are being loaded from the database"

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
