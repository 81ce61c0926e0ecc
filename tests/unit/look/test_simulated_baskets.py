"""Baskets on the simulated shop: they say which products go together, and random ones say nothing."""

import pytest

from tests.simulated_shop.baskets import AGREEMENT, Right, fill_in_the_blank
from tests.simulated_shop.shop import SimulatedShop

QUESTIONS = 500
CHANCE, NOISE = 0.25, 0.06  # three standard deviations of a share of 500


@pytest.fixture(scope="module")
def shop() -> SimulatedShop:
    return SimulatedShop(seed=11, products=200, shoppers=10)


def right(shop: SimulatedShop, baskets: int, agreement: float = AGREEMENT) -> Right:
    return fill_in_the_blank(shop, baskets, QUESTIONS, agreement, seed=3)


def test_baskets_lift_the_choice_of_the_product_that_was_bought_with_another(shop: SimulatedShop) -> None:
    few, many = right(shop, 100), right(shop, 3000)
    assert abs(many.model - CHANCE) < NOISE  # the model cannot know what this shop's shoppers agree on
    assert many.blended > few.blended > few.model
    assert many.blended > 0.6


def test_random_baskets_are_worth_nothing_and_cost_nothing(shop: SimulatedShop) -> None:
    shares = right(shop, 3000, agreement=0.0)
    assert abs(shares.blended - CHANCE) < NOISE


def test_without_baskets_the_model_decides(shop: SimulatedShop) -> None:
    shares = right(shop, 0)
    assert shares.blended == shares.model
