"""How often each product is clicked, position aside: in all searches, and in those of a neighbourhood."""

import heapq
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from services.catalogue.learning.search_log import LoggedSearch

PRODUCT_PRIOR = 20.0  # examinations that the mean rate of all products counts for
PAIR_PRIOR = 10.0  # examinations that the product's own rate counts for, in a neighbourhood
HALF_LIFE_DAYS = 14.0
MAX_PRODUCTS, MAX_PAIRS = 50_000, 100_000  # that a stored table has: those with the most examinations
LEAST_RATE = 1e-4


@dataclass(slots=True)
class Evidence:
    """Clicks, and how many times shoppers are expected to have looked: the sum of the positions' propensities."""

    clicks: float = 0.0
    examinations: float = 0.0

    def add(self, clicks: float, examinations: float) -> None:
        """Count more of both."""
        self.clicks += clicks
        self.examinations += examinations

    def rate(self, prior: float, weight: float, scale: float = 1.0) -> float:
        """Return clicks an examination, drawn to `prior` with the weight of a number of examinations.

        `scale` is what the evidence has lost by its age.
        """
        return (self.clicks * scale + prior * weight) / (self.examinations * scale + weight)


NOTHING = Evidence()


@dataclass
class ClickTable:
    """Clicks over expected examinations, a product and a neighbourhood. Older evidence counts less.

    The estimate is that of clicks over expected clicks (Zhang & Jones, WWW 2007), with the propensities of the
    positions as expectation: in a position-based model its mean is the rate at which a product that is looked at is
    clicked. Rates are drawn to the mean of all products, and a neighbourhood's to the product's.

    Attributes:
        half_life_days: the age at which evidence counts half.
        first_day: the first day of the log; evidence of a later day is kept 2^((day - first) / half life) times.
        last_day: up to which the table knows everything.
        total: of all products.
        products: by the product's id.
        pairs: by neighbourhood and product's id.
        first_shown: the day on which shoppers first saw a product, by its id.
    """

    half_life_days: float = HALF_LIFE_DAYS
    first_day: int = 0
    last_day: int = 0
    total: Evidence = field(default_factory=Evidence)
    products: dict[str, Evidence] = field(default_factory=dict)
    pairs: dict[tuple[str, str], Evidence] = field(default_factory=dict)
    first_shown: dict[str, int] = field(default_factory=dict)

    def add(self, search: LoggedSearch, propensities: Sequence[float]) -> None:
        """Count a page. Pages are given in the order of their days.

        Args:
            search: the page.
            propensities: of the positions from 1 on; the last one counts for all behind it.
        """
        if not self.first_day:
            self.first_day = search.day
        self.last_day = max(self.last_day, search.day)
        grown = self._grown(search.day)
        for shown in search.shown:
            examined = grown * propensities[min(shown.position, len(propensities)) - 1]
            clicks, key = grown * shown.clicked, shown.candidate.id
            self.total.add(clicks, examined)
            self.products.setdefault(key, Evidence()).add(clicks, examined)
            self.pairs.setdefault((search.cluster, key), Evidence()).add(clicks, examined)
            self.first_shown.setdefault(key, search.day)

    @property
    def mean_rate(self) -> float:
        """Clicks an examination over all products."""
        if not self.total.examinations:
            return LEAST_RATE
        return max(self.total.clicks / self.total.examinations, LEAST_RATE)

    def of(self, key: str, cluster: str, day: int) -> tuple[float, float, float, float, float]:
        """Return the facts of a product: rate and examinations, the same in the neighbourhood, and its age.

        Args:
            key: the product's id.
            cluster: the search's neighbourhood.
            day: the day of the search; evidence does not age after the table's last day.

        Returns:
            Rates are relative to the mean of all products; the age is in days since shoppers first saw the product.
        """
        scale = 1 / self._grown(self.last_day)
        product, pair = self.products.get(key, NOTHING), self.pairs.get((cluster, key), NOTHING)
        mean = self.mean_rate
        rate = product.rate(mean, PRODUCT_PRIOR, scale)
        near = pair.rate(rate, PAIR_PRIOR, scale)
        age = max(day - self.first_shown.get(key, day), 0)
        return rate / mean, product.examinations * scale, near / mean, pair.examinations * scale, age

    def to_dict(self) -> dict[str, Any]:
        """Return the table as JSON, without the products and pairs with the least evidence beyond the bounds."""
        products = _most(self.products, MAX_PRODUCTS)
        kept = {key: [*_pair(evidence), self.first_shown[key]] for key, evidence in products}
        return {
            "half_life_days": self.half_life_days,
            "first_day": self.first_day,
            "last_day": self.last_day,
            "total": _pair(self.total),
            "products": kept,
            "pairs": [[*names, *_pair(evidence)] for names, evidence in _most(self.pairs, MAX_PAIRS)],
        }

    @classmethod
    def from_dict(cls, document: Mapping[str, Any]) -> "ClickTable":
        """Return the table that `to_dict` has written."""
        return cls(
            half_life_days=float(document["half_life_days"]),
            first_day=int(document["first_day"]),
            last_day=int(document["last_day"]),
            total=Evidence(*document["total"]),
            products={key: Evidence(*entry[:2]) for key, entry in document["products"].items()},
            pairs={(entry[0], entry[1]): Evidence(*entry[2:]) for entry in document["pairs"]},
            first_shown={key: int(entry[2]) for key, entry in document["products"].items()},
        )

    def _grown(self, day: int) -> float:
        return float(2.0 ** ((day - self.first_day) / self.half_life_days))


def _most(evidence: Mapping[Any, Evidence], count: int) -> list[tuple[Any, Evidence]]:
    return heapq.nlargest(count, evidence.items(), key=lambda item: (item[1].examinations, item[0]))


def _pair(evidence: Evidence) -> list[float]:
    return [round(evidence.clicks, 4), round(evidence.examinations, 4)]
