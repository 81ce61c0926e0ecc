"""The products of one category that may be in a look, in their order."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
from numpy.typing import NDArray

from services.catalogue.merchandising import Merchandising
from services.contracts.domain.filtering.filters import Filter, any_of
from services.contracts.wire.embedding import GarmentBox, ModelFacts
from services.contracts.wire.index import Hit, IndexSearch
from services.gateway.look.apart import Piece
from services.gateway.look.options import LookOptions
from services.gateway.ranking.boosts import boosted
from services.gateway.ranking.candidate import Candidate, by_value
from services.gateway.ranking.diversity import diverse
from services.gateway.ranking.ranking import WINDOW
from services.gateway.search.service import SearchService, category_names
from services.look.bought_together import Partners
from services.look.compatibility import Compatibility, Float32Array, Garment


@dataclass(frozen=True)
class Worn:
    """A garment of the look that is to be completed.

    Attributes:
        garment: for the look model.
        piece: for the shop's rules.
        group: for whom it is; see `people`.
        box: its part of the photo.
        products: itself, or the products that look most like it, the best first.
    """

    garment: Garment
    piece: Piece
    group: int | None
    box: GarmentBox | None
    products: Sequence[Hit]


@dataclass(frozen=True)
class LookRequest:
    """What all categories of a look have in common.

    Attributes:
        options: the request's.
        facts: of the model whose vectors are compared.
        rules: the shop's.
        worn: the garments that the others are to go with.
        hidden: filters of products that are for other people.
        exclude: ids of products that are not in the look.
        model: the look model, if it is for these vectors.
    """

    options: LookOptions
    facts: ModelFacts
    rules: Merchandising
    worn: Sequence[Worn] = ()
    hidden: Sequence[Filter] = ()
    exclude: Sequence[str] = ()
    model: Compatibility | None = None


async def partners_of(
    search: SearchService, request: LookRequest, category: int, partners: Partners | None
) -> list[Candidate]:
    """Return the products of a category that go with the garments, best first, one of each style.

    `partners` is what baskets say about the category.
    """
    model, garments = request.model, [piece.garment for piece in request.worn]
    target = garments[0].vector if model is None else model.target(garments, category)
    if partners is not None:
        target = partners.blended_target(target)
    if target is None:
        return []
    hits = [hit for hit in await nearest(search, request, category, target) if hit.vector is not None]
    if not hits:
        return []
    vectors = np.stack([hit.vector for hit in hits if hit.vector is not None])
    scores = np.array([hit.score for hit in hits]) if model is None else model.scores(garments, category, vectors)
    if partners is not None:
        if model is None:
            scores = vectors @ garments[0].vector.astype(np.float64)
        scores = partners.blended_scores(scores, vectors)
    return in_order(request, category, hits, scores)


async def nearest(search: SearchService, request: LookRequest, category: int, vector: Float32Array) -> list[Hit]:
    """Return the products of a category that are nearest to a vector, the window of them, with their vectors."""
    names = category_names(category, request.facts.categories[category])
    hidden = [*request.rules.hidden(datetime.now(UTC), names), *request.hidden]
    query = IndexSearch(
        category=category,
        catalogues=search.catalogues,
        vector=vector.tolist(),
        model=request.facts.model,
        k=WINDOW,
        filter=request.options.filter,
        hide=any_of(hidden) if hidden else None,
        exclude=list(request.exclude),
        vectors=True,
    )
    return (await search.index.search(query)).hits


def in_order(request: LookRequest, category: int, hits: Sequence[Hit], values: NDArray[np.float64]) -> list[Candidate]:
    """Return products by their values, the shop's rules and the diversity of the request, one of each style."""
    names = category_names(category, request.facts.categories[category])
    pairs = enumerate(zip(hits, values.tolist(), strict=True))
    scored = [Candidate(hit, place, value) for place, (hit, value) in pairs]
    ruled = boosted(by_value(scored), request.rules.holding(datetime.now(UTC), names, "boost", "bury"))
    return diverse(_one_of_each_style(ruled), request.options.diversity)


def _one_of_each_style(candidates: Sequence[Candidate]) -> list[Candidate]:
    """Return candidates without the later variants of a style."""
    styles: set[tuple[str, str]] = set()
    kept = []
    for candidate in candidates:
        style = (candidate.hit.catalogue, candidate.hit.group or f"\0{candidate.hit.id}")
        if style not in styles:
            styles.add(style)
            kept.append(candidate)
    return kept
