"""Unknown query parameters: the error names the first, and looks for near names a bounded number of times."""

import difflib
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute, iter_route_contexts

from services.contracts.web.problems import MAX_ERRORS
from services.gateway.app import create_app
from services.gateway.routes.query_parameters import query_names
from services.gateway.settings import GatewaySettings
from tests.support.fakes.gateway_fakes import running_gateway


@pytest.mark.parametrize("path", ["/v1/products/s1/similar", "/v1/products/sample"])
def test_of_very_many_unknown_parameters_the_first_are_named(path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    looked_up: list[str] = []
    original = difflib.get_close_matches

    def counted(word: str, *arguments: Any, **options: Any) -> list[str]:
        looked_up.append(word)
        return original(word, *arguments, **options)

    monkeypatch.setattr(difflib, "get_close_matches", counted)
    query = "&".join(f"unknown{number}=1" for number in range(3000))
    with running_gateway() as gateway:
        response = gateway.client.get(f"{path}?{query}")
    document = response.json()
    assert (response.status_code, document["type"]) == (422, "/problems/invalid-request")
    assert len(document["errors"]) == MAX_ERRORS
    assert document["errors_left_out"] == 3000 - MAX_ERRORS
    assert len(response.content) < 16_000
    assert len(looked_up) <= MAX_ERRORS


def test_the_query_parameters_of_each_route_are_those_of_the_openapi_document() -> None:
    app, compared = create_app(GatewaySettings()), 0
    paths = app.openapi()["paths"]
    for context in iter_route_contexts(app.router.routes):
        for method in context.methods or () if getattr(context, "include_in_schema", False) else ():
            operation = paths[context.path_format][method.lower()]
            documented = {
                parameter["name"] for parameter in operation.get("parameters", ()) if parameter["in"] == "query"
            }
            route = context.original_route
            assert isinstance(route, APIRoute)
            assert query_names(route) == documented, context.path_format
            compared += len(documented)
    assert compared > 20


def test_the_first_request_of_a_gateway_makes_no_openapi_document(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(FastAPI, "openapi", lambda _: pytest.fail("it takes a third of a second"))
    with running_gateway() as gateway:
        assert gateway.client.get("/v1/products?limit=1").status_code == 200
        assert gateway.problem("GET", "/v1/products?limits=1")[0] == 422


def test_a_parameter_of_sixty_thousand_characters_makes_a_small_response() -> None:
    with running_gateway() as gateway:
        response = gateway.client.get(f"/v1/products/s1/similar?{'x' * 60_000}=1")
    assert response.status_code == 422
    assert len(response.content) < 16_000
