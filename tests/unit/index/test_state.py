"""What the index service holds while it runs."""

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from services.engine.deadline import Deadline
from services.index.metrics import IndexMetrics
from services.index.state import INLINE_ROWS, IndexState


def state_of(threads: ThreadPoolExecutor) -> IndexState:
    models: Any = None
    return IndexState(models, frozenset(), threads, threads, 30.0, IndexMetrics())


def queued(state: IndexState) -> float | None:
    return state.metrics.registry.get_sample_value("lookalike_index_queue_requests")


async def test_the_queue_counts_the_search_in_a_thread_and_the_one_that_waits_for_it() -> None:
    with ThreadPoolExecutor(1) as threads:
        state, may_end = state_of(threads), threading.Event()
        searches = [
            asyncio.create_task(state.search(may_end.wait, Deadline.after(30), filtered=True, rows=1)) for _ in range(2)
        ]
        await asyncio.sleep(0)
        assert queued(state) == 2
        may_end.set()
        await asyncio.gather(*searches)
        assert queued(state) == 0


async def test_a_failed_search_leaves_the_queue() -> None:
    def fail() -> None:
        raise ValueError

    with ThreadPoolExecutor(1) as threads:
        state = state_of(threads)
        with pytest.raises(ValueError):
            await state.search(fail, Deadline.after(30), filtered=True, rows=1)
        assert queued(state) == 0


async def test_a_small_search_without_a_filter_does_not_queue() -> None:
    with ThreadPoolExecutor(1) as threads:
        state = state_of(threads)
        queue, _ = await state.search(lambda: queued(state), Deadline.after(30), filtered=False, rows=INLINE_ROWS)
        assert queue == 0
