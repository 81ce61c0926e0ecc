"""Route × scope × catalogue × origin: each route of the OpenAPI document answers 401, 403 or as without keys."""

from collections.abc import Iterator
from typing import Any

import pytest
from fastapi import APIRouter
from fastapi.routing import iter_route_contexts

from services.catalogue.api_key import Scope
from services.gateway import app as gateway_app
from services.gateway.access.install import install
from services.gateway.access.rules import RULES, MissingRule
from services.gateway.app import create_app
from services.gateway.settings import GatewaySettings
from tests.support.fakes.gateway_fakes import KEY, Gateway, running_gateway
from tests.support.values.keys import bearer, make_key, rows

SHOP, OTHER = "https://shop.example", "https://other.example"
DOCUMENT = create_app(GatewaySettings()).openapi()
OPERATIONS = [
    (method.upper(), path.replace("{id}", "x"), operation)
    for path, operations in DOCUMENT["paths"].items()
    for method, operation in operations.items()
]
GUARDED = [
    (method, path, _scopes)
    for method, path, o in OPERATIONS
    if (_scopes := [s for e in o["security"] for s in e["key"]])
]
KEYS = {
    scope: {
        "any": make_key(scope),
        "shoes": make_key(scope, catalogues=["shoes"]),
        "origin": make_key(scope, origins=[SHOP]),
    }
    for scope in Scope
}
NAMES = [f"{method} {path}" for method, path, _ in GUARDED]


@pytest.fixture(scope="module")
def gateway() -> Iterator[Gateway]:
    every = [key for kinds in KEYS.values() for key in kinds.values()]
    with running_gateway(rows(*every), access="keys", admin_key=KEY, catalogues="shoes", client_quota="") as gateway:
        yield gateway


def status(gateway: Gateway, method: str, path: str, headers: dict[str, str]) -> int:
    return int(gateway.client.request(method, path, headers=headers).status_code)


def is_open(status: int) -> bool:
    return status not in (401, 403, 429)


def test_every_operation_says_which_scopes_open_it() -> None:
    assert len(GUARDED) > 10
    for method, path, operation in OPERATIONS:
        assert "security" in operation, f"{method} {path}"
    assert [path for _, path, operation in OPERATIONS if not operation["security"]] == ["/livez", "/readyz"]
    for method, path, _ in GUARDED:
        operation = next(o for m, p, o in OPERATIONS if (m, p) == (method, path))
        assert {"401", "403", "429"} <= operation["responses"].keys()


@pytest.mark.parametrize(("method", "path", "scopes"), GUARDED, ids=NAMES)
def test_without_a_valid_key_a_route_answers_401(gateway: Gateway, method: str, path: str, scopes: list[str]) -> None:
    _, foreign = make_key("admin")
    for headers in ({}, bearer(foreign), bearer("x"), {"Authorization": f"Basic {KEY}"}):
        response = gateway.client.request(method, path, headers=headers)
        assert (response.status_code, response.headers["www-authenticate"]) == (401, "Bearer")


@pytest.mark.parametrize("scope", Scope)
@pytest.mark.parametrize(("method", "path", "scopes"), GUARDED, ids=NAMES)
def test_a_route_opens_for_its_scopes_only(
    gateway: Gateway, method: str, path: str, scopes: list[str], scope: Scope
) -> None:
    expected = scope.value in scopes or scope is Scope.ADMIN
    _, secret = KEYS[scope]["any"]
    answer = status(gateway, method, path, bearer(secret))
    assert is_open(answer) if expected else answer == 403


@pytest.mark.parametrize("scope", Scope)
@pytest.mark.parametrize(("method", "path", "scopes"), GUARDED, ids=NAMES)
def test_a_key_opens_its_catalogues_only(
    gateway: Gateway, method: str, path: str, scopes: list[str], scope: Scope
) -> None:
    if scope.value not in scopes and scope is not Scope.ADMIN:
        return
    headers = bearer(KEYS[scope]["shoes"][1])
    assert is_open(status(gateway, method, "/catalogues/shoes" + path, headers))
    for prefix in ("", "/catalogues/default", "/catalogues/all", "/catalogues/unknown"):
        assert status(gateway, method, prefix + path, headers) == 403


@pytest.mark.parametrize("scope", Scope)
@pytest.mark.parametrize(("method", "path", "scopes"), GUARDED, ids=NAMES)
def test_a_key_opens_for_its_origins_only(
    gateway: Gateway, method: str, path: str, scopes: list[str], scope: Scope
) -> None:
    if scope.value not in scopes and scope is not Scope.ADMIN:
        return
    _, secret = KEYS[scope]["origin"]
    assert is_open(status(gateway, method, path, bearer(secret, SHOP)))
    assert is_open(status(gateway, method, path, {**bearer(secret), "Referer": SHOP + "/p/1"}))
    for origin in (None, OTHER, "null", SHOP + ".evil.example", SHOP + ":8443", "http://shop.example"):
        assert status(gateway, method, path, bearer(secret, origin)) == 403


@pytest.mark.parametrize(("method", "path", "scopes"), GUARDED, ids=NAMES)
def test_the_admin_key_of_the_settings_opens_every_route(
    gateway: Gateway, method: str, path: str, scopes: list[str]
) -> None:
    assert is_open(status(gateway, method, path, bearer(KEY)))


def test_a_route_without_a_rule_fails_when_the_app_is_created(monkeypatch: pytest.MonkeyPatch) -> None:
    router = APIRouter()

    @router.get("/v1/secrets")
    def list_secrets() -> None: ...

    def install_with_it(app: Any, guard: Any) -> None:
        app.include_router(router)
        install(app, guard)

    monkeypatch.setattr(gateway_app, "install", install_with_it)
    with pytest.raises(MissingRule, match="list_secrets"):
        create_app(GatewaySettings())


def test_no_rule_is_left_over() -> None:

    assert RULES.keys() == {
        context.name for context in iter_route_contexts(create_app(GatewaySettings()).router.routes)
    }
