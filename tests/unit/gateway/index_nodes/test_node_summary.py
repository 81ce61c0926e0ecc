"""What the stats say of each index node, and which error a search names when several nodes fail."""

import pytest

from services.contracts.domain.errors import IndexNotReady, LookalikeError, ModelIndexMismatch, UpstreamTimeout
from services.contracts.wire.index import IndexSearch
from services.gateway.index_nodes.node import IndexNode
from services.gateway.index_nodes.nodes import IndexNodes
from services.gateway.index_nodes.responses import IndexNodeSummary
from tests.support.fakes.index_fakes import FakeIndex

QUERY = IndexSearch(category=0, vector=[1.0], model="fashion/1")


async def summary(index: FakeIndex, *catalogues: str) -> IndexNodeSummary:
    node = IndexNode(index)  # type: ignore[arg-type]
    await node.refresh()
    return IndexNodeSummary.of(node, catalogues or ("default",))


async def test_a_node_is_described_by_its_status() -> None:
    index = FakeIndex({0: ["a", "b"], 2: ["c"]}, lag=3.0, shoes=5)
    index.engine = "milvus hnsw"
    node = await summary(index)
    assert (node.categories, node.part, node.engine) == (["Topwear", "Bags"], "1/1", "milvus hnsw")
    assert (node.products, node.ready, node.obstacle, node.lag_seconds) == (3, True, None, 3.0)
    both = await summary(index, "default", "shoes")
    assert (both.products, both.lag_seconds) == (13, 7.0)
    index.ready = False
    loading = await summary(index)
    assert (loading.ready, loading.obstacle) == (False, "the index is not ready: the products are being loaded")


async def test_a_node_that_was_never_reached_holds_nothing_as_far_as_is_known() -> None:
    index = FakeIndex({0: ["a"]})
    index.trouble = IndexNotReady("it cannot be reached")
    node = await summary(index)
    assert (node.categories, node.engine, node.products, node.lag_seconds) == ([], "faiss", 0, None)
    assert (node.ready, node.obstacle) == (False, "it cannot be reached")


@pytest.mark.parametrize("last", [UpstreamTimeout("late"), IndexNotReady("gone"), ModelIndexMismatch("another")])
async def test_an_error_is_that_of_the_node_that_was_asked_last(last: LookalikeError) -> None:
    first = FakeIndex({0: ["a"]})
    second = FakeIndex({0: ["a"]})
    nodes = IndexNodes([first, second], refresh_s=60)  # type: ignore[list-item]
    await nodes.refresh()
    nodes.nodes[1].trouble = IndexNotReady("before")  # it is asked last
    first.trouble, second.trouble = UpstreamTimeout("first"), last
    with pytest.raises(LookalikeError) as caught:
        await nodes.search(QUERY)
    assert type(caught.value) is type(last)
    named = "" if isinstance(last, ModelIndexMismatch) else "no index node answers for Topwear: "
    assert caught.value.detail == named + last.detail
