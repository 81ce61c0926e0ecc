"""A visitor's taste as numbers: for each category a vector, sizes and prices; for all of them gender and brand."""

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from services.catalogue.attributes import BRAND, GENDER, SIZE, price_of, words
from services.catalogue.product import Float32Array, Product

CONFIDENT = 5.0  # interest from which on a taste counts half of its full weight: one purchase
LEAST_PRICE_SPREAD = 0.25  # of the logarithm: a quarter cheaper or dearer is near in any case
MAX_BY = 0.1  # that a taste adds to a score or takes from it
Float64Array = NDArray[np.float64]
Attributes = Mapping[str, Any]


@dataclass(frozen=True)
class TasteWeights:
    """How much a taste counts, in units of score.

    Attributes:
        vector: of the taste's vector, which is blended with the query's: score + vector × cosine(taste, product).
        attributes: of a product whose gender, brand, size and price are all as the visitor likes them.
    """

    vector: float
    attributes: float


@dataclass(frozen=True)
class Preferences:
    """Values that a visitor chose: the interest in each, relative to that in the value that the visitor likes most."""

    names: tuple[str, ...]
    shares: Mapping[str, float]

    def of(self, attributes: Attributes) -> float | None:
        """Return how well a product's value is liked, 0 to 1; None if either is unknown."""
        own = words(attributes, self.names)
        return max(self.shares.get(value, 0.0) for value in own) if own and self.shares else None


@dataclass(frozen=True)
class CategoryTaste:
    """What a visitor likes of a category.

    Attributes:
        vector: shape (dimension,), unit length; None if likes and dislikes cancel out.
        interest: the sum of the weights of liked products.
        size: the sizes.
        price: mean and spread of the logarithm of prices; None if no price is known.
    """

    vector: Float32Array | None
    interest: float
    size: Preferences
    price: tuple[float, float] | None

    def price_preference(self, attributes: Attributes) -> float | None:
        """Return how near a product's price is to those that the visitor chose, 0 to 1; None if it is unknown."""
        price = price_of(attributes)
        if self.price is None or math.isnan(price):
            return None
        mean, spread = self.price
        return math.exp(-(((math.log(price) - mean) / spread) ** 2) / 2)


@dataclass(frozen=True)
class Profile:
    """A visitor's taste, for the vectors of one model.

    Attributes:
        categories: by the category's id.
        interest: the sum of the weights of liked products.
        shared: preferences in all categories: gender and brand.
        hidden: ids of products that the visitor does not want to see.
    """

    categories: Mapping[int, CategoryTaste] = field(default_factory=dict)
    interest: float = 0.0
    shared: tuple[Preferences, ...] = ()
    hidden: tuple[str, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Whether nothing is known of the visitor."""
        return not self.categories and not self.hidden

    def pulls(
        self, category: int, vectors: Float32Array, attributes: Sequence[Attributes], weights: TasteWeights
    ) -> Float64Array:
        """Return what the taste adds to the scores of products: shape (products,), none beyond MAX_BY.

        The sums are relative to the mean of the products, so a taste that likes all of them alike moves none.

        Args:
            category: of the products.
            vectors: shape (products, dimension), unit length; zero where a product has none.
                Those of another dimension do not count.
            attributes: of each product.
            weights: how much the taste counts.
        """
        taste = self.categories.get(category)
        total = np.zeros(len(attributes))
        if not len(attributes):
            return total
        if taste is not None and taste.vector is not None and vectors.shape[1] == len(taste.vector):
            known = vectors.any(axis=1)
            closeness = vectors @ taste.vector.astype(np.float64)
            total += weights.vector * _confidence(taste.interest) * _centred(np.where(known, closeness, np.nan))
        liked = [self._liking(taste, values) for values in attributes]
        total += weights.attributes * _confidence(self.interest) * _centred(np.asarray(liked, dtype=np.float64))
        return np.clip(total, -MAX_BY, MAX_BY)

    def _liking(self, taste: CategoryTaste | None, attributes: Attributes) -> float:
        """Return the mean of the preferences that say something about a product; NaN if none does."""
        known = [preferences.of(attributes) for preferences in self.shared]
        if taste is not None:
            known += [taste.size.of(attributes), taste.price_preference(attributes)]
        values = [value for value in known if value is not None]
        return sum(values) / len(values) if values else math.nan


def profile_of(products: Iterable[tuple[Product, float]], hidden: Sequence[str], model: str) -> Profile:
    """Return a visitor's taste.

    Args:
        products: those that the visitor cares for, with the weight of each; negative for those that the visitor hid.
        hidden: ids of products that the visitor does not want to see.
        model: whose vectors are compared; products without its vectors do not count.
    """
    of_model = [(own, weight) for product, weight in products if weight and (own := product.embedded_by(model))]
    by_category: dict[int, list[tuple[Product, float]]] = defaultdict(list)
    for product, weight in of_model:
        by_category[product.category].append((product, weight))
    liked = [(product.attributes, weight) for product, weight in of_model if weight > 0]
    return Profile(
        {category: _category_taste(rows) for category, rows in by_category.items()},
        sum(weight for _, weight in liked),
        (_preferences(GENDER, liked), _preferences(BRAND, liked)),
        tuple(hidden),
    )


def _category_taste(rows: Sequence[tuple[Product, float]]) -> CategoryTaste:
    total = sum(weight * product.vector.astype(np.float64) for product, weight in rows)
    length = float(np.linalg.norm(total))
    liked = [(product.attributes, weight) for product, weight in rows if weight > 0]
    return CategoryTaste(
        vector=np.asarray(total / length, dtype=np.float32) if length > 1e-6 else None,
        interest=sum(abs(weight) for _, weight in rows),
        size=_preferences(SIZE, liked),
        price=_price(liked),
    )


def _preferences(names: tuple[str, ...], liked: Iterable[tuple[Attributes, float]]) -> Preferences:
    sums: dict[str, float] = defaultdict(float)
    for attributes, weight in liked:
        for value in words(attributes, names):
            sums[value] += weight
    most = max(sums.values(), default=1.0)
    return Preferences(names, {value: part / most for value, part in sums.items()})


def _price(liked: Iterable[tuple[Attributes, float]]) -> tuple[float, float] | None:
    priced = [(math.log(price_of(attributes)), weight) for attributes, weight in liked]
    known = [(price, weight) for price, weight in priced if not math.isnan(price)]
    if not known:
        return None
    total = sum(weight for _, weight in known)
    mean = sum(price * weight for price, weight in known) / total
    variance = sum((price - mean) ** 2 * weight for price, weight in known) / total
    return mean, max(math.sqrt(variance), LEAST_PRICE_SPREAD)


def _confidence(interest: float) -> float:
    """Return the share of its full weight that a taste has."""
    return interest / (interest + CONFIDENT)


def _centred(values: Float64Array) -> Float64Array:
    """Return values less their mean; unknown ones, NaN, are 0."""
    known = ~np.isnan(values)
    mean = values[known].mean() if known.any() else 0.0
    centred: Float64Array = np.where(known, values - mean, 0.0)
    return centred
