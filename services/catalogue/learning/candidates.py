"""The products that a search may order, and the neighbourhood of a search."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from services.catalogue.attributes import BRAND, COLOUR, GENDER, TYPE, words

CONTEXT = 10  # the nearest products, which say what the search is about
# Attributes that describe a garment. One name of each group counts.
DESCRIBING = (TYPE, COLOUR, GENDER, BRAND, ("season",), ("usage",), ("material",), ("pattern",))


class NearProduct(Protocol):
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


def nearest(candidates: Sequence[NearProduct]) -> list[NearProduct]:
    """Return the nearest candidates, which say what the search is about."""
    return sorted(candidates, key=lambda candidate: -candidate.score)[:CONTEXT]


def cluster_of(category: str, context: Iterable[NearProduct]) -> str:
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
