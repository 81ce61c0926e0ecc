"""The routes of events and visitors, around fakes."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import orjson
import pytest
from structlog.testing import capture_logs

from services.catalogue.events.event import Action
from services.contracts.domain.errors import CatalogueUnavailable
from services.gateway.events.body import MAX_EVENTS
from tests.support.fakes.gateway_fakes import KEY, Gateway, running_gateway
from tests.support.values.keys import bearer, make_key, rows

SHOP = "https://shop.example"
CLICK: dict[str, Any] = {
    "action_name": "click",
    "request_id": "q1",
    "visitor": "v-1",
    "event_attributes": {"object": {"object_id": "s1"}, "position": {"ordinal": 1}},
}
BAD = {**CLICK, "action_name": "teleport"}


def shown(*objects: dict[str, Any]) -> dict[str, Any]:
    """Return an impression of these objects."""
    return {"action_name": "impression", "request_id": "q1", "event_attributes": {"objects": objects}}


@pytest.fixture
def gateway() -> Iterator[Gateway]:
    with running_gateway(events_enabled=True) as gateway:
        yield gateway


def send(gateway: Gateway, body: object, content_type: str = "application/json", **request: Any) -> dict[str, Any]:
    content = body if isinstance(body, bytes) else orjson.dumps(body)
    response = gateway.client.post("/v1/events", content=content, headers={"Content-Type": content_type}, **request)
    assert response.status_code == 202, response.text
    document: dict[str, Any] = response.json()
    return document


def lines(*events: object) -> bytes:
    return b"\n".join(orjson.dumps(event) for event in events)


def test_an_event_is_kept_with_an_id_and_a_time(gateway: Gateway) -> None:
    assert send(gateway, CLICK) == {
        "accepted": 1,
        "duplicates": 0,
        "rejected": [],
        "errors": [],
        "errors_left_out": 0,
    }
    (event,) = gateway.catalogue.events.kept
    assert (event.action_name, event.query_id, event.client_id) == (Action.CLICK, "q1", "v-1")
    assert event.event_id
    assert event.timestamp
    assert abs(datetime.now(UTC) - event.timestamp) < timedelta(minutes=1)


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("application/json", orjson.dumps([CLICK, CLICK])),
        ("application/json; charset=utf-8", orjson.dumps([CLICK, CLICK])),
        ("application/x-ndjson", lines(CLICK, CLICK) + b"\n\n"),
        ("text/plain;charset=UTF-8", orjson.dumps([CLICK, CLICK])),  # navigator.sendBeacon with a text
        ("text/plain", lines(CLICK, CLICK)),
        ("", orjson.dumps([CLICK, CLICK])),
    ],
)
def test_several_events_come_as_a_list_or_as_lines(gateway: Gateway, content_type: str, body: bytes) -> None:
    assert send(gateway, body, content_type)["accepted"] == 2
    assert len(gateway.catalogue.events.kept) == 2


def test_bad_events_are_named_by_index_and_the_others_are_kept(gateway: Gateway) -> None:
    nameless = {"action_name": "impression", "event_attributes": CLICK["event_attributes"]}
    personal = {**CLICK, "email": "anna@example.com"}
    document = send(gateway, [CLICK, BAD, "text", {**CLICK, "action_name": "like"}, nameless, personal])
    assert (document["accepted"], document["rejected"]) == (2, [1, 2, 4, 5])
    pointers = [error["pointer"] for error in document["errors"]]
    assert pointers == ["#/1/action_name", "#/2", "#/4/query_id", "#/5/email"]
    assert [event.action_name for event in gateway.catalogue.events.kept] == [Action.CLICK, Action.LIKE]


def test_a_line_that_is_not_json_is_named_and_the_others_are_kept(gateway: Gateway) -> None:
    document = send(gateway, lines(CLICK) + b"\n{nonsense\n" + lines(CLICK), "application/x-ndjson")
    assert (document["accepted"], document["rejected"]) == (2, [1])
    assert "not valid JSON" in document["errors"][0]["detail"]


def test_errors_beyond_the_first_are_counted(gateway: Gateway) -> None:
    document = send(gateway, [CLICK, *[BAD] * 30])
    assert document["rejected"] == list(range(1, 31))
    assert (len(document["errors"]), document["errors_left_out"]) == (20, 10)


@pytest.mark.parametrize(
    ("body", "content_type", "pointer"),
    [
        (orjson.dumps(BAD), "application/json", "#/action_name"),
        (orjson.dumps([BAD]), "application/json", "#/0/action_name"),
        (orjson.dumps({**CLICK, "timestamp": "2999-01-01T00:00:00Z"}), "application/json", "#/timestamp"),
        (orjson.dumps({**CLICK, "timestamp": "1999-01-01T00:00:00Z"}), "application/json", "#/timestamp"),
        (orjson.dumps({**CLICK, "timestamp": "0001-01-01T00:00:00+01:00"}), "application/json", "#/timestamp"),
        (orjson.dumps(dict.fromkeys(map(str, range(1000)))), "application/json", "#"),
        (orjson.dumps(shown(dict.fromkeys(map(str, range(1000))))), "application/json", "#"),
        (orjson.dumps(shown(*[{"object_id": "s1"}] * 101)), "application/json", "#"),
        (b"{nonsense", "application/x-ndjson", "#/0"),
    ],
)
def test_a_request_without_a_valid_event_is_a_problem(
    gateway: Gateway, body: bytes, content_type: str, pointer: str
) -> None:
    response = gateway.client.post("/v1/events", content=body, headers={"Content-Type": content_type})
    assert response.status_code == 422
    assert [error["pointer"] for error in response.json()["errors"]] == [pointer]
    assert gateway.catalogue.events.kept == []


@pytest.mark.parametrize(
    ("body", "content_type", "text"),
    [
        (b"", "application/json", "not valid JSON"),
        (b"{nonsense", "application/json", "not valid JSON"),
        (b"[]", "application/json", "no event"),
        (b"\n\n", "application/x-ndjson", "no event"),
        (orjson.dumps([CLICK] * (MAX_EVENTS + 1)), "application/json", "at most 1,000"),
        (b"x\n" * 400_000, "application/x-ndjson", "at most 1,000"),
        (b"x\n" * 400_000, "text/plain", "at most 1,000"),
        (orjson.dumps(CLICK), "text/html", "not text/html"),
    ],
)
def test_a_body_that_is_none_of_events_is_a_problem(
    gateway: Gateway, body: bytes, content_type: str, text: str
) -> None:
    status, slug, detail = gateway.problem("POST", "/v1/events", content=body, headers={"Content-Type": content_type})
    assert (status, slug) == (422, "invalid-request")
    assert text in detail


def test_the_first_faults_are_described_and_the_others_counted(gateway: Gateway) -> None:
    wrong = shown(*[{"object_id": ""}] * 60)
    response = send(gateway, [CLICK, *[wrong] * 500])
    assert response["rejected"] == list(range(1, 501))
    assert response["errors"][0]["pointer"] == "#/1/event_attributes/objects/0/object_id"
    assert len(response["errors"]) == 20
    assert response["errors_left_out"] == 120 + 498 - 20


def test_an_event_with_an_id_is_kept_once(gateway: Gateway) -> None:
    event = {**CLICK, "event_id": "e1"}
    assert send(gateway, [event, event])["duplicates"] == 1
    assert send(gateway, event)["duplicates"] == 1
    assert len(gateway.catalogue.events.kept) == 1


def test_events_are_refused_while_they_are_off() -> None:
    with running_gateway() as gateway:
        status, slug, detail = gateway.problem("POST", "/v1/events", json=CLICK)
        assert (status, slug) == (409, "events-off")
        assert "GATEWAY_EVENTS_ENABLED" in detail
        gateway.client.get("/v1/products/s1/similar", params={"visitor": "v-1"})
        assert gateway.catalogue.events.indexed == []
    assert gateway.catalogue.events.searches == []


def test_events_that_cannot_be_written_are_not_acknowledged(gateway: Gateway) -> None:
    gateway.catalogue.events.trouble = CatalogueUnavailable("the database is unavailable")
    response = gateway.client.post("/v1/events", json=CLICK)
    assert response.status_code == 503
    assert int(response.headers["retry-after"]) > 0
    gateway.catalogue.events.trouble = None


def test_searches_are_kept_with_the_ids_that_they_showed() -> None:
    with running_gateway(events_enabled=True) as gateway:
        photo = gateway.client.post(
            "/v1/search",
            content=b"\x00 a photo",
            headers={"Content-Type": "image/jpeg", "X-Request-ID": "photo-1"},
            params={"visitor": "v-1", "filter": '{"gender": "Men"}'},
        )
        assert photo.status_code == 200
        gateway.client.get("/v1/products/t1/similar", headers={"X-Request-ID": "similar-1"})
    rows_by_id = {query.query_id: query for query in gateway.catalogue.events.searches}
    search, similar = rows_by_id["photo-1"], rows_by_id["similar-1"]
    assert list(search.query_response_hit_ids) == [result["id"] for result in photo.json()["results"]]
    assert (search.client_id, similar.client_id) == ("v-1", None)
    assert (search.query_attributes.kind, search.query_attributes.category) == ("photo", "Topwear")
    assert search.query_attributes.outcome == photo.json()["outcome"]
    assert search.query_attributes.filter == '{"gender":"Men"}'
    assert search.query_attributes.vector is None
    assert (similar.query_attributes.kind, similar.query_attributes.product) == ("product", "t1")


def test_the_vector_of_a_search_is_kept_only_if_a_setting_says_so() -> None:
    with running_gateway(events_enabled=True, events_vectors=True) as gateway:
        gateway.client.post("/v1/search", content=b"\x00 a photo", headers={"Content-Type": "image/jpeg"})
    (query,) = gateway.catalogue.events.searches
    vector = query.query_attributes.vector
    assert vector is not None
    assert np.linalg.norm(vector) == pytest.approx(1, abs=1e-5)


def test_a_search_is_answered_although_its_row_cannot_be_kept() -> None:
    with running_gateway(events_enabled=True) as gateway:
        gateway.catalogue.events.trouble = CatalogueUnavailable("no")
        assert gateway.client.get("/v1/products/t1/similar").status_code == 200
    metrics = gateway.client.app.state.metrics.registry  # type: ignore[attr-defined]
    assert metrics.get_sample_value("lookalike_logged_searches_total", {"result": "dropped"}) == 1


def test_a_visitor_is_deleted_with_its_searches_and_without_its_id_in_the_log(gateway: Gateway) -> None:
    send(gateway, [CLICK, {**CLICK, "visitor": "v-2"}])
    gateway.client.get("/v1/products/t1/similar", params={"visitor": "v-1"})
    with capture_logs() as logs:
        response = gateway.client.delete("/v1/visitors/v-1")
    assert (response.status_code, response.json()) == (200, {"events": 1, "searches": 1})
    (audit,) = (entry for entry in logs if entry["event"] == "audit")
    assert (audit["what"], audit["outcome"]) == ("delete_visitor", "done")
    assert "v-1" not in repr(logs)
    assert [event.client_id for event in gateway.catalogue.events.kept] == ["v-2"]
    assert gateway.catalogue.events.searches == []
    assert gateway.client.delete("/v1/visitors/v-1").json() == {"events": 0, "searches": 0}


def test_what_is_learned_of_a_visitor_is_forgotten_with_it(gateway: Gateway) -> None:
    forgotten: list[str] = []

    async def forget(visitor: str) -> None:
        forgotten.append(visitor)

    (log,) = gateway.client.app_state["gateway"]["default"].logs
    log.forgetters.append(forget)
    gateway.client.delete("/v1/visitors/v-1")
    assert forgotten == ["v-1"]


def test_events_that_the_database_does_not_take_are_counted_as_failed(gateway: Gateway) -> None:
    gateway.catalogue.events.trouble = CatalogueUnavailable("no")
    assert gateway.client.post("/v1/events", json=[CLICK, CLICK, BAD]).status_code == 503
    sample = gateway.client.app.state.metrics.registry.get_sample_value  # type: ignore[attr-defined]
    assert sample("lookalike_events_total", {"action": "", "result": "failed"}) == 2


def test_a_visitor_can_be_deleted_while_events_are_off_and_from_every_catalogue() -> None:
    with running_gateway() as gateway:
        assert gateway.client.delete("/v1/visitors/v-1").status_code == 200
        assert gateway.client.delete("/catalogues/all/v1/visitors/v-1").status_code == 200
        status, slug, _ = gateway.problem("DELETE", "/v1/visitors/anna@example.com")
        assert (status, slug) == (422, "invalid-request")


def test_a_beacon_names_its_key_in_the_address() -> None:
    search, both = make_key("search", origins=[SHOP]), make_key("search", "catalogue")
    with running_gateway(rows(search, both), events_enabled=True, access="keys", admin_key=KEY) as gateway:

        def status(key: str, origin: str = SHOP, path: str = "/v1/events") -> int:
            headers = {"Content-Type": "text/plain", "Origin": origin}
            response = gateway.client.post(path, params={"key": key}, content=orjson.dumps(CLICK), headers=headers)
            return int(response.status_code)

        assert status(search[1]) == 202
        assert status(search[1], origin="https://other.example") == 403
        assert status(both[1]) == 403  # a public key opens searches only
        assert status(KEY) == 403
        assert status("x") == 401
        assert status(search[1], path="/v1/search") == 401
        assert gateway.client.post("/v1/events", json=CLICK, headers=bearer(both[1])).status_code == 202


def test_a_page_of_another_origin_sends_a_beacon_without_a_preflight_request() -> None:
    with running_gateway(events_enabled=True, cors_origins=SHOP) as gateway:
        headers = {"Content-Type": "text/plain;charset=UTF-8", "Origin": SHOP}
        response = gateway.client.post("/v1/events", content=orjson.dumps(CLICK), headers=headers)
        assert response.status_code == 202
        assert response.headers["access-control-allow-origin"] == SHOP


def test_the_events_of_an_address_have_a_quota_and_those_of_a_server_have_none() -> None:
    server = make_key("search")
    with running_gateway(
        rows(server), events_enabled=True, access="open", admin_key=KEY, events_quota="3/minute"
    ) as gateway:
        send(gateway, [CLICK, CLICK])
        status, slug, _ = gateway.problem("POST", "/v1/events", json=[CLICK, CLICK])
        assert (status, slug) == (429, "too-many-requests")
        assert gateway.client.post("/v1/events", json=[CLICK] * 9, headers=bearer(server[1])).status_code == 202


def test_events_are_counted_by_action(gateway: Gateway) -> None:
    send(gateway, [CLICK, CLICK, {**CLICK, "action_name": "like"}, BAD])
    sample = gateway.client.app.state.metrics.registry.get_sample_value  # type: ignore[attr-defined]
    assert sample("lookalike_events_total", {"action": "click", "result": "kept"}) == 2
    assert sample("lookalike_events_total", {"action": "like", "result": "kept"}) == 1
    assert sample("lookalike_events_total", {"action": "", "result": "rejected"}) == 1
