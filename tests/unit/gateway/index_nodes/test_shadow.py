"""A shadow node: its answers are compared with those returned, and change nothing."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from prometheus_client import CollectorRegistry
from structlog.testing import capture_logs

from services.contracts.domain.errors import IndexNotReady
from services.contracts.wire.index import IndexResponse, IndexSearch, IndexSimilar
from services.gateway.index_nodes.nodes import IndexNodes
from services.gateway.index_nodes.shadow import MOST_AT_ONCE, Shadow, ShadowCounts
from tests.support.fakes.index_fakes import FakeIndex

QUERY = IndexSearch(category=0, vector=[1.0], model="fashion/1")


class Shadowed:
    """Nodes with a shadow, and the counts of its comparisons."""

    def __init__(self, node: FakeIndex, shadow: FakeIndex, share: float = 1.0) -> None:
        self.registry = CollectorRegistry()
        self.shadow = Shadow(shadow, share, ShadowCounts(self.registry))  # type: ignore[arg-type]
        self.nodes = IndexNodes([node], refresh_s=60, shadow=self.shadow)  # type: ignore[list-item]

    async def compared(self, work: Callable[[IndexNodes], Any]) -> IndexResponse:
        await self.nodes.refresh()
        response: IndexResponse = await work(self.nodes)
        await asyncio.gather(*self.shadow._tasks)
        return response

    def count(self, result: str, what: str = "searches") -> float:
        return self.registry.get_sample_value(f"lookalike_index_shadow_{what}_total", {"result": result}) or 0.0


async def test_equal_answers_are_the_same() -> None:
    shadowed = Shadowed(FakeIndex({0: ["a", "b"]}), FakeIndex({0: ["a", "b"]}))
    await shadowed.compared(lambda nodes: nodes.search(QUERY))
    await shadowed.compared(lambda nodes: nodes.similar(IndexSimilar(id="a")))
    assert (shadowed.count("same"), shadowed.count("shared", "hits")) == (2, 3)


@pytest.mark.parametrize("others", [["b", "a"], ["a"], ["a", "c"], ["a", "b", "c"]])
async def test_other_answers_differ_and_are_not_returned(others: list[str]) -> None:
    shadowed = Shadowed(FakeIndex({0: ["a", "b"]}), FakeIndex({0: others}))
    with capture_logs() as logs:
        response = await shadowed.compared(lambda nodes: nodes.search(QUERY))
    assert [hit.id for hit in response.hits] == ["a", "b"]
    assert shadowed.count("different") == 1
    assert shadowed.count("missing", "hits") == len({"a", "b"} - set(others))
    (event,) = [entry for entry in logs if entry["event"] == "index_shadow_differs"]
    assert event["surplus"] == sorted(set(others) - {"a", "b"})


async def test_a_shadow_that_fails_is_counted_and_harms_no_search() -> None:
    shadow = FakeIndex({0: ["a"]})
    shadow.trouble = IndexNotReady("the index service cannot be reached")
    shadowed = Shadowed(FakeIndex({0: ["a"]}), shadow)
    assert [hit.id for hit in (await shadowed.compared(lambda nodes: nodes.search(QUERY))).hits] == ["a"]
    assert shadowed.count("failed") == 1


async def test_no_search_waits_for_a_shadow_and_a_slow_one_gets_fewer() -> None:
    class Stuck(FakeIndex):
        async def search(self, query: IndexSearch) -> IndexResponse:
            await asyncio.Event().wait()
            raise AssertionError

    shadow = Stuck({0: ["a"]})
    shadowed = Shadowed(FakeIndex({0: ["a"]}), shadow)
    await shadowed.nodes.refresh()
    for _ in range(MOST_AT_ONCE + 3):
        await shadowed.nodes.search(QUERY)
    assert shadowed.count("skipped") == 3
    await shadowed.nodes.close()
    assert shadow.closed


async def test_a_share_of_zero_asks_the_shadow_nothing() -> None:
    shadow = FakeIndex({0: ["a"]})
    shadowed = Shadowed(FakeIndex({0: ["a"]}), shadow, share=0.0)
    await shadowed.compared(lambda nodes: nodes.search(QUERY))
    assert shadow.searches == 0
