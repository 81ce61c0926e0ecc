"""Results by group: of the products that have the same value of an attribute, the first one only."""

from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

from services.contracts.domain.filtering.filter_match import Attributes

Item = TypeVar("Item")
MAX_GROUPED = 5000  # nearest products of which groups are made; a page behind them has no results


def first_of_each(items: Iterable[Item], attribute: str, attributes_of: Callable[[Item], Attributes]) -> list[Item]:
    """Return items without the later ones that have the value of an earlier one.

    Args:
        items: best first.
        attribute: whose values are compared; a list of values is compared as a whole.
        attributes_of: returns the attributes of an item; one without the attribute is in no group.
    """
    values: set[tuple[type, object]] = set()
    kept = []
    for item in items:
        value = attributes_of(item).get(attribute)
        if value is not None:
            compared = tuple(value) if isinstance(value, list) else value
            kind = bool if isinstance(value, bool) else object  # True == 1 in Python, but not in a shop's data
            if (kind, compared) in values:
                continue
            values.add((kind, compared))
        kept.append(item)
    return kept


def grouped(
    search: Callable[[int], Sequence[Item]], count: int, attribute: str, attributes_of: Callable[[Item], Attributes]
) -> list[Item]:
    """Return the first item of each group, at most `count` of them.

    Args:
        search: returns the nearest items, at most as many as it is called with.
        count: how many groups are wanted.
        attribute, attributes_of: as in `first_of_each`.
    """
    reach = 2 * count
    while True:
        items = search(min(reach, MAX_GROUPED))
        kept = first_of_each(items, attribute, attributes_of)
        if len(kept) >= count or len(items) < reach or reach >= MAX_GROUPED:
            return kept[:count]
        reach *= 4
