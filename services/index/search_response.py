"""The response to a search, written as JSON at once: its fields are those of `IndexResponse`, which is not built."""

import base64
from collections.abc import Sequence
from typing import Any, NamedTuple

import orjson
from starlette.responses import Response

from services.contracts.domain.engines import FAISS, is_exact
from services.contracts.domain.errors import UnknownProduct
from services.contracts.domain.filtering.facets import Facet, FacetSummary
from services.contracts.web.observability import telemetry
from services.contracts.wire.index import IndexQuery
from services.engine.multi_search import CatalogueMatch
from services.engine.payload import unpack
from services.index.models.model_index import ModelIndex
from services.index.state import IndexState

# The fields that a payload may lack.
ABSENT: dict[str, Any] = {"url": None, "image_url": None, "title": None, "attributes": {}, "group": None}


class FoundProducts(NamedTuple):
    """What a search found.

    Attributes:
        matches: best first, one more than the page ends with if there are as many.
        pinned: the pinned products of the category.
        duration_ms: of the search.
    """

    matches: list[CatalogueMatch]
    pinned: list[CatalogueMatch]
    duration_ms: float


class Counts(NamedTuple):
    """What a category holds apart from the hits.

    Attributes:
        facets: the facets, or what a part contributes to them.
        total: the number of products that meet the filter.
    """

    facets: list[Facet] | FacetSummary | None = None
    total: int | None = None


def search_response(
    state: IndexState,
    model_index: ModelIndex,
    category: int,
    query: IndexQuery,
    found_products: FoundProducts,
    counts: Counts,
    unknown_attributes: list[str],
) -> Response:
    """Return a page of the matches of a search.

    Args:
        state: of the service.
        model_index: the model that was searched.
        category: that was searched.
        query: the request.
        found_products: by the search.
        counts: of the category.
        unknown_attributes: attributes of the filter that no product has.
    """
    matches = found_products.matches
    similarities = _similarities(model_index, category, matches)
    on_page = zip(matches[query.offset : query.end], similarities[query.offset : query.end], strict=True)
    hits = [_hit(category, match, _score(match), similarity) for match, similarity in on_page]
    following = query.following() if len(matches) > query.end else None
    document: dict[str, Any] = {
        "category": category,
        "hits": hits,
        "best_score": _score(matches[0]) if matches else None,
        "best_similarity": similarities[0] if similarities else None,
        "next_page": following and following.model_dump(),
        "facets": [facet.model_dump() for facet in counts.facets] if isinstance(counts.facets, list) else [],
        "total": counts.total,
        "unknown_attributes": unknown_attributes,
    }
    if query.pinned:
        of_pinned = zip(found_products.pinned, _similarities(model_index, category, found_products.pinned), strict=True)
        document["pinned"] = [_hit(category, match, _score(match), similarity) for match, similarity in of_pinned]
    return _respond(state, model_index, query, found_products, document)


def part_response(
    state: IndexState,
    model_index: ModelIndex,
    category: int,
    query: IndexQuery,
    found_products: FoundProducts,
    counts: Counts,
    unknown_attributes: list[str],
) -> Response:
    """Return what this node's part contributes to a search of all parts: every match, with its score unrounded.

    The arguments are those of `search_response`.
    """
    scales = {name: catalogue.calibrator.scale(category) for name, catalogue in model_index.catalogues.items()}
    document: dict[str, Any] = {
        "category": category,
        "hits": [_hit(category, match, match.match.score, None) for match in found_products.matches],
        "pinned": [_hit(category, match, match.match.score, None) for match in found_products.pinned],
        "best_score": None,
        "best_similarity": None,
        "next_page": None,
        "facet_summary": counts.facets.model_dump() if isinstance(counts.facets, FacetSummary) else None,
        "scales": {
            name: {"scores": scale.scores.tolist(), "values": scale.values.tolist()}
            for name, scale in scales.items()
            if scale is not None
        },
        "total": counts.total,
        "unknown_attributes": unknown_attributes,
    }
    return _respond(state, model_index, query, found_products, document)


def _respond(
    state: IndexState,
    model_index: ModelIndex,
    query: IndexQuery,
    found_products: FoundProducts,
    document: dict[str, Any],
) -> Response:
    """Return a document with what both kinds of responses have, and note it in the log."""
    model, hits, category = model_index.manifest.model_id, document["hits"], document["category"]
    telemetry.note(
        category=category,
        k=query.k,
        offset=query.offset,
        hits=len(hits),
        model=model,
        search_ms=found_products.duration_ms,
    )
    document["model"] = model
    if state.engine != FAISS:
        document |= {"engine": state.engine, "exact": is_exact(state.engine)}
    document["active"] = state.models.active.manifest.model_id
    document["timings_ms"] = {"search": found_products.duration_ms}
    if query.vectors:
        for hit in [*hits, *document.get("pinned", [])]:
            hit["vector"] = _vector(model_index, hit)
    return Response(orjson.dumps(document), media_type="application/json")


def _similarities(model_index: ModelIndex, category: int, matches: list[CatalogueMatch]) -> Sequence[float | None]:
    """Return the similarity of each match, by the scale of its own catalogue; None without a scale."""
    similarities: list[float | None] = [None] * len(matches)
    for name in {match.catalogue for match in matches}:
        scale = model_index.of(name).calibrator.scale(category)
        places = [place for place, match in enumerate(matches) if match.catalogue == name]
        values = scale.similarities([matches[place].match.score for place in places]) if scale else []
        for place, value in zip(places, values, strict=False):
            similarities[place] = value
    return similarities


def _vector(model_index: ModelIndex, hit: dict[str, Any]) -> str | None:
    """Return the vector of a hit's main image; None if the product has been deleted in the meantime."""
    try:
        _, vector, _ = model_index.of(hit["catalogue"]).gallery.find(hit["id"])
    except UnknownProduct:
        return None
    return base64.b64encode(vector.astype("<f4").tobytes()).decode()


def _score(match: CatalogueMatch) -> float:
    """Return a match's score. In float32, the product of two vectors of unit length may exceed 1 by a few 1e-7."""
    return max(-1.0, min(1.0, round(match.match.score, 7)))


def _hit(category: int, catalogue_match: CatalogueMatch, score: float, similarity: float | None) -> dict[str, Any]:
    match = catalogue_match.match
    return {
        "id": match.key,
        "score": score,
        "similarity": similarity,
        "category": category,
        "catalogue": catalogue_match.catalogue,
        "image_index": match.image_index,
        **ABSENT,
        **unpack(match.payload, match.image_index),
    }
