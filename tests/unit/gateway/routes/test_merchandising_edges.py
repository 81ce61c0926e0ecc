"""Rules that are replaced at the same time, ETags that are none, and what a preview asks."""

from collections.abc import Iterator
from typing import Any

import pytest

from services.contracts.domain.errors import PreconditionFailed
from services.contracts.wire.index import IndexSearch
from services.gateway.routes.merchandising import _revision
from tests.support.fakes.gateway_fakes import Gateway, running_gateway

RULES, PREVIEW = "/v1/merchandising/rules", "/v1/merchandising/preview"
HIDE: dict[str, Any] = {"id": "recall", "action": "hide", "filter": {"recalled": True}}


@pytest.fixture
def gateway() -> Iterator[Gateway]:
    with running_gateway() as gateway:
        yield gateway


@pytest.mark.parametrize(
    ("if_match", "revision"),
    [(None, None), ("*", None), (" * ", None), ('"0"', 0), (' "12" ', 12), ('"' + "9" * 18 + '"', int("9" * 18))],
)
def test_an_etag_of_rules_is_their_revision(if_match: str | None, revision: int | None) -> None:
    assert _revision(if_match) == revision


@pytest.mark.parametrize(
    "if_match", ["", "1", '""', 'W/"1"', '"1", "2"', '"x"', '"-1"', '"' + "9" * 19 + '"', "x" * 200]
)
def test_another_text_is_no_etag_of_rules(if_match: str) -> None:
    with pytest.raises(PreconditionFailed) as caught:
        _revision(if_match)
    assert caught.value.detail == f"If-Match: {if_match[:100]!r} is no ETag of rules"


@pytest.mark.parametrize(("others", "status"), [(0, 200), (4, 200), (5, 412)])
def test_rules_that_others_replace_all_the_time_are_given_up_after_five_attempts(
    gateway: Gateway, others: int, status: int
) -> None:
    gateway.catalogue.rules.others = [{"rules": []}] * others
    response = gateway.client.put(RULES, json={"rules": [HIDE]})
    assert response.status_code == status
    stored = gateway.catalogue.rules.stored
    assert stored is not None
    assert stored.revision == (others + 1 if status == 200 else 5)
    assert bool(stored.document["rules"]) is (status == 200)


def test_rules_that_were_not_stored_are_not_followed(gateway: Gateway) -> None:
    gateway.client.put(RULES, json={"rules": []}, headers={"If-Match": '"7"'})
    gateway.client.get("/v1/products/t1/similar")
    assert gateway.index.queries[-1].hide is None


def test_the_plain_order_of_a_preview_has_no_rules_no_stock_and_no_diversity(gateway: Gateway) -> None:
    options = {"product": "t1", "out_of_stock": "hide", "diversity": 0.5, "k": 3, "rules": {"rules": [HIDE]}}
    document = gateway.client.post(PREVIEW, json=options).json()
    plain, ruled = sorted(gateway.index.queries, key=lambda query: query.hide is not None)
    assert (plain.hide, plain.vectors, plain.k) == (None, False, 3)
    assert (ruled.hide is not None, ruled.vectors) == (True, True)
    assert (document["outcome"], document["category"]["name"], document["model"]) == ("ok", "Topwear", "fashion/1")
    assert document["request_id"]


def test_a_preview_by_photo_may_choose_the_category(gateway: Gateway) -> None:
    document = gateway.client.post(PREVIEW, json={"image_base64": "AA==", "category": "bags"}).json()
    assert document["category"]["name"] == "Bags"
    assert [result["id"] for result in document["ruled"]] == ["b1"]
    assert {query.category for query in gateway.index.queries if isinstance(query, IndexSearch)} == {2}


def test_a_preview_names_what_has_no_effect(gateway: Gateway) -> None:
    gateway.index.unknown_attributes = ["colr"]
    document = gateway.client.post(PREVIEW, json={"product": "t1", "filter": {"colr": 1}}).json()
    assert document["warnings"] == ["no product of Topwear has the attribute 'colr'"]


def test_rules_without_an_attribute_and_with_known_pins_have_no_warning(gateway: Gateway) -> None:
    gateway.client.put("/v1/products/p", json={"image_base64": "AA==", "attributes": {"recalled": True}})
    pin = {"id": "pin", "action": "pin", "pins": [{"id": "p", "position": 1}, {"id": "q", "position": 2}]}
    again = {**pin, "id": "again"}
    response = gateway.client.put(RULES, json={"rules": [HIDE, pin, again], "out_of_stock": "show"})
    assert response.json()["warnings"] == ["there is no product 'q'"]
