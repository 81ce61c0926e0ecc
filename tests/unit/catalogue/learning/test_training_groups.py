"""Which products are compared when trees are trained, and what each comparison weighs."""

from typing import Any

import numpy as np
import pytest

from services.catalogue.learning import training
from services.catalogue.learning.examples import TrainingExamples
from services.catalogue.learning.signals import SIGNALS
from services.catalogue.learning.training import NotEnoughEvents, train


def examples(*pages: list[float]) -> TrainingExamples:
    """Return pages of products with these gains; the signals of a row are its number."""
    gains = np.asarray([gain for page in pages for gain in page])
    return TrainingExamples(
        signals=np.repeat(np.arange(len(gains), dtype=np.float64)[:, None], len(SIGNALS), axis=1),
        positions=np.asarray([place for page in pages for place in range(1, len(page) + 1)]),
        gains=gains,
        starts=np.cumsum([0, *map(len, pages)]),
        visitors=("a",) * len(pages),
        days=np.zeros(len(pages), dtype=np.int64),
    )


@pytest.fixture
def trained(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What the trees were trained with."""
    given: dict[str, Any] = {}

    def train_trees(signals: Any, labels: Any, _: Any, **options: Any) -> None:
        given.update(rows=signals[:, 0].tolist(), labels=labels.tolist(), **options)

    monkeypatch.setattr(training, "train_trees", train_trees)
    return given


def test_each_chosen_product_is_compared_with_the_ignored_ones_of_its_page(trained: dict[str, Any]) -> None:
    pages = examples([0.0, 2.0, 0.0], [3.0, 0.0, 0.0, 1.0], [1.0, 1.0], [0.0, 0.0])
    train(pages, [1.0, 0.5], seed=1)
    assert trained["rows"] == [1, 0, 2, 3, 4, 5, 6, 4, 5]
    assert trained["labels"] == [1, 0, 0, 1, 0, 0, 1, 0, 0]
    assert trained["groups"].tolist() == [3, 3, 3]
    # The worth of what the shopper did, divided by the propensity of the position, or of the last one that is known.
    assert trained["weights"].tolist() == [4.0] * 3 + [3.0] * 3 + [2.0] * 3


@pytest.mark.parametrize("page", [[0.0, 0.0], [1.0, 1.0], []])
def test_without_a_choice_there_is_nothing_to_compare(page: list[float]) -> None:
    with pytest.raises(NotEnoughEvents, match="a click and one without"):
        train(examples(page), [1.0], seed=1)
