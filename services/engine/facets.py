"""The facets of a category: attributes to filter by, with the number of products of each value."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from services.contracts.domain.facets import Facet, FacetRange, FacetValue
from services.contracts.domain.filters import AttributeValue
from services.engine.segment import MAX_VALUES, AttributeCounts

MIN_SHARE = 0.05  # of the products that must have an attribute for it to be a facet
MAX_SHOWN_VALUES = 30
PartCounts = Sequence[Mapping[str, AttributeCounts]]  # for each part of a category, by attribute


class FacetCounts(NamedTuple):
    """What the parts of a category hold of each attribute.

    Attributes:
        total: counts over all products.
        matching: counts over the products that meet the filter without its conditions on the attribute itself.
        products: how many products the category has.
    """

    total: PartCounts
    matching: PartCounts
    products: int


def build_facets(counts: FacetCounts) -> list[Facet]:
    """Return the facets of a category, in the order in which its products first have the attributes."""
    facets = []
    for name in dict.fromkeys(name for part in counts.total for name in part):
        total, matching = ([part[name] for part in parts if name in part] for parts in (counts.total, counts.matching))
        facet = _facet(name, total, matching, counts.products)
        if facet is not None:
            facets.append(facet)
    return facets


def _facet(
    name: str, total: Sequence[AttributeCounts], matching: Sequence[AttributeCounts], products: int
) -> Facet | None:
    """Return an attribute's facet; None if it offers no choice, or more values than are of use."""
    if sum(counts.rows for counts in total) < MIN_SHARE * products:
        return None
    numbers = _numbers(total)
    if not any(counts.texts for counts in total):
        return _range(name, numbers)
    distinct = len(_texts(total)) + len(np.unique(numbers))
    values = _most_frequent(matching) if 1 < distinct <= MAX_VALUES else []
    return Facet(attribute=name, values=values) if values else None


def _range(name: str, numbers: NDArray[np.float64]) -> Facet | None:
    if not numbers.size:  # all products with the attribute are deleted
        return None
    smallest, largest = float(numbers.min()), float(numbers.max())
    return Facet(attribute=name, range=FacetRange(min=smallest, max=largest)) if smallest < largest else None


def _most_frequent(parts: Sequence[AttributeCounts]) -> list[FacetValue]:
    values, counts = np.unique(_numbers(parts), return_counts=True)
    numbers = [int(value) if value.is_integer() else value for value in values.tolist()]
    entries = [*_texts(parts).items(), *zip(numbers, counts.tolist(), strict=True)]
    ranked = sorted(entries, key=lambda entry: (-entry[1], str(entry[0])))
    return [FacetValue(value=value, count=count) for value, count in ranked[:MAX_SHOWN_VALUES]]


def _numbers(parts: Sequence[AttributeCounts]) -> NDArray[np.float64]:
    return np.concatenate([np.empty(0), *(counts.numbers for counts in parts)])


def _texts(parts: Sequence[AttributeCounts]) -> Counter[AttributeValue]:
    return sum((Counter(counts.texts) for counts in parts), Counter())
