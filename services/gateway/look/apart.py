"""Which garments a shop does not want together in a look."""

from collections.abc import Iterable
from dataclasses import dataclass

from services.catalogue.merchandising import Apart, CategoryNames, LookSide
from services.contracts.domain.filtering.filter_match import Attributes, matches


@dataclass(frozen=True)
class Piece:
    """A garment of a look: the ways to name its category, and its attributes; none of a garment in a photo."""

    category: CategoryNames
    attributes: Attributes


def are_apart(rules: Iterable[Apart], piece: Piece, other: Piece) -> bool:
    """Return whether a rule keeps two garments apart."""
    return any(
        (_is_of(first, piece) and _is_of(second, other)) or (_is_of(first, other) and _is_of(second, piece))
        for rule in rules
        for first, second in [rule.garments]
    )


def _is_of(side: LookSide, piece: Piece) -> bool:
    is_category = side.category is None or side.category.strip().casefold() in piece.category
    return is_category and matches(side.filter, piece.attributes)
