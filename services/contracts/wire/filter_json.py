"""Filters in the API's JSON → filter trees.

The syntax is that of MongoDB's queries, which Pinecone, Chroma and others also use: an object of conditions by
attribute, in which a name that starts with a dollar sign is an operator. Attribute names never start with one, so the
two cannot be confused.
"""

import math
from collections.abc import Iterator
from typing import Annotated, Any

from pydantic import PlainSerializer, PlainValidator, ValidationError, WithJsonSchema
from pydantic_core import InitErrorDetails, PydanticCustomError

from services.contracts.domain.filtering.filters import (
    AnyOf,
    AttributeValue,
    Between,
    Condition,
    Filter,
    Not,
    OneOf,
    Term,
)
from services.contracts.domain.filtering.instants import instant

Path = tuple[str | int, ...]

MAX_DEPTH = 8  # nested operators
MAX_CONDITIONS = 100
MAX_OBJECTS = 200  # the filter itself, and those in $and, $or and $not, empty or not
MAX_VALUES = 1000
MAX_TEXT_BYTES = 64 * 1024  # of a filter as JSON in text
MAX_NAME = 128
BOUNDS = ("gte", "gt", "lte", "lt")
EXAMPLE = {"gender": "Men", "$or": [{"price": {"lte": 50}}, {"sale": True}]}


class InvalidFilter(ValueError):
    """The JSON is not a filter. `path` is the place of the error, the text describes it."""

    def __init__(self, path: Path, detail: str) -> None:
        super().__init__(detail)
        self.path = path


def parse_filter(source: object) -> Filter:
    """Return the filter of a JSON object.

    Raises:
        InvalidFilter: the object is not a filter, or it exceeds a limit.
    """
    return _FilterReader().filter(source, ())


class _FilterReader:
    """Reads one filter and counts its objects, conditions and values."""

    def __init__(self) -> None:
        self._objects = 0
        self._conditions = 0
        self._values = 0

    def filter(self, source: object, path: Path) -> Filter:
        if not isinstance(source, dict):
            raise InvalidFilter(path, f"a filter is an object, not {_kind(source)}")
        if sum(isinstance(part, str) for part in path) > MAX_DEPTH:
            raise InvalidFilter(path, f"operators can be nested at most {MAX_DEPTH} deep")
        self._objects += 1
        if self._objects > MAX_OBJECTS:
            raise InvalidFilter(path, f"a filter has at most {MAX_OBJECTS} objects of conditions")
        terms = [term for name, value in source.items() for term in self._terms(str(name), value, (*path, str(name)))]
        return Filter(tuple(terms), source)

    def _terms(self, name: str, value: object, path: Path) -> Iterator[Term]:
        match name:
            case "$and":
                for part in self._filters(value, path):
                    yield from part.terms
            case "$or":
                yield AnyOf(self._filters(value, path))
            case "$not":
                yield Not(self.filter(value, path))
            case _:
                yield self._condition(name, value, path)

    def _filters(self, value: object, path: Path) -> tuple[Filter, ...]:
        if not isinstance(value, list) or not value:
            raise InvalidFilter(path, "give a list of at least one filter")
        return tuple(self.filter(part, (*path, number)) for number, part in enumerate(value))

    def _condition(self, name: str, value: object, path: Path) -> Condition:
        if name.startswith("$"):
            raise InvalidFilter(path, "unknown operator: the operators are $and, $or and $not")
        if not 0 < len(name) <= MAX_NAME:
            raise InvalidFilter(path, f"an attribute's name has 1 to {MAX_NAME} characters")
        self._conditions += 1
        if self._conditions > MAX_CONDITIONS:
            raise InvalidFilter(path, f"a filter has at most {MAX_CONDITIONS} conditions")
        return _between(name, value, path) if isinstance(value, dict) else self._one_of(name, value, path)

    def _one_of(self, name: str, value: object, path: Path) -> OneOf:
        if not isinstance(value, list):
            return OneOf(name, (_value(value, path),))
        self._values += len(value)
        if self._values > MAX_VALUES:
            raise InvalidFilter(path, f"the lists of a filter have at most {MAX_VALUES:,} values in total")
        return OneOf(name, tuple(_value(item, (*path, number)) for number, item in enumerate(value)))


def _value(value: object, path: Path) -> AttributeValue:
    if isinstance(value, bool | str):
        return value
    if isinstance(value, int | float):
        return _number(value, path)
    raise InvalidFilter(path, f"give a value, a list of values, or a range: {_kind(value)} is none")


def _number(value: float, path: Path) -> float:
    """Return a number that can be compared with columns of 64-bit floats."""
    try:
        if math.isfinite(float(value)):
            return value if abs(value) < 2**63 else float(value)
    except OverflowError:
        pass
    raise InvalidFilter(path, "the number is not finite, or larger than a 64-bit float")


def _between(name: str, bounds: dict[Any, Any], path: Path) -> Between:
    for bound in bounds:
        if bound not in BOUNDS:
            raise InvalidFilter((*path, str(bound)), f"unknown bound: the bounds are {', '.join(BOUNDS)}")
    present = {bound: value for bound, value in bounds.items() if value is not None}
    dates = {isinstance(value, str) for value in present.values()}
    if len(dates) > 1:
        raise InvalidFilter(path, "the bounds of a range must all be numbers, or all dates")
    return Between(name, **{key: _bound(value, (*path, key)) for key, value in present.items()}, dates=dates == {True})


def _bound(value: object, path: Path) -> float:
    if isinstance(value, str):
        moment = instant(value)
        if moment is None:
            raise InvalidFilter(path, "a bound that is text must be a date or time in ISO 8601, for example 2026-05-01")
        return moment
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise InvalidFilter(path, f"a bound is a number or a date in ISO 8601, not {_kind(value)}")
    return _number(value, path)


def _kind(value: object) -> str:
    names = {
        dict: "an object",
        list: "a list",
        str: "a text",
        bool: "true or false",
        int: "a number",
        float: "a number",
    }
    return names.get(type(value), "null")


def _validated(source: object) -> Filter:
    """Return the filter, or raise pydantic's error with the place of the mistake."""
    if isinstance(source, Filter):
        return source
    try:
        return parse_filter(source)
    except InvalidFilter as error:
        kind = PydanticCustomError("filter", "{detail}", {"detail": str(error)})
        raise ValidationError.from_exception_data(
            "filter", [InitErrorDetails(type=kind, loc=error.path, input=source)]
        ) from None


_VALUE = {"anyOf": [{"type": "string"}, {"type": "boolean"}, {"type": "number"}]}
_BOUND = {"anyOf": [{"type": "number"}, {"type": "string", "description": "a date or time in ISO 8601"}]}
_RANGE = {"type": "object", "properties": dict.fromkeys(BOUNDS, _BOUND), "additionalProperties": False}
_INNER = {"type": "object", "description": "a filter", "additionalProperties": True}
SCHEMA: dict[str, Any] = {
    "type": "object",
    "description": "Conditions that must all match: attribute → a value, a list (any of), or a range of numbers or "
    "dates; `$or` and `$and` with a list of such objects; `$not` with one",
    "properties": {
        "$and": {"type": "array", "items": _INNER, "minItems": 1},
        "$or": {"type": "array", "items": _INNER, "minItems": 1},
        "$not": _INNER,
    },
    "additionalProperties": {"anyOf": [*_VALUE["anyOf"], {"type": "array", "items": _VALUE}, _RANGE]},
    "example": EXAMPLE,
}

JsonFilter = Annotated[
    Filter, PlainValidator(_validated), PlainSerializer(lambda parsed: dict(parsed.source)), WithJsonSchema(SCHEMA)
]
