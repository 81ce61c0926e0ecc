"""The values that a field of a model may have, if they are few."""

from collections.abc import Iterable
from enum import Enum
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin


def choices(kind: object, place: Iterable[str | int]) -> tuple[str, ...]:
    """Return the values of a place in a type; empty if they are not listed, or there is no such place.

    Args:
        kind: a type, such as a model.
        place: names of fields and positions in lists, as in pydantic's errors.
    """
    kinds = _alternatives(kind)
    for part in place:
        kinds = [inner for outer in kinds for inner in _inner(outer, part)]
    return tuple(dict.fromkeys(value for each in kinds for value in _values(each)))


def _alternatives(kind: object) -> list[Any]:
    """Return what a type may be, without annotations and None."""
    origin = get_origin(kind)
    if origin is Annotated:
        return _alternatives(get_args(kind)[0])
    if origin in (Union, UnionType):
        return [inner for part in get_args(kind) for inner in _alternatives(part)]
    return [] if kind in (None, type(None)) else [kind]


def _inner(kind: Any, part: str | int) -> list[Any]:
    """Return what may be at a place directly in a type."""
    fields = getattr(kind, "model_fields", None)  # of a pydantic model
    if isinstance(fields, dict):
        named = [field for name, field in fields.items() if part in (name, *_aliases(field))]
        return [inner for field in named for inner in _alternatives(field.annotation)]
    arguments = get_args(kind)
    if isinstance(part, int) and get_origin(kind) is tuple and Ellipsis not in arguments:
        return _alternatives(arguments[part]) if part < len(arguments) else []
    return _alternatives(arguments[-1 if get_origin(kind) is dict else 0]) if arguments else []


def _aliases(field: Any) -> list[object]:
    """Return the other names of a field of a pydantic model."""
    alias = field.validation_alias
    return list(getattr(alias, "choices", [alias]))


def _values(kind: Any) -> list[str]:
    if get_origin(kind) is Literal:
        return [str(value) for value in get_args(kind)]
    return [str(member.value) for member in kind] if isinstance(kind, type) and issubclass(kind, Enum) else []
