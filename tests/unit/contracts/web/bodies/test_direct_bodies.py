"""Which routes and bodies take the short way to an endpoint of one state and one body, and which go through FastAPI."""

from collections.abc import Callable
from typing import Annotated, Any

import pytest
from fastapi import APIRouter, Body, Cookie, Depends, Header, Query, Request
from pydantic import BaseModel
from starlette.responses import JSONResponse, Response

from services.contracts.domain.errors import InvalidRequest
from services.contracts.web.bodies.json_body import JsonBodyRoute


class Message(BaseModel):
    text: str = ""


async def state_of(_: Request) -> str:
    return "state"


State = Annotated[str, Depends(state_of)]


async def answering(state: State, message: Message) -> Response:
    return Response(f"{state}: {message.text}")


async def in_another_order(message: Message, state: State) -> Response:
    return await answering(state, message)


async def with_path(state: State, message: Message, name: str) -> Response:
    return await answering(state, message)


async def with_query(state: State, message: Message, k: Annotated[int, Query()] = 1) -> Response:
    return await answering(state, message)


async def with_header(state: State, message: Message, agent: Annotated[str, Header()] = "") -> Response:
    return await answering(state, message)


async def with_cookie(state: State, message: Message, session: Annotated[str, Cookie()] = "") -> Response:
    return await answering(state, message)


async def without_state(message: Message) -> Response:
    return await answering("none", message)


async def with_two_states(state: State, other: State, message: Message) -> Response:
    return await answering(state + other, message)


async def without_body(state: State) -> Response:
    return await answering(state, Message())


async def with_two_bodies(state: State, message: Message, other: Message) -> Response:
    return await answering(state, other)


async def with_a_list(state: State, message: Annotated[list[str], Body()]) -> Response:
    return await answering(state, Message())


async def with_a_text(state: State, message: Annotated[str, Body()]) -> Response:
    return await answering(state, Message())


async def with_a_document(state: State, message: Message) -> JSONResponse:
    return JSONResponse({})


async def with_a_value(state: State, message: Message) -> str:
    return ""


async def without_a_type(state: State, message: Message):  # type: ignore[no-untyped-def]
    return await answering(state, message)


def route_of(endpoint: Callable[..., Any], path: str = "/", **options: Any) -> JsonBodyRoute:
    router = APIRouter(route_class=JsonBodyRoute)
    router.add_api_route(path, endpoint, methods=["POST"], **options)
    (route,) = router.routes
    assert isinstance(route, JsonBodyRoute)
    return route


@pytest.mark.parametrize("endpoint", [answering, in_another_order])
def test_a_route_of_one_state_and_one_body_is_direct(endpoint: Callable[..., Any]) -> None:
    assert route_of(endpoint).is_direct is True


@pytest.mark.parametrize(
    "endpoint",
    [
        *(with_query, with_header, with_cookie, without_state, with_two_states, without_body, with_two_bodies),
        *(with_a_list, with_a_text, with_a_document, with_a_value, without_a_type),
    ],
)
def test_a_route_of_another_form_is_not(endpoint: Callable[..., Any]) -> None:
    options: dict[str, Any] = {"response_model": None} if endpoint is without_a_type else {}
    assert route_of(endpoint, **options).is_direct is False


def test_a_route_with_a_name_in_its_path_is_not_direct() -> None:
    assert route_of(with_path, "/{name}").is_direct is False


def request(body: bytes, kind: str | None = "application/json", *, disconnects: bool = False) -> Request:
    async def receive() -> dict[str, Any]:
        if disconnects:
            return {"type": "http.disconnect"}
        return {"type": "http.request", "body": body, "more_body": False}

    headers = [] if kind is None else [(b"content-type", kind.encode())]
    return Request({"type": "http", "method": "POST", "path": "/", "query_string": b"", "headers": headers}, receive)


@pytest.mark.parametrize("endpoint", [answering, in_another_order])
async def test_a_valid_body_goes_to_the_endpoint_at_once(endpoint: Callable[..., Any]) -> None:
    response = await route_of(endpoint).respond(request(b'{"text": "hello"}'))
    assert response is not None
    assert response.body == b"state: hello"


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b'{"text": 7}', "application/json"),
        (b"{", "application/json"),
        (b"", "application/json"),
        (b'{"text": ""}', "application/json; charset=utf-8"),
        (b'{"text": ""}', "text/plain"),
        (b'{"text": ""}', None),
    ],
)
async def test_fastapi_answers_any_other_body(body: bytes, kind: str | None) -> None:
    assert await route_of(answering).respond(request(body, kind)) is None


@pytest.mark.parametrize(("size", "is_direct"), [(65_536, True), (65_537, False)])
async def test_a_body_of_more_than_64_kb_is_not_parsed_at_once(size: int, is_direct: bool) -> None:
    body = b'{"text": "hello"}'.ljust(size)
    assert (await route_of(answering).respond(request(body)) is not None) is is_direct


async def test_a_client_that_disconnects_is_an_error() -> None:
    with pytest.raises(InvalidRequest, match="disconnected"):
        await route_of(answering).respond(request(b"", disconnects=True))
