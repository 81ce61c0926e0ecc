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


class Scored(FakeIndex):
    """Answers with these scores, and a total."""

    def __init__(self, *scores: float, total: int | None = None) -> None:
        super().__init__({0: [f"p{number}" for number in range(len(scores))]})
        self.scores, self.total = scores, total

    async def search(self, query: IndexSearch) -> IndexResponse:
        response = await super().search(query)
        hits = [hit.model_copy(update={"score": score}) for hit, score in zip(response.hits, self.scores, strict=True)]
        return response.model_copy(update={"hits": hits, "total": self.total})


@pytest.mark.parametrize(
    ("shadow", "is_same"),
    [
        (Scored(0.9, 0.5, total=2), True),
        (Scored(0.9, 0.5 + 0.9e-6, total=2), True),
        (Scored(0.9 - 0.9e-6, 0.5, total=2), True),
        (Scored(0.9, 0.5 + 1.1e-6, total=2), False),
        (Scored(0.9 - 1.1e-6, 0.5, total=2), False),
        (Scored(0.9, 0.5, total=3), False),
        (Scored(0.9, 0.5), False),
    ],
)
async def test_answers_are_the_same_up_to_noise_in_their_scores(shadow: Scored, is_same: bool) -> None:
    shadowed = Shadowed(Scored(0.9, 0.5, total=2), shadow)
    await shadowed.compared(lambda nodes: nodes.search(QUERY))
    assert (shadowed.count("same"), shadowed.count("different")) == (float(is_same), float(not is_same))


async def test_the_log_names_five_products_at_most() -> None:
    shadowed = Shadowed(FakeIndex({0: [f"a{n}" for n in range(7)]}), FakeIndex({0: [f"b{n}" for n in range(4)]}))
    with capture_logs() as logs:
        await shadowed.compared(lambda nodes: nodes.search(QUERY))
    (event,) = [entry for entry in logs if entry["event"] == "index_shadow_differs"]
    assert (len(event["missing"]), len(event["surplus"])) == (5, 4)
    assert (event["hits"], event["shared"]) == (7, 0)
    assert shadowed.count("missing", "hits") == 7


@pytest.mark.parametrize(("drawn", "is_compared"), [(0.0, True), (0.24, True), (0.25, False), (0.9, False)])
async def test_a_share_of_the_searches_is_compared(
    monkeypatch: pytest.MonkeyPatch, drawn: float, is_compared: bool
) -> None:
    monkeypatch.setattr("services.gateway.index_nodes.shadow.random.random", lambda: drawn)
    shadow = FakeIndex({0: ["a"]})
    shadowed = Shadowed(FakeIndex({0: ["a"]}), shadow, share=0.25)
    await shadowed.compared(lambda nodes: nodes.search(QUERY))
    await shadowed.compared(lambda nodes: nodes.similar(IndexSimilar(id="a")))
    assert shadow.searches == (2 if is_compared else 0)


async def test_eight_comparisons_run_at_once_and_are_gone_when_they_end() -> None:
    go_on = asyncio.Event()

    class Slow(FakeIndex):
        async def search(self, query: IndexSearch) -> IndexResponse:
            await go_on.wait()
            return await super().search(query)

    shadowed = Shadowed(FakeIndex({0: ["a"]}), Slow({0: ["a"]}))
    await shadowed.nodes.refresh()
    for _ in range(9):
        await shadowed.nodes.search(QUERY)
    assert (len(shadowed.shadow._tasks), shadowed.count("skipped")) == (8, 1)
    go_on.set()
    await asyncio.gather(*shadowed.shadow._tasks)
    await asyncio.sleep(0)
    assert (len(shadowed.shadow._tasks), shadowed.count("same")) == (0, 8)


async def test_the_client_is_closed_after_the_comparisons_have_ended() -> None:
    ended: list[str] = []

    class Stuck(FakeIndex):
        async def search(self, query: IndexSearch) -> IndexResponse:
            try:
                await asyncio.Event().wait()
            finally:
                ended.append("comparison")
            raise AssertionError

        async def close(self) -> None:
            ended.append("client")

    shadowed = Shadowed(FakeIndex({0: ["a"]}), Stuck({0: ["a"]}))
    await shadowed.nodes.refresh()
    await shadowed.nodes.search(QUERY)
    await asyncio.sleep(0)
    await shadowed.shadow.close()
    assert ended == ["comparison", "client"]


async def test_a_difference_of_the_noise_itself_is_none() -> None:
    shadowed = Shadowed(Scored(0.0), Scored(1e-6))
    await shadowed.compared(lambda nodes: nodes.search(QUERY))
    assert shadowed.count("same") == 1
