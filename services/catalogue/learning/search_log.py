"""Searches of the event log: the products on the page, their positions, and what shoppers did with them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby

from services.catalogue.learning.candidates import LoggedCandidate
from services.catalogue.learning.query_signals import Float64Array, query_signals

# What an action is worth. A purchase counts more than a click, which may be idle.
GAINS = {"click": 1.0, "like": 1.0, "add_to_cart": 2.0, "purchase": 3.0}


@dataclass(frozen=True, slots=True)
class Shown:
    """A product on a page of results.

    Attributes:
        candidate: the product, with its similarity to the query.
        position: its place in the whole list, from 1.
        gain: the greatest worth of what the shopper did with it; 0 if nothing.
    """

    candidate: LoggedCandidate
    position: int
    gain: float = 0.0

    @property
    def clicked(self) -> bool:
        """Whether the shopper did anything with it."""
        return self.gain > 0


@dataclass(frozen=True)
class LoggedSearch:
    """A page of results that a shopper saw.

    Attributes:
        id: the search's, which its events name.
        day: the day, as an ordinal number.
        visitor: who searched, an opaque name; None if it is not known.
        cluster: the search's neighbourhood, see `candidates.cluster_of`.
        shown: in the order of the page.
    """

    id: str
    day: int
    visitor: str | None
    cluster: str
    shown: tuple[Shown, ...]

    @property
    def is_first_page(self) -> bool:
        """Whether the page begins with the first result."""
        return bool(self.shown) and min(shown.position for shown in self.shown) == 1

    @cached_property
    def signals(self) -> Float64Array:
        """The signals of the shown products that do not depend on clicks."""
        return query_signals([shown.candidate for shown in self.shown])

    @property
    def gain(self) -> float:
        """The worth of everything that the shopper did."""
        return sum(shown.gain for shown in self.shown)


def by_day(searches: Sequence[LoggedSearch]) -> Iterator[tuple[int, list[LoggedSearch]]]:
    """Yield each day of a log with its searches, in order."""
    for day, group in groupby(
        sorted(searches, key=lambda search: (search.day, search.id)), key=lambda search: search.day
    ):
        yield day, list(group)
