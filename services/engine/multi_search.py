"""A search through one catalogue or several, as if their products were all in one."""

import contextlib
import random
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from heapq import nsmallest
from itertools import accumulate

from services.contracts.domain.errors import UnknownProduct
from services.contracts.domain.facets import Facet
from services.contracts.domain.filters import Filter
from services.engine.category_view import Float32Array, Match
from services.engine.gallery import Gallery, Query

Galleries = Mapping[str, Gallery]  # by the catalogue's name, at least one


@dataclass(frozen=True, slots=True)
class CatalogueMatch:
    """A product near the query, and the catalogue that it is of."""

    catalogue: str
    match: Match


def search(galleries: Galleries, category: int, vector: Float32Array, query: Query) -> list[CatalogueMatch]:
    """Return the nearest products of a category, best first, equal scores by key and then by the catalogue's name.

    Raises: as `Gallery.search`.
    """
    return _best(query.k, ((name, gallery.search(category, vector, query)) for name, gallery in galleries.items()))


def similar(galleries: Galleries, key: str, query: Query, of: str | None = None) -> tuple[int, list[CatalogueMatch]]:
    """Return a product's category and the products nearest to it, itself left out.

    Args:
        galleries: where is searched.
        key: the product's.
        query: how many, which ones.
        of: the catalogue that the product is of, one of these; the first of them that has it when None.

    Raises:
        UnknownProduct: it is not indexed.
    """
    home = _home(galleries, key) if of is None else of
    category, found = galleries[home].similar(key, query)
    others = [name for name in galleries if name != home]
    if not others:
        return category, [CatalogueMatch(home, match) for match in found]
    vector = galleries[home].find(key)[1]
    elsewhere = ((name, galleries[name].search(category, vector, query)) for name in others)
    return category, _best(query.k, [(home, found), *elsewhere])


def facets(galleries: Galleries, category: int, wanted: Filter) -> list[Facet]:
    """Return what the products of a category can be filtered by, with counts among those that meet a filter."""
    first, *others = galleries.values()
    return first.facets(category, wanted, others)


def sample(
    galleries: Galleries, count: int, category: int | None, rng: random.Random
) -> list[tuple[str, int, str, bytes | None]]:
    """Return catalogue, category, key and payload of products chosen by chance among all.

    Raises: as `Gallery.sample`.
    """
    names = list(galleries)
    sizes = [len(one) if category is None else sum(one.counts()[category : category + 1]) for one in galleries.values()]
    ends = list(accumulate(sizes))
    drawn = Counter(names[bisect_right(ends, place)] for place in rng.sample(range(ends[-1]), min(count, ends[-1])))
    found = [
        (name, *product)
        for name, gallery in galleries.items()
        for product in gallery.sample(drawn[name], category, rng)
    ]
    return rng.sample(found, len(found))


def _home(galleries: Galleries, key: str) -> str:
    for name, gallery in galleries.items():
        with contextlib.suppress(UnknownProduct):
            gallery.find(key)
            return name
    raise UnknownProduct(f"there is no product {key!r} in the index")


def _best(k: int, found: Iterable[tuple[str, list[Match]]]) -> list[CatalogueMatch]:
    every = (CatalogueMatch(name, match) for name, matches in found for match in matches)
    return nsmallest(k, every, key=lambda one: (-one.match.score, one.match.key, one.catalogue))
