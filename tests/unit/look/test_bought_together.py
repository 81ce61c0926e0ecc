"""What goes together by baskets."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from services.look import bought_together
from services.look.bought_together import HALF, LEAST_LENGTH, BoughtTogether, Partners
from services.look.compatibility import Garment

AXES = np.eye(4, dtype=np.float32)
TOP, SHOES = 0, 1
# Tops t0 and t1 look different; shoes s2 and s3 do, too.
PRODUCTS = {"t0": (TOP, AXES[0]), "t1": (TOP, AXES[1]), "s2": (SHOES, AXES[2]), "s3": (SHOES, AXES[3])}


def best(bought: BoughtTogether, garment: NDArray[Any], most: float = 1.0) -> int:
    """Return the axis of the shoes that go best with a top."""
    partners = bought.partners([Garment(TOP, np.asarray(garment, np.float32))], SHOES, most)
    assert partners is not None
    return int(partners.blended_scores(np.zeros(4), AXES).argmax())


def test_a_garment_goes_with_what_was_bought_with_garments_like_it() -> None:
    bought = BoughtTogether.of([["s2", "t0"], ["t1", "s3"]], PRODUCTS)
    assert (best(bought, AXES[0]), best(bought, AXES[1])) == (2, 3)
    nearly = np.array([0.99, 0.14, 0, 0])
    assert best(bought, nearly / np.linalg.norm(nearly)) == 2


def test_the_weight_of_baskets_grows_with_the_pairs_of_garments_like_the_given_one() -> None:
    def weight(count: int, garment: NDArray[Any] = AXES[0], most: float = 1.0) -> float:
        bought = BoughtTogether.of([["t0", "s2"]] * count, PRODUCTS)
        partners = bought.partners([Garment(TOP, np.asarray(garment, np.float32))], SHOES, most)
        return 0.0 if partners is None else partners.weight

    assert [round(weight(count), 3) for count in (0, 1, int(HALF), 180)] == [0, round(1 / 21, 3), 0.5, 0.9]
    assert weight(180, most=0.5) == pytest.approx(0.45)
    near = np.array([0.95, np.sqrt(1 - 0.95**2), 0, 0])  # 0.05 less similar: such a pair counts 1 / e
    assert weight(20, near) == pytest.approx(20 / np.e / (20 / np.e + 20), rel=1e-4)


def test_partners_that_disagree_say_little() -> None:
    agreeing = BoughtTogether.of([["t0", "s2"]] * 10, PRODUCTS)
    split = BoughtTogether.of([["t0", "s2"]] * 5 + [["t0", "s3"]] * 5, PRODUCTS)
    lengths = [
        float(np.linalg.norm(partners.direction))
        for bought in (agreeing, split)
        if (partners := bought.partners([Garment(TOP, AXES[0])], SHOES))
    ]
    assert lengths[0] == pytest.approx(1.0)
    assert lengths[1] == pytest.approx(0.0)


def test_without_a_basket_of_the_categories_nothing_is_said() -> None:
    bought = BoughtTogether.of([["t0", "s2"]], PRODUCTS)
    assert bought.partners([Garment(2, AXES[0])], SHOES) is None
    assert bought.partners([Garment(TOP, AXES[0])], 2) is None
    assert BoughtTogether.of([], {}).partners([Garment(TOP, AXES[0])], SHOES) is None
    assert len(BoughtTogether.of([["t0", "t1"], ["t0", "gone"]], PRODUCTS)) == 0


def test_the_target_is_between_the_models_and_the_baskets() -> None:
    partners = BoughtTogether.of([["t0", "s2"], ["t1", "s3"]] * 20, PRODUCTS).partners([Garment(TOP, AXES[0])], SHOES)
    assert partners is not None
    alone = partners.blended_target(None)
    both = partners.blended_target(AXES[1])
    assert alone is not None
    assert both is not None
    assert alone[2] > 0 > alone[3]
    assert both[1] > 0
    assert both[2] > 0
    assert np.linalg.norm(both) == pytest.approx(1, abs=1e-6)


@pytest.mark.parametrize(
    ("direction", "weight", "target", "expected"),
    [
        (0.5 * AXES[2], 0.25, AXES[1], [0, 0.75, 0.25, 0]),  # the length of the direction does not count
        (0.5 * AXES[2], 1.0, AXES[1], [0, 0, 1, 0]),
        (0.5 * AXES[2], 0.25, None, [0, 0, 1, 0]),
        (0 * AXES[2], 0.25, AXES[1], [0, 1, 0, 0]),
        (0 * AXES[2], 1.0, AXES[1], [0, 1, 0, 0]),
        (LEAST_LENGTH * AXES[2], 1.0, AXES[1], [0, 1, 0, 0]),  # too short to point anywhere
        (2 * LEAST_LENGTH * AXES[2], 1.0, AXES[1], [0, 0, 1, 0]),
        (0 * AXES[2], 0.25, None, None),
    ],
)
def test_the_target_is_mixed_by_the_weight_of_the_baskets(
    direction: NDArray[Any], weight: float, target: Any, expected: list[float] | None
) -> None:
    mixed = Partners(direction.astype(np.float64), np.zeros(4), weight).blended_target(target)
    if expected is None:
        assert mixed is None
    else:
        assert mixed is not None
        np.testing.assert_allclose(mixed, np.array(expected) / np.linalg.norm(expected), atol=1e-6)


def test_scores_are_mixed_by_the_weight_of_the_baskets() -> None:
    partners = Partners(0.5 * AXES[2].astype(np.float64), np.array([0, 0, 1, 0]), 0.25)
    vectors = np.array([AXES[0], -AXES[2], AXES[2]])
    scores = partners.blended_scores(np.array([1.0, 0.2, 0.4]), vectors)
    apart = -0.5 / np.sqrt(2)  # from the mean to the first one
    np.testing.assert_allclose(scores, [0.75 + 0.25 * apart, 0.75 * 0.2 - 0.25 * 0.5, 0.75 * 0.4], atol=1e-6)


def test_of_very_many_pairs_the_last_ones_count(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bought_together, "MAX_PAIRS", 2)
    bought = BoughtTogether.of([["t0", "s2"], ["t0", "s2"], ["t0", "s3"], ["t1", "s3", "s2"]], PRODUCTS)
    ids = sorted(PRODUCTS)
    assert [[ids[row] for row in pair] for pair in bought.pairs.tolist()] == [["t1", "s3"], ["t1", "s2"]]


def test_a_pair_counts_in_both_orders_and_a_garment_of_the_same_category_does_not() -> None:
    for pair in (["t0", "s2"], ["s2", "t0"]):
        partners = BoughtTogether.of([pair], PRODUCTS).partners([Garment(TOP, AXES[0]), Garment(SHOES, AXES[3])], SHOES)
        assert partners is not None
        assert partners.weight == pytest.approx(1 / (1 + HALF))


def test_the_last_fifty_thousand_pairs_are_kept() -> None:
    products = {f"{number}": (number % 2, AXES[0]) for number in range(448)}
    assert len(BoughtTogether.of([list(products)], products)) == 50_000  # of 224 · 224
