import time

import pytest

from services.contracts.domain.similarity import CLOSE
from services.contracts.wire.index import IndexResponse
from services.gateway.search.responses import Similarity
from services.gateway.search.service import judge, ms_since


def response(*, score: float | None = 0.9, similarity: float | None = None) -> IndexResponse:
    """Return the index's response: the best hit is that of the first page, whichever page it has."""
    empty = {
        "category": 1,
        "hits": [],
        "next_page": None,
        "model": "fashion/1",
        "active": "fashion/1",
        "timings_ms": {},
    }
    return IndexResponse(**empty, best_score=score, best_similarity=similarity)


def test_without_thresholds_and_scale_any_result_is_ok() -> None:
    assert judge(response(), {}, 0.2) == "ok"


def test_no_result_is_no_close_match() -> None:
    assert judge(response(score=None), {}, 0.9) == "no_close_match"


def test_a_weak_prediction_is_no_clothing() -> None:
    assert judge(response(similarity=0.99), {"no_clothing": 0.5}, 0.4) == "no_clothing"
    assert judge(response(similarity=0.99), {"no_clothing": 0.5}, 0.5) == "ok"


@pytest.mark.parametrize(
    ("thresholds", "other", "outcome"),
    [
        ({}, None, "no_clothing"),
        ({}, 0.49, "no_clothing"),
        ({}, 0.5, "other_clothing"),
        ({"other_clothing": 0.7}, 0.69, "no_clothing"),
        ({"other_clothing": 0.3}, 0.3, "other_clothing"),
    ],
)
def test_a_weak_prediction_may_be_a_garment_of_another_kind(
    thresholds: dict[str, float], other: float | None, outcome: str
) -> None:
    assert judge(response(similarity=0.99), {"no_clothing": 0.5, **thresholds}, 0.4, other) == outcome


def test_a_sure_prediction_is_no_garment_of_another_kind() -> None:
    assert judge(response(similarity=0.99), {"no_clothing": 0.5}, 0.5, 0.5) == "ok"


def test_a_chosen_category_is_never_no_clothing() -> None:
    assert judge(response(similarity=0.99), {"no_clothing": 0.5}, None, 0.9) == "ok"


def test_a_best_result_below_a_close_match_is_no_close_match() -> None:
    assert judge(response(similarity=0.499), {}, 0.9) == "no_close_match"
    assert judge(response(similarity=0.5), {}, 0.9) == "ok"


@pytest.mark.parametrize(
    ("value", "label"),
    [
        (1.0, "nearly the same"),
        (0.95, "nearly the same"),
        (0.949, "very alike"),
        (0.75, "very alike"),
        (0.749, "alike"),
        (CLOSE, "alike"),
        (0.499, "somewhat alike"),
        (0.25, "somewhat alike"),
        (0.249, "not alike"),
        (0.0, "not alike"),
    ],
)
def test_a_similarity_has_its_label(value: float, label: str) -> None:
    similarity = Similarity.of(value)
    assert similarity
    assert similarity.model_dump() == {"value": value, "label": label}


def test_without_a_scale_a_result_has_no_similarity() -> None:
    assert Similarity.of(None) is None


def test_times_are_milliseconds_with_three_places(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "perf_counter", lambda: 2.0)
    assert ms_since(1.5) == 500
    assert ms_since(2 - 0.0012344) == 1.234
