"""A search that was answered → its row in the log."""

from dataclasses import replace
from datetime import UTC, datetime

import orjson

from services.catalogue.events.event import new_event_id
from services.catalogue.events.logged_query import LoggedQuery, QueryAttributes
from services.catalogue.product import Float32Array
from services.contracts.wire.index import IndexResponse
from services.gateway.search.options import SearchOptions
from services.gateway.search.responses import SimilarResponse


def logged_search(
    response: SimilarResponse,
    nearest: IndexResponse,
    options: SearchOptions,
    *,
    product: str | None = None,
    vector: Float32Array | None = None,
) -> LoggedQuery:
    """Return the row of a search.

    Args:
        response: to the shopper.
        nearest: the index's response, which knows the best score.
        options: the request's.
        product: the id of the query, of a search by product.
        vector: the query's, if it is to be kept.
    """
    return LoggedQuery(
        id=new_event_id(),
        query_id=response.request_id or "",
        timestamp=datetime.now(UTC),
        query_response_hit_ids=tuple(result.id for result in response.results),
        query_attributes=QueryAttributes(
            kind="photo" if product is None else "product",
            outcome=response.outcome,
            category=response.category.name,
            model=response.model,
            offset=options.offset,
            product=product,
            filter=orjson.dumps(options.filter.source).decode() if options.filter.source else None,
            nearest_score=nearest.best_score,
            nearest_similarity=nearest.best_similarity,
            hit_scores=tuple(result.score for result in response.results),
            vector=vector,
        ),
        client_id=options.visitor,
    )


def repeated(search: LoggedQuery, request_id: str | None) -> LoggedQuery:
    """Return the row of a search that shows the same as an earlier one."""
    return replace(search, id=new_event_id(), query_id=request_id or "", timestamp=datetime.now(UTC))
