"""Makes the demand report of a catalogue from its log and its products."""

import asyncio
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from statistics import median
from typing import Any, Protocol

import numpy as np

from services.catalogue.demand.grouping import grouped
from services.catalogue.demand.report import Cluster, DayCount, DemandReport, NearestProduct
from services.catalogue.demand.traits import Trait, most_common, trait_of
from services.catalogue.demand.unmet import Activity, Reason, is_first_page, without_repeats
from services.catalogue.documents.product_document import BrokenDocument, Record
from services.catalogue.events.logged_query import LoggedQuery
from services.catalogue.product import Float32Array, Product
from services.contracts.domain.similarity import CLOSE

MAX_SEARCHES = 50_000  # that a report examines, the latest first
MAX_PRODUCTS = 5_000  # that it reads, the most frequent first
READ_AT_ONCE = 400
HITS = 3  # of a search, whose type and colour stand for the photo's
NEAREST = 3  # products of a cluster


class DemandLog(Protocol):
    """The log, as the report reads it."""

    def queries(
        self, since: datetime | None = None, until: datetime | None = None, *, latest_first: bool = False
    ) -> AsyncIterator[list[LoggedQuery]]: ...

    def references(self, since: datetime | None = None) -> AsyncIterator[list[tuple[str, str]]]: ...


class DemandProducts(Protocol):
    """The products, as the report reads them."""

    async def read(self, document_ids: Sequence[Any]) -> list[Record | BrokenDocument]: ...


@dataclass(frozen=True, slots=True)
class _Unmet:
    query: LoggedQuery
    reason: Reason


@dataclass
class _Tally:
    """Counts of the searches of a day in a category."""

    outcomes: Counter[str] = field(default_factory=Counter)
    without_click: int = 0


async def examine(
    log: DemandLog,
    products: DemandProducts,
    since: datetime,
    until: datetime,
    *,
    category: str | None = None,
    limit: int = 20,
) -> DemandReport:
    """Return the report of the searches from `since` to before `until`.

    Args:
        log: the catalogue's.
        products: the catalogue's.
        since, until: the time.
        category: name of the only category to examine.
        limit: the most clusters to return.

    Raises:
        CatalogueUnavailable: the database is unavailable.
    """
    activity = Activity()
    async for pairs in log.references(since):
        activity.add(pairs)
    every, is_cut = await _searches(log, since, until, category)
    queries = await asyncio.to_thread(without_repeats, every, activity)
    tallies, unmet = await asyncio.to_thread(_tallied, queries, activity)
    known = await _products_of([search.query for search in unmet], products)
    clusters = await asyncio.to_thread(_clusters, unmet, known)
    has_vectors = any(search.query.query_attributes.vector is not None for search in unmet)
    return DemandReport(
        since=since,
        until=until,
        searches=len(queries),
        unmet=len(unmet),
        is_cut=is_cut,
        knows_clicks=activity.knows_clicks,
        grouped_by="vectors" if has_vectors else "attributes",
        days=tuple(_day_count(*entry) for entry in sorted(tallies.items(), key=_latest_first)),
        clusters=tuple(clusters[:limit]),
        clusters_left_out=max(0, len(clusters) - limit),
    )


async def _searches(
    log: DemandLog, since: datetime, until: datetime, category: str | None
) -> tuple[list[LoggedQuery], bool]:
    """Return the latest searches, and whether there are more."""
    queries: list[LoggedQuery] = []
    async for page in log.queries(since, until, latest_first=True):
        queries += [
            query for query in page if is_first_page(query) and category in (None, query.query_attributes.category)
        ]
        if len(queries) > MAX_SEARCHES:
            return queries[:MAX_SEARCHES], True
    return queries, False


def _tallied(queries: Iterable[LoggedQuery], activity: Activity) -> tuple[dict[tuple[date, str], _Tally], list[_Unmet]]:
    tallies: dict[tuple[date, str], _Tally] = defaultdict(_Tally)
    unmet: list[_Unmet] = []
    for query in queries:
        tally = tallies[query.timestamp.date(), query.query_attributes.category]
        tally.outcomes[query.query_attributes.outcome] += 1
        reason = activity.reason(query)
        if reason is not None:
            unmet.append(_Unmet(query, reason))
            tally.without_click += reason == "without_click"
    return tallies, unmet


def _day_count(key: tuple[date, str], tally: _Tally) -> DayCount:
    day, category = key
    return DayCount(
        day=day,
        category=category,
        searches=tally.outcomes.total(),
        ok=tally.outcomes["ok"],
        no_close_match=tally.outcomes["no_close_match"],
        other_clothing=tally.outcomes["other_clothing"],
        no_clothing=tally.outcomes["no_clothing"],
        without_click=tally.without_click,
    )


def _latest_first(entry: tuple[tuple[date, str], _Tally]) -> tuple[int, str]:
    (day, category), _ = entry
    return -day.toordinal(), category


async def _products_of(queries: Iterable[LoggedQuery], products: DemandProducts) -> dict[str, Product]:
    """Return the products that the report describes searches by; those that were deleted since are missing."""
    counts: Counter[str] = Counter()
    for query in queries:
        counts.update(query.query_response_hit_ids[:HITS])
        if query.query_attributes.product is not None:
            counts[query.query_attributes.product] += 1
    keys = [key for key, _ in counts.most_common(MAX_PRODUCTS)]
    known: dict[str, Product] = {}
    for begin in range(0, len(keys), READ_AT_ONCE):
        for record in await products.read(keys[begin : begin + READ_AT_ONCE]):
            if isinstance(record, Record):
                known[record.product.key] = record.product
    return known


def _clusters(unmet: Sequence[_Unmet], known: Mapping[str, Product]) -> list[Cluster]:
    """Return the clusters, the largest first. Searches of different categories or models are never together."""
    by_vector: dict[tuple[str, str], list[tuple[_Unmet, Float32Array]]] = defaultdict(list)
    by_attributes: dict[tuple[str, str | None, str | None], list[_Unmet]] = defaultdict(list)
    for search in unmet:
        attributes = search.query.query_attributes
        vector = _vector_of(search.query, known)
        if vector is not None:
            by_vector[attributes.category, attributes.model].append((search, vector))
        else:
            key = attributes.category, _trait(search.query, known, "type"), _trait(search.query, known, "colour")
            by_attributes[key].append(search)
    clusters = [_cluster(searches, known, None) for searches in by_attributes.values()]
    for pairs in by_vector.values():
        vectors = np.stack([vector for _, vector in pairs])
        labels = grouped(vectors)
        for number in np.unique(labels):
            members = [search for (search, _), label in zip(pairs, labels, strict=True) if label == number]
            clusters.append(_cluster(members, known, vectors[labels == number].mean(axis=0)))
    return sorted(clusters, key=lambda cluster: (-cluster.searches, cluster.category, cluster.type or ""))


def _vector_of(query: LoggedQuery, known: Mapping[str, Product]) -> Float32Array | None:
    """Return the vector of a search: the kept one, or that of its product."""
    attributes = query.query_attributes
    if attributes.vector is not None:
        return attributes.vector
    product = known.get(attributes.product or "")
    embedding = None if product is None else product.embeddings.get(attributes.model)
    return None if embedding is None else embedding.vector


def _trait(query: LoggedQuery, known: Mapping[str, Product], trait: Trait) -> str | None:
    """Return the type or the colour of a search: its product's, or that of most of its nearest products."""
    keys = (
        query.query_response_hit_ids[:HITS]
        if query.query_attributes.product is None
        else (query.query_attributes.product,)
    )
    return most_common(trait_of(known[key].attributes, trait) for key in keys if key in known)


def _cluster(searches: Sequence[_Unmet], known: Mapping[str, Product], centre: Float32Array | None) -> Cluster:
    queries = [search.query for search in searches]
    reasons = Counter(search.reason for search in searches)
    similarities = [value for query in queries if (value := query.query_attributes.nearest_similarity) is not None]
    similarity = round(median(similarities), 3) if similarities else None
    days = Counter(query.timestamp.date() for query in queries)
    return Cluster(
        category=queries[0].query_attributes.category,
        type=most_common(_trait(query, known, "type") for query in queries),
        colour=most_common(_trait(query, known, "colour") for query in queries),
        searches=len(queries),
        visitors=len({query.client_id for query in queries if query.client_id is not None}),
        no_close_match=reasons["no_close_match"],
        without_click=reasons["without_click"],
        similarity=similarity,
        gap=None if similarity is None else round(max(0.0, CLOSE - similarity), 3),
        nearest=_nearest(queries, known, centre),
        days=tuple(sorted(days.items())),
    )


def _nearest(
    queries: Sequence[LoggedQuery], known: Mapping[str, Product], centre: Float32Array | None
) -> tuple[NearestProduct, ...]:
    firsts = Counter(query.query_response_hit_ids[0] for query in queries if query.query_response_hit_ids)
    model = queries[0].query_attributes.model
    length = 0.0 if centre is None else float(np.linalg.norm(centre))
    direction = centre / length if centre is not None and length > 0 else None
    nearest = []
    for key, count in firsts.most_common(NEAREST):
        product = known.get(key)
        embedding = None if product is None else product.embeddings.get(model)
        score = None if direction is None or embedding is None else round(float(embedding.vector @ direction), 3)
        nearest.append(NearestProduct(key, None if product is None else product.title, count, score))
    return tuple(nearest)
