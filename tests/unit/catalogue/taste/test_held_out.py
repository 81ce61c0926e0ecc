"""Taste on the simulated shop: a visitor's later purchases, which the taste has not seen."""

from collections import defaultdict
from datetime import UTC, date, datetime, time

import numpy as np

from services.catalogue.events.event import Event
from services.catalogue.learning.replay import Interval, intervals
from services.catalogue.taste.interests import Interests
from services.catalogue.taste.profile import Profile, TasteWeights, profile_of
from tests.simulated_shop.shop import MODEL, Behaviour, SimulatedShop


def expected_reciprocal_rank(appeal: np.ndarray) -> float:
    """Return the mean of 1 / rank of the product that is bought, if each is bought in proportion to its appeal."""
    ranks = np.arange(1, len(appeal) + 1)
    return float((appeal / ranks).sum() / appeal.sum())


def gain_in_reciprocal_rank(behaviour: Behaviour) -> Interval:
    """Return the gain in the expected 1 / rank of later purchases by the visitor's taste."""
    shop = SimulatedShop(seed=5, products=200, shoppers=40, behaviour=behaviour)
    products = shop.stored_products()
    events: dict[str, list[Event]] = defaultdict(list)
    for search in shop.days(10, 100):
        events[search.shopper.name] += shop.events(search)
    now = datetime.combine(date.fromordinal(shop.day), time(), UTC)
    tastes: dict[str, Profile] = {}
    for visitor, own in events.items():
        interests = Interests.of(own, now)
        known = [(products[key], weight) for key, weight in interests.products.items()]
        tastes[visitor] = profile_of(known, interests.hidden, MODEL)
    gains, visitors = [], []
    for search in shop.days(4, 100):
        taste = tastes.get(search.shopper.name, Profile())
        scores = np.asarray([product.score for product in search.products])
        vectors = np.stack([products[product.id].vector for product in search.products])
        attributes = [product.attributes for product in search.products]
        order = np.argsort(
            -(scores + taste.pulls(search.category, vectors, attributes, TasteWeights(0.3, 0.1))), kind="stable"
        )
        gains.append((expected_reciprocal_rank(search.appeal[order]) - expected_reciprocal_rank(search.appeal),))
        visitors.append(search.shopper.name)
    values = np.asarray(gains)
    return intervals(values, np.ones_like(values), visitors, seed=1)[0]


def test_held_out_purchases_rank_higher_with_the_taste_of_their_visitor() -> None:
    assert gain_in_reciprocal_rank(Behaviour(taste=1.6, appeal=0.4)).low > 0


def test_where_shoppers_have_no_taste_nothing_is_gained() -> None:
    assert gain_in_reciprocal_rank(Behaviour(random=True)).mean == 0
