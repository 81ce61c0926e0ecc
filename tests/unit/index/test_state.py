"""What the index service holds while it runs."""

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import Any

import pytest

from services.contracts.domain.errors import CategoryElsewhere, IndexNotReady, UpstreamTimeout
from services.contracts.domain.filtering.filters import EVERYTHING
from services.contracts.domain.parts import Part
from services.contracts.web.requests.deadline import deadline_in
from services.contracts.wire.filter_json import parse_filter
from services.engine.deadline import Deadline
from services.index import state as module
from services.index.metrics import IndexMetrics
from services.index.state import INLINE_ROWS, IndexState
from tests.support.waiting import WITHIN_S


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


@pytest.mark.parametrize(
    ("rows", "filtered", "in_thread"), [(INLINE_ROWS, False, 0), (INLINE_ROWS + 1, False, 1), (1, True, 1)]
)
async def test_a_long_search_or_one_with_a_filter_runs_in_a_thread(rows: int, filtered: bool, in_thread: int) -> None:
    with ThreadPoolExecutor(1) as threads:
        state = state_of(threads)
        queue, _ = await state.search(lambda: queued(state), Deadline.after(30), filtered=filtered, rows=rows)
        count = state.metrics.registry.get_sample_value
        assert queue == in_thread
        seen = {
            label: count("lookalike_index_search_duration_seconds_count", {"filtered": label})
            for label in ("yes", "no")
        }
        assert seen == ({"yes": 1, "no": None} if filtered else {"yes": None, "no": 1})


async def test_the_time_of_a_search_is_returned_in_milliseconds_and_observed_in_seconds(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock = iter((10.0, 10.0123456))
    monkeypatch.setattr(module, "time", SimpleNamespace(perf_counter=lambda: next(clock)))
    with ThreadPoolExecutor(1) as threads:
        state = state_of(threads)
        result, milliseconds = await state.search(lambda: "result", Deadline(), filtered=False, rows=0)
    assert (result, milliseconds) == ("result", 12.346)
    name = "lookalike_index_search_duration_seconds_sum"
    assert state.metrics.registry.get_sample_value(name, {"filtered": "no"}) == pytest.approx(0.0123456)


@pytest.mark.parametrize("filtered", [False, True])
async def test_a_search_that_waited_until_its_deadline_is_not_made(filtered: bool) -> None:
    with ThreadPoolExecutor(1) as threads, pytest.raises(UpstreamTimeout):
        await state_of(threads).search(pytest.fail, Deadline.after(0), filtered=filtered, rows=1)


def test_a_search_has_the_time_of_the_settings_or_the_rest_of_its_request() -> None:
    with ThreadPoolExecutor(1) as threads:
        state = state_of(threads)
        assert state.deadline().seconds == 30
        with deadline_in(2):
            assert 0 < state.deadline().seconds <= 2


def test_another_part_than_that_of_the_node_is_elsewhere() -> None:
    models: Any = None
    with ThreadPoolExecutor(1) as threads:
        state = IndexState(models, frozenset(), threads, threads, 30.0, IndexMetrics(), Part(1, 2))
        state.check_part(Part(1, 2))
        with pytest.raises(CategoryElsewhere, match="holds part 1/2 of each category, not part 2/2"):
            state.check_part(Part(2, 2))


class Gallery:
    """Counts how often its columns are built, which takes until `may_end`."""

    def __init__(self, *, is_built: bool = False) -> None:
        self.is_built = is_built
        self.builds: list[tuple[int, bool]] = []
        self.may_end = threading.Event()

    def is_prepared(self, category: int, query_filter: Any, *, facets: bool) -> bool:
        return self.is_built

    def prepare(self, category: int, query_filter: Any, *, facets: bool) -> None:
        assert self.may_end.wait(WITHIN_S)
        self.builds.append((category, facets))


@pytest.mark.parametrize(
    ("is_built", "query_filter", "facets", "builds"),
    [
        (False, EVERYTHING, False, []),
        (False, EVERYTHING, True, [(3, True)]),
        (False, parse_filter({"colour": "red"}), False, [(3, False)]),
        (True, parse_filter({"colour": "red"}), True, []),
    ],
)
async def test_columns_are_built_if_a_search_needs_them_and_they_are_missing(
    is_built: bool, query_filter: Any, facets: bool, builds: list[Any]
) -> None:
    gallery: Any = Gallery(is_built=is_built)
    gallery.may_end.set()
    with ThreadPoolExecutor(1) as builder:
        await state_of(builder).prepare({"default": gallery}, 3, query_filter, Deadline.after(WITHIN_S), facets=facets)
    assert gallery.builds == builds


async def test_columns_that_take_longer_than_a_search_has_are_an_error_that_asks_to_try_again() -> None:
    gallery: Any = Gallery()
    with ThreadPoolExecutor(1) as builder:
        with pytest.raises(IndexNotReady, match="try again"):
            await state_of(builder).prepare({"default": gallery}, 3, EVERYTHING, Deadline.after(0), facets=True)
        gallery.may_end.set()
