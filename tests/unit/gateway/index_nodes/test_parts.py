"""Which nodes a search of a category in parts goes to, and what happens while nodes come, go and fail."""

from typing import Any

import pytest

from services.contracts.domain.errors import (
    CategoryElsewhere,
    IndexNotReady,
    InvalidRequest,
    LookalikeError,
    UnknownProduct,
    UpstreamTimeout,
)
from services.contracts.domain.parts import Part
from services.contracts.wire.index import CatalogueProduct, IndexSearch, IndexSimilar, IndexStatus
from services.gateway.index_nodes.nodes import IndexNodes
from services.gateway.index_nodes.responses import IndexNodeSummary
from tests.support.fakes.index_fakes import FakeIndex

KEYS = [f"t{number:02}" for number in range(40)]
UNAVAILABLE = IndexNotReady("the index service cannot be reached")


class PartNode(FakeIndex):
    """Holds a part of category 0, and refuses a search of another part, as an index node does."""

    def __init__(self, part: str) -> None:
        self.part = Part.parse(part)
        super().__init__({0: [key for key in KEYS if self.part.holds(key)]})
        self.says = self.part  # in its status, which may be old

    async def status(self) -> IndexStatus:
        return (await super().status()).model_copy(update={"part": self.says})

    async def search(self, query: IndexSearch) -> Any:
        if query.part != self.part:
            raise CategoryElsewhere(f"this node holds part {self.part}")
        return await super().search(query)


async def nodes_of(*fakes: FakeIndex) -> IndexNodes:
    nodes = IndexNodes(fakes, refresh_s=60)  # type: ignore[arg-type]
    await nodes.refresh()
    return nodes


async def keys(nodes: IndexNodes) -> list[str]:
    query = IndexSearch(category=0, vector=[1.0], model="fashion/1", k=100)
    return [hit.id for hit in (await nodes.search(query)).hits]


async def test_the_parts_together_answer() -> None:
    nodes = await nodes_of(*(PartNode(f"{number}/4") for number in range(1, 5)))
    assert await keys(nodes) == KEYS


async def test_replicas_of_a_part_are_asked_in_turns() -> None:
    fakes = [PartNode("1/2"), PartNode("2/2"), PartNode("2/2"), PartNode("1/2")]
    nodes = await nodes_of(*fakes)
    for _ in range(8):
        await keys(nodes)
    assert sum(fake.searches for fake in fakes) == 16
    assert all(fake.searches > 0 for fake in fakes)


@pytest.mark.parametrize("trouble", [UNAVAILABLE, UpstreamTimeout("late"), CategoryElsewhere("another part")])
async def test_a_replica_answers_for_a_node_that_fails(trouble: LookalikeError) -> None:
    fakes = [PartNode("1/2"), PartNode("2/2"), PartNode("2/2")]
    nodes = await nodes_of(*fakes)
    fakes[1].trouble = trouble
    for _ in range(4):
        assert await keys(nodes) == KEYS


async def test_smaller_parts_answer_for_a_larger_one_that_fails() -> None:
    fakes = [PartNode("1/2"), PartNode("2/2"), PartNode("2/4"), PartNode("4/4")]
    nodes = await nodes_of(*fakes)
    assert await keys(nodes) == KEYS
    assert [fake.searches for fake in fakes] == [1, 1, 0, 0]  # the fewest nodes
    fakes[1].trouble = UNAVAILABLE
    assert await keys(nodes) == KEYS
    assert [fake.searches for fake in fakes] == [2, 2, 1, 1]  # the other half is not asked again


async def test_a_node_that_is_loading_belongs_to_no_answer() -> None:
    whole, *halves = PartNode("1/1"), PartNode("1/2"), PartNode("2/2")
    halves[1].ready = False
    nodes = await nodes_of(whole, *halves)
    assert await keys(nodes) == KEYS
    assert [half.searches for half in halves] == [0, 0]
    whole.trouble, halves[1].ready = UNAVAILABLE, True
    await nodes.refresh()
    assert await keys(nodes) == KEYS
    assert [half.searches for half in halves] == [1, 1]


async def test_a_node_that_has_been_given_another_part_returns_no_wrong_answer() -> None:
    halves = [PartNode("1/2"), PartNode("2/2")]
    nodes = await nodes_of(*halves)
    halves[1].part = Part.parse("3/4")  # the gateway does not know yet
    with pytest.raises(IndexNotReady, match="no index node holds Topwear"):
        await keys(nodes)


async def test_without_a_part_there_is_an_error_and_not_half_an_answer() -> None:
    halves = [PartNode("1/2"), PartNode("2/2")]
    nodes = await nodes_of(*halves)
    halves[0].trouble = UNAVAILABLE
    with pytest.raises(IndexNotReady, match=r"no index node answers for Topwear: .*part 1/2: the index service cannot"):
        await keys(nodes)
    assert await nodes.ready() == (
        "of Topwear, index nodes answer only for part 2/2",
        "no index node answers for Shoes, Bags: none is set to hold them",
    )
    status = await nodes.status()
    assert [category.held for category in status.catalogues["default"].categories] == [False, False, False]
    assert status.catalogues["default"].products == len(KEYS)  # the last known counts


async def test_an_error_of_the_request_is_passed_on() -> None:
    halves = [PartNode("1/2"), PartNode("2/2")]
    nodes = await nodes_of(*halves)
    halves[0].trouble = InvalidRequest("the filter is wrong")
    with pytest.raises(InvalidRequest, match="the filter is wrong"):
        await keys(nodes)


async def test_stats_name_the_part_of_each_node() -> None:
    nodes = await nodes_of(PartNode("1/2"), PartNode("2/2"))
    assert [IndexNodeSummary.of(node, ("default",)).part for node in nodes.nodes] == ["1/2", "2/2"]


async def test_a_search_by_product_reads_its_vector_from_its_part_and_searches_all() -> None:
    halves = [PartNode("1/2"), PartNode("2/2")]
    halves[0].vectors_by_id = halves[1].vectors_by_id = {"t07": [0, 1, 0, 0]}
    nodes = await nodes_of(*halves)
    for query, model, catalogues in (
        (IndexSimilar(id="t07", k=50, min_score=0.1), "fashion/1", ("default",)),
        (IndexSimilar(id="t07", k=50, model="fashion/9"), "fashion/9", ("default",)),
        (IndexSimilar(id="t07", k=50, catalogues=("default", "b"), catalogue="b"), "fashion/1", ("b",)),
    ):
        response = await nodes.similar(query)
        assert [hit.id for hit in response.hits] == KEYS  # the fakes do not leave it out
        holder, other = sorted(halves, key=lambda half: not half.part.holds("t07"))
        assert (holder.vector_queries[-1].catalogues, holder.vector_queries[-1].model) == (catalogues, model)
        assert other.vector_queries == []
        search = other.queries[-1]
        assert isinstance(search, IndexSearch)
        assert (search.vector, search.model, search.category) == ([0, 1, 0, 0], model, 0)
        assert (search.k, search.min_score, search.catalogues) == (50, query.min_score, query.catalogues)
        assert search.vector_of == CatalogueProduct(catalogue="default", id="t07")
    assert [half.statuses for half in halves] == [1, 1]  # the active model is known


async def test_a_product_of_no_part_is_unknown() -> None:
    nodes = await nodes_of(PartNode("1/2"), PartNode("2/2"))
    with pytest.raises(UnknownProduct, match="there is no product 'x' in the index"):
        await nodes.similar(IndexSimilar(id="x"))


async def test_a_node_that_was_never_reached_may_have_the_product() -> None:
    halves = [PartNode("1/2"), PartNode("2/2")]
    holder = next(half for half in halves if half.part.holds("t07"))
    holder.trouble = UNAVAILABLE
    nodes = await nodes_of(*halves)
    holder.trouble = None
    with pytest.raises(IndexNotReady):  # the search needs its part, which is not known
        await nodes.similar(IndexSimilar(id="t07"))
    assert [query.ids for query in holder.vector_queries] == [["t07"]]
