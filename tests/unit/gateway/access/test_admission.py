"""Searches without a place are refused at once: without their body, with an audit line, and to nobody else's cost."""

from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from structlog.testing import capture_logs

from services.gateway.access.admission import ROUTES
from services.gateway.access.rules import RULES
from services.gateway.settings import Work
from tests.support.fakes.gateway_fakes import KEY, Gateway, running_gateway
from tests.support.values.keys import bearer, make_key, rows

HOG, HONEST = make_key("search"), make_key("search")
REQUESTS = [
    ("POST", "/v1/search", "photo"),
    ("POST", "/v1/detect", "photo"),
    ("GET", "/v1/products/t1/similar", "similar"),
]


@pytest.fixture(scope="module")
def gateway() -> Iterator[Gateway]:
    with running_gateway(rows(HOG, HONEST), access="keys", admin_key=KEY) as gateway:
        yield gateway


def taken(gateway: Gateway, stack: ExitStack, work: Work, *clients: str) -> None:
    """Let clients have places until the end of the stack."""
    places = gateway.client.app_state["gateway"]["all"].places
    for client in clients:
        stack.enter_context(places.take(work, client))


@pytest.mark.parametrize(("method", "path", "work"), REQUESTS)
@pytest.mark.parametrize("prefix", ["", "/catalogues/default"])
def test_without_a_place_a_search_is_refused_before_its_body_is_read(
    gateway: Gateway, method: str, path: str, work: Work, prefix: str
) -> None:
    key, secret = HOG
    with ExitStack() as stack, capture_logs() as lines:
        taken(gateway, stack, work, *[key.id] * 48)
        response = gateway.client.request(method, prefix + path, content=b"no image", headers=bearer(secret))
    assert (response.status_code, response.json()["type"]) == (429, "/problems/too-many-requests")
    assert "this client" in response.json()["detail"]
    assert int(response.headers["retry-after"]) >= 1
    (audit,) = [line for line in lines if line["event"] == "audit"]
    assert (audit["status"], audit["outcome"], audit["problem"]) == (429, "refused", "too-many-requests")
    assert audit["what"] in RULES
    answer = gateway.client.request(method, prefix + path, content=b"no image", headers=bearer(secret))
    assert answer.status_code != 429


def test_another_client_has_its_place_next_to_a_hog(gateway: Gateway) -> None:
    with ExitStack() as stack:
        taken(gateway, stack, "similar", *[HOG[0].id] * 48)
        path = "/v1/products/t1/similar"
        assert gateway.client.get(path, headers=bearer(HOG[1])).status_code == 429
        for headers in (bearer(HONEST[1]), bearer(KEY)):
            assert gateway.client.get(path, headers=headers).status_code != 429


def test_a_request_without_a_key_is_none_of_a_client_with_one(gateway: Gateway) -> None:
    with ExitStack() as stack:
        taken(gateway, stack, "photo", *[HOG[0].id] * 48)
        assert gateway.client.post("/v1/search", content=b"x").status_code == 401
        assert gateway.client.post("/v1/search", content=b"x", headers=bearer(HOG[1] + "x")).status_code == 401


def test_the_routes_are_those_of_the_rules(gateway: Gateway) -> None:
    paths: dict[str, Any] = gateway.client.app.openapi()["paths"]  # type: ignore[attr-defined]
    for method, routes in ROUTES.items():
        for pattern, _, name in routes:
            assert name in RULES
            assert any(pattern.fullmatch(path) and method.lower() in operations for path, operations in paths.items())
