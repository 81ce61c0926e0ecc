"""Bodies in JSON → values. Large ones are parsed in a thread."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, get_type_hints
from weakref import WeakKeyDictionary

import orjson
from fastapi import Request, Response
from fastapi.routing import APIRoute
from pydantic import BaseModel, ValidationError

from services.contracts.domain.errors import InvalidRequest
from services.contracts.web.bodies import json_images
from services.contracts.web.bodies.forms import read_body
from services.contracts.web.direct_routes import DirectRoute
from services.contracts.web.http_problem import HttpProblem

INLINE_BYTES = 64 * 1024
JSON = "application/json"
MAX_NAMES = 100  # of an object; no body has as many
_TURNS: WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Lock] = WeakKeyDictionary()


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
        value = orjson.loads(text) if len(text) <= INLINE_BYTES else await _parsed_in_turn(text)
    except orjson.JSONDecodeError as error:
        raise InvalidRequest(f"{what} is not valid JSON: {error}") from None
    if not isinstance(value, dict):
        raise InvalidRequest(f"{what} has to be a JSON object")
    if len(value) > MAX_NAMES:
        raise InvalidRequest(f"{what} has {len(value):,} names: at most {MAX_NAMES} are accepted")
    return value


async def _parsed_in_turn(text: bytes | str) -> Any:
    """Parse a large text in a thread, one text at a time.

    Parsing holds the interpreter's lock; of several threads, the next one often takes it before the event loop does.
    """
    async with _TURNS.setdefault(asyncio.get_running_loop(), asyncio.Lock()):
        return await asyncio.to_thread(json_images.loads, text.encode() if isinstance(text, str) else text)


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


class JsonBodyRoute(DirectRoute, JsonRoute):
    """A route of one state and one body, whose endpoint returns a response.

    A body that is valid goes to the endpoint at once, which takes a third of the time that FastAPI takes. Any other
    request goes through FastAPI, for the same errors as everywhere. Endpoints of another form do, too.
    """

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._form = _direct_form(self)

    @property
    def is_direct(self) -> bool:
        """Whether the endpoint has this form."""
        return self._form is not None

    async def respond(self, request: Request) -> Response | None:
        """Return the endpoint's response to a valid body; None for any other."""
        assert self._form is not None
        values = await _direct_values(request, *self._form)
        return None if values is None else await self.endpoint(**values)


def _direct_form(route: APIRoute) -> tuple[str, Callable[[Request], Any], str, type[BaseModel]] | None:
    """Return a route's parameters: name and dependency of the state, name and model of the body; None for others."""
    dependant = route.dependant
    others = (dependant.path_params, dependant.query_params, dependant.header_params, dependant.cookie_params)
    if any(others) or len(dependant.dependencies) != 1 or len(dependant.body_params) != 1:
        return None
    if get_type_hints(route.endpoint).get("return") is not Response:
        return None
    (state,), (body,) = dependant.dependencies, dependant.body_params
    model = body.field_info.annotation
    if state.name is None or state.call is None or not (isinstance(model, type) and issubclass(model, BaseModel)):
        return None
    return state.name, state.call, body.name, model


async def _direct_values(
    request: Request, state_name: str, state: Callable[[Request], Any], body_name: str, model: type[BaseModel]
) -> dict[str, Any] | None:
    """Return the values of the endpoint's parameters; None if the body is not valid JSON of its model, or large."""
    if request.headers.get("content-type") != JSON:
        return None
    body = await read_body(request)
    if len(body) > INLINE_BYTES:
        return None
    try:
        return {state_name: await state(request), body_name: model.model_validate_json(body)}
    except ValidationError:
        return None
