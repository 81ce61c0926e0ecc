"""What the statuses of several nodes say together, and several catalogues of one node."""

import random
from collections.abc import Mapping, Sequence
from types import SimpleNamespace
from typing import Any

import pytest

from services.contracts.domain.errors import IndexNotReady
from services.contracts.domain.parts import WHOLE, Part
from services.contracts.wire.index import CatalogueStatus, CategoryCount, IndexedModel, IndexStatus, SyncStatus
from services.gateway.index_nodes import overview
from services.gateway.index_nodes.node import IndexNode
from tests.support.fakes.index_fakes import NEVER_COMPARED

NAMES = ("Topwear", "Shoes")
UNAVAILABLE = IndexNotReady("it cannot be reached")


def sync(lag: float | None = 1.0, state: Any = "following") -> SyncStatus:
    facts: dict[str, Any] = dict.fromkeys(("loaded_from", "last_error"))
    return SyncStatus(
        state=state,
        stale=False,
        lag_seconds=lag,
        applied=0,
        skipped=0,
        other_models=0,
        reconcile=NEVER_COMPARED,
        **facts,
    )


def model(name: str = "m/1", **facts: Any) -> IndexedModel:
    values: dict[str, Any] = {"role": "active", "complete": True, "products": 0, "state": "following"}
    return IndexedModel(model=name, **{**values, "lag_seconds": 1.0, "without_vector": 0, **facts})


def catalogue(
    counts: Mapping[int, int],
    *,
    scores: Mapping[int, float] | None = None,
    models: Sequence[IndexedModel] = (),
    follows: SyncStatus | None = None,
) -> CatalogueStatus:
    return CatalogueStatus(
        products=sum(counts.values()),
        categories=[
            CategoryCount(
                id=number,
                name=name,
                products=counts.get(number, 0),
                held=number in counts,
                close_score=(scores or {}).get(number),
            )
            for number, name in enumerate(NAMES)
        ],
        models=list(models) or [model()],
        sync=follows or sync(),
    )


def status(
    part: Part = WHOLE, *, ready: bool = True, active: str = "m/1", **catalogues: CatalogueStatus
) -> IndexStatus:
    return IndexStatus(model=active, ready=ready, part=part, catalogues=catalogues)


def node(known: IndexStatus | None, trouble: IndexNotReady | None = None) -> IndexNode:
    client: Any = SimpleNamespace()
    made = IndexNode(client)
    made.status, made.trouble = known, trouble
    return made


def held(counts: Mapping[int, int], part: str = "1/1", **facts: Any) -> IndexNode:
    return node(status(Part.parse(part), default=catalogue(counts, **facts)))


def merged(*nodes: IndexNode) -> CatalogueStatus:
    return overview.merged(nodes).catalogues["default"]


def products(merged_status: CatalogueStatus) -> list[tuple[int, bool]]:
    return [(category.products, category.held) for category in merged_status.categories]


def test_several_catalogues_are_counted_as_one() -> None:
    known = status(
        default=catalogue(
            {0: 2, 1: 3},
            scores={0: 0.9, 1: 0.9},
            models=[
                model("m/1", products=5, without_vector=1, lag_seconds=2.0),
                model("m/2", products=4, lag_seconds=None),
            ],
            follows=sync(3.0),
        ),
        b=catalogue(
            {0: 10, 1: 20},
            models=[
                model("m/1", products=30, without_vector=2, lag_seconds=4.0, complete=False, state="loading"),
                model("m/2", products=3, lag_seconds=1.0),
            ],
            follows=sync(2.0),
        ),
    )
    both = overview.combined(known, ("default", "b"))
    assert (both.products, [category.products for category in both.categories]) == (35, [12, 23])
    assert [category.close_score for category in both.categories] == [None, None]
    first, second = both.models
    assert (first.products, first.without_vector, first.lag_seconds) == (35, 3, 4.0)
    assert (first.complete, first.state) == (False, "loading")
    assert (second.products, second.lag_seconds, second.complete, second.state) == (7, None, True, "following")
    assert both.sync.lag_seconds == 3.0
    assert overview.combined(known, ("b",)) == known.catalogues["b"]
    with pytest.raises(IndexNotReady, match="'c'"):
        overview.combined(known, ("default", "c"))


@pytest.mark.parametrize(
    ("delays", "longest"),
    [
        ([sync(1.0), sync(2.0)], sync(2.0)),
        ([sync(None), sync(2.0)], sync(None)),  # never level
        ([sync(9.0), sync(0.0, "loading")], sync(0.0, "loading")),
        ([sync(9.0, "polling"), sync(1.0, "reconnecting")], sync(9.0, "polling")),
    ],
)
def test_the_sync_is_the_one_with_the_longest_delay(delays: list[SyncStatus], longest: SyncStatus) -> None:
    for ordered in (delays, delays[::-1]):
        assert merged(*(held({0: 1}, follows=each) for each in ordered)).sync == longest


def test_a_catalogue_is_there_if_every_node_knows_it() -> None:
    both, one = status(default=catalogue({0: 1}), b=catalogue({0: 1})), status(default=catalogue({1: 1}))
    assert list(overview.merged([node(both), node(both)]).catalogues) == ["default", "b"]
    assert list(overview.merged([node(both), node(one)]).catalogues) == ["default"]


def test_a_node_that_answers_comes_before_one_that_does_not() -> None:
    old = status(active="m/0", default=catalogue({0: 7}, models=[model("m/0")], follows=sync(9.0)))
    fresh = status(default=catalogue({1: 2}))
    together = overview.merged([node(old, UNAVAILABLE), node(None), node(fresh)])
    assert (together.model, together.ready) == ("m/1", True)
    assert products(together.catalogues["default"]) == [(7, False), (2, True)]
    assert together.catalogues["default"].sync.lag_seconds == 1.0
    lost = overview.merged([node(old, UNAVAILABLE), node(fresh, UNAVAILABLE)])
    assert (lost.ready, products(lost.catalogues["default"])) == (False, [(7, False), (2, False)])
    assert lost.catalogues["default"].sync.lag_seconds == 9.0


def test_the_fullest_replica_counts() -> None:
    assert products(merged(held({0: 2}), held({0: 5, 1: 1}), held({0: 4}))) == [(5, True), (1, True)]


@pytest.mark.parametrize(
    ("parts", "count", "is_held"),
    [
        ({"1/2": 3, "2/2": 4}, 7, True),
        ({"1/2": 3, "2/4": 1, "4/4": 2}, 6, True),
        ({"1/1": 9, "1/2": 4}, 9, True),
        ({"1/2": 3}, 3, False),
        ({"1/2": 3, "2/4": 1}, 3, False),  # not all: the most that is known
        ({"1/4": 3, "2/4": 2, "1/2": 4}, 5, False),
    ],
)
def test_the_parts_of_a_category_are_added(parts: dict[str, int], count: int, is_held: bool) -> None:
    assert products(merged(*(held({0: number}, part) for part, number in parts.items())))[0] == (count, is_held)


def test_the_close_score_is_that_of_the_first_part() -> None:
    nodes = [held({0: 3}, "2/2", scores={0: 0.7}), held({0: 1}, "1/2", scores={0: 0.8})]
    for ordered in (nodes, nodes[::-1]):
        assert merged(*ordered).categories[0].close_score == 0.8
    unscaled = [held({0: 3}, "2/2", scores={0: 0.7}), held({0: 1}, "1/2")]
    assert merged(*unscaled).categories[0].close_score == 0.7
    whole = [held({0: 3}, scores={0: 0.7}), held({0: 5}, scores={0: 0.6})]
    assert merged(*whole).categories[0].close_score == 0.6  # the fullest node's
    mixed = [held({0: 9}, scores={0: 0.5}), held({0: 4}, "1/2", scores={0: 0.6})]
    assert merged(*mixed).categories[0].close_score == 0.5  # part 1/1 comes before 1/2


def models(*nodes: IndexNode) -> dict[str, tuple[str, bool, int, int]]:
    return {
        each.model: (each.role, each.complete, each.products, each.without_vector) for each in merged(*nodes).models
    }


def test_a_model_counts_each_part_and_category_once() -> None:
    counted = [
        held({0: 1}, "1/2", models=[model(products=3, without_vector=1)]),
        held({0: 1}, "2/2", models=[model(products=4, without_vector=2)]),
        held({0: 1}, "2/2", models=[model(products=5, without_vector=0)]),  # a replica
        held({1: 1}, models=[model(products=10, without_vector=5)]),
    ]
    assert models(*counted) == {"m/1": ("active", True, 18, 8)}


def test_a_model_is_complete_if_every_node_has_all_of_it() -> None:
    both = [model("m/1"), model("m/2", role="candidate")]
    assert models(held({0: 1}, models=both), held({1: 1}, models=both))["m/2"][:2] == ("candidate", True)
    for other in ([model("m/1")], [model("m/1"), model("m/2", role="candidate", complete=False)]):
        assert models(held({0: 1}, models=both), held({1: 1}, models=other))["m/2"][:2] == ("candidate", False)


def test_the_active_model_of_one_node_has_another_role_while_nodes_are_switched() -> None:
    switched = status(active="m/2", default=catalogue({0: 1}, models=[model("m/2"), model("m/1", role="previous")]))
    waiting = status(default=catalogue({1: 1}, models=[model("m/1"), model("m/2", role="candidate", complete=False)]))
    together = overview.merged([node(switched), node(waiting)])
    roles = {each.model: each.role for each in together.catalogues["default"].models}
    assert (together.model, roles) == ("m/1", {"m/2": "candidate", "m/1": "active"})
    done = status(active="m/2", default=catalogue({1: 1}, models=[model("m/2")]))
    roles = {each.model: each.role for each in merged(node(done), node(switched)).models}
    assert roles == {"m/2": "active", "m/1": "previous"}
    apart = [status(active=name, default=catalogue({0: 1}, models=[model(name)])) for name in ("m/1", "m/2")]
    roles = {each.model: each.role for each in merged(*map(node, apart)).models}
    assert roles == {"m/1": "active", "m/2": "previous"}  # none is complete: the first node's


def test_a_node_that_is_not_ready_has_no_say_about_models_while_another_is() -> None:
    loading = status(ready=False, active="m/2", default=catalogue({1: 1}, models=[model("m/2", complete=False)]))
    assert models(node(loading), held({0: 1})) == {"m/1": ("active", True, 0, 0)}
    assert models(node(loading)) == {"m/2": ("active", False, 0, 0)}


def test_categories_without_a_part_or_without_a_node_are_named() -> None:
    half = held({0: 1}, "2/2")
    quarter = held({0: 1}, "3/4")
    assert overview.gaps([held({0: 1, 1: 1})]) == ()
    assert overview.gaps([half, quarter, held({1: 1})]) == ("of Topwear, index nodes answer only for part 2/2, 3/4",)
    away = node(status(default=catalogue({1: 1})), UNAVAILABLE)
    other = node(status(default=catalogue({0: 1})), IndexNotReady("another reason"))
    assert overview.gaps([half, away, other]) == (
        "of Topwear, index nodes answer only for part 2/2",
        "no index node answers for Shoes: it cannot be reached",
    )
    assert overview.gaps([held({0: 1}), node(None, UNAVAILABLE)]) == (
        "no index node answers for Shoes: it cannot be reached",
    )
    assert overview.obstacles([away, away, half, other]) == ["it cannot be reached", "another reason"]


@pytest.mark.parametrize(
    ("sizes", "count", "expected"),
    [([], 5, []), ([0, 0], 5, [0, 0]), ([3, 0, 2], 5, [3, 0, 2]), ([3, 0, 2], 9, [3, 0, 2]), ([0, 4], 3, [0, 3])],
)
def test_no_more_is_drawn_than_there_is(sizes: list[int], count: int, expected: list[int]) -> None:
    assert overview.drawn(sizes, count, random.Random(1)) == expected


def test_a_draw_is_by_size() -> None:
    rng = random.Random(1)
    draws = [overview.drawn([1, 3], 1, rng) for _ in range(400)]
    assert 60 < sum(draw == [1, 0] for draw in draws) < 140
    assert all(sum(draw) == 1 for draw in draws)


def test_shares_are_of_what_can_be_searched() -> None:
    known = catalogue({0: 3, 1: 0})
    assert overview.shares(5, known, random.Random(1)) == {0: 3}
    given_up = known.categories[0].model_copy(update={"held": False})
    assert overview.shares(5, known.model_copy(update={"categories": [given_up]}), random.Random(1)) == {}


def test_the_products_of_replicas_are_those_of_the_fullest() -> None:
    few = node(status(default=catalogue({0: 2}), b=catalogue({0: 9})))
    many = node(status(default=catalogue({0: 5})))
    nodes = [few, many, node(None)]
    assert overview.products_of(nodes, 0, ("default",)) == 5
    assert overview.products_of(nodes, 0, ("default", "b")) == 11
    assert overview.products_of(nodes, 1, ("default",)) == 0
    assert overview.products_of([node(None)], 0, ("default",)) == 0
