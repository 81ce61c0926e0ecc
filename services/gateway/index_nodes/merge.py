"""The answers of all parts of a category, merged into the answer that one node with all products would give."""

import heapq
from collections import Counter
from collections.abc import Callable, Iterable, Sequence

import numpy as np

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
from services.contracts.domain.grouping import first_of_each
from services.contracts.wire.index import Hit, IndexResponse, IndexSearch, ScalePoints, attributes_of

TypedValue = tuple[bool, AttributeValue]  # True == 1 in Python, but not in a shop's data


def merged_response(parts: Sequence[IndexResponse], query: IndexSearch) -> IndexResponse:
    """Return the answer of all parts together.

    Best first, equal scores by id and then by catalogue. A product that two parts return, because it is between them,
    is returned once.

    Args:
        parts: the responses of disjoint parts that together are everything, by ascending number; at least one. They are
            of one engine.
        query: what all of them were asked.
    """
    ranked = list(_distinct(heapq.merge(*(part.hits for part in parts), key=_rank)))
    if query.group_by is not None:
        ranked = first_of_each(ranked, query.group_by, attributes_of)
    scales = {name: scale for part in reversed(parts) for name, scale in part.scales.items()}
    hits = [_shown(hit, scales.get(hit.catalogue)) for hit in ranked[: query.end]]
    pinned = sorted((hit for part in parts for hit in part.pinned), key=_place_in(query))
    active = {part.active for part in parts}
    total = sum(part.total or 0 for part in parts)
    return IndexResponse(
        category=query.category,
        hits=hits[query.offset :],
        pinned=[_shown(hit, scales.get(hit.catalogue)) for hit in _distinct(pinned)],
        best_score=hits[0].score if hits else None,
        best_similarity=hits[0].similarity if hits else None,
        next_page=query.following() if len(ranked) > query.end else None,
        model=query.model,
        active=active.pop() if len(active) == 1 else query.model,  # while the nodes are being switched
        timings_ms=_slowest(parts),
        facets=merged_facets([part.facet_summary for part in parts if part.facet_summary]),
        total=total if query.facets else None,
        exact=all(part.exact for part in parts),
        engine=parts[0].engine,
        unknown_attributes=sorted(set[str].intersection(*(set(part.unknown_attributes) for part in parts))),
    )


def merged_facets(parts: Sequence[FacetSummary]) -> list[Facet]:
    """Return the facets of all parts, in the order of the first part that has each attribute."""
    products = sum(part.products for part in parts)
    uncounted = frozenset(name for part in parts for name in part.uncounted)
    by_name: dict[str, list[AttributeSummary]] = {}
    for part in parts:
        for summary in part.attributes:
            by_name.setdefault(summary.attribute, []).append(summary)
    facets = (_facet(name, each, products) for name, each in by_name.items() if name not in uncounted)
    return [facet for facet in facets if facet is not None]


def _facet(name: str, parts: Sequence[AttributeSummary], products: int) -> Facet | None:
    """Return an attribute's facet; None if it offers no choice, or more values than are of use."""
    if sum(part.products for part in parts) < MIN_SHARE * products:
        return None
    if not any(part.has_texts for part in parts):
        ranges = [part.range for part in parts if part.range]
        smallest, largest = min(each.min for each in ranges), max(each.max for each in ranges)
        return Facet(attribute=name, range=FacetRange(min=smallest, max=largest)) if smallest < largest else None
    distinct = {_typed(value) for part in parts for value in part.values}
    if not 1 < len(distinct) <= MAX_VALUES:
        return None
    counts = Counter[TypedValue]()
    for part in parts:
        counts.update({_typed(entry.value): entry.count for entry in part.counts})
    values = ranked_values(FacetValue(value=value, count=count) for (_, value), count in counts.items())
    return Facet(attribute=name, values=values[:MAX_SHOWN_VALUES]) if values else None


def _typed(value: AttributeValue) -> TypedValue:
    return isinstance(value, bool), value


def _rank(hit: Hit) -> tuple[float, str, str]:
    return -hit.score, hit.id, hit.catalogue


def _place_in(query: IndexSearch) -> Callable[[Hit], tuple[int, int]]:
    """Return the order of pinned products: that of the request, one catalogue after the other."""
    return lambda hit: (query.pinned.index(hit.id), query.catalogues.index(hit.catalogue))


def _distinct(hits: Iterable[Hit]) -> Iterable[Hit]:
    returned = set()
    for hit in hits:
        if (hit.catalogue, hit.id) not in returned:
            returned.add((hit.catalogue, hit.id))
            yield hit


def _shown(hit: Hit, scale: ScalePoints | None) -> Hit:
    """Return a hit as a node with all products returns it: with its similarity, and its score rounded."""
    similarity = None if scale is None else float(np.interp(hit.score, scale.scores, scale.values).round(3))
    score = max(-1.0, min(1.0, round(hit.score, 7)))
    return hit.model_copy(update={"score": score, "similarity": similarity})


def _slowest(parts: Sequence[IndexResponse]) -> dict[str, float]:
    return {stage: max(part.timings_ms.get(stage, 0.0) for part in parts) for stage in parts[0].timings_ms}
