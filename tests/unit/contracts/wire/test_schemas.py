"""Methods of messages."""

import math

import pytest
from pydantic import ValidationError

from services.contracts.wire.index import MAX_REACH, IndexSearch, Page


@pytest.mark.parametrize("k", [1, 10, 30, 100])
def test_following_the_pages_reaches_every_position_once(k: int) -> None:
    positions: list[int] = []
    page: Page | None = Page(k=k)
    while page is not None:
        positions += range(page.offset, page.end)
        page = page.following()
    assert positions == list(range(MAX_REACH))


@pytest.mark.parametrize("vector", [[], [0.0, 0.0], [math.inf, 0.0], [math.nan, 1.0], [1e39, 0.0]])
def test_a_vector_without_a_direction_is_refused(vector: list[float]) -> None:
    with pytest.raises(ValidationError, match="vector"):
        IndexSearch.model_validate({"category": 0, "vector": vector, "model": "fashion/1"})


@pytest.mark.parametrize("vector", [[1e-20, 0.0], [-3.0, 4.0]])
def test_a_vector_of_any_other_length_is_accepted(vector: list[float]) -> None:
    assert IndexSearch.model_validate({"category": 0, "vector": vector, "model": "fashion/1"}).vector == vector


def test_a_page_ends_where_results_can_be_reached() -> None:
    assert Page(k=10, offset=490).end == 500
    with pytest.raises(ValidationError, match=r"offset \+ k may be at most 500: 491 \+ 10 is more"):
        Page(k=10, offset=491)
