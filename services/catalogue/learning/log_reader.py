"""The event log of a catalogue → its searches with what shoppers did."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from services.catalogue.documents.product_document import Record
from services.catalogue.events.event import Action, Event
from services.catalogue.events.logged_query import LoggedQuery
from services.catalogue.learning.candidates import LoggedCandidate, cluster_of, nearest
from services.catalogue.learning.search_log import GAINS, LoggedSearch, Shown
from services.catalogue.store.database import CatalogueDatabase

MAX_SEARCHES = 200_000  # the latest of the log, which are learned from
IDS_AT_ONCE = 400
ACTIONS = (Action.IMPRESSION, *(Action(name) for name in GAINS))
Attributes = Mapping[str, Any]


async def read_searches(store: CatalogueDatabase, since: datetime | None = None) -> list[LoggedSearch]:
    """Return the searches of a catalogue's log, with the attributes that their products have now.

    Args:
        store: the catalogue.
        since: earlier ones are left out.

    Raises:
        CatalogueUnavailable: the database is unavailable.
    """
    queries: list[LoggedQuery] = []
    async for page in store.events.queries(since):
        queries += [query for query in page if query.query_attributes.hit_scores]
        if len(queries) > 2 * MAX_SEARCHES:
            del queries[:-MAX_SEARCHES]
    del queries[:-MAX_SEARCHES]
    actions: dict[str, list[Event]] = defaultdict(list)
    known = {query.query_id for query in queries}
    async for events in store.events.events(since, actions=ACTIONS):
        for event in events:
            if event.query_id in known:
                actions[str(event.query_id)].append(event)
    keys = {key for query in queries for key in query.query_response_hit_ids}
    attributes = await _attributes(store, sorted(keys))
    return logged_searches(queries, actions, attributes)


def logged_searches(
    queries: Sequence[LoggedQuery], events: Mapping[str, Sequence[Event]], attributes: Mapping[str, Attributes]
) -> list[LoggedSearch]:
    """Return searches with what shoppers did.

    In a log with impressions, a search without any event was not shown to anybody, and is left out.

    Args:
        queries: searches with the scores of their hits.
        events: by the id of the search that they name.
        attributes: of products, by id.
    """
    has_impressions = any(event.action_name is Action.IMPRESSION for group in events.values() for event in group)
    return [
        _search(query, _gains(events.get(query.query_id, ())), attributes)
        for query in queries
        if query.query_response_hit_ids and (events.get(query.query_id) or not has_impressions)
    ]


def _gains(events: Iterable[Event]) -> dict[str, float]:
    """Return the greatest worth of what the shopper did with each product."""
    gains: dict[str, float] = {}
    for event in events:
        gain = GAINS.get(event.action_name.value, 0.0)
        for key, _ in event.shown() if gain else ():
            gains[key] = max(gains.get(key, 0.0), gain)
    return gains


def _search(query: LoggedQuery, gains: Mapping[str, float], attributes: Mapping[str, Attributes]) -> LoggedSearch:
    facts = query.query_attributes
    shown = tuple(
        Shown(LoggedCandidate(key, score, attributes.get(key, {})), facts.offset + place, gains.get(key, 0.0))
        for place, (key, score) in enumerate(zip(query.query_response_hit_ids, facts.hit_scores or (), strict=False), 1)
    )
    context = nearest([product.candidate for product in shown])
    day = query.timestamp.astimezone(UTC).toordinal()
    return LoggedSearch(query.id, day, query.client_id, cluster_of(facts.category, context), shown)


async def _attributes(store: CatalogueDatabase, keys: Sequence[str]) -> dict[str, Attributes]:
    attributes: dict[str, Attributes] = {}
    for begin in range(0, len(keys), IDS_AT_ONCE):
        documents = await store.products.read(keys[begin : begin + IDS_AT_ONCE])
        products = [document.product for document in documents if isinstance(document, Record)]
        attributes |= {product.key: product.attributes for product in products}
    return attributes
