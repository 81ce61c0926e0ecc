"""What a category can be filtered by, with how many products each choice would bring."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from services.contracts.domain.facets import Facet, FacetRange, FacetValue
from services.contracts.domain.filters import AttributeValue
from services.engine.segment import MAX_VALUES, AttributeCounts

LEAST_SHARE = 0.05  # of the products have to have it
MAX_SHOWN_VALUES = 30
PartCounts = Sequence[Mapping[str, AttributeCounts]]


class FacetCounts(NamedTuple):
    """What the parts of a category hold: all of their products, and of each attribute those that were chosen."""

    every: PartCounts
    chosen: PartCounts
    size: int


def facets_of(every: PartCounts, chosen: PartCounts, size: int) -> list[Facet]:
    """Return the facets of a category, in the order in which its products first have the attributes.

    Args:
        every: what all products hold, in each part of the category.
        chosen: of each attribute, what those hold that meet the conditions on the others.
        size: how many products there are.
    """
    found = []
    for name in dict.fromkeys(name for part in every for name in part):
        all_of_it = [part[name] for part in every if name in part]
        facet = _facet(name, all_of_it, [part[name] for part in chosen if name in part], size)
        if facet is not None:
            found.append(facet)
    return found


def _facet(name: str, every: Sequence[AttributeCounts], chosen: Sequence[AttributeCounts], size: int) -> Facet | None:
    """Return an attribute's facet; None where there is no choice, or too much of it."""
    if sum(tally.rows for tally in every) < LEAST_SHARE * size:
        return None
    numbers = _numbers(every)
    if not any(tally.texts for tally in every):
        if not numbers.size:  # those that had a value are gone
            return None
        least, greatest = float(numbers.min()), float(numbers.max())
        return Facet(attribute=name, range=FacetRange(min=least, max=greatest)) if least < greatest else None
    distinct = len(_texts(every)) + len(np.unique(numbers))
    values = _ranked(chosen)[:MAX_SHOWN_VALUES] if 1 < distinct <= MAX_VALUES else []
    return Facet(attribute=name, values=values) if values else None


def _ranked(tallies: Sequence[AttributeCounts]) -> list[FacetValue]:
    values, counts = np.unique(_numbers(tallies), return_counts=True)
    plain = [int(value) if value.is_integer() else value for value in values.tolist()]
    counted = [*_texts(tallies).items(), *zip(plain, counts.tolist(), strict=True)]
    ranked = sorted(counted, key=lambda entry: (-entry[1], str(entry[0])))
    return [FacetValue(value=value, count=count) for value, count in ranked]


def _numbers(tallies: Sequence[AttributeCounts]) -> NDArray[np.float64]:
    return np.concatenate([np.empty(0), *(tally.numbers for tally in tallies)])


def _texts(tallies: Sequence[AttributeCounts]) -> Counter[AttributeValue]:
    return sum((Counter(tally.texts) for tally in tallies), Counter())
