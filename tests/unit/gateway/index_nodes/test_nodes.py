"""Which index node a search goes to, and what happens while nodes are unavailable."""

import asyncio
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
from services.contracts.wire.index import IndexedModel, IndexSearch, IndexSimilar, IndexVectors
from services.gateway.index_nodes.nodes import IndexNodes
from tests.support.fakes.index_fakes import FakeIndex

Role = Literal["active", "candidate", "previous", "leaving"]
DEFAULT = ("default",)
UNAVAILABLE = IndexNotReady("the index service cannot be reached")


async def nodes_of(*fakes: FakeIndex) -> IndexNodes:
    nodes = IndexNodes(fakes, refresh_s=1)  # type: ignore[arg-type]
    await nodes.refresh()
    return nodes


def in_category(category: int) -> IndexSearch:
    return IndexSearch(category=category, vector=[1.0], model="fashion/1")


async def keys(nodes: IndexNodes, category: int) -> list[str]:
    return [hit.id for hit in (await nodes.search(in_category(category))).hits]


@pytest.fixture
def tops() -> FakeIndex:
    return FakeIndex({0: ["t1", "t2"]})


@pytest.fixture
def rest() -> FakeIndex:
    return FakeIndex({1: ["s1"], 2: ["b1"]})


async def test_a_search_goes_to_the_node_that_holds_the_category(tops: FakeIndex, rest: FakeIndex) -> None:
    nodes = await nodes_of(tops, rest)
    assert [await keys(nodes, category) for category in (0, 1, 2)] == [["t1", "t2"], ["s1"], ["b1"]]
    assert (tops.searches, rest.searches) == (1, 2)


async def test_nodes_that_hold_the_same_are_asked_in_turns() -> None:
    replicas = [FakeIndex({0: ["t1"]}) for _ in range(3)]
    nodes = await nodes_of(*replicas)
    for _ in range(12):
        await keys(nodes, 0)
    assert [replica.searches for replica in replicas] == [4, 4, 4]


@pytest.mark.parametrize("trouble", [UNAVAILABLE, UpstreamTimeout("late"), ModelIndexMismatch("another model")])
async def test_where_one_fails_another_one_answers(trouble: LookalikeError) -> None:
    first, second = FakeIndex({0: ["t1"]}), FakeIndex({0: ["t1"]})
    nodes = await nodes_of(first, second)
    first.trouble = trouble
    for _ in range(6):
        assert await keys(nodes, 0) == ["t1"]


async def test_a_node_that_failed_gets_no_search_until_it_answers_again() -> None:
    first, second = FakeIndex({0: ["t1"]}), FakeIndex({0: ["t1"]})
    nodes = await nodes_of(first, second)
    first.trouble = UNAVAILABLE
    for _ in range(10):
        await keys(nodes, 0)
    assert (first.searches, second.searches) == (1, 10)
    first.trouble = None
    await nodes.refresh()
    for _ in range(10):
        await keys(nodes, 0)
    assert first.searches == 6


async def test_a_node_that_is_loading_is_the_last_choice() -> None:
    loading, ready = FakeIndex({0: ["t1"]}), FakeIndex({0: ["t1"]})
    loading.ready = False
    nodes = await nodes_of(loading, ready)
    for _ in range(4):
        await keys(nodes, 0)
    assert loading.searches == 0


async def test_an_unavailable_node_affects_only_its_categories(tops: FakeIndex, rest: FakeIndex) -> None:
    nodes = await nodes_of(tops, rest)
    rest.trouble = UNAVAILABLE
    assert await keys(nodes, 0) == ["t1", "t2"]
    with pytest.raises(IndexNotReady, match="no index node answers for Shoes: the index service cannot be reached"):
        await keys(nodes, 1)
    rest.trouble = None
    assert await keys(nodes, 1) == ["s1"]


async def test_a_node_that_has_given_up_a_category_is_passed_over() -> None:
    first, second = FakeIndex({0: ["t1"]}), FakeIndex({0: ["t1"]})
    nodes = await nodes_of(first, second)
    first.held = {1: ["s1"]}  # since its last status
    for _ in range(4):
        assert await keys(nodes, 0) == ["t1"]


async def test_a_product_is_found_whichever_node_is_asked_first() -> None:
    nodes = await nodes_of(FakeIndex({0: ["t1"]}), FakeIndex({0: ["t1"]}), FakeIndex({1: ["s1", "s2"]}))
    for _ in range(3):
        assert [hit.id for hit in (await nodes.similar(IndexSimilar(id="s1"))).hits] == ["s2"]


async def test_a_category_that_no_node_holds_is_an_error(tops: FakeIndex) -> None:
    nodes = await nodes_of(tops, FakeIndex({2: []}))
    with pytest.raises(IndexNotReady, match="no index node holds Shoes"):
        await keys(nodes, 1)


async def test_a_node_that_has_never_been_reached_is_tried(tops: FakeIndex, rest: FakeIndex) -> None:
    rest.trouble = UNAVAILABLE
    nodes = await nodes_of(tops, rest)
    rest.trouble = None
    assert await keys(nodes, 1) == ["s1"]
    assert await keys(nodes, 0) == ["t1", "t2"]


async def test_the_error_of_the_only_node_is_passed_on() -> None:
    node = FakeIndex({0: [], 1: [], 2: []})
    nodes = await nodes_of(node)
    for trouble in (UNAVAILABLE, UpstreamTimeout("late"), UnknownCategory("9"), ModelIndexMismatch("another")):
        node.trouble = trouble
        with pytest.raises(type(trouble), match=f"^{trouble.detail}$"):
            await keys(nodes, 0)


async def test_a_search_by_product_goes_on_until_a_node_knows_the_product(tops: FakeIndex, rest: FakeIndex) -> None:
    nodes = await nodes_of(tops, rest)
    for _ in range(2):
        assert [hit.id for hit in (await nodes.similar(IndexSimilar(id="t2"))).hits] == ["t1"]
        assert (await nodes.similar(IndexSimilar(id="b1"))).category == 2
        with pytest.raises(UnknownProduct, match="'x'"):
            await nodes.similar(IndexSimilar(id="x"))


async def test_a_search_by_product_goes_to_one_of_the_nodes_that_hold_the_same() -> None:
    replicas = [FakeIndex({0: ["t1"]}) for _ in range(3)]
    nodes = await nodes_of(*replicas)
    with pytest.raises(UnknownProduct):
        await nodes.similar(IndexSimilar(id="x"))
    assert sum(replica.searches for replica in replicas) == 1


async def test_a_product_that_an_unavailable_node_may_hold_is_not_unknown(tops: FakeIndex, rest: FakeIndex) -> None:
    nodes = await nodes_of(tops, rest, replica := FakeIndex({0: ["t1", "t2"]}))
    replica.trouble = UNAVAILABLE
    with pytest.raises(UnknownProduct):
        await nodes.similar(IndexSimilar(id="x"))
    rest.trouble = UNAVAILABLE
    assert (await nodes.similar(IndexSimilar(id="t1"))).category == 0
    with pytest.raises(IndexNotReady):
        await nodes.similar(IndexSimilar(id="x"))


async def test_a_sample_is_of_all_nodes_in_proportion_to_their_products(tops: FakeIndex) -> None:
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
    rest.trouble = UNAVAILABLE
    assert {product.id for product in (await nodes.sample(10, None, DEFAULT)).products} == {"t1", "t2"}
    with pytest.raises(IndexNotReady):
        await nodes.sample(10, 1, DEFAULT)
    tops.trouble = UNAVAILABLE
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
    held = status.catalogues["default"]
    assert [(category.name, category.products, category.held) for category in held.categories] == [
        ("Topwear", 2, True),
        ("Shoes", 1, True),
        ("Bags", 1, True),
    ]
    assert (held.products, held.sync.lag_seconds) == (4, 9.0)


async def test_the_counts_of_an_unavailable_node_stay_known(tops: FakeIndex, rest: FakeIndex) -> None:
    nodes = await nodes_of(tops, rest)
    rest.trouble = UNAVAILABLE
    status = await nodes.status()
    held = status.catalogues["default"]
    assert [(category.products, category.held) for category in held.categories] == [(2, True), (1, False), (1, False)]
    tops.trouble = UNAVAILABLE
    with pytest.raises(IndexNotReady):
        await nodes.status()


async def test_a_status_does_not_wait_for_an_unavailable_node_while_others_answer(
    tops: FakeIndex, rest: FakeIndex
) -> None:
    nodes = await nodes_of(tops, rest)
    rest.trouble = UNAVAILABLE
    for _ in range(3):
        await nodes.status()
    assert (tops.statuses, rest.statuses) == (4, 2)
    await nodes.refresh()  # as `run` does
    assert rest.statuses == 3


async def test_categories_that_cannot_be_searched_are_named_while_the_others_are_ready(
    tops: FakeIndex, rest: FakeIndex
) -> None:
    nodes = await nodes_of(tops, rest)
    assert await nodes.ready() == ()
    rest.trouble = UNAVAILABLE
    assert await nodes.ready() == ("no index node answers for Shoes, Bags: the index service cannot be reached",)
    rest.trouble, rest.ready = None, False
    assert await nodes.ready() == (
        "no index node answers for Shoes, Bags: the index is not ready: the products are being loaded",
    )
    tops.trouble = UNAVAILABLE
    with pytest.raises(IndexNotReady, match="the index service cannot be reached; the index is not ready"):
        await nodes.ready()


async def test_categories_that_no_node_is_set_to_hold_are_named(tops: FakeIndex) -> None:
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
        model.model: (model.role, model.complete, model.products) for model in status.catalogues["default"].models
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


async def test_replicas_count_products_once_and_a_node_that_is_not_ready_does_not_choose_the_model() -> None:
    replicas = [FakeIndex({0: ["t1", "t2"]}) for _ in range(3)]
    for replica in replicas:
        replica.model, replica.models = "fashion/2", [model("fashion/2", "active", 2)]
    replicas[0].model, replicas[0].models, replicas[0].ready = "fashion/1", [model("fashion/1", "active", 2)], False
    assert await together(*replicas) == ("fashion/2", {"fashion/2": ("active", True, 2)})


async def test_models_are_merged_over_nodes(tops: FakeIndex, rest: FakeIndex) -> None:
    tops.models = [model("fashion/1", "active", 2, lag=3.0), model("fashion/2", "candidate", 1, complete=False)]
    rest.models = [
        model("fashion/1", "active", 2, lag=5.0),
        model("fashion/2", "candidate", 0, complete=False, lag=None),
    ]
    first, second = (await (await nodes_of(tops, rest)).status()).catalogues["default"].models
    assert (first.state, first.lag_seconds, first.without_vector) == ("following", 5.0, 0)
    assert (second.state, second.lag_seconds, second.without_vector) == ("loading", None, 6)


async def test_the_sync_is_that_of_the_node_with_the_longest_delay(tops: FakeIndex, rest: FakeIndex) -> None:
    rest.lag = None
    nodes = await nodes_of(tops, rest)
    assert (await nodes.status()).catalogues["default"].sync.lag_seconds is None
    rest.trouble = UNAVAILABLE
    assert (await nodes.status()).catalogues["default"].sync.lag_seconds == 0.1


async def test_a_status_is_ready_if_something_can_be_searched(tops: FakeIndex, rest: FakeIndex) -> None:
    tops.ready = False
    nodes = await nodes_of(tops, rest)
    assert (await nodes.status()).ready
    rest.ready = False
    assert not (await nodes.status()).ready


async def test_a_node_that_answers_with_an_error_is_not_well_and_its_reason_is_known(tops: FakeIndex) -> None:
    nodes = await nodes_of(tops)
    tops.trouble = LookalikeError("a service answered 500 without a problem document")
    await nodes.refresh()
    (node,) = nodes.nodes
    assert (node.is_well, node.obstacle) == (False, "a service answered 500 without a problem document")
    with pytest.raises(IndexNotReady, match="answered 500"):
        await nodes.ready()


async def test_a_search_that_is_refused_says_nothing_against_the_node(tops: FakeIndex) -> None:
    nodes = await nodes_of(tops)
    tops.trouble = UnknownCategory("there is no category 9")
    with pytest.raises(UnknownCategory):
        await keys(nodes, 0)
    assert nodes.nodes[0].is_well


async def test_a_node_that_is_loading_says_why(tops: FakeIndex) -> None:
    tops.ready, tops.last_error = False, "the database cannot be reached"
    nodes = await nodes_of(tops)
    assert nodes.nodes[0].obstacle == "the index is not ready: the database cannot be reached"


async def test_an_error_names_what_was_searched_for(tops: FakeIndex, rest: FakeIndex) -> None:
    tops.trouble = rest.trouble = UNAVAILABLE
    nodes = await nodes_of(tops, rest)
    with pytest.raises(IndexNotReady, match="no index node answers for category 1: the index service"):
        await keys(nodes, 1)
    with pytest.raises(IndexNotReady, match="no index node answers for any category: the index service"):
        await nodes.sample(3, None, DEFAULT)


async def test_the_statuses_are_refreshed_until_the_task_is_cancelled(
    tops: FakeIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    nodes = IndexNodes([tops], refresh_s=0)  # type: ignore[list-item]
    refreshed = asyncio.Event()
    refresh = nodes.refresh

    async def fail_first() -> None:
        if tops.statuses == 0:
            tops.statuses += 1
            raise ZeroDivisionError
        await refresh()
        refreshed.set()

    monkeypatch.setattr(nodes, "refresh", fail_first)
    task = asyncio.create_task(nodes.run())
    await refreshed.wait()  # an error has not ended it
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert nodes.nodes[0].status is not None


async def test_closing_closes_every_client(tops: FakeIndex, rest: FakeIndex) -> None:
    nodes = await nodes_of(tops, rest)
    await nodes.close()
    assert tops.closed and rest.closed


@pytest.mark.parametrize("broken", [0, 1])
async def test_vectors_that_one_node_cannot_give_come_from_another(broken: int) -> None:
    replicas = [FakeIndex({0: ["t1"]}), FakeIndex({0: ["t1"]}), FakeIndex({1: ["s1"]})]
    nodes = await nodes_of(*replicas)
    replicas[broken].trouble = UNAVAILABLE
    vectors = await nodes.vectors(IndexVectors(ids=["t1", "s1"], model="fashion/1"))
    assert sorted(vector.id for vector in vectors) == ["s1", "t1"]


async def test_vectors_that_no_node_gives_are_the_error_of_the_one_that_failed(
    tops: FakeIndex, rest: FakeIndex
) -> None:
    nodes = await nodes_of(tops, rest)
    tops.trouble = UNAVAILABLE
    with pytest.raises(IndexNotReady, match="cannot be reached"):
        await nodes.vectors(IndexVectors(ids=["t1", "s1"], model="fashion/1"))
