"""Second requests to a replica of a slow index node."""

import asyncio

import pytest
from prometheus_client import CollectorRegistry

from services.contracts.domain.errors import IndexNotReady
from services.contracts.wire.index import IndexResponse, IndexSearch
from services.gateway.index_nodes.hedging import BURST, FEWEST, Hedging, RecentDurations
from services.gateway.index_nodes.nodes import IndexNodes
from tests.support.fakes.index_fakes import FakeIndex

QUERY = IndexSearch(category=0, vector=[1.0], model="fashion/1")


class SlowIndex(FakeIndex):
    """Answers when it is told to; counts the requests that were cancelled."""

    def __init__(self) -> None:
        super().__init__({0: ["slow"]})
        self.go_on = asyncio.Event()
        self.go_on.set()
        self.cancelled = 0

    async def search(self, query: IndexSearch) -> IndexResponse:
        try:
            await self.go_on.wait()
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        return await super().search(query)


async def nodes_of(hedging: Hedging, *fakes: FakeIndex) -> IndexNodes:
    nodes = IndexNodes(fakes, refresh_s=60, hedging=hedging)  # type: ignore[arg-type]
    await nodes.refresh()
    for _ in range(2 * FEWEST):
        await nodes.search(QUERY)
    return nodes


async def test_a_replica_answers_for_a_node_that_is_slower_than_usual() -> None:
    registry = CollectorRegistry()
    slow, quick = SlowIndex(), FakeIndex({0: ["quick"]})
    nodes = await nodes_of(Hedging(1.0, registry), slow, quick)
    slow.go_on.clear()
    answers = [(await nodes.search(QUERY)).hits[0].id for _ in range(4)]
    assert answers == ["quick"] * 4
    assert slow.cancelled == 2  # every other search went to it first
    assert registry.get_sample_value("lookalike_index_hedges_total", {"first": "replica"}) == 2
    assert nodes.nodes[0].trouble is None  # slow is not unavailable


async def test_there_are_no_more_second_requests_than_the_share_allows() -> None:
    registry = CollectorRegistry()
    hedging = Hedging(0.5, registry)
    block, asked = asyncio.Event(), []

    async def original() -> str:
        await block.wait()
        return "original"

    async def replica() -> str:
        asked.append(1)
        return "replica"

    for _ in range(int(BURST)):
        search = asyncio.create_task(hedging.first(original, replica, 0.0, (IndexNotReady,)))
        for _ in range(20):  # turns of the event loop: the replica is asked in them, or not at all
            await asyncio.sleep(0)
        block.set()
        await search
        block.clear()
    assert len(asked) == BURST / 2 + 1  # one was allowed at the start


async def test_an_error_of_one_waits_for_the_other() -> None:
    hedging = Hedging(1.0)
    replica_failed = asyncio.Event()

    async def original() -> str:
        await replica_failed.wait()
        return "original"

    async def replica() -> str:
        replica_failed.set()
        raise IndexNotReady("the index service cannot be reached")

    assert await hedging.first(original, replica, 0.0, (IndexNotReady,)) == "original"


async def test_where_both_fail_the_search_fails() -> None:
    async def failing() -> str:
        await asyncio.sleep(0.001)
        raise IndexNotReady("the index service cannot be reached")

    with pytest.raises(IndexNotReady):
        await Hedging(1.0).first(failing, failing, 0.0, (IndexNotReady,))


async def test_a_share_of_zero_asks_no_replica() -> None:
    slow, quick = SlowIndex(), FakeIndex({0: ["quick"]})
    nodes = await nodes_of(Hedging(0.0), slow, quick)
    searches = quick.searches
    slow.go_on.clear()
    both = [asyncio.create_task(nodes.search(QUERY)) for _ in range(2)]
    await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
    assert quick.searches == searches + 1
    slow.go_on.set()
    assert {(await search).hits[0].id for search in both} == {"slow", "quick"}


def test_the_percentile_is_of_the_last_calls() -> None:
    durations = RecentDurations()
    for _ in range(FEWEST - 1):
        durations.add(1.0)
    assert durations.p95 is None
    for seconds in range(400):
        durations.add(seconds)
    assert durations.p95 is not None
    assert 340 < durations.p95 < 400


def test_the_percentile_is_known_after_twenty_calls_and_forgets_all_but_two_hundred() -> None:
    durations = RecentDurations()
    for seconds in range(19):
        durations.add(seconds)
    assert durations.p95 is None
    durations.add(19)
    assert durations.p95 == 19
    for seconds in range(20, 39):
        durations.add(seconds)
    assert durations.p95 == 19  # until twenty more are known
    durations.add(39)
    assert durations.p95 == 38
    for seconds in range(1000):
        durations.add(seconds)
    assert durations.p95 == 990


async def test_after_quiet_times_ten_more_requests_are_sent_at_once() -> None:
    hedging = Hedging(0.5)
    asked = []

    async def quick() -> str:
        return "original"

    async def replica() -> str:
        asked.append(1)
        return "replica"

    for _ in range(60):
        await hedging.first(quick, replica, 1.0, (IndexNotReady,))
    assert asked == []
    block = asyncio.Event()

    async def slow() -> str:
        await block.wait()
        return "original"

    searches = []
    for _ in range(24):
        searches.append(asyncio.create_task(hedging.first(slow, replica, 0.0, (IndexNotReady,))))
        for _ in range(20):
            await asyncio.sleep(0)
    block.set()
    answers = await asyncio.gather(*searches)
    assert answers[:20] == ["replica"] * 19 + ["original"]  # ten, and the share of those nineteen
    assert len(asked) == 21


async def test_a_search_that_is_given_up_leaves_no_request_behind() -> None:
    left = []

    async def endless() -> str:
        try:
            await asyncio.Event().wait()
        finally:
            left.append(1)
        return ""

    search = asyncio.create_task(Hedging(1.0).first(endless, endless, 0.0, (IndexNotReady,)))
    for _ in range(20):
        await asyncio.sleep(0)
    search.cancel()
    await asyncio.wait([search])
    assert len(left) == 2


async def test_a_node_is_no_replica_of_itself() -> None:
    registry = CollectorRegistry()
    slow = SlowIndex()
    nodes = await nodes_of(Hedging(1.0, registry), slow)
    slow.go_on.clear()
    search = asyncio.create_task(nodes.search(QUERY))
    for _ in range(20):
        await asyncio.sleep(0)
    slow.go_on.set()
    assert (await search).hits[0].id == "slow"
    assert [
        registry.get_sample_value("lookalike_index_hedges_total", {"first": name}) for name in ("original", "replica")
    ] == [None, None]


async def test_without_a_setting_no_replica_is_asked() -> None:
    slow, quick = SlowIndex(), FakeIndex({0: ["quick"]})
    nodes = IndexNodes([slow, quick], refresh_s=60)  # type: ignore[list-item]
    await nodes.refresh()
    for _ in range(2 * FEWEST):
        await nodes.search(QUERY)
    searches = quick.searches
    slow.go_on.clear()
    both = [asyncio.create_task(nodes.search(QUERY)) for _ in range(2)]
    await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
    for _ in range(20):
        await asyncio.sleep(0)
    assert (quick.searches, [search.done() for search in both].count(False)) == (searches + 1, 1)
    slow.go_on.set()
    await asyncio.gather(*both)
