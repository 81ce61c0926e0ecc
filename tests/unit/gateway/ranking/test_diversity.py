"""Maximal marginal relevance."""

import asyncio

import numpy as np
import pytest

from services.gateway.ranking.candidate import Candidate
from services.gateway.ranking.diversity import Diversity, diverse, marginal_order
from services.gateway.ranking.options import RankingOptions
from services.gateway.ranking.reranker import RankedSearch
from tests.support.fakes.ranking import hit

# Two groups of nearly equal products, and one product between them.
VECTORS = np.array([[1, 0], [0.999, 0.0447], [0.998, 0.0632], [0, 1], [0.0447, 0.999], [0.7071, 0.7071]], np.float32)
VALUES = np.array([0.9, 0.89, 0.88, 0.7, 0.69, 0.6])


def by_definition(values: np.ndarray, vectors: np.ndarray, diversity: float) -> list[int]:
    """Return the order as the paper defines it, without anything computed ahead."""
    order = [int(np.argmax(values))]
    while len(order) < len(values):
        rest = [place for place in range(len(values)) if place not in order]
        merits = [
            (1 - diversity) * values[place] - diversity * max(float(vectors[place] @ vectors[other]) for other in order)
            for place in rest
        ]
        order.append(rest[int(np.argmax(merits))])
    return order


@pytest.mark.parametrize("diversity", [0.0, 0.1, 0.3, 0.5, 0.9, 1.0])
@pytest.mark.parametrize("seed", range(5))
def test_the_order_is_that_of_the_definition(diversity: float, seed: int) -> None:
    rng = np.random.default_rng(seed)
    vectors = rng.standard_normal((30, 8))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    values = np.sort(rng.uniform(-1, 1, 30))[::-1]
    assert marginal_order(values, vectors.astype(np.float32), diversity) == by_definition(
        values, vectors.astype(np.float32), diversity
    )


def candidates() -> list[Candidate]:
    return [
        Candidate(hit(f"{place}", value, vector=None).model_copy(update={"vector": VECTORS[place]}), place, value)
        for place, value in enumerate(VALUES.tolist())
    ]


def ids(order: list[Candidate]) -> str:
    return "".join(candidate.hit.id for candidate in order)


def test_with_diversity_a_product_like_another_comes_later() -> None:
    assert ids(diverse(candidates(), 0)) == "012345"
    assert ids(diverse(candidates(), 0.5)) == "035124"
    assert ids(diverse(candidates(), 0.01)) == "012345"


def test_only_products_at_another_place_name_the_reason() -> None:
    order = diverse(candidates(), 0.3)
    assert [[move.reason for move in candidate.moves] for candidate in order] == [
        [],
        ["diversity"],
        ["diversity"],
        ["diversity"],
        ["diversity"],
        ["diversity"],
    ]


def test_a_product_without_a_vector_resembles_none() -> None:
    listed = candidates()[:3]
    listed[2] = Candidate(hit("2", 0.88), 2, 0.88)
    assert ids(diverse(listed, 0.5)) == "021"
    assert ids(diverse([Candidate(hit("a", 0.5), 0, 0.5)], 1)) == "a"
    assert diverse([], 0.5) == []


def test_it_applies_only_where_a_request_wants_it() -> None:
    assert not Diversity().applies(RankingOptions(), ("default",))
    wanted = RankingOptions(diversity=0.3)
    assert Diversity().applies(wanted, ("default",))
    search = RankedSearch(("default",), 0, frozenset("0"), "fashion/1", np.ones(2, np.float32), None, wanted)
    stage = asyncio.run(Diversity().stage(search))
    assert stage is not None
    assert stage.vectors
