import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.catalogue.learning.bounded_order import bounded_order

RESULTS = st.lists(st.tuples(st.floats(-1, 1), st.floats(-5, 5)), max_size=40)


@given(RESULTS, st.floats(0, 2))
def test_no_result_stands_before_one_whose_similarity_is_higher_by_more_than_the_bound(
    results: list[tuple[float, float]], bound: float
) -> None:
    similarities = [similarity for similarity, _ in results]
    order = bounded_order(similarities, [score for _, score in results], bound)
    assert sorted(order) == list(range(len(results)))
    for rank, place in enumerate(order):
        assert all(similarities[place] >= similarities[later] - bound for later in order[rank + 1 :])


@given(RESULTS)
def test_a_wide_bound_leaves_the_order_to_the_scores(results: list[tuple[float, float]]) -> None:
    scores = [score for _, score in results]
    order = bounded_order([similarity for similarity, _ in results], scores, 2.0)
    assert [scores[place] for place in order] == sorted(scores, reverse=True)


@given(RESULTS)
def test_without_a_bound_similarity_decides(results: list[tuple[float, float]]) -> None:
    similarities = [similarity for similarity, _ in results]
    order = bounded_order(similarities, [score for _, score in results], 0.0)
    assert [similarities[place] for place in order] == sorted(similarities, reverse=True)


@pytest.mark.parametrize("bound", [0.0, 0.1, 2.0])
def test_equal_scores_keep_the_order_of_similarity_and_then_of_the_list(bound: float) -> None:
    assert bounded_order([0.8, 0.9, 0.8], [1.0, 1.0, 1.0], bound) == [1, 0, 2]


def test_a_result_passes_those_within_the_bound_only() -> None:
    assert bounded_order([0.90, 0.88, 0.80], [0.0, 1.0, 9.0], 0.05) == [1, 0, 2]
