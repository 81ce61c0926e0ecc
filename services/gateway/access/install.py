"""Puts the access rules in front of an app's routes and into its OpenAPI document."""

from typing import Any

from fastapi import Depends, FastAPI, Request
from fastapi.routing import APIRoute, iter_route_contexts
from starlette.routing import Mount, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from services.contracts.domain.errors import Forbidden, TooManyRequests, Unauthorised
from services.contracts.web.problems import responses
from services.gateway.access.guard import Guard
from services.gateway.access.rules import AccessRule, rule_of

SCHEME = "key"
SECURITY_SCHEME = {
    "type": "http",
    "scheme": "bearer",
    "description": "An API key, which `lookalike keys create` prints. Its scopes are `search`, `catalogue`, "
    "`metrics` and `admin`; each operation names those that open it, and `admin` opens all. A key may be bound to "
    "catalogues and to the origins of web pages. With `GATEWAY_ACCESS=local` or `open`, reading and searching need no "
    "key, and writing needs one if `GATEWAY_ADMIN_KEY` is set.",
}


def guarded(guard: Guard) -> Any:
    """Return the dependency that checks each request to an API route; for `FastAPI(dependencies=…)`."""

    async def check(request: Request) -> None:
        await guard.check(request, request.scope["route"].name)

    return Depends(check)


def install(app: FastAPI, guard: Guard) -> None:
    """Guard the routes that have no dependencies, and describe the access in the OpenAPI document.

    Raises:
        MissingRule: a route has no rule.
    """
    for context in iter_route_contexts(app.router.routes):
        rule_of(str(context.name))
    for route in app.router.routes:
        if isinstance(route, (Route, Mount)) and not isinstance(route, APIRoute):
            route.app = _guarded_app(route.app, guard, str(route.name))
    generate = app.openapi

    def openapi() -> dict[str, Any]:
        if app.openapi_schema:
            return app.openapi_schema
        document = generate()
        document["components"]["securitySchemes"] = {SCHEME: SECURITY_SCHEME}
        for context in iter_route_contexts(app.router.routes):
            for method in context.methods or ():
                operation = document["paths"].get(context.path_format, {}).get(method.lower())
                if operation is not None and context.include_in_schema:
                    _describe(operation, rule_of(str(context.name)))
        return document

    app.openapi = openapi  # type: ignore[method-assign]


def _guarded_app(app: ASGIApp, guard: Guard, name: str) -> ASGIApp:
    async def checked(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            await guard.check(Request(scope), name)
        await app(scope, receive, send)

    return checked


def _describe(operation: dict[str, Any], rule: AccessRule) -> None:
    if rule.is_public:
        operation["security"] = []
        return
    operation["security"] = [{SCHEME: sorted(scope.value for scope in rule.scopes)}]
    for status, response in responses(Unauthorised, Forbidden, TooManyRequests).items():
        operation["responses"].setdefault(str(status), response)
