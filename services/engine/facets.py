"""The facets of a category: attributes to filter by, with the number of products of each value."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from services.contracts.domain.filtering.facets import (
    MAX_SHOWN_VALUES,
    MAX_VALUES,
    MIN_SHARE,
    AttributeSummary,
    Facet,
    FacetRange,
    FacetSummary,
    FacetValue,
    ranked_values,
)
from services.contracts.domain.filtering.filters import AttributeValue
from services.engine.segment import AttributeCounts

FEW_NUMBERS = 4096  # of an attribute: as many are looked at before all of them, for whether there are many different
PartCounts = Sequence[Mapping[str, AttributeCounts]]  # for each part of a category, by attribute


class FacetCounts(NamedTuple):
    """What the parts of a category hold of each attribute.

    Attributes:
        total: counts over all products.
        matching: counts over the products that meet the filter without its conditions on the attribute itself.
        products: how many products the category has.
        uncounted: attributes with too many values for a facet in any part.
    """

    total: PartCounts
    matching: PartCounts
    products: int
    uncounted: frozenset[str] = frozenset()

    @property
    def attributes(self) -> dict[str, tuple[list[AttributeCounts], list[AttributeCounts]]]:
        """The counts over all and over the matching products of each counted attribute, in order of first use."""
        names = dict.fromkeys(name for part in self.total for name in part if name not in self.uncounted)
        return {name: (_of(self.total, name), _of(self.matching, name)) for name in names}


def joined(counts: Sequence[FacetCounts]) -> FacetCounts:
    """Return the counts of several catalogues as if their products were in one."""
    return FacetCounts(
        [part for each in counts for part in each.total],
        [part for each in counts for part in each.matching],
        sum(each.products for each in counts),
        frozenset[str]().union(*(each.uncounted for each in counts)),
    )


def build_facets(counts: FacetCounts) -> list[Facet]:
    """Return the facets of a category, in the order in which its products first have the attributes."""
    facets = (_facet(name, *parts, counts.products) for name, parts in counts.attributes.items())
    return [facet for facet in facets if facet is not None]


def summarise(counts: FacetCounts) -> FacetSummary:
    """Return what the facets of several parts of a category are made of; see `AttributeSummary`."""
    attributes = [_summary(name, *parts) for name, parts in counts.attributes.items()]
    return FacetSummary(products=counts.products, uncounted=sorted(counts.uncounted), attributes=attributes)


def _summary(name: str, total: Sequence[AttributeCounts], matching: Sequence[AttributeCounts]) -> AttributeSummary:
    texts, numbers = _texts(total), _numbers(total)
    different = np.unique(numbers[:FEW_NUMBERS])
    if len(different) <= MAX_VALUES:
        different = np.unique(numbers)
    values = [*texts, *map(_plain_number, different.tolist())][: MAX_VALUES + 1]
    return AttributeSummary(
        attribute=name,
        products=sum(counts.rows for counts in total),
        has_texts=bool(texts),
        values=values,
        range=FacetRange(min=float(numbers.min()), max=float(numbers.max())) if numbers.size else None,
        counts=_ranked(matching) if len(values) <= MAX_VALUES else [],
    )


def _of(parts: PartCounts, name: str) -> list[AttributeCounts]:
    return [part[name] for part in parts if name in part]


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
    values = _ranked(matching)[:MAX_SHOWN_VALUES] if 1 < distinct <= MAX_VALUES else []
    return Facet(attribute=name, values=values) if values else None


def _range(name: str, numbers: NDArray[np.float64]) -> Facet | None:
    if not numbers.size:  # all products with the attribute are deleted
        return None
    smallest, largest = float(numbers.min()), float(numbers.max())
    return Facet(attribute=name, range=FacetRange(min=smallest, max=largest)) if smallest < largest else None


def _ranked(parts: Sequence[AttributeCounts]) -> list[FacetValue]:
    """Return the values with their counts, the most frequent first."""
    values, counts = np.unique(_numbers(parts), return_counts=True)
    numbers = map(_plain_number, values.tolist())
    entries = [*_texts(parts).items(), *zip(numbers, counts.tolist(), strict=True)]
    return ranked_values(FacetValue(value=value, count=count) for value, count in entries)


def _plain_number(value: float) -> float:
    return int(value) if value.is_integer() else value


def _numbers(parts: Sequence[AttributeCounts]) -> NDArray[np.float64]:
    return np.concatenate([np.empty(0), *(counts.numbers for counts in parts)])


def _texts(parts: Sequence[AttributeCounts]) -> Counter[AttributeValue]:
    return sum((Counter(counts.texts) for counts in parts), Counter())
