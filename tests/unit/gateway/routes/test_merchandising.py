"""The routes of merchandising rules, and what stored rules do to searches."""

import base64
from collections.abc import Iterator
from typing import Any

import orjson
import pytest
from structlog.testing import capture_logs

from services.contracts.domain.errors import CatalogueUnavailable
from services.contracts.wire.index import IndexSearch
from tests.support.fakes.gateway_fakes import Gateway, running_gateway
from tests.support.values.keys import bearer, make_key

RULES, PREVIEW = "/v1/merchandising/rules", "/v1/merchandising/preview"
TOP = b"\x00 a photo"
HIDE = {"id": "recall", "action": "hide", "filter": {"recalled": True}}
PIN = {"id": "first", "action": "pin", "pins": [{"id": "t2", "position": 1}], "categories": ["topwear"]}


@pytest.fixture
def gateway() -> Iterator[Gateway]:
    with running_gateway() as gateway:
        yield gateway


def put(gateway: Gateway, *rules: dict[str, Any], **headers: str) -> dict[str, Any]:
    response = gateway.client.put(RULES, json={"rules": rules}, headers=headers)
    assert response.status_code == 200, response.text
    document: dict[str, Any] = response.json()
    return document


def hidden(gateway: Gateway) -> Any:
    query = gateway.index.queries[-1]
    return None if query.hide is None else query.hide.source


def test_before_any_rules_are_stored_there_are_none(gateway: Gateway) -> None:
    response = gateway.client.get(RULES)
    assert response.json() == {"rules": [], "out_of_stock": "show", "apart": []}
    assert response.headers["etag"] == '"0"'


def test_rules_are_returned_as_they_were_put(gateway: Gateway) -> None:
    document = put(gateway, HIDE, PIN)
    read = gateway.client.get(RULES)
    assert read.json() == document["rules"]
    assert [rule["id"] for rule in read.json()["rules"]] == ["recall", "first"]
    assert read.json()["out_of_stock"] == "hide"
    assert read.headers["etag"] == '"1"'
    assert gateway.client.get(RULES, headers={"If-None-Match": '"1"'}).status_code == 304
    assert gateway.client.put(RULES, json=read.json()).status_code == 200


def test_searches_follow_new_rules_at_once(gateway: Gateway) -> None:
    gateway.client.post("/v1/search", content=TOP)
    assert hidden(gateway) is None
    put(gateway, HIDE)
    gateway.client.post("/v1/search", content=TOP)
    assert hidden(gateway) == {"$or": [{"recalled": True}, {"availability": "out_of_stock"}]}
    gateway.client.get("/v1/products/t1/similar")
    assert hidden(gateway) == {"$or": [{"recalled": True}, {"availability": "out_of_stock"}]}


def test_what_has_no_effect_is_named(gateway: Gateway) -> None:
    assert put(gateway, HIDE, PIN)["warnings"] == [
        "no product has the attribute 'recalled'",
        "there is no product 't2'",
    ]


def test_rules_that_someone_else_changed_are_not_replaced(gateway: Gateway) -> None:
    put(gateway, HIDE)
    put(gateway, PIN, **{"If-Match": '"1"'})
    stale = gateway.problem("PUT", RULES, json={"rules": []}, headers={"If-Match": '"1"'})
    assert stale == (412, "precondition-failed", "the rules have been changed in the meantime: read them again")
    assert gateway.problem("PUT", RULES, json={"rules": []}, headers={"If-Match": "1"})[0] == 412
    assert [rule["id"] for rule in gateway.client.get(RULES).json()["rules"]] == ["first"]
    assert gateway.client.put(RULES, json={"rules": []}, headers={"If-Match": "*"}).headers["etag"] == '"3"'


def test_of_two_changes_at_the_same_time_none_is_lost(gateway: Gateway) -> None:
    gateway.catalogue.rules.others = [{"rules": []}]
    assert gateway.client.put(RULES, json={"rules": [HIDE]}).headers["etag"] == '"2"'
    gateway.catalogue.rules.others = [{"rules": []}]
    lost = gateway.problem("PUT", RULES, json={"rules": []}, headers={"If-Match": '"2"'})
    assert lost[:2] == (412, "precondition-failed")


def test_bad_rules_are_refused_by_their_places_and_the_stored_ones_stay(gateway: Gateway) -> None:
    put(gateway, HIDE)
    bad = {"rules": [HIDE, {"id": "x", "action": "boost", "by": 9, "filter": {"a": {"gte": []}}}]}
    response = gateway.client.put(RULES, json=bad)
    assert response.status_code == 422
    assert {error["pointer"] for error in response.json()["errors"]} == {"#/rules/1/filter/a/gte", "#/rules/1/by"}
    unknown = gateway.problem("PUT", RULES, json={"rules": [{**PIN, "categories": ["Hats"]}]})
    assert unknown[:2] == (404, "unknown-category")
    assert [rule["id"] for rule in gateway.client.get(RULES).json()["rules"]] == ["recall"]


def test_while_the_database_is_unavailable_searches_go_on_by_the_last_rules(gateway: Gateway) -> None:
    put(gateway, HIDE)
    gateway.catalogue.rules.trouble = CatalogueUnavailable("the database does not answer")
    assert gateway.problem("PUT", RULES, json={"rules": []})[:2] == (503, "catalogue-unavailable")
    assert gateway.client.post("/v1/search", content=TOP).status_code == 200
    assert hidden(gateway) is not None


def test_a_change_of_rules_is_audited(gateway: Gateway) -> None:
    with capture_logs() as lines:
        put(gateway, HIDE)
        gateway.client.post(PREVIEW, json={"product": "t1"})
    audits = [(line["what"], line["outcome"]) for line in lines if line["event"] == "audit"]
    assert audits == [("put_merchandising_rules", "done"), ("preview_merchandising_rules", "done")]


@pytest.mark.parametrize(("method", "path"), [("POST", "/v1/search"), ("GET", "/v1/products/t1/similar")])
def test_a_shoppers_key_may_not_bring_rules(method: str, path: str) -> None:
    shopper, shop = make_key("search"), make_key("search", "catalogue")
    content = TOP if method == "POST" else None
    rules = {"rules": orjson.dumps({"rules": []}).decode()}
    with running_gateway([shopper[0], shop[0]], access="keys") as gateway:
        refused = gateway.problem(method, path, content=content, params=rules, headers=bearer(shopper[1]))
        assert refused == (403, "forbidden", "rules needs a key of the scope catalogue, or admin")
        for key, params in ((shop[1], rules), (shopper[1], {})):
            response = gateway.client.request(method, path, content=content, params=params, headers=bearer(key))
            assert response.status_code == 200, response.text


@pytest.mark.parametrize("form", ["query", "form", "json"])
def test_rules_of_a_request_come_in_each_form(gateway: Gateway, form: str) -> None:
    text = orjson.dumps({"rules": [HIDE], "out_of_stock": "show"}).decode()
    if form == "query":
        response = gateway.client.post("/v1/search", content=TOP, params={"rules": text})
    elif form == "form":
        response = gateway.client.post("/v1/search", files={"image": TOP}, data={"rules": text})
    else:
        body = {"image_base64": base64.b64encode(TOP).decode(), "rules": orjson.loads(text)}
        response = gateway.client.post("/v1/search", json=body)
    assert response.status_code == 200, response.text
    assert hidden(gateway) == {"recalled": True}


def test_a_mistake_in_the_rules_of_a_request_is_named_by_its_place(gateway: Gateway) -> None:
    response = gateway.client.get("/v1/products/t1/similar", params={"rules": '{"rules": [{"id": "x"}]}'})
    assert response.status_code == 422
    assert response.json()["errors"][0]["pointer"] == "#/query/rules/rules/0/action"
    assert gateway.problem("GET", "/v1/products/t1/similar", params={"rules": "{"})[0] == 422


def test_a_preview_shows_the_plain_order_next_to_the_ruled_one(gateway: Gateway) -> None:
    put(gateway, HIDE)
    for body in ({"product": "t1", "rules": {"rules": [PIN]}}, {"product": "t1"}):
        response = gateway.client.post(PREVIEW, json=body)
        assert response.status_code == 200, response.text
        assert [result["id"] for result in response.json()["plain"]] == ["t2"]
    queries = [query for query in gateway.index.queries if not isinstance(query, IndexSearch)]
    assert sorted(query.hide is None for query in queries[-2:]) == [False, True]
    assert [rule["id"] for rule in gateway.client.get(RULES).json()["rules"]] == ["recall"]


def test_a_preview_takes_a_photo_or_a_product(gateway: Gateway) -> None:
    photo = gateway.client.post(PREVIEW, content=TOP, headers={"Content-Type": "image/jpeg"})
    assert photo.status_code == 200
    assert photo.json()["category"]["name"] == "Topwear"
    both = gateway.problem("POST", PREVIEW, files={"image": TOP}, data={"product": "t1"})
    assert both == (422, "invalid-request", "give the query once: as a photo, or as product")
    assert gateway.problem("POST", PREVIEW, json={})[0] == 422
    assert gateway.problem("POST", PREVIEW, json={"product": "nothing"})[:2] == (404, "unknown-product")


def test_rules_are_those_of_one_catalogue(gateway: Gateway) -> None:
    assert gateway.problem("GET", f"/catalogues/all{RULES}")[:2] == (404, "unknown-catalogue")
