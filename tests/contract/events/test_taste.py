"""The taste of a visitor over a database: from the log, and gone with the visitor."""

from datetime import UTC, datetime
from typing import Any

import numpy as np
import pymongo

from services.catalogue.store.database import CatalogueDatabase
from services.gateway.events.service import EventService
from services.gateway.ranking.taste_cache import TasteCache, TasteSource, TasteTimes
from tests.support.values.events import make_event, make_query
from tests.support.values.products import make_product

MODEL = "fashion/1"
HERE = ("default",)
VISITOR, OTHER = "v-4b1f-secret", "v-other"


async def filled(store: CatalogueDatabase) -> TasteCache:
    """Fill the log with what two visitors did, and return a cache that has read their tastes."""
    now = datetime.now(UTC)
    for key, category in (("a", 0), ("b", 1)):
        attributes = {"gender": "Women", "price": 20.0}
        await store.products.put(make_product(key, category, np.ones(4, np.float32), MODEL, attributes=attributes))
    await store.events.add_queries([make_query("q1", now, visitor=VISITOR), make_query("q2", now, visitor=OTHER)])
    await store.events.add_events(
        [
            make_event("click", "e1", now, product="a", visitor=VISITOR, query="q1"),
            make_event("purchase", "e2", now, product="b", visitor=VISITOR, query="q1"),
            make_event("hide", "e3", now, product="c", visitor=VISITOR, query="q1"),
            make_event("impression", "e4", now, product="a", visitor=VISITOR, query="q1"),
            make_event("purchase", "e5", now, product="a", visitor=OTHER, query="q2"),
        ]
    )
    cache = TasteCache({"default": TasteSource(store.events, store.products)}, TasteTimes(30, 3600), size=10)
    for visitor in (VISITOR, OTHER):
        assert await cache.get(HERE, visitor, MODEL) is not None
    return cache


async def test_a_taste_is_made_of_the_events_and_the_products_in_the_database(store: CatalogueDatabase) -> None:
    profile = await (await filled(store)).get(HERE, VISITOR, MODEL)
    assert profile is not None
    assert {number: round(taste.interest) for number, taste in profile.categories.items()} == {0: 1, 1: 5}
    assert profile.hidden == ("c",)
    assert profile.shared[0].shares == {"women": 1.0}
    vector = profile.categories[1].vector
    assert vector is not None
    assert vector.tolist() == [0.5] * 4


async def test_a_deleted_visitor_leaves_no_trace_and_another_one_keeps_theirs(
    store: CatalogueDatabase, url: str, database: str
) -> None:
    cache = await filled(store)
    kept = await cache.get(HERE, OTHER, MODEL)
    service = EventService(store.events, 90, keeps_vectors=False, count=lambda *_: None)
    service.forgetters.append(cache.forget)
    removed = await service.delete_visitor(VISITOR)
    assert (removed.events, removed.queries) == (4, 1)
    profile = await cache.get(HERE, VISITOR, MODEL)
    assert profile is not None
    assert profile.is_empty
    assert await cache.get(HERE, OTHER, MODEL) is kept
    client: pymongo.MongoClient[dict[str, Any]] = pymongo.MongoClient(url)
    with client:
        documents = [
            repr(document)
            for name in client[database].list_collection_names()
            for document in client[database][name].find()
        ]
    assert not [document for document in documents if VISITOR in document]
    assert [document for document in documents if OTHER in document]
