"""Categories as people name them."""

from collections.abc import Sequence

from services.contracts.domain.errors import UnknownCategory


def resolve_category(asked: str, names: Sequence[str]) -> int:
    """Return the id of a category given by its name (any case) or its id.

    Raises:
        UnknownCategory: it is neither.
    """
    folded = asked.strip().casefold()
    for position, name in enumerate(names):
        if folded in (name.casefold(), str(position)):
            return position
    raise UnknownCategory(f"there is no category {asked!r}: take one of {', '.join(names)}, or an id from 0")


def held_categories(asked: Sequence[str], names: Sequence[str]) -> frozenset[int]:
    """Return the ids of the categories that an index node is told to hold: all where none is named.

    Raises:
        UnknownCategory: one of them is none of the model's.
    """
    return frozenset(resolve_category(one, names) for one in asked) or frozenset(range(len(names)))
