"""Errors over HTTP: the domain's exceptions → problem documents (RFC 9457), and back."""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from http import HTTPStatus
from typing import Any

import orjson
import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.routing import BaseRoute, Match

from services.contracts.domain import errors
from services.contracts.domain.choices import MAX_NAME, shortened
from services.contracts.web.http_problem import HttpProblem
from services.contracts.web.observability import telemetry
from services.contracts.web.public_address import current_prefix
from services.contracts.wire.problem import Problem, pointer

MEDIA_TYPE = "application/problem+json"
PREFIX = "/problems/"
SCHEMAS = "#/components/schemas/"
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
DETAILED = 5  # places that the detail of an invalid request names
MAX_ERRORS = 20  # places in `errors`
MAX_PLACES_BYTES = 8000  # of their pointers and details
MAX_DETAIL = 2000  # characters of a problem's detail
MAX_PLACE_DETAIL = 200  # characters of the detail of one place
log = structlog.get_logger()


def problem_response(error: errors.LookalikeError) -> Response:
    """Return the problem document of an error, with the request's id and, for a 503 or 429, Retry-After."""
    telemetry.note(problem=error.slug, **error.inside)
    body = {
        "type": current_prefix() + PREFIX + error.slug,
        "title": error.title,
        "status": error.status,
        "detail": shortened(error.detail, MAX_DETAIL),
        "request_id": telemetry.request_id(),
        **error.extra,
    }
    headers = telemetry.response_headers()
    if error.retry_after_s is not None:
        headers["Retry-After"] = str(error.retry_after_s)
    if error.closes:
        headers["Connection"] = "close"
    if error.status == HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = "Bearer"
    return Response(orjson.dumps(body), error.status, headers, MEDIA_TYPE)


def error_from_problem(status: int, body: bytes) -> errors.LookalikeError:
    """Return the exception for another service's problem document; `internal` if the body is not one."""
    try:
        document = orjson.loads(body)
        slug = str(document["type"]).removeprefix(PREFIX)
        detail = str(document["detail"])
    except (orjson.JSONDecodeError, KeyError, TypeError):
        return errors.LookalikeError(f"a service answered {status} without a problem document")
    return errors.error_types().get(slug, errors.LookalikeError)(detail)


def invalid_request(
    items: Iterable[tuple[tuple[str, ...], Mapping[str, Any]]], model: object = None
) -> errors.InvalidRequest:
    """Return the error for values that are not valid.

    Args:
        items: Pydantic's errors, each with the path to the values that were validated: empty for the body.
        model: the type that they were validated against; it says which values a missing field may have.

    Returns:
        The error. It has the first places, and the number of the others as `errors_left_out`.
    """
    every = list(items)
    places = _places(every[:MAX_ERRORS], model)
    texts = [
        f"{'.'.join(map(_short, item['loc'])) or 'body'}: {place['detail']}"
        for (_, item), place in zip(every[:DETAILED], places, strict=False)
    ]
    left_out = len(every) - len(places)
    more = {"errors_left_out": left_out} if left_out else {}
    return errors.InvalidRequest("; ".join(texts), errors=places, **more)


def _places(items: Iterable[tuple[tuple[str, ...], Mapping[str, Any]]], model: object) -> list[dict[str, str]]:
    """Return the places as the response has them, at least one, and together at most MAX_PLACES_BYTES."""
    places: list[dict[str, str]] = []
    size = 0
    for start, item in items:
        place = _place((*start, *item["loc"]), item, model)
        size += sum(len(text.encode()) for text in place.values())
        if places and size > MAX_PLACES_BYTES:
            break
        places.append(place)
    return places


def _place(path: tuple[str | int, ...], item: Mapping[str, Any], model: object) -> dict[str, str]:
    text = shortened(errors.validation_message(item, model), MAX_PLACE_DETAIL)
    return {"pointer": pointer(map(_short, path)), "detail": text}


def _short(part: str | int) -> str:
    return shortened(str(part), MAX_NAME)


async def _on_validation(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    body = getattr(request.scope.get("route"), "body_field", None)
    model = None if body is None else body.field_info.annotation
    return problem_response(invalid_request((_by_source(item) for item in error.errors()), model))


def _by_source(item: Mapping[str, Any]) -> tuple[tuple[str, ...], Mapping[str, Any]]:
    """Return an error of FastAPI's with the part of the request that its location begins with."""
    source, *place = item["loc"]
    return () if source == "body" else (str(source),), {**item, "loc": tuple(place)}


async def _on_domain_error(_: Request, error: Exception) -> Response:
    assert isinstance(error, errors.LookalikeError)
    return problem_response(error)


async def _on_http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    if isinstance(error, HttpProblem):
        return await _on_domain_error(request, error.problem)
    if error.status_code == HTTPStatus.NOT_FOUND:
        return problem_response(errors.NotFound("there is nothing at this address: see /docs"))
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        text = _text(error)
        response = problem_response(
            errors.MethodNotAllowed(text or "this address does not accept this method: see /docs")
        )
        response.headers["Allow"] = (error.headers or {})["Allow"] if text else ", ".join(_allowed(request))
        return response
    if error.status_code == HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
        return problem_response(errors.ImageTooLarge(str(error.detail)))
    return problem_response(errors.InvalidRequest(str(error.detail)))


def _text(error: HTTPException) -> str | None:
    """Return an error's own text; None if it only names its status."""
    return None if error.detail == HTTPStatus(error.status_code).phrase else str(error.detail)


def _allowed(request: Request) -> list[str]:
    """Return the methods that the request's address accepts, of all routes: a router names only those of the first."""
    routes: Sequence[BaseRoute] = request.app.routes
    scopes = {method: {**request.scope, "method": method} for method in METHODS}
    allowed = [
        method for method, scope in scopes.items() if any(route.matches(scope)[0] is Match.FULL for route in routes)
    ]
    return ["GET", "HEAD", *allowed[1:]] if "GET" in allowed else allowed


async def _on_anything(_: Request, error: Exception) -> Response:
    log.error("unhandled", exc_info=error)
    return problem_response(errors.LookalikeError("an unexpected error: see the log under this request id"))


_HANDLERS: dict[type[Exception], Callable[[Request, Exception], Awaitable[Response]]] = {
    errors.LookalikeError: _on_domain_error,
    RequestValidationError: _on_validation,
    HTTPException: _on_http_error,
}
EXPECTED = tuple(_HANDLERS)  # the errors that an endpoint may raise; any other is a fault of the service


async def response_to(request: Request, error: Exception) -> Response:
    """Return the problem document of one of the EXPECTED errors."""
    handler = next(handler for kind, handler in _HANDLERS.items() if isinstance(error, kind))
    return await handler(request, error)


def install(app: FastAPI) -> None:
    """Make every error of the app a problem document, and describe it once in the OpenAPI document."""
    for kind in EXPECTED:
        app.add_exception_handler(kind, response_to)
    app.add_exception_handler(Exception, _on_anything)
    generate = app.openapi

    def openapi() -> dict[str, Any]:
        document = generate()
        schemas = document.setdefault("components", {}).setdefault("schemas", {})
        if Problem.__name__ not in schemas:
            problem = Problem.model_json_schema(ref_template=SCHEMAS + "{model}")
            schemas |= {**problem.pop("$defs"), Problem.__name__: problem}
        return document

    app.openapi = openapi  # type: ignore[method-assign]


def responses(*kinds: type[errors.LookalikeError]) -> dict[int | str, dict[str, Any]]:
    """Return the OpenAPI `responses` of a route that may answer with these problems."""
    by_status: dict[int, list[type[errors.LookalikeError]]] = {}
    for kind in kinds:
        by_status.setdefault(kind.status, []).append(kind)
    return {status: _documented(status, group) for status, group in by_status.items()}


def _documented(status: int, group: list[type[errors.LookalikeError]]) -> dict[str, Any]:
    examples = {
        kind.slug: {
            "summary": kind.title,
            "value": {
                "type": PREFIX + kind.slug,
                "title": kind.title,
                "status": status,
                "detail": "…",
                "request_id": "…",
            },
        }
        for kind in group
    }
    text = "; ".join(f"`{kind.slug}`: {kind.title}" for kind in group)
    schema = {"$ref": SCHEMAS + Problem.__name__}
    return {"description": text, "content": {MEDIA_TYPE: {"schema": schema, "examples": examples}}}
