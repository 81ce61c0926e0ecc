"""Filters of a search: conditions on attributes, combined with and, or and not."""

from collections.abc import Mapping, Sequence
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
    """The filter does not match. It matches a product without the attribute.

    If `always` is true, it is never a shopper's choice: see `Filter.choices_of`.
    """

    filter: "Filter"
    always: bool = False

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

    def choices_of(self, attribute: str) -> tuple[Term, ...]:
        """Return the terms whose only attribute is this one: its other values stay choices. See `Not.always`."""
        return tuple(term for term in self.terms if term.attributes == {attribute} and not _holds_always(term))

    def leaving_out(self, hidden: "Filter | None") -> "Filter":
        """Return the filter that the products of another one do not meet either, always; `source` stays."""
        return self if hidden is None else Filter((*self.terms, Not(hidden, always=True)), self.source)


def _holds_always(term: Term) -> bool:
    return isinstance(term, Not) and term.always


EVERYTHING = Filter()


def any_of(filters: Sequence[Filter]) -> Filter:
    """Return the filter that products meet if they meet any of some filters."""
    if len(filters) == 1:
        return filters[0]
    return Filter((AnyOf(tuple(filters)),), {"$or": [dict(part.source) for part in filters]})
