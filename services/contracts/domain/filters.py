"""Which products a search may find: conditions on attributes, joined by and, or and not."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

AttributeValue = str | bool | int | float


@dataclass(frozen=True, slots=True)
class OneOf:
    """The attribute is one of these values, or a list that holds one of them. Without values nothing meets it."""

    attribute: str
    values: tuple[AttributeValue, ...]

    @property
    def attributes(self) -> frozenset[str]:
        """What it is about."""
        return frozenset((self.attribute,))


@dataclass(frozen=True, slots=True)
class Between:
    """The attribute is a number within all the bounds that are given, or a list that holds one.

    Where `dates`, it is a text that tells a date or time, and the bounds are microseconds since 1970.
    """

    attribute: str
    gte: float | None = None
    gt: float | None = None
    lte: float | None = None
    lt: float | None = None
    dates: bool = False

    @property
    def attributes(self) -> frozenset[str]:
        """What it is about."""
        return frozenset((self.attribute,))


@dataclass(frozen=True, slots=True)
class AnyOf:
    """At least one of the filters holds."""

    filters: "tuple[Filter, ...]"

    @property
    def attributes(self) -> frozenset[str]:
        """What it is about."""
        return frozenset[str]().union(*(one.attributes for one in self.filters))


@dataclass(frozen=True, slots=True)
class Not:
    """The filter does not hold; for a product without the attribute either."""

    filter: "Filter"

    @property
    def attributes(self) -> frozenset[str]:
        """What it is about."""
        return self.filter.attributes


Condition = OneOf | Between
Term = Condition | AnyOf | Not


@dataclass(frozen=True, slots=True)
class Filter:
    """Terms that all have to hold: with none of them every product may be found. `source` is the filter as JSON."""

    terms: tuple[Term, ...] = ()
    source: Mapping[str, Any] = field(default_factory=dict, compare=False, repr=False)

    def __bool__(self) -> bool:
        return bool(self.terms)

    @property
    def attributes(self) -> frozenset[str]:
        """What it is about."""
        return frozenset[str]().union(*(term.attributes for term in self.terms))

    @property
    def chosen(self) -> frozenset[str]:
        """The attributes of which a term speaks that speaks of no other."""
        return frozenset[str]().union(*(term.attributes for term in self.terms if len(term.attributes) == 1))

    def without(self, attribute: str) -> "Filter":
        """Return the filter without the terms that speak of this attribute alone."""
        return Filter(tuple(term for term in self.terms if term.attributes != {attribute}))


EVERYTHING = Filter()
