"""The messages between the transport of a process and an app in it: those of a server (ASGI)."""

import asyncio
from typing import Any

import httpx
import pytest

from services.contracts.clients.direct_transport import DirectTransport
from services.contracts.clients.service_transport import ServiceRequest, ServiceResponse
from services.contracts.web.local_app import LocalApp
from tests.support.waiting import WITHIN_S

START = {"type": "http.response.start", "status": 200, "headers": []}


class Scripted:
    """An app that sends messages, and then receives until its client has departed."""

    def __init__(self, *messages: dict[str, Any]) -> None:
        self.messages = messages
        self.scope: dict[str, Any] = {}
        self.received: list[dict[str, Any]] = []
        self.has_ended = asyncio.Event()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            scope["state"]["held"] = ["by the lifespan"]
            await send({"type": "lifespan.startup.complete"})
            return
        self.scope = scope
        self.received.append(await receive())
        for message in self.messages:
            await send(message)
        self.received.append(await receive())
        self.has_ended.set()


async def sent(app: Scripted, request: ServiceRequest) -> ServiceResponse:
    """Return an app's response; the app has ended."""
    local = LocalApp(app)
    await local({"type": "lifespan", "state": {}}, None, _nothing)  # type: ignore[arg-type]
    transport = DirectTransport(local, httpx.URL("http://127.0.0.1:8001"))
    response = await transport.send(request, WITHIN_S, None)
    await asyncio.wait_for(app.has_ended.wait(), WITHIN_S)
    await asyncio.sleep(0)
    assert transport._running == set()
    await transport.close()
    return response


async def _nothing(_: Any) -> None: ...


def body(content: bytes, **more: object) -> dict[str, Any]:
    return {"type": "http.response.body", "body": content, **more}


async def test_an_app_gets_the_scope_and_the_messages_that_a_server_sends() -> None:
    app = Scripted(START, body(b""))
    await sent(app, ServiceRequest("POST", "/a%20b?c=d%20e", {"X-Name": "\xfc"}, b"abc"))
    state = app.scope.pop("state")
    assert app.scope == {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "server": ("127.0.0.1", 8001),
        "client": ("127.0.0.1", 0),
        "scheme": "http",
        "root_path": "",
        "method": "POST",
        "path": "/a b",
        "raw_path": b"/a%20b",
        "query_string": b"c=d%20e",
        "headers": [(b"host", b"127.0.0.1:8001"), (b"x-name", b"\xfc"), (b"content-length", b"3")],
    }
    assert state == {"held": ["by the lifespan"]}
    assert app.received == [{"type": "http.request", "body": b"abc", "more_body": False}, {"type": "http.disconnect"}]


@pytest.mark.parametrize(("content", "fields"), [(None, []), (b"", [(b"content-length", b"0")])])
async def test_a_request_without_a_body_has_no_length(content: bytes | None, fields: list[Any]) -> None:
    app = Scripted(START, body(b""))
    await sent(app, ServiceRequest("GET", "/", {}, content))
    assert app.scope["headers"][1:] == fields
    assert app.received[0]["body"] == b""


@pytest.mark.parametrize(
    ("messages", "response"),
    [
        ((START, body(b"a")), (200, "", b"a")),
        ((START, body(b"a", more_body=False)), (200, "", b"a")),
        ((START, body(b"a", more_body=True), body(b"b", more_body=True), body(b"")), (200, "", b"ab")),
        ((START, {"type": "http.response.body"}), (200, "", b"")),
        ((START, body(b"a"), body(b"late"), body(b"later")), (200, "", b"a")),
        (({"type": "http.response.start", "status": 404}, body(b"")), (404, "", b"")),
        (({**START, "headers": [(b"X", b"y"), (b"Content-Type", b"a/b")]}, body(b"")), (200, "a/b", b"")),
        (({**START, "headers": [(b"content-type", b"a/b"), (b"content-type", b"c/d")]}, body(b"")), (200, "a/b", b"")),
        (({"type": "http.response.debug"}, START, body(b"a")), (200, "", b"a")),
        (({**START, "headers": [(b"X-Index-Revision", b"a.1")]}, body(b"a")), (200, "", b"a", "a.1")),
    ],
)
async def test_a_response_is_made_of_the_messages_of_an_app(
    messages: tuple[dict[str, Any], ...], response: tuple[Any, ...]
) -> None:
    assert await sent(Scripted(*messages), ServiceRequest("GET", "/", {})) == ServiceResponse(*response)
