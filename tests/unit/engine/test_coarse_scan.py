"""The first stage of a search: how many rows it reads, and that its bound on the others is right and close."""

from typing import Any

import numpy as np
import pytest

from services.engine import coarse_scan, flat_search
from services.engine.category_view import Float32Array
from services.engine.coarse_scan import CoarseScan
from services.engine.flat_search import FaissFlat

DIMENSION = 8


def units(count: int, seed: int, dimension: int = DIMENSION) -> Float32Array:
    vectors = np.random.default_rng(seed).standard_normal((count, dimension))
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), np.float32)


def recorded(scan: CoarseScan) -> list[int]:
    """Record how many rows the scan asks for."""
    counts: list[int] = []
    codes: Any = scan._codes

    class Codes:
        ntotal = codes.ntotal

        def search(self, code: Any, count: int, params: Any) -> Any:
            counts.append(count)
            return codes.search(code, count, params=params)

    scan._codes = Codes()  # type: ignore[assignment]
    return counts


@pytest.mark.parametrize(
    ("rows", "k", "counts"),
    [
        (3000, 1, [128]),
        (3000, 32, [128]),
        (3000, 33, [132]),  # four times as many as are wanted
        (3000, 600, [2400]),
        (100, 1, [100]),
        (150, 100, [150]),
    ],
)
def test_a_search_reads_so_many_rows(rows: int, k: int, counts: list[int]) -> None:
    vectors = units(rows, 1)
    scan = CoarseScan(vectors)
    asked = recorded(scan)
    nearest = scan.nearest(vectors[0], k, None)
    assert asked == counts
    assert nearest is not None and len(nearest[0]) == min(k, rows) and nearest[0][0] == 0


@pytest.mark.parametrize(("alike", "counts", "is_proven"), [(500, [128, 1024], True), (2000, [128, 1024], False)])
def test_more_rows_are_read_if_the_first_ones_prove_nothing(alike: int, counts: list[int], is_proven: bool) -> None:
    """Vectors that are nearer to each other than their codes may all be the nearest."""
    same = np.repeat(units(1, 2), alike, axis=0) + 1e-5 * units(alike, 3)
    scan = CoarseScan(np.concatenate([same.astype(np.float32), units(3000, 4)]))
    asked = recorded(scan)
    assert (scan.nearest(same[0].astype(np.float32), 10, None) is not None) is is_proven
    assert asked == counts


def test_a_search_of_few_allowed_rows_has_seen_them_all() -> None:
    vectors = units(3000, 1)
    scan = CoarseScan(vectors)
    asked = recorded(scan)
    allowed = np.zeros(3000, np.bool_)
    allowed[[5, 2500, 7]] = True
    nearest = scan.nearest(vectors[7], 10, flat_search._parameters(allowed))
    assert nearest is not None
    assert (sorted(nearest[0].tolist()), nearest[0][0], asked) == ([5, 7, 2500], 7, [128])


def test_the_bound_on_other_rows_is_above_their_scores_and_close() -> None:
    """With vectors that are exactly their codes, it is the score of a row of the greatest length at that distance."""
    rng = np.random.default_rng(5)
    grid = rng.integers(0, 256, (400, DIMENSION)).astype(np.float32)
    grid[:2] = [[0] * DIMENSION, [255] * DIMENSION]  # so that a step is one
    vectors = (grid / 255).astype(np.float32)
    scan = CoarseScan(vectors)
    longest = vectors[1].astype(np.float64)
    for row in (2, 50, 399):
        query = vectors[row]
        code = scan._coded(query[None, :])
        np.testing.assert_array_equal(code[0], grid[row])
        error = scan._error + scan._distance_to_code(query[None, :], code)
        assert 0 < error < 2e-5
        square = float(((grid[1] - grid[row]) ** 2).sum())
        bound = scan._best_of_others(query, square, error)
        assert 0 < bound - float(longest @ query) < 1e-4


def test_the_bound_of_rows_that_may_be_anywhere_is_that_of_the_same_direction() -> None:
    scan = CoarseScan(units(500, 6))
    query = units(1, 7)[0]
    for square, error in ((0.0, 0.1), (1.0, 10.0)):  # the distance may be less than the error
        assert scan._best_of_others(query, square, error) == pytest.approx(1.0, abs=1e-4)
    assert scan._best_of_others(2 * query, 0.0, 0.0) == pytest.approx((4 + 1) / 2, abs=1e-4)


def test_codes_are_as_near_to_their_vectors_as_half_a_step_allows() -> None:
    vectors = units(2000, 8)
    scan = CoarseScan(vectors)
    step = float((vectors.max(axis=0) - vectors.min(axis=0)).max() / 255)
    assert float(scan._step) == pytest.approx(step)
    codes = scan._coded(vectors)
    assert codes.min() >= 0 and codes.max() == 255
    distances = np.linalg.norm(codes * scan._step + scan._low - vectors, axis=1)
    assert distances.max() < scan._error < distances.max() + 1e-5
    assert scan._error <= step / 2 * np.sqrt(DIMENSION) + 1e-5
    assert scan._longest == pytest.approx(1.0, abs=1e-6)


def test_vectors_far_outside_are_coded_at_the_edge() -> None:
    scan = CoarseScan(units(300, 9))
    assert set(scan._coded(np.array([[9.0] * DIMENSION, [-9.0] * DIMENSION], np.float32)).ravel()) == {0.0, 255.0}


def test_vectors_that_are_all_the_same_have_codes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(coarse_scan, "CHUNK", 100)
    vectors = np.repeat(units(1, 1), 250, axis=0)
    nearest = CoarseScan(vectors).nearest(vectors[0], 3, None)
    assert nearest is None or nearest[1] == pytest.approx([1, 1, 1])


def test_the_greatest_error_and_length_of_all_chunks_count(monkeypatch: pytest.MonkeyPatch) -> None:
    vectors = units(300, 9) * np.linspace(2, 1, 300)[:, None].astype(np.float32)
    whole = CoarseScan(vectors)
    monkeypatch.setattr(coarse_scan, "CHUNK", 70)
    parts = CoarseScan(vectors)
    assert (parts._error, parts._longest) == (whole._error, whole._longest)
    assert parts._codes.ntotal == 300


@pytest.mark.parametrize(
    ("rows", "least", "in_two_stages"), [(9, 10, False), (10, 10, True), (11, 10, True), (1, 0, True), (0, 0, False)]
)
def test_a_search_has_two_stages_from_a_number_of_rows_on(rows: int, least: int, in_two_stages: bool) -> None:
    flat = FaissFlat(units(rows, 1) if rows else np.empty((0, DIMENSION), np.float32), least)
    assert (flat._coarse is not None) is in_two_stages
    assert len(flat.nearest(units(1, 2)[0], 3, None)[0]) == min(3, rows)


@pytest.mark.parametrize(("rows", "in_two_stages"), [(49_999, False), (50_000, True)])
def test_fifty_thousand_rows_are_searched_in_two_stages(rows: int, in_two_stages: bool) -> None:
    assert (FaissFlat(np.zeros((rows, 1), np.float32))._coarse is not None) is in_two_stages
