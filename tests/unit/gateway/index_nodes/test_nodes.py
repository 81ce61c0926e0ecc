"""Which index node a search goes to, and what becomes of it where nodes are away."""

from collections import Counter
from typing import Literal

import pytest

from services.contracts.domain.errors import (
    IndexNotReady,
    LookalikeError,
    ModelIndexMismatch,
    UnknownCategory,
    UnknownProduct,
    UpstreamTimeout,
)
from services.contracts.wire.index import IndexedModel, IndexSearch, IndexSimilar
from services.gateway.index_nodes.nodes import IndexNodes
from tests.support.index_fakes import FakeIndex

Role = Literal["active", "candidate", "previous", "leaving"]
DEFAULT = ("default",)
AWAY = IndexNotReady("the index service cannot be reached")


async def nodes_of(*fakes: FakeIndex) -> IndexNodes:
    nodes = IndexNodes(fakes, refresh_s=1)  # type: ignore[arg-type]
    await nodes.refresh()
    return nodes


def in_category(category: int) -> IndexSearch:
    return IndexSearch(category=category, vector=[1.0], model="fashion/1")


async def found(nodes: IndexNodes, category: int) -> list[str]:
    return [hit.id for hit in (await nodes.search(in_category(category))).hits]


@pytest.fixture
def tops() -> FakeIndex:
    return FakeIndex({0: ["t1", "t2"]})


@pytest.fixture
def rest() -> FakeIndex:
    return FakeIndex({1: ["s1"], 2: ["b1"]})


async def test_a_search_goes_to_the_node_that_holds_the_category(tops: FakeIndex, rest: FakeIndex) -> None:
    nodes = await nodes_of(tops, rest)
    assert [await found(nodes, category) for category in (0, 1, 2)] == [["t1", "t2"], ["s1"], ["b1"]]
    assert (tops.searches, rest.searches) == (1, 2)


async def test_nodes_that_hold_the_same_are_asked_in_turns() -> None:
    replicas = [FakeIndex({0: ["t1"]}) for _ in range(3)]
    nodes = await nodes_of(*replicas)
    for _ in range(12):
        await found(nodes, 0)
    assert [replica.searches for replica in replicas] == [4, 4, 4]


@pytest.mark.parametrize("trouble", [AWAY, UpstreamTimeout("late"), ModelIndexMismatch("another model")])
async def test_where_one_fails_another_one_answers(trouble: LookalikeError) -> None:
    first, second = FakeIndex({0: ["t1"]}), FakeIndex({0: ["t1"]})
    nodes = await nodes_of(first, second)
    first.trouble = trouble
    for _ in range(6):
        assert await found(nodes, 0) == ["t1"]


async def test_a_node_that_failed_is_left_alone_until_it_answers_again() -> None:
    first, second = FakeIndex({0: ["t1"]}), FakeIndex({0: ["t1"]})
    nodes = await nodes_of(first, second)
    first.trouble = AWAY
    for _ in range(10):
        await found(nodes, 0)
    assert (first.searches, second.searches) == (1, 10)
    first.trouble = None
    await nodes.refresh()
    for _ in range(10):
        await found(nodes, 0)
    assert first.searches == 6


async def test_a_node_that_is_loading_is_asked_last() -> None:
    loading, ready = FakeIndex({0: ["t1"]}), FakeIndex({0: ["t1"]})
    loading.ready = False
    nodes = await nodes_of(loading, ready)
    for _ in range(4):
        await found(nodes, 0)
    assert loading.searches == 0


async def test_a_node_that_is_away_takes_only_its_categories_with_it(tops: FakeIndex, rest: FakeIndex) -> None:
    nodes = await nodes_of(tops, rest)
    rest.trouble = AWAY
    assert await found(nodes, 0) == ["t1", "t2"]
    with pytest.raises(IndexNotReady, match="no index node answers for Shoes: the index service cannot be reached"):
        await found(nodes, 1)
    rest.trouble = None
    assert await found(nodes, 1) == ["s1"]


async def test_a_category_that_no_node_holds_is_told(tops: FakeIndex) -> None:
    nodes = await nodes_of(tops, FakeIndex({2: []}))
    with pytest.raises(IndexNotReady, match="no index node holds Shoes"):
        await found(nodes, 1)


async def test_a_node_that_has_never_been_reached_is_asked_all_the_same(tops: FakeIndex, rest: FakeIndex) -> None:
    rest.trouble = AWAY
    nodes = await nodes_of(tops, rest)
    rest.trouble = None
    assert await found(nodes, 1) == ["s1"]
    assert await found(nodes, 0) == ["t1", "t2"]


async def test_what_the_only_node_says_is_passed_on() -> None:
    node = FakeIndex({0: [], 1: [], 2: []})
    nodes = await nodes_of(node)
    for trouble in (AWAY, UpstreamTimeout("late"), UnknownCategory("9"), ModelIndexMismatch("another")):
        node.trouble = trouble
        with pytest.raises(type(trouble), match=f"^{trouble.detail}$"):
            await found(nodes, 0)


async def test_similar_asks_until_a_node_knows_the_product(tops: FakeIndex, rest: FakeIndex) -> None:
    nodes = await nodes_of(tops, rest)
    for _ in range(2):
        assert [hit.id for hit in (await nodes.similar(IndexSimilar(id="t2"))).hits] == ["t1"]
        assert (await nodes.similar(IndexSimilar(id="b1"))).category == 2
        with pytest.raises(UnknownProduct, match="'x'"):
            await nodes.similar(IndexSimilar(id="x"))


async def test_similar_asks_one_of_the_nodes_that_hold_the_same() -> None:
    replicas = [FakeIndex({0: ["t1"]}) for _ in range(3)]
    nodes = await nodes_of(*replicas)
    with pytest.raises(UnknownProduct):
        await nodes.similar(IndexSimilar(id="x"))
    assert sum(replica.searches for replica in replicas) == 1


async def test_a_product_that_a_node_may_hold_which_is_away_is_not_called_unknown(
    tops: FakeIndex, rest: FakeIndex
) -> None:
    nodes = await nodes_of(tops, rest, replica := FakeIndex({0: ["t1", "t2"]}))
    replica.trouble = AWAY
    with pytest.raises(UnknownProduct):
        await nodes.similar(IndexSimilar(id="x"))
    rest.trouble = AWAY
    assert (await nodes.similar(IndexSimilar(id="t1"))).category == 0
    with pytest.raises(IndexNotReady):
        await nodes.similar(IndexSimilar(id="x"))


async def test_a_sample_is_of_all_nodes_as_their_products_are_many(tops: FakeIndex) -> None:
    large = FakeIndex({1: [f"s{number}" for number in range(98)]})
    nodes = await nodes_of(tops, large, FakeIndex({1: large.held[1]}))
    drawn: Counter[int] = Counter()
    for _ in range(40):
        products = (await nodes.sample(20, None, DEFAULT)).products
        assert len({product.id for product in products}) == 20
        drawn.update(product.category for product in products)
    assert 0 < drawn[0] < drawn[1] / 10
    assert {product.id for product in (await nodes.sample(5, 0, DEFAULT)).products} == {"t1", "t2"}


async def test_a_sample_is_of_what_can_be_searched(tops: FakeIndex, rest: FakeIndex) -> None:
    nodes = await nodes_of(tops, rest)
    rest.trouble = AWAY
    assert {product.id for product in (await nodes.sample(10, None, DEFAULT)).products} <= {"t1", "t2"}
    with pytest.raises(IndexNotReady):
        await nodes.sample(10, 1, DEFAULT)
    tops.trouble = AWAY
    for _ in range(3):
        with pytest.raises(IndexNotReady):
            await nodes.sample(10, None, DEFAULT)


async def test_a_sample_of_an_empty_catalogue_is_empty() -> None:
    nodes = await nodes_of(FakeIndex({0: []}), FakeIndex({1: [], 2: []}))
    assert (await nodes.sample(10, None, DEFAULT)).products == []


async def test_the_status_is_of_all_nodes_together(tops: FakeIndex, rest: FakeIndex) -> None:
    rest.lag = 9.0
    nodes = await nodes_of(tops, FakeIndex({0: ["t1", "t2"]}), rest)
    status = await nodes.status()
    found = status.catalogues["default"]
    assert [(one.name, one.products, one.held) for one in found.categories] == [
        ("Topwear", 2, True),
        ("Shoes", 1, True),
        ("Bags", 1, True),
    ]
    assert (found.products, found.sync.lag_seconds) == (4, 9.0)


async def test_what_a_node_that_is_away_holds_stays_known(tops: FakeIndex, rest: FakeIndex) -> None:
    nodes = await nodes_of(tops, rest)
    rest.trouble = AWAY
    status = await nodes.status()
    found = status.catalogues["default"]
    assert [(one.products, one.held) for one in found.categories] == [(2, True), (1, False), (1, False)]
    tops.trouble = AWAY
    with pytest.raises(IndexNotReady):
        await nodes.status()


async def test_a_status_does_not_wait_for_a_node_that_is_away_while_others_answer(
    tops: FakeIndex, rest: FakeIndex
) -> None:
    nodes = await nodes_of(tops, rest)
    rest.trouble = AWAY
    for _ in range(3):
        await nodes.status()
    assert (tops.statuses, rest.statuses) == (4, 2)
    await nodes.refresh()  # as it does by itself every few seconds
    assert rest.statuses == 3


async def test_what_cannot_be_searched_is_told_while_the_rest_is_ready(tops: FakeIndex, rest: FakeIndex) -> None:
    nodes = await nodes_of(tops, rest)
    assert await nodes.ready() == ()
    rest.trouble = AWAY
    assert await nodes.ready() == ("no index node answers for Shoes, Bags: the index service cannot be reached",)
    rest.trouble, rest.ready = None, False
    assert await nodes.ready() == (
        "no index node answers for Shoes, Bags: the index is not ready: the products are being loaded",
    )
    tops.trouble = AWAY
    with pytest.raises(IndexNotReady, match="the index service cannot be reached; the index is not ready"):
        await nodes.ready()


async def test_categories_that_no_node_is_set_to_hold_are_told(tops: FakeIndex) -> None:
    nodes = await nodes_of(tops)
    assert await nodes.ready() == ("no index node answers for Shoes, Bags: none is set to hold them",)


def model(name: str, role: Role, products: int, *, complete: bool = True, lag: float | None = 0.1) -> IndexedModel:
    return IndexedModel(
        model=name,
        role=role,
        complete=complete,
        products=products,
        state="following" if complete else "loading",
        lag_seconds=lag,
        without_vector=0 if complete else 3,
    )


async def together(*fakes: FakeIndex) -> tuple[str, dict[str, tuple[str, bool, int]]]:
    """Return the active model of all nodes, and each model's role, completeness and products."""
    status = await (await nodes_of(*fakes)).status()
    return status.model, {
        one.model: (one.role, one.complete, one.products) for one in status.catalogues["default"].models
    }


async def test_the_models_of_nodes_are_those_that_all_of_them_can_search(tops: FakeIndex, rest: FakeIndex) -> None:
    tops.models = [model("fashion/1", "active", 2), model("fashion/2", "candidate", 1)]
    rest.models = [model("fashion/1", "active", 2), model("fashion/2", "candidate", 0, complete=False, lag=None)]
    assert await together(tops, rest) == (
        "fashion/1",
        {"fashion/1": ("active", True, 4), "fashion/2": ("candidate", False, 1)},
    )


async def test_while_nodes_are_being_switched_the_active_model_is_one_that_all_hold(
    tops: FakeIndex, rest: FakeIndex
) -> None:
    tops.model, tops.models = "fashion/2", [model("fashion/1", "previous", 2), model("fashion/2", "active", 2)]
    rest.models = [model("fashion/1", "active", 2), model("fashion/2", "candidate", 1, complete=False)]
    assert (await together(tops, rest))[0] == "fashion/1"
    rest.models = [model("fashion/1", "active", 2), model("fashion/2", "candidate", 2)]
    assert (await together(tops, rest))[0] == "fashion/2"


async def test_replicas_count_their_models_products_once_and_a_node_that_is_away_decides_nothing() -> None:
    replicas = [FakeIndex({0: ["t1", "t2"]}) for _ in range(3)]
    for replica in replicas:
        replica.model, replica.models = "fashion/2", [model("fashion/2", "active", 2)]
    replicas[0].model, replicas[0].models, replicas[0].ready = "fashion/1", [model("fashion/1", "active", 2)], False
    assert await together(*replicas) == ("fashion/2", {"fashion/2": ("active", True, 2)})


async def test_a_node_that_tells_of_its_own_model_only_holds_that_one(tops: FakeIndex) -> None:
    assert await together(tops) == ("fashion/1", {"fashion/1": ("active", True, 2)})
