"""Filters for tests: random ones, and what they mean, one product after the other and straight from their JSON form."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from hypothesis import strategies as st

Attributes = Mapping[str, Any]
TIMES = [
    "2026-05-01",
    "2026-05-01T00:00:00Z",
    "2026-05-01T02:00+02:00",
    "2026-04-30T23:59:59.999999Z",
    "2026-05-01 10:30",
    "2027-01-01",
]
# Of each kind some that another is easily taken for: 1, "1" and True; dates, and texts that look like one.
SCALARS = st.sampled_from(["blue", "1", 1, 1.0, 2.5, -3, 0, True, False, "20260501", "2026-13-01", *TIMES])
VALUES = SCALARS | st.lists(SCALARS, max_size=5)
# Most filters have a condition on `a`, and most products have it: otherwise few examples would compare any values.
ATTRIBUTES = st.fixed_dictionaries({"a": VALUES}, optional={"b": VALUES, "c": VALUES})
BOUNDS = st.sampled_from(["gte", "gt", "lte", "lt"])
RANGES = st.dictionaries(BOUNDS, st.sampled_from([-3, 0, 1, 1.5, 2.5, 10**30]), max_size=2) | st.dictionaries(
    BOUNDS, st.sampled_from(TIMES), min_size=1, max_size=2
)
CONDITIONS = st.dictionaries(
    st.sampled_from("aaaabcd"), SCALARS | st.lists(SCALARS, max_size=8) | RANGES, min_size=1, max_size=2
)


@st.composite
def filters(draw: st.DrawFn, depth: int = 3) -> dict[str, Any]:
    """Draw a filter whose operators stand at most so deep within one another."""
    kind = draw(st.sampled_from(["flat", "$and", "$or", "$or", "$not", "mixed"])) if depth else "flat"
    inner = filters(depth - 1)
    several = st.lists(inner, min_size=1, max_size=3)
    match kind:
        case "flat":
            return draw(CONDITIONS)
        case "$not":
            return {"$not": draw(inner)}
        case "mixed":
            return {**draw(CONDITIONS), "$or": draw(several), "$not": draw(inner)}
        case _:
            return {kind: draw(several)}


FILTERS: st.SearchStrategy[dict[str, Any]] = st.integers(0, 9).flatmap(lambda draw: filters() if draw else st.just({}))


def meets(attributes: Attributes, wanted: Mapping[str, Any]) -> bool:
    """Return whether a product with these attributes meets a filter."""
    return all(_holds(attributes, name, asked) for name, asked in wanted.items())


def without(wanted: Mapping[str, Any], attribute: str) -> dict[str, Any]:
    """Return a filter without what speaks of this attribute alone."""
    left: dict[str, Any] = {}
    for name, asked in wanted.items():
        if name == "$and":
            left[name] = [without(condition, attribute) for condition in asked]
        elif attributes_of({name: asked}) != {attribute}:
            left[name] = asked
    return left


def attributes_of(wanted: Mapping[str, Any]) -> set[str]:
    """Return the attributes that a filter speaks of."""
    actual = set()
    for name, asked in wanted.items():
        inner = asked if isinstance(asked, list) else [asked]
        actual |= set().union(*map(attributes_of, inner)) if name.startswith("$") else {name}
    return actual


def _holds(attributes: Attributes, name: str, asked: Any) -> bool:
    if name == "$and":
        return all(meets(attributes, condition) for condition in asked)
    if name == "$or":
        return any(meets(attributes, condition) for condition in asked)
    if name == "$not":
        return not meets(attributes, asked)
    held = attributes.get(name, [])
    values = held if isinstance(held, list) else [held]
    if isinstance(asked, dict):
        return any(_inside(value, asked) for value in values)
    wanted = asked if isinstance(asked, list) else [asked]
    return any(value == want and kind_of(value) == kind_of(want) for value in values for want in wanted)


def _inside(value: Any, bounds: Mapping[str, Any]) -> bool:
    if any(isinstance(bound, str) for bound in bounds.values()):
        value = _moment(value)
        bounds = {name: _moment(bound) for name, bound in bounds.items()}
    elif kind_of(value) != "number":
        return False
    if value is None:
        return False
    compare = {
        "gte": lambda b: value >= b,
        "gt": lambda b: value > b,
        "lte": lambda b: value <= b,
        "lt": lambda b: value < b,
    }
    return all(compare[name](bound) for name, bound in bounds.items())


def kind_of(value: Any) -> str:
    """Return whether a value is a text, a truth or a number: `True == 1` in Python, not in a shop's data."""
    return "text" if isinstance(value, str) else "truth" if isinstance(value, bool) else "number"


def _moment(value: Any) -> datetime | None:
    if value not in TIMES:
        return None
    moment = datetime.fromisoformat(value)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
