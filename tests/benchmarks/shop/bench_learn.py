"""What learning from shoppers is worth on the simulated shop, whose shoppers' wishes are known: no real figures.

LEARN_DAYS sets the days of the log (28), LEARN_SEARCHES the searches of a day (300), LEARN_SEED the seed (7).
"""

import os
import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime
from datetime import time as midnight

import numpy as np

from services.catalogue.events.event import Event
from services.catalogue.learning.learned_order import LearnedOrder
from services.catalogue.learning.replay import Interval, intervals, ndcg
from services.catalogue.learning.training import LearningOptions, LearningReport, learn
from services.catalogue.taste.interests import Interests
from services.catalogue.taste.profile import Profile, TasteWeights, profile_of
from tests.simulated_shop.baskets import AGREEMENT, fill_in_the_blank
from tests.simulated_shop.catalogue import NAMES
from tests.simulated_shop.shop import MODEL, PAGE, WINDOW, Behaviour, Search, SimulatedShop

DAYS = int(os.environ.get("LEARN_DAYS", "28"))
SEARCHES = int(os.environ.get("LEARN_SEARCHES", "300"))
SEED = int(os.environ.get("LEARN_SEED", "7"))
HELD_OUT_DAYS = 7
BOUND = LearningOptions().bound
Order = Callable[[Search], Sequence[int]]
QUESTIONS = 2000
ORDERS = ("plain", "learned, clicks as they are", "learned, debiased")


def main() -> dict[str, object]:
    """Print and return the figures."""
    print("  a simulation: its shoppers are drawn, and no figure is a real shop's")
    figures: dict[str, object] = {"searches of the log": DAYS * SEARCHES, "bound": BOUND}
    figures |= _learning("shoppers with tastes", Behaviour())
    figures |= _learning("random clicks", Behaviour(random=True))
    figures |= _taste()
    figures |= _baskets()
    return figures


def _baskets() -> dict[str, object]:
    """Let baskets say what goes together, and choose among four candidates in baskets after them."""
    print(f"\n  which product was bought with another, of four: right in {QUESTIONS:,} baskets (chance 0.25)")
    figures: dict[str, object] = {}
    for name, agreement in (("shoppers who agree", AGREEMENT), ("random baskets", 0.0)):
        for count in (0, 100, 1000, 5000):
            right = fill_in_the_blank(SimulatedShop(SEED), count, QUESTIONS, agreement, SEED)
            print(f"    {name}, {count:>5,} baskets   {right.model:.3f} by the model, {right.blended:.3f} with them")
            figures[f"{name}, {count} baskets"] = f"{right.model:.3f}, {right.blended:.3f} with baskets"
    return figures


def _learning(name: str, behaviour: Behaviour) -> dict[str, object]:
    """Learn from a shop's log with and without debiasing, and compare the orders in the days after it."""
    shop = SimulatedShop(SEED, behaviour=behaviour)
    log = [search.logged() for search in shop.days(DAYS, SEARCHES)]
    started = time.monotonic()
    orders: dict[str, LearnedOrder] = {}
    reports: dict[str, LearningReport] = {}
    for label, debias in zip(ORDERS[1:], (False, True), strict=True):
        orders[label], reports[label] = learn(log, LearningOptions(bound=BOUND, debias=debias, seed=SEED))
    seconds = time.monotonic() - started
    searches = list(shop.days(HELD_OUT_DAYS, SEARCHES))
    print(f"\n  {name}: {len(log):,} searches, learned twice in {seconds:.0f} s; {len(searches):,} searches after it")
    pages: dict[str, list[Sequence[int]]] = {ORDERS[0]: [range(WINDOW)] * len(searches)}
    for label, order in orders.items():
        pages[label] = [order.order(search.products, NAMES[search.category], search.day, BOUND) for search in searches]
    figures = _true_figures(name, shop, searches, pages)
    report = reports[ORDERS[2]]
    bias = " ".join(f"{value:.2f}" for value in report.propensities[:PAGE])
    truth = " ".join(f"{place**-behaviour.examination:.2f}" for place in range(1, PAGE + 1))
    print(f"    propensities, estimated       {bias}\n    propensities, true            {truth}")
    print(f"    report of held-out days, gain {_shown(report.comparison.gain)}")
    figures[f"{name}: gain in NDCG@10 of the report"] = _shown(report.comparison.gain)
    return figures


def _true_figures(
    name: str, shop: SimulatedShop, searches: Sequence[Search], pages: Mapping[str, Sequence[Sequence[int]]]
) -> dict[str, object]:
    """Return NDCG@10 and clicks a search by the probabilities with which shoppers like products, and interleaving."""
    looks = np.arange(1, PAGE + 1) ** -shop.behaviour.examination
    figures: dict[str, object] = {}
    visitors = [search.shopper.name for search in searches]
    for label, orders in pages.items():
        rows = []
        for search, order, plain in zip(searches, orders, pages[ORDERS[0]], strict=True):
            liked = search.appeal[list(order[:PAGE])]
            balance = shop.interleaved_clicks(search, order, plain) if label != ORDERS[0] else 0
            rows.append((ndcg(liked, search.appeal), float((liked * looks).sum()), float(balance)))
        values = np.asarray(rows)
        quality, clicks, won = intervals(values, np.ones_like(values), visitors, SEED)
        print(f"    {label:<29} NDCG@10 {_shown(quality)}, clicks a search {_shown(clicks)}")
        figures[f"{name}: {label}, NDCG@10"] = _shown(quality)
        figures[f"{name}: {label}, clicks a search"] = _shown(clicks)
        if label != ORDERS[0]:
            print(f"    {'':<29} interleaved with the plain order, clicks more a search {_shown(won)}")
            figures[f"{name}: {label}, interleaved"] = _shown(won)
    return figures


def _taste() -> dict[str, object]:
    """Compare the ranks of what visitors buy later, with their taste and without."""
    shop = SimulatedShop(SEED, shoppers=100)
    products = shop.stored_products()
    events: dict[str, list[Event]] = defaultdict(list)
    for search in shop.days(DAYS // 2, SEARCHES):
        events[search.shopper.name] += shop.events(search)
    now = datetime.combine(date.fromordinal(shop.day), midnight(), UTC)
    tastes: dict[str, Profile] = {}
    for visitor, own in events.items():
        interests = Interests.of(own, now)
        known = [(products[key], weight) for key, weight in interests.products.items()]
        tastes[visitor] = profile_of(known, interests.hidden, MODEL)
    rows, visitors = [], []
    for search in shop.days(HELD_OUT_DAYS, SEARCHES):
        scores = np.asarray([product.score for product in search.products])
        vectors = np.stack([products[product.id].vector for product in search.products])
        attributes = [product.attributes for product in search.products]
        taste = tastes.get(search.shopper.name, Profile())
        order = np.argsort(
            -(scores + taste.pulls(search.category, vectors, attributes, TasteWeights(0.3, 0.1))), kind="stable"
        )
        plain, own_order = search.appeal, search.appeal[order]
        ranks = np.arange(1, len(plain) + 1)
        reciprocal = [float((appeal / ranks).sum() / appeal.sum()) for appeal in (plain, own_order)]
        rows.append((ndcg(plain), ndcg(own_order), *reciprocal, reciprocal[1] - reciprocal[0]))
        visitors.append(search.shopper.name)
    values = np.asarray(rows)
    actual = intervals(values, np.ones_like(values), visitors, SEED)
    labels = ("NDCG@10, plain", "NDCG@10, with taste", "1 / rank of purchases, plain",
              "1 / rank of purchases, with taste", "1 / rank of purchases, gain")  # fmt: skip
    print(f"\n  taste: {len(tastes)} visitors, {len(rows):,} later searches")
    for label, interval in zip(labels, actual, strict=True):
        print(f"    {label:<36} {_shown(interval)}")
    return {f"taste: {label}": _shown(interval) for label, interval in zip(labels, actual, strict=True)}


def _shown(interval: Interval) -> str:
    return f"{interval.mean:.4f} ({interval.low:.4f} to {interval.high:.4f})"
