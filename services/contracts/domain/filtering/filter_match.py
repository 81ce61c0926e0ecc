"""Whether one product meets a filter. The engine does the same for all products of a category at once."""

from collections.abc import Mapping

from services.contracts.domain.filtering.filters import AnyOf, AttributeValue, Between, Filter, Not, OneOf, Term
from services.contracts.domain.filtering.instants import instant

Attributes = Mapping[str, AttributeValue | list[AttributeValue]]


def matches(wanted: Filter, attributes: Attributes) -> bool:
    """Return whether a product with these attributes meets every term of a filter."""
    return all(_holds(term, attributes) for term in wanted.terms)


def _holds(term: Term, attributes: Attributes) -> bool:
    match term:
        case AnyOf(filters):
            return any(matches(part, attributes) for part in filters)
        case Not(inner):
            return not matches(inner, attributes)
        case OneOf(attribute, values):
            wanted = {_comparable(value) for value in values}
            return any(_comparable(value) in wanted for value in _values(attributes, attribute))
        case Between(attribute):
            return any(_inside(value, term) for value in _values(attributes, attribute))


def _values(attributes: Attributes, name: str) -> list[AttributeValue]:
    value = attributes.get(name, [])
    return value if isinstance(value, list) else [value]


def _comparable(value: AttributeValue) -> tuple[type, AttributeValue]:
    """Return a value that equals another one only if both are of one kind: `True == 1` in Python."""
    if isinstance(value, bool | str):
        return type(value), value
    return float, float(value)


def _inside(value: AttributeValue, bounds: Between) -> bool:
    number = _number(value, dates=bounds.dates)
    return number is not None and not (
        (bounds.gte is not None and number < bounds.gte)
        or (bounds.gt is not None and number <= bounds.gt)
        or (bounds.lte is not None and number > bounds.lte)
        or (bounds.lt is not None and number >= bounds.lt)
    )


def _number(value: AttributeValue, *, dates: bool) -> float | None:
    """Return what a range compares: microseconds since 1970 of a date, or the number; None for other values."""
    if dates:
        return instant(value) if isinstance(value, str) else None
    return None if isinstance(value, bool | str) else float(value)
