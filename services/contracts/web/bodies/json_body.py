"""Bodies in JSON → values. Large ones are parsed in a thread."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import orjson
from fastapi import Request, Response
from fastapi.routing import APIRoute

from services.contracts.domain.errors import InvalidRequest
from services.contracts.web.bodies.forms import read_body
from services.contracts.web.http_problem import HttpProblem

INLINE_BYTES = 64 * 1024
MAX_NAMES = 100  # of an object; no body has as many


async def read_json_object(request: Request) -> dict[str, Any]:
    """Return the body as a JSON object. `BodyLimitMiddleware` bounds its size.

    Raises:
        InvalidRequest: it is not a JSON object, or has more than MAX_NAMES names.
    """
    return await json_object(await read_body(request), "the body")


async def json_object(text: bytes | str, what: str) -> dict[str, Any]:
    """Return the JSON object in a text.

    Args:
        text: the JSON.
        what: what it is, for errors.

    Raises:
        InvalidRequest: it is not a JSON object, or has more than MAX_NAMES names.
    """
    try:
        value = orjson.loads(text) if len(text) <= INLINE_BYTES else await asyncio.to_thread(orjson.loads, text)
    except orjson.JSONDecodeError as error:
        raise InvalidRequest(f"{what} is not valid JSON: {error}") from None
    if not isinstance(value, dict):
        raise InvalidRequest(f"{what} has to be a JSON object")
    if len(value) > MAX_NAMES:
        raise InvalidRequest(f"{what} has {len(value):,} names: at most {MAX_NAMES} are accepted")
    return value


class _JsonRequest(Request):
    async def json(self) -> Any:
        try:
            return await read_json_object(self)
        except InvalidRequest as error:  # FastAPI turns any other exception here into status 400
            raise HttpProblem(error) from None


class JsonRoute(APIRoute):
    """A route whose body is validated by FastAPI, and parsed as `read_json_object` does."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return the handler of requests."""
        handler = super().get_route_handler()

        async def bounded(request: Request) -> Response:
            return await handler(_JsonRequest(request.scope, request.receive))

        return bounded
