"""Host names, header fields of every response, the listener for administration, and audit lines."""

from collections.abc import Iterator
from typing import Any

import pytest
from structlog.testing import capture_logs

from services.gateway.access.middleware import AccessMiddleware
from services.gateway.access.record import AccessRecord
from services.gateway.access.rules import RULES
from tests.support.fakes.gateway_fakes import KEY, Gateway, running_gateway
from tests.support.values.keys import bearer, make_key

HOSTS = ("api.example", "*.shop.example", "[::1]")


@pytest.fixture(scope="module")
def gateway() -> Iterator[Gateway]:
    with running_gateway(allowed_hosts=HOSTS) as gateway:
        yield gateway


@pytest.mark.parametrize("host", ["api.example", "API.example:8000", "api.example.", "a.b.shop.example", "[::1]:8000"])
def test_a_listed_host_name_is_served(gateway: Gateway, host: str) -> None:
    assert gateway.client.get("/v1/stats", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize(
    "host", ["evil.example", "shop.example", "xshop.example", "api.example.evil.example", "", "127.0.0.1", "[::2]"]
)
@pytest.mark.parametrize("path", ["/v1/stats", "/", "/nothing", "/docs", "/metrics"])
def test_another_host_name_is_a_problem(gateway: Gateway, host: str, path: str) -> None:
    status, slug, _ = gateway.problem("GET", path, headers={"Host": host})
    assert (status, slug) == (400, "unknown-host")
    assert gateway.client.get("/livez", headers={"Host": host}).status_code == 200


def test_without_a_list_every_host_name_is_served() -> None:
    with running_gateway() as gateway:
        assert gateway.client.get("/v1/stats", headers={"Host": "evil.example"}).status_code == 200


PATHS = [
    "/", "/catalogue", "/docs", "/openapi.json", "/metrics", "/livez", "/readyz", "/widget.js", "/nothing", "/v1/stats",
    "/v1/products/unknown", "/problems/internal", "/static/swagger/swagger-ui.css", "/static/swagger/nothing",
]  # fmt: skip


@pytest.mark.parametrize("path", PATHS)
def test_every_response_says_what_may_be_guessed_and_kept(path: str) -> None:
    with running_gateway() as gateway:
        response = gateway.client.get(path)
        assert response.headers["x-content-type-options"] == "nosniff"
        assert response.headers["cache-control"]


def test_a_response_of_the_api_is_not_kept() -> None:
    with running_gateway() as gateway:
        assert gateway.client.get("/v1/stats").headers["cache-control"] == "no-store"


def test_with_a_listener_for_administration_the_public_one_only_searches_and_reads() -> None:
    internal = {"/docs", "/openapi.json", "/metrics", "/catalogue", "/v1/catalogue", "/v1/imports"}
    public = {"/", "/v1/stats", "/v1/products:sample", "/livez", "/widget.js"}
    with running_gateway(admin_port=9000) as gateway:
        for path in internal:
            assert gateway.problem("GET", path)[:2] == (404, "not-found"), path
        for path in public:
            assert gateway.client.get(path).status_code == 200, path
        gateway.client.base_url = gateway.client.base_url.copy_with(port=9000)
        for path in internal | public:
            assert gateway.client.get(path).status_code == 200, path
    assert all(rule.is_internal for rule in RULES.values() if rule.is_write)


def audits(logs: list[Any]) -> list[dict[str, Any]]:
    shown = ("who", "what", "id", "outcome", "status", "problem", "name", "catalogue")
    return [{n: line[n] for n in shown if n in line} for line in logs if line["event"] == "audit"]


def test_writes_uses_of_keys_and_refusals_have_an_audit_line() -> None:
    key, secret = make_key("search", name="shop front")
    with running_gateway([key], access="keys", admin_key=KEY) as gateway, capture_logs() as logs:
        gateway.client.get("/v1/stats", headers=bearer(secret))
        gateway.client.delete("/v1/products/p1", headers=bearer(KEY))
        gateway.client.delete("/v1/products/p1", headers=bearer(secret))
        gateway.client.get("/v1/stats")
    common = {"catalogue": "default"}
    of_key = {**common, "who": key.id, "name": "shop front"}
    assert audits(logs) == [
        {**of_key, "what": "get_stats", "outcome": "done", "status": 200},
        {**common, "who": "admin key", "what": "delete_product", "id": "p1", "outcome": "failed", "status": 404,
         "problem": "unknown-product"},
        {**of_key, "what": "delete_product", "id": "p1", "outcome": "refused", "status": 403, "problem": "forbidden"},
        {**common, "who": "anonymous", "what": "get_stats", "outcome": "refused", "status": 401,
         "problem": "unauthorised"},
    ]  # fmt: skip
    lines = [line for line in logs if line["event"] == "audit"]
    assert {line["address"] for line in lines} == {"testclient"}
    assert all(line["request_id"] for line in lines)
    assert secret not in str(logs)
    assert KEY not in str(logs)


def test_an_anonymous_search_has_no_audit_line() -> None:
    with running_gateway() as gateway, capture_logs() as logs:
        gateway.client.get("/v1/stats")
        gateway.client.get("/v1/products/unknown")
    assert audits(logs) == []


async def test_a_client_without_an_address_is_named_unknown() -> None:
    collected: list[Any] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        collected.append(scope)

    scope: dict[str, Any] = {"type": "http", "path": "/", "method": "GET", "headers": []}
    await AccessMiddleware(app, ())(scope, None, None)  # type: ignore[arg-type]
    assert isinstance(collected[0]["lookalike.access"], AccessRecord)
    assert collected[0]["lookalike.access"].address == "unknown"
