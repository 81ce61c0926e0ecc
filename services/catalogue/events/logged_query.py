"""A search as the log keeps it. The fields have the names of UBI's query schema, version 1.3.0.

Source: https://o19s.github.io/ubi/schema/1.3.0/query.request.schema.json
"""

from dataclasses import dataclass
from datetime import datetime

from services.catalogue.events.event import APPLICATION
from services.catalogue.product import Float32Array


@dataclass(frozen=True, slots=True)
class QueryAttributes:
    """Facts about a search, apart from its results.

    Attributes:
        kind: of the query: `photo` or `product`.
        outcome: the response's: `ok`, `no_close_match`, `no_clothing` or `other_clothing`.
        category: name of the category that was searched.
        model: whose vectors were compared.
        offset: number of results that were skipped: results of later pages stand behind them.
        product: id of the product, of a search by product.
        filter: the filter as JSON; None without one.
        nearest_score: score of the first result of all pages, cosine similarity; None without results.
        nearest_similarity: its calibrated similarity, 0 to 1; None without a scale.
        hit_scores: the score of each product of the page, in its order; None in rows that do not have them.
        vector: the query's, float32, shape (dimension,), unit length; None unless the shop keeps vectors.
    """

    kind: str
    outcome: str
    category: str
    model: str
    offset: int = 0
    product: str | None = None
    filter: str | None = None
    nearest_score: float | None = None
    nearest_similarity: float | None = None
    hit_scores: tuple[float, ...] | None = None
    vector: Float32Array | None = None


@dataclass(frozen=True, slots=True)
class LoggedQuery:
    """One search with the ids of the products that it showed, in their order.

    Attributes:
        id: of the row; a search that looks at each garment of a photo has several rows.
        query_id: the search's `request_id`, by which events refer to it.
        timestamp: when it was answered, in UTC.
        query_response_hit_ids: ids of the products on the page; the first stands at the place `offset` + 1.
        query_attributes: everything else.
        client_id: the visitor; None if the search names none.
        application: UBI's name of the source of searches.
    """

    id: str
    query_id: str
    timestamp: datetime
    query_response_hit_ids: tuple[str, ...]
    query_attributes: QueryAttributes
    client_id: str | None = None
    application: str = APPLICATION
