"""Engines: which compare every vector, and which of them return the same pages."""

import pytest

from services.contracts.domain.engines import FAISS, continues, is_exact

EXACT = (FAISS, "milvus flat", "milvus gpu")
APPROXIMATE = ("milvus hnsw", "milvus ivf", "")


def test_an_exact_engine_compares_every_vector() -> None:
    assert [is_exact(engine) for engine in (*EXACT, *APPROXIMATE)] == [True] * 3 + [False] * 3


@pytest.mark.parametrize("engine", [*EXACT, *APPROXIMATE])
@pytest.mark.parametrize("other", [*EXACT, *APPROXIMATE])
def test_a_search_goes_on_with_the_same_engine_or_from_one_exact_engine_to_another(engine: str, other: str) -> None:
    assert continues(engine, other) is (engine == other or {engine, other} <= set(EXACT))
