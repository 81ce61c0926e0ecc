"""What a search of a category asks of the flat index: how many rows, with or without a filter, and how often."""

from typing import Any

import numpy as np
import pytest

from services.contracts.domain.filtering.filters import EVERYTHING
from services.contracts.wire.filter_json import parse_filter
from services.engine import category_view
from services.engine.category_view import Float32Array, Match
from services.engine.columns import BoolArray, RowArray
from services.engine.flat_search import FaissFlat
from services.engine.packed.rows import PackedRows
from services.engine.packed.texts import PackedTexts
from services.engine.partition import Partition

Call = tuple[int, int | None]  # how many rows are asked for, and how many are allowed; None for all
EAST: Float32Array = np.array([1, 0], np.float32)
KIND_A = parse_filter({"kind": "a"})


class RecordingFlat(FaissFlat):
    """Records what it is asked."""

    calls: list[Call]
    ranges: list[float]

    def nearest(self, query: Float32Array, k: int, allowed: BoolArray | None) -> tuple[RowArray, Float32Array]:
        self.calls.append((k, None if allowed is None else int(allowed.sum())))
        return super().nearest(query, k, allowed)

    def range_search(self, query: Float32Array, min_score: float, allowed: BoolArray | None) -> RowArray:
        self.ranges.append(min_score)
        return super().range_search(query, min_score, allowed)


@pytest.fixture(autouse=True)
def recorded(monkeypatch: pytest.MonkeyPatch) -> type[RecordingFlat]:
    monkeypatch.setattr(RecordingFlat, "calls", [], raising=False)
    monkeypatch.setattr(RecordingFlat, "ranges", [], raising=False)
    return RecordingFlat


def towards(angle: float) -> Float32Array:
    return np.array([np.cos(angle), np.sin(angle)], np.float32)


def filled(kinds: str, *, merge_rows: int = 0) -> Partition:
    """Return products `p000`, `p001`, …, each further away from EAST than the one before, of these kinds."""
    partition = Partition(2, RecordingFlat, merge_rows)
    for number, kind in enumerate(kinds):
        payload = b'{"attributes":{"kind":"%s"}}' % kind.encode()
        partition.put(f"p{number:03}", towards(number / len(kinds)), payload)
    partition.publish()
    return partition


def keys(matches: list[Match]) -> list[int]:
    return [int(match.key[1:]) for match in matches]


@pytest.mark.parametrize(
    ("kinds", "per_candidate", "calls"),
    [
        # Half of 1000 rows match. Of the 11 nearest, 4 · 11 / ½ = 88 rows are requested.
        ("ab" * 500, 11, [(88, None)]),
        ("ab" * 500, 12, [(11, 500)]),  # the category is too small for 88 candidates
        ("ab" * 440, 10, [(11, 440)]),  # as large as 88 candidates need it
        ("ab" * 440 + "b", 10, [(88, None)]),
        # Those that match are far away: there are 10 among the nearest 88, or 11.
        ("b" * 78 + "a" * 10 + "b" * 411 + "a" * 489 + "b" * 12, 1, [(88, None), (11, 499)]),
        ("b" * 77 + "a" * 11 + "b" * 412 + "a" * 489 + "b" * 11, 1, [(88, None)]),
        ("b" * 1000, 1, [(11, 0)]),
        ("a" * 1000, 1, [(11, None)]),
    ],
    ids=["spread", "too small", "just too small", "large enough", "too few", "just enough", "none", "all"],
)
def test_a_filtered_search_drops_rows_from_an_unfiltered_one_if_that_is_likely_to_be_enough(
    monkeypatch: pytest.MonkeyPatch, kinds: str, per_candidate: int, calls: list[Call]
) -> None:
    monkeypatch.setattr(category_view, "OVERSAMPLING", 4)
    monkeypatch.setattr(category_view, "ROWS_PER_CANDIDATE", per_candidate)
    view = filled(kinds).view
    matches = view.search(EAST, 10, KIND_A, ())
    assert keys(matches) == [number for number, kind in enumerate(kinds) if kind == "a"][:10]
    assert RecordingFlat.calls == calls


@pytest.mark.parametrize(("rows", "calls"), [(8000, [(2, 4000)]), (8002, [(16, None)])])
def test_of_half_the_rows_a_filtered_search_asks_for_eight_times_as_many_as_it_needs(
    rows: int, calls: list[Call]
) -> None:
    """If there are at least 500 rows for each."""
    images = np.zeros(rows, np.uint8)
    keys = PackedTexts.of(b"p%05d" % number for number in range(rows))
    payloads = PackedTexts.of(b'{"attributes":{"kind":"%s"}}' % b"ab"[number % 2 :][:1] for number in range(rows))
    partition = Partition(2, RecordingFlat)
    angles = np.arange(rows) / rows
    vectors = np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)
    partition.restore(vectors, images, PackedRows.of_texts(keys, payloads, images))
    assert keys_of_first(partition) == ["p00000"]
    assert RecordingFlat.calls == calls


def keys_of_first(partition: Partition) -> list[str]:
    return [match.key for match in partition.view.search(EAST, 1, KIND_A, ())]


def test_a_search_without_a_filter_asks_for_one_row_more_than_it_returns() -> None:
    view = filled("a" * 50).view
    assert keys(view.search(EAST, 10, EVERYTHING, ())) == list(range(10))
    assert keys(view.search(EAST, 3, EVERYTHING, {"p001", "p999"})) == [0, 2, 3]
    assert keys(view.search(EAST, 60, EVERYTHING, ())) == list(range(50))
    assert (RecordingFlat.calls, RecordingFlat.ranges) == ([(11, None), (6, None), (61, None)], [])


def test_the_rows_of_deleted_products_are_not_searched() -> None:
    partition = filled("a" * 50, merge_rows=100)
    assert RecordingFlat.calls == []
    partition.put("p050", towards(1), None)
    partition.publish()
    assert RecordingFlat.calls == []
    partition = filled("a" * 50)
    partition._merge_rows = 100
    partition.discard("p000")
    partition.publish()
    assert keys(partition.view.search(EAST, 2, EVERYTHING, ())) == [1, 2]
    assert RecordingFlat.calls == [(3, 49)]


@pytest.mark.parametrize(
    ("images", "calls"),
    [
        (1, [(3, None)]),
        (2, [(5, None)]),
        (8, [(17, None)]),  # as many rows as the products may have
        (9, [(17, None)]),  # the first search has both products
        (16, [(17, None), (33, None)]),  # the nearest product has all of the first rows
        (20, [(17, None), (41, None)]),
    ],
)
def test_a_second_search_is_made_if_the_nearest_rows_are_of_too_few_products(images: int, calls: list[Call]) -> None:
    partition = Partition(2, RecordingFlat, 0)
    partition.put("many", np.stack([towards(number / 1000) for number in range(images)]), None)
    for number in range(60):
        partition.put(f"p{number:03}", towards(0.1 + number / 100), None)
    partition.publish()
    assert [match.key for match in partition.view.search(EAST, 2, EVERYTHING, ())] == ["many", "p000"]
    assert (RecordingFlat.calls, RecordingFlat.ranges) == (calls, [])


@pytest.mark.parametrize(
    ("equal", "ranges"), [(3, 0), (4, 0), (5, 1), (20, 1)], ids=["fewer", "as many", "one more", "many"]
)
def test_all_rows_that_score_like_the_last_one_are_read(equal: int, ranges: int) -> None:
    partition = Partition(2, RecordingFlat, 0)
    partition.put("z-nearest", EAST, None)
    for number in reversed(range(equal)):
        partition.put(f"p{number:03}", towards(0.5), None)
    for number in range(30):
        partition.put(f"q{number:03}", towards(1.0 + number / 100), None)
    partition.publish()
    matches = partition.view.search(EAST, 5, EVERYTHING, ())
    expected = ["z-nearest", *(f"p{number:03}" for number in range(min(4, equal)))]
    assert [match.key for match in matches][: len(expected)] == expected
    assert len(RecordingFlat.ranges) == ranges
    assert all(0.5e-5 < np.cos(0.5) - score < 1.5e-5 for score in RecordingFlat.ranges)


def test_scores_that_equal_the_last_one_up_to_rounding_are_read_too() -> None:
    """FAISS adds up in float32: what it returns last may be by a hair's breadth nearer than what it leaves out."""
    partition = Partition(2, RecordingFlat, 0)
    angles = [0.5 + number * 1e-7 for number in range(8)]
    for number, angle in enumerate(angles):
        partition.put(f"p{number}", towards(angle), None)
    partition.publish()
    partition.view.search(EAST, 3, EVERYTHING, ())
    (least,) = RecordingFlat.ranges
    assert least < np.cos(angles[-1])


def test_a_filter_of_rows_that_score_the_same_holds_in_the_range_search(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(category_view, "ROWS_PER_CANDIDATE", 10_000)
    partition = Partition(2, RecordingFlat, 0)
    for number in range(20):
        payload: Any = b'{"attributes":{"kind":"%s"}}' % (b"ab"[number % 2 : number % 2 + 1])
        partition.put(f"p{number:03}", EAST, payload)
    partition.publish()
    assert keys(partition.view.search(EAST, 3, KIND_A, ())) == [0, 2, 4]
    assert (RecordingFlat.calls, len(RecordingFlat.ranges)) == ([(4, 10)], 1)


def test_a_match_is_of_the_main_image_unless_another_one_is_named() -> None:
    assert Match("a", 0.5, None).image_index == 0
