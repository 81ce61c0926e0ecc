"""What a place in a model may have: its values, if they are few, and its fields; and what to say of an unknown name."""

import difflib
from collections.abc import Iterable
from enum import Enum
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

MAX_NAME = 128  # characters of a name in a message: an attribute's name has as many
MAX_NEAR = 64  # characters of an unknown name for which a near one is searched


def choices(kind: object, place: Iterable[str | int]) -> tuple[str, ...]:
    """Return the values of a place in a type; empty if they are not listed, or there is no such place.

    Args:
        kind: a type, such as a model.
        place: names of fields and positions in lists, as in pydantic's errors.
    """
    return tuple(dict.fromkeys(value for each in _kinds(kind, place) for value in _values(each)))


def field_names(kind: object, place: Iterable[str | int]) -> tuple[str, ...]:
    """Return the names of the fields at a place in a type, as for `choices`; empty if it has none."""
    fields = [pair for each in _kinds(kind, place) for pair in _fields(each).items()]
    names = (other for name, field in fields for other in (name, *_aliases(field)) if isinstance(other, str))
    return tuple(dict.fromkeys(names))


def unknown_name(name: str, known: Iterable[str]) -> str:
    """Return the sentence about a parameter or field that does not exist, with the one that may be meant."""
    names = sorted(known)
    name = shortened(name, MAX_NAME)
    near = difflib.get_close_matches(name.lower(), names) if len(name) <= MAX_NEAR else []
    meant = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(names)}" if names else "there is none"
    return f"{name!r} is not known: {meant}"


def shortened(text: str, length: int) -> str:
    """Return a text with at most `length` characters, the last one an ellipsis if some are left out."""
    return text if len(text) <= length else text[: length - 1] + "…"


def _kinds(kind: object, place: Iterable[str | int]) -> list[Any]:
    """Return what may be at a place in a type."""
    kinds = _alternatives(kind)
    for part in place:
        kinds = [inner for outer in kinds for inner in _inner(outer, part)]
    return kinds


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
    if fields := _fields(kind):
        named = [field for name, field in fields.items() if part in (name, *_aliases(field))]
        return [inner for field in named for inner in _alternatives(field.annotation)]
    arguments = get_args(kind)
    if isinstance(part, int) and get_origin(kind) is tuple and Ellipsis not in arguments:
        return _alternatives(arguments[part]) if part < len(arguments) else []
    return _alternatives(arguments[-1 if get_origin(kind) is dict else 0]) if arguments else []


def _fields(kind: Any) -> dict[str, Any]:
    """Return the fields of a pydantic model or dataclass; empty for any other type."""
    fields = getattr(kind, "__pydantic_fields__", None)
    return fields if isinstance(fields, dict) else {}


def _aliases(field: Any) -> list[object]:
    """Return the other names of a field of a pydantic model."""
    alias = field.validation_alias
    return list(getattr(alias, "choices", [alias]))


def _values(kind: Any) -> list[str]:
    if get_origin(kind) is Literal:
        return [str(value) for value in get_args(kind)]
    return [str(member.value) for member in kind] if isinstance(kind, type) and issubclass(kind, Enum) else []
