"""Filters as Milvus's boolean expressions, and the fields of a row that they read.

Equality is asked of `tokens`, an array of hashes of (attribute, value): texts need no quoting, and 1, "1" and true
differ. Ranges are asked of `numbers`, a JSON object: Milvus cannot ask whether any element of a list is in a range,
so each number of a list is a member of its own.
"""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from services.contracts.domain.filtering.filters import AnyOf, AttributeValue, Between, Filter, Not, OneOf, Term
from services.contracts.domain.filtering.instants import instant

TOKEN_BITS = 63  # of Milvus's largest integer
EVERY, NONE = "image >= 0", "image < 0"
MAX_RANGE_VALUES = 64  # numbers, and dates, of one attribute of a product
Values = AttributeValue | list[AttributeValue]


class TooManyValues(ValueError):
    """A product has more values than a row can hold."""


@dataclass(frozen=True)
class RowAttributes:
    """The fields of a row that filters read."""

    tokens: list[int]
    numbers: dict[str, float]


def token(attribute: str, kind: str, value: object = None) -> int:
    """Return the hash of an attribute's value, 0 to 2⁶³ - 1."""
    text = orjson.dumps([attribute.encode("utf-8", "surrogatepass").hex(), kind, value])
    return int.from_bytes(hashlib.blake2b(text, digest_size=8).digest(), "little") >> (64 - TOKEN_BITS)


def row_attributes(attributes: Mapping[str, Values]) -> RowAttributes:
    """Return the fields of a product's attributes.

    Raises:
        TooManyValues: an attribute has too many numbers or dates.
    """
    tokens: dict[int, None] = {}
    numbers: dict[str, float] = {}
    for name, values in attributes.items():
        listed = values if isinstance(values, list) else [values]
        tokens[token(name, "has")] = None
        tokens |= dict.fromkeys(value_token(name, value) for value in listed)
        of_kind = {"n": [float(value) for value in listed if _is_number(value)], "d": _instants(listed)}
        for kind, kind_values in of_kind.items():
            distinct = list(dict.fromkeys(kind_values))
            if len(distinct) > MAX_RANGE_VALUES:
                raise TooManyValues(f"attribute {name!r} has more than {MAX_RANGE_VALUES} numbers or dates")
            if distinct:
                tokens[token(name, kind)] = None
            if len(distinct) > 1:
                tokens[token(name, f"{kind} list")] = None
            numbers |= {_member(name, kind, place): value for place, value in enumerate(distinct)}
    return RowAttributes(list(tokens), numbers)


def value_token(attribute: str, value: AttributeValue) -> int:
    """Return the hash of one value of an attribute; numbers of the same size are the same value."""
    if isinstance(value, bool):
        return token(attribute, "bool", value)
    if isinstance(value, str):
        return token(attribute, "text", value.encode("utf-8", "surrogatepass").hex())
    return token(attribute, "number", float(value) + 0.0)


def expression(query_filter: Filter, has_lists: Callable[[int], bool]) -> str:
    """Return the expression of a filter; `EVERY` without terms.

    Args:
        query_filter: the filter.
        has_lists: whether any row has this token, which says that an attribute has several numbers or dates.
    """
    return _joined("and", [_term(term, has_lists) for term in query_filter.terms]) or EVERY


def contains(tokens: list[int]) -> str:
    """Return the expression for rows with any of these tokens."""
    return f"array_contains_any(tokens, {tokens})" if tokens else NONE


def _term(term: Term, has_lists: Callable[[int], bool]) -> str:
    match term:
        case OneOf(attribute, values):
            return contains([value_token(attribute, value) for value in values])
        case Between():
            return _between(term, has_lists)
        case AnyOf(filters):
            return _joined("or", [expression(part, has_lists) for part in filters])
        case Not(part):
            return f"(not ({expression(part, has_lists)}))"


def _joined(operator: str, parts: Sequence[str]) -> str:
    """Return the parts as a balanced tree: Milvus refuses expressions that are nested some tens deep."""
    if len(parts) <= 1:
        return "".join(parts)
    middle = len(parts) // 2
    return f"({_joined(operator, parts[:middle])} {operator} {_joined(operator, parts[middle:])})"


def _between(condition: Between, has_lists: Callable[[int], bool]) -> str:
    kind = "d" if condition.dates else "n"
    bounds = {">=": condition.gte, ">": condition.gt, "<=": condition.lte, "<": condition.lt}
    present = [(operator, _literal(bound)) for operator, bound in bounds.items() if bound is not None]
    if not present:
        return contains([token(condition.attribute, kind)])
    is_listed = has_lists(token(condition.attribute, f"{kind} list"))
    members = [_member(condition.attribute, kind, place) for place in range(MAX_RANGE_VALUES if is_listed else 1)]
    inside = (
        _joined("and", [f'numbers["{member}"] {operator} {bound}' for operator, bound in present]) for member in members
    )
    return _joined("or", list(inside))


def _member(attribute: str, kind: str, place: int) -> str:
    """Return the name of a number of an attribute; Milvus reads no other characters than these without quoting."""
    digest = hashlib.blake2b(attribute.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()
    return f"{kind}{digest}_{place}"


def _literal(bound: float) -> str:
    return repr(float(bound))


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _instants(values: list[Any]) -> list[float]:
    moments = (instant(value) for value in values if isinstance(value, str))
    return [float(moment) for moment in moments if moment is not None]
