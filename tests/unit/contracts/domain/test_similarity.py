"""The labels of calibrated similarity."""

import pytest

from services.contracts.domain.similarity import label_of


@pytest.mark.parametrize(
    ("similarity", "label"),
    [
        *((1.0, "nearly the same"), (0.95, "nearly the same"), (0.949, "very alike"), (0.75, "very alike")),
        *((0.749, "alike"), (0.5, "alike"), (0.499, "somewhat alike"), (0.25, "somewhat alike")),
        *((0.249, "not alike"), (0.0, "not alike")),
    ],
)
def test_a_similarity_has_the_label_of_its_range(similarity: float, label: str) -> None:
    assert label_of(similarity) == label
