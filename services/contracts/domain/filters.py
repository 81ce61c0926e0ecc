"""Filters of a search: conditions on attributes, combined with and, or and not."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

AttributeValue = str | bool | int | float


@dataclass(frozen=True, slots=True)
class OneOf:
    """The attribute is one of the values, or a list that contains one. Without values nothing matches."""

    attribute: str
    values: tuple[AttributeValue, ...]

    @property
    def attributes(self) -> frozenset[str]:
        """The names of the attributes in the condition."""
        return frozenset((self.attribute,))


@dataclass(frozen=True, slots=True)
class Between:
    """The attribute is a number within all bounds that are set, or a list that contains one.

    If `dates` is true, the attribute is a date or time as text, and the bounds are microseconds since 1970.
    """

    attribute: str
    gte: float | None = None
    gt: float | None = None
    lte: float | None = None
    lt: float | None = None
    dates: bool = False

    @property
    def attributes(self) -> frozenset[str]:
        """The names of the attributes in the condition."""
        return frozenset((self.attribute,))


@dataclass(frozen=True, slots=True)
class AnyOf:
    """At least one of the filters matches."""

    filters: "tuple[Filter, ...]"

    @property
    def attributes(self) -> frozenset[str]:
        """The names of the attributes in the condition."""
        return frozenset[str]().union(*(part.attributes for part in self.filters))


@dataclass(frozen=True, slots=True)
class Not:
    """The filter does not match. It matches a product without the attribute."""

    filter: "Filter"

    @property
    def attributes(self) -> frozenset[str]:
        """The names of the attributes in the condition."""
        return self.filter.attributes


Condition = OneOf | Between
Term = Condition | AnyOf | Not


@dataclass(frozen=True, slots=True)
class Filter:
    """Terms that must all match. Without terms every product matches. `source` is the filter as JSON."""

    terms: tuple[Term, ...] = ()
    source: Mapping[str, Any] = field(default_factory=dict, compare=False, repr=False)

    def __bool__(self) -> bool:
        return bool(self.terms)

    @property
    def attributes(self) -> frozenset[str]:
        """The names of the attributes in the condition."""
        return frozenset[str]().union(*(term.attributes for term in self.terms))

    @property
    def chosen(self) -> frozenset[str]:
        """The attributes that a term has as its only attribute."""
        return frozenset[str]().union(*(term.attributes for term in self.terms if len(term.attributes) == 1))

    def without(self, attribute: str) -> "Filter":
        """Return the filter without the terms whose only attribute is this one."""
        return Filter(tuple(term for term in self.terms if term.attributes != {attribute}))


EVERYTHING = Filter()
