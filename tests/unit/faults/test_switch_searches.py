"""The checks of the switch from FAISS to Milvus find what they look for."""

from collections.abc import Sequence

import orjson
import pytest

from services.contracts.domain.engines import FAISS
from tests.faults.switch.searches import ASKED, REACH, Searches, scores_of, seeded_products
from tests.load.http import Answer

SCORES = scores_of(seeded_products(200, "fashion/1"))
KEY = next(iter(SCORES))
RANKED = sorted(SCORES[KEY].items(), key=lambda pair: (-pair[1], pair[0]))
NEAREST = RANKED[:REACH]
OTHER = [*RANKED[:3], *RANKED[4 : REACH + 1]]  # what an approximate engine might find


def answer(sequences: Sequence[tuple[str, float]], engine: str | None = None) -> Answer:
    results = [{"id": key, "score": score} for key, score in sequences]
    return Answer("200", orjson.dumps({"results": results} | ({"engine": engine} if engine else {})))


@pytest.fixture
def searches() -> Searches:
    return Searches(SCORES)


def test_the_scores_are_those_of_all_other_products() -> None:
    assert len(SCORES) == ASKED
    assert all(len(scores) == 199 and key not in scores for key, scores in SCORES.items())


def test_a_result_has_to_be_that_of_the_engine_that_it_names(searches: Searches) -> None:
    assert searches._objection(KEY, answer(NEAREST)) == ""
    assert searches._objection(KEY, answer(NEAREST, "milvus flat")) == ""
    assert searches._objection(KEY, answer(OTHER, "milvus hnsw")) == ""
    assert "milvus flat does not find" in searches._objection(KEY, answer(OTHER, "milvus flat"))
    assert "faiss does not find" in searches._objection(KEY, answer(OTHER))
    for mixed in ([*OTHER[:10], *NEAREST[9:19]], [*NEAREST[:10], *OTHER[9:19][::-1]]):
        assert "twice, or not in order" in searches._objection(KEY, answer(mixed, "milvus hnsw"))


def test_a_score_has_to_be_that_of_the_vectors(searches: Searches) -> None:
    moved = [*NEAREST[:5], (NEAREST[5][0], NEAREST[5][1] - 1e-5), *NEAREST[6:]]
    assert NEAREST[5][0] in searches._objection(KEY, answer(moved))


def test_the_pages_of_a_search_have_to_join(searches: Searches) -> None:
    assert searches.objection(KEY, FAISS, NEAREST[:15]) == ""
    assert searches.objection(KEY, FAISS, [*NEAREST[:5], *NEAREST[4:9]]) != ""
