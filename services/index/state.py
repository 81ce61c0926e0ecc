"""What the index service holds while it runs."""

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Annotated, TypeVar, cast

from fastapi import Depends, Request

from services.contracts.domain.engines import FAISS
from services.contracts.domain.errors import CategoryElsewhere, IndexNotReady
from services.contracts.domain.filtering.filters import Filter
from services.contracts.domain.parts import WHOLE, Part
from services.contracts.web.requests.deadline import remaining_s
from services.engine.deadline import Deadline
from services.engine.multi_search import Galleries, is_prepared, prepare
from services.engine.revision import Revision
from services.index.metrics import IndexMetrics
from services.index.models.model_indexes import ModelIndexes

T = TypeVar("T")
INLINE_ROWS = 100_000  # they are searched in less than half a millisecond


@dataclass(frozen=True)
class IndexState:
    """What the routes use.

    Attributes:
        models: the indexed models.
        held: the categories that this node holds.
        threads: run the searches.
        builder: builds columns of attributes, so that no search waits for a thread that does.
        search_timeout_s: the time that a search has, in seconds.
        metrics: of the service.
        part: the part of each category that this node holds.
        engine: what holds the vectors, such as `milvus hnsw`.
        revision: of what searches see; None if another engine does not say when it changes.
    """

    models: ModelIndexes
    held: frozenset[int]
    threads: Executor
    builder: Executor
    search_timeout_s: float
    metrics: IndexMetrics
    part: Part = WHOLE
    engine: str = FAISS
    revision: Revision | None = None

    def check_part(self, wanted: Part) -> None:
        """Return if this node holds exactly this part of each category.

        Raises:
            CategoryElsewhere: it holds another one, or all.
        """
        if wanted != self.part:
            raise CategoryElsewhere(f"this node holds part {self.part} of each category, not part {wanted}")

    def deadline(self) -> Deadline:
        """Return the deadline of a search that begins now: that of its request, if it is earlier.

        Raises:
            UpstreamTimeout: the deadline of the request has passed.
        """
        return Deadline.after(remaining_s(self.search_timeout_s))

    async def prepare(
        self, galleries: Galleries, category: int, query_filter: Filter, deadline: Deadline, *, facets: bool
    ) -> None:
        """Let the columns of a search be built by the thread for them. It completes columns that it has begun.

        Raises:
            IndexNotReady: the time is over.
        """
        if not (query_filter or facets) or is_prepared(galleries, category, query_filter, facets=facets):
            return
        built = asyncio.get_running_loop().run_in_executor(
            self.builder, lambda: prepare(galleries, category, query_filter, facets=facets)
        )
        try:
            await asyncio.wait_for(built, deadline.remaining_s)
        except TimeoutError:
            raise IndexNotReady("the filter's attributes are being read for the first time: try again") from None

    async def search(self, work: Callable[[], T], deadline: Deadline, *, filtered: bool, rows: int) -> tuple[T, float]:
        """Run a search. Return its result, and its duration in milliseconds.

        It runs in one of the threads, or at once if it has no filter and few rows: then the way to a thread and back
        takes longer than the search.

        Raises:
            UpstreamTimeout: the deadline passed while it waited for a thread.
        """

        def timed() -> tuple[T, float]:
            deadline.check()
            started = time.perf_counter()
            result = work()
            return result, time.perf_counter() - started

        if rows <= INLINE_ROWS and not filtered:
            result, seconds = timed()
        else:
            result, seconds = await self.run_in_thread(timed)
        self.metrics.searches.labels("yes" if filtered else "no").observe(seconds)
        return result, round(seconds * 1000, 3)

    async def run_in_thread(self, work: Callable[[], T]) -> T:
        """Run work in one of the threads that search."""
        with self.metrics.queue.track_inprogress():
            return await asyncio.get_running_loop().run_in_executor(self.threads, work)


def index_state(request: Request) -> IndexState:
    """Return the running service's state."""
    return cast(IndexState, request.state.index)


async def _state(request: Request) -> IndexState:
    return index_state(request)  # FastAPI calls a function that is not async in a thread, which takes 0.2 ms


State = Annotated[IndexState, Depends(_state)]
