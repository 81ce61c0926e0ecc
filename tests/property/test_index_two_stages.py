"""The search in two stages finds what brute force finds, also among vectors that are made to deceive it."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.engine.category_view import SCORE_NOISE, Float32Array
from services.engine.coarse_scan import CANDIDATES, CoarseScan
from services.engine.flat_search import FaissFlat

SHAPES = (
    "spread",
    "duplicates",
    "near equal",
    "one axis",
    "opposite",
    "one outlier",
    "clusters",
    "constant",
    "tiny part",
)
FEWER, MORE = CANDIDATES
MANY = 3 * MORE
seeds = st.integers(0, 2**32 - 1)


def units(vectors: Any) -> Float32Array:
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), np.float32)


def made(shape: str, rng: np.random.Generator, count: int, dimension: int) -> Float32Array:
    """Return unit vectors of a kind."""
    spread = rng.standard_normal((count, dimension))
    first = spread[:1]
    match shape:
        case "duplicates":
            return units(spread[rng.integers(0, max(1, count // 50), count)])
        case "near equal":
            return units(first + 1e-4 * spread)
        case "one axis":
            return units(np.eye(dimension)[rng.integers(0, dimension, count)] * rng.choice([-1, 1], (count, 1)))
        case "opposite":
            return units(first * rng.choice([-1, 1], (count, 1)) + 1e-3 * spread)
        case "one outlier":
            return units(np.concatenate([np.eye(dimension)[:1], 0.05 * first + 1e-3 * spread[1:]]))
        case "clusters":
            return units(spread[rng.integers(0, min(4, count), count)] + 0.05 * rng.standard_normal((count, dimension)))
        case "constant":
            return units(np.repeat(first, count, axis=0))
        case "tiny":
            return units(np.concatenate([np.ones((count, 1)), 1e-6 * spread[:, 1:]], axis=1))
        case _:
            return units(spread)


def check(actual: Any, vectors: Float32Array, query: Float32Array, k: int, allowed: Any) -> None:
    """Compare rows and scores with brute force in float64; equal scores may come in any order."""
    rows, scores = actual
    exact = vectors.astype(np.float64) @ query.astype(np.float64)
    candidates = np.arange(len(vectors)) if allowed is None else np.flatnonzero(allowed)
    expected = np.sort(exact[candidates])[::-1][:k]
    assert len(set(rows.tolist())) == len(rows) == min(k, len(candidates))
    assert set(rows.tolist()) <= set(candidates.tolist())
    np.testing.assert_allclose(exact[rows], expected, atol=SCORE_NOISE / 4, rtol=0)
    np.testing.assert_allclose(scores, exact[rows], atol=SCORE_NOISE, rtol=0)


@settings(max_examples=60, deadline=None)
@given(
    shape=st.sampled_from(SHAPES),
    seed=seeds,
    count=st.sampled_from([1, 7, FEWER - 1, FEWER, FEWER + 1, MORE, MORE + 1, MANY]),
    dimension=st.sampled_from([3, 16, 64]),
    k=st.sampled_from([1, 11, 300]),
    kept=st.sampled_from([None, 0.0, 0.01, 0.7]),
    is_indexed=st.booleans(),
)
def test_two_stages_find_what_brute_force_finds(
    shape: str, seed: int, count: int, dimension: int, k: int, kept: float | None, is_indexed: bool
) -> None:
    rng = np.random.default_rng(seed)
    vectors = made(shape, rng, count, dimension)
    query = vectors[rng.integers(count)] if is_indexed else units(rng.standard_normal((1, dimension)))[0]
    allowed = None if kept is None else rng.random(count) < kept
    check(FaissFlat(vectors, two_stage_rows=1).nearest(query, k, allowed), vectors, query, k, allowed)


@settings(max_examples=20, deadline=None)
@given(seed=seeds, shape=st.sampled_from(SHAPES))
def test_a_proven_result_is_that_of_brute_force(seed: int, shape: str) -> None:
    rng = np.random.default_rng(seed)
    vectors = made(shape, rng, MANY, 64)
    query = units(vectors[:1] + 0.1 * rng.standard_normal((1, 64)))[0]
    matches = CoarseScan(vectors).nearest(query, 10, None)
    if matches is not None:
        check(matches, vectors, query, 10, None)


def test_a_usual_search_is_proven_by_the_first_stage() -> None:
    rng = np.random.default_rng(1)
    vectors = made("spread", rng, 30_000, 64)
    scan = CoarseScan(vectors)
    assert all(scan.nearest(query, 10, None) is not None for query in made("spread", rng, 20, 64))


@pytest.mark.parametrize("shape", ["near equal", "constant"])
def test_a_search_among_vectors_closer_than_their_codes_is_not_proven(shape: str) -> None:
    rng = np.random.default_rng(1)
    vectors = made(shape, rng, MANY, 64)
    vectors = np.concatenate([vectors, made("spread", rng, MANY, 64)])  # which make the scale coarse
    assert CoarseScan(vectors).nearest(vectors[0], 10, None) is None
