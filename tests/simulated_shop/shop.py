"""A simulated shop, for tests and benchmarks: shoppers with tastes search, look at some results, click, and buy.

It is seeded, and nothing in it is a real figure. Shoppers look at a position with a probability that falls with the
position. What they look at they click with a probability that grows with similarity, with an appeal that drifts from
day to day, and with their own taste: style, gender, brand and price.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta

import numpy as np
from numpy.typing import NDArray

from services.catalogue.events.event import Event
from services.catalogue.events.logged_query import LoggedQuery, QueryAttributes
from services.catalogue.learning.candidates import LoggedCandidate, cluster_of, nearest
from services.catalogue.learning.search_log import GAINS, LoggedSearch, Shown
from services.catalogue.product import Float32Array, ImageVector, Product, ProductEmbedding
from tests.simulated_shop.catalogue import BRANDS, DIMENSION, GENDERS, NAMES, STYLES, Shelf, ShopProduct, shelf, unit

WINDOW, PAGE = 100, 10
MODEL = "fashion/1"
FIRST_DAY = date(2026, 3, 1)
PHOTO_NOISE = 0.7
# The order of a window: the products in the plain order, the category and the day → their new order.
Ranker = Callable[[Sequence[ShopProduct], str, int], Sequence[int]]


def plain(products: Sequence[ShopProduct], category: str, day: int) -> Sequence[int]:
    """Return the plain order."""
    return range(len(products))


@dataclass(frozen=True)
class Behaviour:
    """How shoppers behave.

    Attributes:
        examination: shoppers look at position k with probability k^-examination.
        similarity, appeal, taste, stock: what a unit of each adds to the logit of a click.
        base: the logit of a click for a product of mean similarity and appeal.
        drift: standard deviation of the appeal's change a day.
        random: clicks do not depend on the product, only on the position.
    """

    examination: float = 0.9
    similarity: float = 0.8
    appeal: float = 1.0
    taste: float = 0.8
    stock: float = -2.0
    base: float = -2.0
    drift: float = 0.05
    random: bool = False


@dataclass(frozen=True)
class Shopper:
    """A visitor with a taste."""

    name: str
    styles: tuple[int, ...]
    gender: str
    brand: str
    price: float


@dataclass(frozen=True)
class Search:
    """A search and everything about it that a log does not say.

    Attributes:
        products: the window in the plain order.
        appeal: probability of a click for each of them by a shopper who looks at it.
        order: the places in the window in the order of the page.
        gains: what the shopper did with each result of the page.
    """

    id: str
    shopper: Shopper
    category: int
    day: int
    at: datetime
    vector: Float32Array
    products: tuple[ShopProduct, ...]
    appeal: NDArray[np.float64]
    order: tuple[int, ...]
    gains: tuple[float, ...]

    def logged(self) -> LoggedSearch:
        """Return the search as the log has it."""
        page = [LoggedCandidate(self.products[place].id, self.products[place].score, self.products[place].attributes)
                for place in self.order[:PAGE]]  # fmt: skip
        shown = tuple(
            Shown(candidate, position, gain)
            for position, (candidate, gain) in enumerate(zip(page, self.gains, strict=True), 1)
        )
        return LoggedSearch(
            self.id, self.day, self.shopper.name, cluster_of(NAMES[self.category], nearest(page)), shown
        )


class SimulatedShop:
    """The shop, its shoppers, and the days that pass."""

    def __init__(
        self, seed: int = 7, products: int = 400, shoppers: int = 200, behaviour: Behaviour = Behaviour()
    ) -> None:
        """Draw products and shoppers.

        Args:
            seed: of everything.
            products: of each category.
            shoppers: how many visitors there are.
            behaviour: how they behave.
        """
        self._generator = np.random.default_rng(seed)
        self.behaviour = behaviour
        self.shelves = tuple(shelf(category, products, self._generator) for category in range(len(NAMES)))
        self._appeal = [shelf.appeal.copy() for shelf in self.shelves]
        self.shoppers = [self._shopper(number) for number in range(shoppers)]
        self.day = FIRST_DAY.toordinal()
        self._searches = 0

    def days(self, count: int, searches: int, ranker: Ranker = plain) -> Iterator[Search]:
        """Yield the searches of the next days.

        Args:
            count: the number of days.
            searches: of each day.
            ranker: the order of the results.
        """
        for _ in range(count):
            for _ in range(searches):
                yield self.search(ranker)
            self.pass_day()

    def pass_day(self) -> None:
        """Let the appeal of products drift."""
        self.day += 1
        for appeal in self._appeal:
            appeal += self._generator.normal(0, self.behaviour.drift, len(appeal))

    def search(self, ranker: Ranker = plain, shopper: Shopper | None = None) -> Search:
        """Return a search with a photo that looks like a product to the shopper's taste."""
        draw = self._generator
        shopper = shopper or self.shoppers[int(draw.integers(len(self.shoppers)))]
        shelf = self.shelves[int(draw.integers(len(self.shelves)))]
        wished = np.flatnonzero(np.isin(shelf.styles, shopper.styles))
        vectors = shelf.vectors[int(draw.choice(wished if len(wished) else np.arange(len(shelf.products))))]
        vector = unit(vectors + PHOTO_NOISE * unit(draw.standard_normal(DIMENSION)))
        products, rows = self.window(shelf, vector)
        appeal = self._clicks(shelf, rows, [product.score for product in products], shopper)
        order = tuple(int(place) for place in ranker(products, NAMES[shelf.category], self.day))
        self._searches += 1
        return Search(
            id=f"s{self._searches:07d}",
            shopper=shopper,
            category=shelf.category,
            day=self.day,
            at=datetime.combine(date.fromordinal(self.day), time(), UTC)
            + timedelta(seconds=int(draw.integers(86_400))),
            vector=vector,
            products=products,
            appeal=appeal,
            order=order,
            gains=self._gains(appeal[list(order[:PAGE])]),
        )

    def window(self, shelf: Shelf, vector: Float32Array) -> tuple[tuple[ShopProduct, ...], NDArray[np.int64]]:
        """Return the nearest products with their scores, best first, and their rows."""
        scores = shelf.vectors @ vector
        rows = np.argsort(-scores, kind="stable")[:WINDOW]
        return tuple(replace(shelf.products[row], score=float(scores[row])) for row in rows), rows

    def click_probabilities(self, category: int, shopper: Shopper) -> NDArray[np.float64]:
        """Return the probability with which a shopper who looks at a product clicks it, at equal similarity."""
        shelf = self.shelves[category]
        rows = np.arange(len(shelf.products))
        return self._clicks(shelf, rows, [1.0] * len(rows), shopper)

    def events(self, search: Search) -> list[Event]:
        """Return the events of a search, as a shop sends them."""
        actions = {GAINS["click"]: ("click",), GAINS["add_to_cart"]: ("click", "add_to_cart")}
        actions[GAINS["purchase"]] = ("click", "add_to_cart", "purchase")
        return [
            Event.model_validate(
                {
                    "event_id": f"{search.id}-{position}-{action}",
                    "action_name": action,
                    "query_id": search.id,
                    "client_id": search.shopper.name,
                    "timestamp": search.at,
                    "event_attributes": {
                        "object": {"object_id": search.products[place].id},
                        "position": {"ordinal": position},
                    },
                }
            )
            for position, (place, gain) in enumerate(zip(search.order[:PAGE], search.gains, strict=True), 1)
            for action in actions.get(gain, ())
        ]

    def query(self, search: Search) -> LoggedQuery:
        """Return the row of a search in the log."""
        page = [search.products[place] for place in search.order[:PAGE]]
        return LoggedQuery(
            id=search.id,
            query_id=search.id,
            timestamp=search.at,
            query_response_hit_ids=tuple(product.id for product in page),
            query_attributes=QueryAttributes(
                kind="photo",
                outcome="ok",
                category=NAMES[search.category],
                model=MODEL,
                nearest_score=search.products[0].score,
                hit_scores=tuple(product.score for product in page),
            ),
            client_id=search.shopper.name,
        )

    def stored_products(self) -> dict[str, Product]:
        """Return the products as the catalogue stores them, by id."""
        return {
            product.id: Product(
                key=product.id,
                category=shelf.category,
                embeddings={MODEL: ProductEmbedding((ImageVector(None, vector),))},
                model=MODEL,
                title=product.id,
                attributes=product.attributes,
                category_source="feed",
            )
            for shelf in self.shelves
            for product, vector in zip(shelf.products, shelf.vectors, strict=True)
        }

    def interleaved_clicks(self, search: Search, first: Sequence[int], second: Sequence[int]) -> int:
        """Return clicks on results of the first order less those of the second, on a page that mixes both.

        Team-draft interleaving (Radlinski, Kurup & Joachims, CIKM 2008).
        """
        page, teams = self._team_draft(first, second)
        gains = self._gains(search.appeal[page])
        return sum(team for team, gain in zip(teams, gains, strict=True) if gain)

    def _team_draft(self, first: Sequence[int], second: Sequence[int]) -> tuple[list[int], list[int]]:
        page: list[int] = []
        teams: list[int] = []
        while len(page) < PAGE:
            sides = [(first, 1), (second, -1)]
            if self._generator.random() < 0.5:
                sides.reverse()
            for order, team in sides:
                page.append(next(place for place in order if place not in page))
                teams.append(team)
        return page[:PAGE], teams[:PAGE]

    def _gains(self, appeal: NDArray[np.float64]) -> tuple[float, ...]:
        looks = np.arange(1, len(appeal) + 1) ** -self.behaviour.examination
        draws = self._generator.random((3, len(appeal)))
        clicked = draws[0] < looks * appeal
        carted = clicked & (draws[1] < 0.3)
        bought = carted & (draws[2] < 0.5)
        gains = np.where(bought, GAINS["purchase"], np.where(carted, GAINS["add_to_cart"], clicked * GAINS["click"]))
        return tuple(float(gain) for gain in gains)

    def _clicks(
        self, shelf: Shelf, rows: NDArray[np.int64], scores: Sequence[float], shopper: Shopper
    ) -> NDArray[np.float64]:
        """Return the probability of a click for each product, by this shopper, who looks at it."""
        how = self.behaviour
        if how.random:
            return np.full(len(rows), 0.15)
        attributes = [shelf.products[row].attributes for row in rows]
        likes = np.asarray([(a["gender"] == shopper.gender) + (a["brand"] == shopper.brand) for a in attributes])
        likes = likes + np.isin(shelf.styles[rows], shopper.styles)
        dear = np.abs(np.log(shelf.prices[rows] / shopper.price))
        gone = np.asarray([a["availability"] != "in_stock" for a in attributes])
        alike = (np.asarray(scores) - scores[0]) / 0.1 + 1
        logit = (
            how.base
            + how.similarity * alike
            + how.appeal * self._appeal[shelf.category][rows]
            + how.taste * (likes - dear)
            + how.stock * gone
        )
        return np.asarray(1 / (1 + np.exp(-logit)))

    def _shopper(self, number: int) -> Shopper:
        draw = self._generator
        styles = tuple(int(style) for style in draw.choice(STYLES, 3, replace=False))
        gender = GENDERS[styles[0] % len(GENDERS)]
        brand = BRANDS[int(draw.integers(len(BRANDS)))]
        return Shopper(f"visitor-{number:04d}", styles, gender, brand, float(np.exp(draw.normal(3.5, 0.4))))
