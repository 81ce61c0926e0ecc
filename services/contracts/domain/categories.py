"""Category names and ids."""

from collections.abc import Sequence

from services.contracts.domain.errors import UnknownCategory


def resolve_category(text: str, names: Sequence[str]) -> int:
    """Return the id of the category with this name (in any case) or id.

    Raises:
        UnknownCategory: no category has this name or id.
    """
    folded = text.strip().casefold()
    for position, name in enumerate(names):
        if folded in (name.casefold(), str(position)):
            return position
    raise UnknownCategory(f"there is no category {text!r}: use one of {', '.join(names)}, or an id from 0")


def held_categories(chosen: Sequence[str], names: Sequence[str]) -> frozenset[int]:
    """Return the ids of the categories that an index node holds: all of them if `chosen` is empty.

    Raises:
        UnknownCategory: the model has no such category.
    """
    return frozenset(resolve_category(category, names) for category in chosen) or frozenset(range(len(names)))
