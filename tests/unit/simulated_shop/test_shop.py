"""The simulated shop itself: what it shows and counts is what its parameters say."""

import numpy as np

from tests.simulated_shop.shop import PAGE, WINDOW, Behaviour, SimulatedShop


def clicks(behaviour: Behaviour) -> np.ndarray:
    """Return the clicks of many searches, shape (searches, PAGE)."""
    shop = SimulatedShop(seed=1, products=150, shoppers=50, behaviour=behaviour)
    return np.asarray([search.gains for search in shop.days(2, 400)]) > 0


def test_the_same_seed_gives_the_same_searches() -> None:
    first, second, other = (
        [(search.id, search.order, search.gains, search.at) for search in SimulatedShop(seed, 150, 20).days(2, 10)]
        for seed in (1, 1, 2)
    )
    assert first == second != other


def test_shoppers_look_less_at_lower_positions() -> None:
    steep = clicks(Behaviour(random=True, examination=1.0)).mean(axis=0)
    flat = clicks(Behaviour(random=True, examination=0.0)).mean(axis=0)
    assert steep[4:].mean() < steep[0] / 3
    assert flat[4:].mean() > flat[0] / 1.5


def test_random_clicks_do_not_depend_on_the_product() -> None:
    shop = SimulatedShop(seed=1, products=150, behaviour=Behaviour(random=True))
    assert len(set(shop.search().appeal)) == 1


def test_a_search_shows_the_nearest_products_and_logs_its_page() -> None:
    shop = SimulatedShop(seed=1, products=150)
    search = shop.search(lambda products, *_: list(range(len(products)))[::-1])
    scores = [product.score for product in search.products]
    assert scores == sorted(scores, reverse=True)
    assert len(scores) == WINDOW
    logged = search.logged()
    assert [shown.candidate.id for shown in logged.shown] == [search.products[place].id for place in range(99, 89, -1)]
    assert [shown.position for shown in logged.shown] == list(range(1, PAGE + 1))


def test_the_appeal_of_products_drifts_from_day_to_day() -> None:
    still, drifting = (SimulatedShop(1, 150, behaviour=Behaviour(drift=drift)) for drift in (0.0, 0.5))
    spread = []
    for shop in (still, drifting):
        before = shop.click_probabilities(0, shop.shoppers[0])
        shop.pass_day()
        spread.append(float(np.abs(shop.click_probabilities(0, shop.shoppers[0]) - before).max()))
    assert spread[0] == 0 < spread[1]


def test_interleaving_prefers_the_order_that_puts_liked_products_first() -> None:
    shop = SimulatedShop(seed=1, products=150)
    total = 0
    for _ in range(200):
        search = shop.search()
        best = np.argsort(-search.appeal, kind="stable").tolist()
        total += shop.interleaved_clicks(search, best, best[::-1])
    assert total > 50
