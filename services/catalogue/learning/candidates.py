"""The products that a search may order, and what their attributes say."""

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

CONTEXT = 10  # the nearest products, which say what the search is about
TYPE = ("articleType", "product_type", "product_category", "type")
COLOUR = ("baseColour", "color", "colour")
GENDER = ("gender",)
# Attributes that describe a garment: the same in every feed format, or of the Kaggle archive. One name a group counts.
DESCRIBING = (TYPE, COLOUR, GENDER, ("brand",), ("season",), ("usage",), ("material",), ("pattern",))
IN_STOCK, OUT_OF_STOCK = frozenset({"in_stock", "preorder", "backorder"}), frozenset({"out_of_stock"})


class Candidate(Protocol):
    """A product near the query. A hit of the index is one."""

    @property
    def id(self) -> str:
        """The product's id."""

    @property
    def score(self) -> float:
        """Cosine similarity to the query."""

    @property
    def attributes(self) -> Mapping[str, Any]:
        """What the shop says about it."""


@dataclass(frozen=True, slots=True)
class LoggedCandidate:
    """A product of a search in the log."""

    id: str
    score: float
    attributes: Mapping[str, Any] = field(default_factory=dict)


def words(attributes: Mapping[str, Any], names: Sequence[str]) -> frozenset[str]:
    """Return the values of the first of these attributes that a product has, in lower case."""
    for name in names:
        value = attributes.get(name)
        if value is not None and value != []:
            return frozenset(str(part).strip().lower() for part in (value if isinstance(value, list) else [value]))
    return frozenset()


def price_of(attributes: Mapping[str, Any]) -> float:
    """Return a product's price, NaN if it has none above 0."""
    value = attributes.get("price")
    if isinstance(value, bool) or not isinstance(value, int | float):
        return math.nan
    return float(value) if math.isfinite(value) and value > 0 else math.nan


def available(attributes: Mapping[str, Any]) -> float:
    """Return 1 for a product that can be bought, 0 for one that cannot, NaN if the shop does not say."""
    value = attributes.get("availability", attributes.get("in_stock"))
    if isinstance(value, bool):
        return float(value)
    if value in IN_STOCK:
        return 1.0
    return 0.0 if value in OUT_OF_STOCK else math.nan


def nearest(candidates: Sequence[Candidate]) -> list[Candidate]:
    """Return the nearest candidates, which say what the search is about."""
    return sorted(candidates, key=lambda candidate: -candidate.score)[:CONTEXT]


def cluster_of(category: str, context: Iterable[Candidate]) -> str:
    """Return the name of a search's neighbourhood: its category, and the usual type, colour and gender near it.

    It needs no vector, so it is the same for the log and for a search. Without these attributes it is the category.
    """
    candidates = list(context)
    parts = [_usual(words(candidate.attributes, names) for candidate in candidates) for names in (TYPE, COLOUR, GENDER)]
    return "/".join((category, *parts))


def _usual(values: Iterable[frozenset[str]]) -> str:
    """Return the most frequent value, the first in the alphabet of several; empty if there is none."""
    counts = Counter(part for value in values for part in value)
    return min(counts, key=lambda part: (-counts[part], part)) if counts else ""
