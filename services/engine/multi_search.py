"""Search through several catalogues as if all their products were in one."""

import contextlib
import random
from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from heapq import nsmallest
from itertools import accumulate
from typing import NamedTuple

from services.contracts.domain.errors import UnknownProduct
from services.contracts.domain.filtering.facets import Facet, FacetSummary
from services.contracts.domain.filtering.filters import Filter
from services.contracts.domain.grouping import grouped
from services.engine.category_view import Float32Array, Match
from services.engine.deadline import NO_DEADLINE, Deadline
from services.engine.facets import FacetCounts, build_facets, joined, summarise
from services.engine.gallery import Query
from services.engine.payload import attributes_of
from services.engine.product_gallery import ProductGallery

Galleries = Mapping[str, ProductGallery]  # by catalogue name, at least one


class CatalogueMatch(NamedTuple):
    """A product that a search returns, with the name of its catalogue."""

    catalogue: str
    match: Match


def search(
    galleries: Galleries, category: int, vector: Float32Array, query: Query, itself: tuple[str, str] | None = None
) -> list[CatalogueMatch]:
    """Return the nearest products of a category, best first, equal scores by key and then by catalogue name.

    Args:
        galleries: the catalogues to search.
        category: its id.
        vector: shape (dimension,), of any length but zero.
        query: how many products, and which.
        itself: catalogue and key of the product that the vector is of, which is left out; None if it is of none.

    Raises: as `Gallery.search`.
    """
    if query.group_by is not None:
        plain = replace(query, group_by=None)
        return _grouped(query, lambda k: search(galleries, category, vector, replace(plain, k=k), itself))
    if len(galleries) == 1 and itself is None:
        ((name, gallery),) = galleries.items()
        return [CatalogueMatch(name, match) for match in gallery.search(category, vector, query)]
    queries = dict.fromkeys(galleries, query)
    if itself is not None and itself[0] in queries:
        queries[itself[0]] = replace(query, exclude={*query.exclude, itself[1]})
    return _best(
        query.k, ((name, gallery.search(category, vector, queries[name])) for name, gallery in galleries.items())
    )


def rows(galleries: Galleries, category: int) -> int:
    """Return how many rows a search of a category reads; 0 if no catalogue has the category."""
    return sum(gallery.rows(category) for gallery in galleries.values())


def similar(
    galleries: Galleries, key: str, query: Query, catalogue: str | None = None
) -> tuple[int, list[CatalogueMatch]]:
    """Return a product's category and the products nearest to it, without the product itself.

    Args:
        galleries: the catalogues to search.
        key: of the product.
        query: how many products, and which.
        catalogue: the product's catalogue, one of those searched; the first one that has the product if None.

    Raises:
        UnknownProduct: the product is not indexed.
    """
    home = _catalogue_of(galleries, key) if catalogue is None else catalogue
    if query.group_by is not None:
        plain = replace(query, group_by=None)
        return galleries[home].find(key)[0], _grouped(
            query, lambda k: similar(galleries, key, replace(plain, k=k), home)[1]
        )
    category, matches = galleries[home].similar(key, query)
    others = [name for name in galleries if name != home]
    if not others:
        return category, [CatalogueMatch(home, match) for match in matches]
    vector = galleries[home].find(key)[1]
    matches_of_others = ((name, galleries[name].search(category, vector, query)) for name in others)
    return category, _best(query.k, [(home, matches), *matches_of_others])


def category_of(galleries: Galleries, key: str, catalogue: str | None = None) -> int:
    """Return a product's category; `catalogue` as in `similar`.

    Raises:
        UnknownProduct: the product is not indexed.
    """
    return galleries[_catalogue_of(galleries, key) if catalogue is None else catalogue].find(key)[0]


def named(galleries: Galleries, category: int, vector: Float32Array, keys: Iterable[str]) -> list[CatalogueMatch]:
    """Return those of some products that are in a category, in the order of their keys, as if a search found them.

    Their scores are those of their main images. Products of several catalogues may have the same key.

    Raises:
        DimensionMismatch: the vector has another dimension than the model's, or length zero.
    """
    candidates = ((name, gallery.named(category, vector, key)) for key in keys for name, gallery in galleries.items())
    return [CatalogueMatch(name, match) for name, match in candidates if match is not None]


def named_like(
    galleries: Galleries, like: str, keys: Iterable[str], catalogue: str | None = None
) -> list[CatalogueMatch]:
    """Return products as `named`, in the category of a product and with the scores of its main image.

    Raises:
        UnknownProduct: the product is not indexed.
    """
    home = _catalogue_of(galleries, like) if catalogue is None else catalogue
    category, vector, _ = galleries[home].find(like)
    return named(galleries, category, vector, keys)


def find(galleries: Galleries, key: str) -> list[tuple[str, int, Float32Array]]:
    """Return catalogue, category and main image's vector of a product, of the first catalogue that has it; or none."""
    with contextlib.suppress(UnknownProduct):
        name = _catalogue_of(galleries, key)
        category, vector, _ = galleries[name].find(key)
        return [(name, category, vector)]
    return []


def lacking(galleries: Galleries, category: int, names: Iterable[str]) -> list[str]:
    """Return which of these attributes no product of a category has."""
    without = [set(gallery.lacking(category, names)) for gallery in galleries.values()]
    return sorted(set[str].intersection(*without))


def is_prepared(galleries: Galleries, category: int, query_filter: Filter, *, facets: bool) -> bool:
    """Return whether a search need not build columns of attributes."""
    return all(gallery.is_prepared(category, query_filter, facets=facets) for gallery in galleries.values())


def prepare(galleries: Galleries, category: int, query_filter: Filter, *, facets: bool) -> None:
    """Build the columns of a filter's attributes in a category, and of facets if wanted. It may take seconds."""
    for gallery in galleries.values():
        gallery.prepare(category, query_filter, facets=facets)


def facets(galleries: Galleries, category: int, query_filter: Filter, deadline: Deadline = NO_DEADLINE) -> list[Facet]:
    """Return the facets of a category, with counts among the products that meet a filter.

    Raises:
        UpstreamTimeout: the deadline has passed.
    """
    return build_facets(_facet_counts(galleries, category, query_filter, deadline))


def facet_summary(
    galleries: Galleries, category: int, query_filter: Filter, deadline: Deadline = NO_DEADLINE
) -> FacetSummary:
    """Return what this part of a category contributes to the facets of all parts.

    Raises:
        UpstreamTimeout: the deadline has passed.
    """
    return summarise(_facet_counts(galleries, category, query_filter, deadline))


def _facet_counts(galleries: Galleries, category: int, query_filter: Filter, deadline: Deadline) -> FacetCounts:
    return joined([gallery.facet_counts(category, query_filter, deadline) for gallery in galleries.values()])


def count(galleries: Galleries, category: int, query_filter: Filter, deadline: Deadline = NO_DEADLINE) -> int:
    """Return how many products of a category meet a filter.

    Raises:
        UpstreamTimeout: the deadline has passed.
    """
    return sum(gallery.count(category, query_filter, deadline) for gallery in galleries.values())


def sample(
    galleries: Galleries, count: int, category: int | None, rng: random.Random
) -> list[tuple[str, int, str, bytes | None]]:
    """Return catalogue, category, key and payload of random products of all catalogues.

    Raises: as `Gallery.sample`.
    """
    names = list(galleries)
    sizes = [
        len(gallery) if category is None else sum(gallery.counts()[category : category + 1])
        for gallery in galleries.values()
    ]
    ends = list(accumulate(sizes))
    drawn = Counter(names[bisect_right(ends, place)] for place in rng.sample(range(ends[-1]), min(count, ends[-1])))
    products = [
        (name, *product)
        for name, gallery in galleries.items()
        for product in gallery.sample(drawn[name], category, rng)
    ]
    return rng.sample(products, len(products))


def _grouped(query: Query, search: Callable[[int], list[CatalogueMatch]]) -> list[CatalogueMatch]:
    """Return the nearest product of each group."""
    attribute = str(query.group_by)
    return grouped(search, query.k, attribute, lambda entry: attributes_of(entry.match.payload))


def _catalogue_of(galleries: Galleries, key: str) -> str:
    """Return the first catalogue that has a product; the only one, which may lack it, without a look.

    Raises:
        UnknownProduct: none of several has it.
    """
    if len(galleries) == 1:
        return next(iter(galleries))
    for name, gallery in galleries.items():
        with contextlib.suppress(UnknownProduct):
            gallery.find(key)
            return name
    raise UnknownProduct(f"there is no product {key!r} in the index")


def _best(k: int, matches_by_catalogue: Iterable[tuple[str, list[Match]]]) -> list[CatalogueMatch]:
    candidates = (CatalogueMatch(name, match) for name, matches in matches_by_catalogue for match in matches)
    return nsmallest(k, candidates, key=lambda entry: (-entry.match.score, entry.match.key, entry.catalogue))
