"""Events and searches in the database, against the server that MONGO_URL names, else a stand-in."""

from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pymongo
import pytest

from services.catalogue.events.event import Action, Event
from services.catalogue.events.logged_query import LoggedQuery, QueryAttributes
from services.catalogue.store.database import CatalogueDatabase
from tests.support.values.events import make_event, make_query

NOON = datetime(2026, 11, 30, 12, tzinfo=UTC)


async def _events(store: CatalogueDatabase, **chosen: Any) -> list[Event]:
    return [event async for page in store.events.events(**chosen) for event in page]


async def _queries(store: CatalogueDatabase, **chosen: Any) -> list[LoggedQuery]:
    return [query async for page in store.events.queries(**chosen) for query in page]


async def test_events_are_read_as_they_were_written_in_the_order_of_time(store: CatalogueDatabase) -> None:
    late = make_event("click", "e1", NOON + timedelta(hours=1), product="ü/1", ordinal=3, visitor="v-1", query="q1")
    listed = Event.model_validate(
        {
            "event_id": "e2",
            "action_name": "impression",
            "query_id": "q1",
            "timestamp": NOON,
            "event_attributes": {"objects": [{"object_id": "a", "ordinal": 1}, {"object_id": "b"}]},
        }
    )
    report = await store.events.add_events([late, listed])
    assert (report.duplicates, report.failures) == (frozenset(), {})
    assert await _events(store) == [listed, late]
    assert [list(event.shown()) for event in await _events(store)] == [[("a", 1), ("b", None)], [("ü/1", 3)]]


async def test_an_event_whose_id_is_there_stays_as_it_is(store: CatalogueDatabase) -> None:
    first = make_event("click", "e1", NOON)
    await store.events.add_events([first])
    report = await store.events.add_events([make_event("hide", "e1", NOON), make_event("like", "e2", NOON)])
    assert (set(report.duplicates), report.failures) == ({0}, {})
    assert [event.action_name for event in await _events(store)] == [Action.CLICK, Action.LIKE]


async def test_a_search_is_read_as_it_was_written(store: CatalogueDatabase) -> None:
    plain = make_query("q1", NOON)
    full = LoggedQuery(
        id="row",
        query_id="q2",
        timestamp=NOON + timedelta(minutes=1),
        query_response_hit_ids=("a", "b"),
        query_attributes=QueryAttributes(
            kind="photo",
            outcome="no_close_match",
            category="Shoes",
            model="fashion/3",
            offset=10,
            filter='{"price":{"lte":50}}',
            nearest_score=0.5,
            nearest_similarity=0.25,
            vector=np.array([0.6, 0.8], dtype=np.float32),
        ),
        client_id="v-1",
    )
    await store.events.add_queries([plain, full])
    read = await _queries(store)
    assert read[0] == plain
    vector = read[1].query_attributes.vector
    assert vector is not None
    np.testing.assert_array_equal(vector, np.array([0.6, 0.8], dtype=np.float32))
    assert repr(read[1]) == repr(full)


@pytest.mark.parametrize(
    ("since", "until", "expected"),
    [
        (None, None, ["0", "1", "2"]),
        (NOON + timedelta(hours=1), None, ["1", "2"]),
        (None, NOON + timedelta(hours=1), ["0"]),
        (NOON + timedelta(hours=1), NOON + timedelta(hours=2), ["1"]),
    ],
)
async def test_a_time_includes_its_beginning_but_not_its_end(
    store: CatalogueDatabase, since: datetime | None, until: datetime | None, expected: list[str]
) -> None:
    moments = [NOON + timedelta(hours=hour) for hour in range(3)]
    await store.events.add_events([make_event("click", str(n), moment) for n, moment in enumerate(moments)])
    await store.events.add_queries([make_query(str(n), moment) for n, moment in enumerate(moments)])
    assert [event.event_id for event in await _events(store, since=since, until=until)] == expected
    assert [query.query_id for query in await _queries(store, since=since, until=until)] == expected


async def test_events_can_be_chosen_by_action_and_by_visitor(store: CatalogueDatabase) -> None:
    actions = ["click", "purchase", "hide"]
    moments = [NOON + timedelta(minutes=number) for number in range(3)]
    await store.events.add_events(
        [make_event(action, action, moment, visitor="v-1") for action, moment in zip(actions, moments, strict=True)]
        + [make_event("click", "other", NOON, visitor="v-2")]
    )
    chosen = await _events(store, actions=[Action.PURCHASE])
    assert [event.event_id for event in chosen] == ["purchase"]
    latest = await store.events.events_of("v-1", limit=2)
    assert [event.event_id for event in latest] == ["hide", "purchase"]
    assert [event.event_id for event in await store.events.events_of("v-1", since=moments[2], limit=9)] == ["hide"]
    assert [e.event_id for e in await store.events.events_of("v-1", actions=[Action.CLICK], limit=9)] == ["click"]


async def test_searches_can_be_read_the_latest_first_and_events_by_what_they_refer_to(store: CatalogueDatabase) -> None:
    moments = [NOON + timedelta(hours=hour) for hour in range(3)]
    await store.events.add_queries([make_query(str(n), moment) for n, moment in enumerate(moments)])
    latest = [query.query_id async for page in store.events.queries(latest_first=True) for query in page]
    assert latest == ["2", "1", "0"]
    await store.events.add_events(
        [
            make_event("click", "e1", moments[1], query="1"),
            make_event("like", "e2", moments[2], query=None),
            make_event("impression", "e3", moments[0], query="0"),
        ]
    )
    assert [pair async for page in store.events.references() for pair in page] == [("impression", "0"), ("click", "1")]
    assert [pair async for page in store.events.references(moments[1]) for pair in page] == [("click", "1")]


async def test_a_deleted_visitor_leaves_no_trace(store: CatalogueDatabase, url: str, database: str) -> None:
    await store.events.add_events(
        [
            make_event("click", "mine", NOON, visitor="v-gone", query="q-mine"),
            make_event("click", "of-my-search", NOON, query="q-mine"),
            make_event("click", "refers", NOON, visitor="v-gone", query="q-nameless"),
            make_event("click", "other", NOON, visitor="v-stays", query="q-other"),
            make_event("click", "other-of-my-search", NOON, visitor="v-stays", query="q-mine"),
        ]
    )
    await store.events.add_queries(
        [
            make_query("q-mine", NOON, visitor="v-gone"),
            make_query("q-nameless", NOON),
            make_query("q-other", NOON, visitor="v-stays"),
            make_query("q-apart", NOON),
        ]
    )
    removed = await store.events.delete_visitor("v-gone")
    assert (removed.events, removed.queries) == (3, 2)
    client: pymongo.MongoClient[dict[str, Any]] = pymongo.MongoClient(url)
    with client:
        collections = [client[database][name] for name in client[database].list_collection_names()]
        stored = [document for collection in collections for document in collection.find({})]
    assert "v-gone" not in repr(stored)
    assert sorted(document["_id"] for document in stored) == ["other", "other-of-my-search", "q-apart", "q-other"]
    again = await store.events.delete_visitor("v-gone")
    assert (again.events, again.queries) == (0, 0)


async def test_documents_are_removed_when_their_time_is_over(store: CatalogueDatabase) -> None:
    old, young = NOON - timedelta(days=31), NOON - timedelta(days=29)
    await store.events.add_events([make_event("click", "old", old), make_event("click", "young", young)])
    await store.events.add_queries([make_query("old", old), make_query("young", young)])
    removed = await store.events.remove_expired(30, NOON)
    assert (removed.events, removed.queries) == (1, 1)
    assert [event.event_id for event in await _events(store)] == ["young"]
    size = await store.events.size()
    assert (size.events, size.queries, size.first, size.last) == (1, 1, young, young)


async def test_the_expiry_follows_the_setting(store: CatalogueDatabase, url: str, database: str) -> None:
    await store.events.add_events([make_event("click", "e1", NOON)])
    await store.events.ensure_indexes(90)
    await store.events.ensure_indexes(30)
    client: pymongo.MongoClient[dict[str, Any]] = pymongo.MongoClient(url)
    with client:
        indexes = {index["key"][0][0]: index for index in client[database]["events"].index_information().values()}
    assert {"timestamp", "client_id", "query_id"} <= indexes.keys()
    assert indexes["timestamp"]["expireAfterSeconds"] == 30 * 86400


async def test_catalogues_have_logs_of_their_own(store: CatalogueDatabase) -> None:
    await store.of("shoes").events.add_events([make_event("click", "e1", NOON)])
    assert await _events(store) == []
    assert [event.event_id for event in await _events(store.of("shoes"))] == ["e1"]
    empty = await store.events.size()
    assert (empty.events, empty.first, empty.last) == (0, None, None)
