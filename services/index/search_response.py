"""The response to a search, written as JSON at once: its fields are those of `IndexResponse`, which is not built."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import orjson
from starlette.responses import Response

from services.contracts.domain.facets import Facet
from services.contracts.web import telemetry
from services.contracts.wire.index import ResultOptions
from services.engine.multi_search import CatalogueMatch
from services.engine.payload import unpack
from services.index.models.model_index import ModelIndex
from services.index.state import IndexState

# The fields that a payload may lack.
ABSENT: dict[str, Any] = {"url": None, "image_url": None, "title": None, "attributes": {}, "group": None}


class Counts(NamedTuple):
    """What a category holds apart from the hits: the facets, and the number of products that meet the filter."""

    facets: list[Facet]
    total: int | None


def search_response(
    state: IndexState,
    model_index: ModelIndex,
    category: int,
    page: ResultOptions,
    matches: list[CatalogueMatch],
    duration_ms: float,
    counts: Counts,
    unknown_attributes: list[str],
) -> Response:
    """Return a page of the matches of a search.

    Args:
        state: of the service.
        model_index: the model that was searched.
        category: that was searched.
        page: the request's options.
        matches: best first, one more than the page ends with if there are as many.
        duration_ms: of the search.
        counts: of the category.
        unknown_attributes: attributes of the filter that no product has.
    """
    model = model_index.manifest.model_id
    similarities = _similarities(model_index, category, matches)
    on_page = zip(matches[page.offset : page.end], similarities[page.offset : page.end], strict=True)
    hits = [_hit(category, match, similarity) for match, similarity in on_page]
    telemetry.note(category=category, k=page.k, offset=page.offset, hits=len(hits), model=model, search_ms=duration_ms)
    following = page.following() if len(matches) > page.end else None
    document = {
        "category": category,
        "hits": hits,
        "best_score": _score(matches[0]) if matches else None,
        "best_similarity": similarities[0] if similarities else None,
        "next_page": following and following.model_dump(),
        "model": model,
        "active": state.models.active.manifest.model_id,
        "timings_ms": {"search": duration_ms},
        "facets": [facet.model_dump() for facet in counts.facets],
        "total": counts.total,
        "unknown_attributes": unknown_attributes,
    }
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


def _score(match: CatalogueMatch) -> float:
    """Return a match's score. In float32, the product of two vectors of unit length may exceed 1 by a few 1e-7."""
    return max(-1.0, min(1.0, round(match.match.score, 7)))


def _hit(category: int, catalogue_match: CatalogueMatch, similarity: float | None) -> dict[str, Any]:
    match = catalogue_match.match
    return {
        "id": match.key,
        "score": _score(catalogue_match),
        "similarity": similarity,
        "category": category,
        "catalogue": catalogue_match.catalogue,
        "image_index": match.image_index,
        **ABSENT,
        **unpack(match.payload, match.image_index),
    }
