"""The checks of the switch from FAISS to Milvus find what they look for."""

from collections.abc import Sequence

import orjson
import pytest

from services.contracts.domain.engines import FAISS
from tests.faults.switch.searches import ASKED, REACH, Searches, ranked, seeded_products
from tests.load.http import Answer

TRUTH = ranked(seeded_products(200, "fashion/1"))
KEY, NEAREST = next(iter(TRUTH.items()))
OTHER = [NEAREST[1], NEAREST[0], *NEAREST[2:]]  # what an approximate engine might find


def answer(sequences: Sequence[tuple[str, float]], engine: str | None = None) -> Answer:
    results = [{"id": key, "score": score} for key, score in sequences]
    return Answer("200", orjson.dumps({"results": results} | ({"engine": engine} if engine else {})))


@pytest.fixture
def searches() -> Searches:
    return Searches({FAISS: TRUTH, "milvus hnsw": {KEY: OTHER}})


def test_the_nearest_products_are_known_without_the_product_itself() -> None:
    assert len(TRUTH) == ASKED
    for key, nearest in TRUTH.items():
        scores = [score for _, score in nearest]
        assert len(nearest) == REACH
        assert key not in dict(nearest)
        assert scores == sorted(scores, reverse=True)


def test_a_result_has_to_be_that_of_the_engine_that_it_names(searches: Searches) -> None:
    assert searches._objection(KEY, answer(NEAREST)) == ""
    assert searches._objection(KEY, answer(NEAREST, "milvus flat")) == ""
    assert searches._objection(KEY, answer(OTHER, "milvus hnsw")) == ""
    assert "milvus flat does not find" in searches._objection(KEY, answer(OTHER, "milvus flat"))
    assert "faiss does not find" in searches._objection(KEY, answer(OTHER))
    mixed = [*OTHER[:10], *NEAREST[9:19]]
    assert "milvus hnsw does not find" in searches._objection(KEY, answer(mixed, "milvus hnsw"))


def test_a_score_has_to_be_that_of_the_vectors(searches: Searches) -> None:
    moved = [*NEAREST[:5], (NEAREST[5][0], NEAREST[5][1] - 1e-5), *NEAREST[6:]]
    assert NEAREST[5][0] in searches._objection(KEY, answer(moved))


def test_the_pages_of_a_search_have_to_join(searches: Searches) -> None:
    assert searches.objection(KEY, FAISS, NEAREST[:15]) == ""
    assert searches.objection(KEY, FAISS, [*NEAREST[:5], *NEAREST[4:9]]) != ""
