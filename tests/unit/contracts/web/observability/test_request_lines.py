"""The log line, the id and the default header fields of each request."""

from typing import Any

import pytest
import structlog

from services.contracts.web.observability.telemetry import (
    Metrics,
    TelemetryMiddleware,
    note,
    noted,
    outgoing_headers,
    request_id,
    response_headers,
)

DEFAULTS = [(b"x-content-type-options", b"nosniff"), (b"cache-control", b"no-store")]


class Requested:
    """A request to an app: what it sends, and its log lines."""

    def __init__(self, status: int | None = 200, fields: list[Any] | None = None, **notes: object) -> None:
        self.status, self.fields, self.notes = status, fields, notes
        self.sent: list[dict[str, Any]] = []
        self.inside: list[Any] = []
        self.metrics = Metrics()
        self.lines: list[Any] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            self.inside.append(scope["type"])
            return
        self.inside = [request_id(), response_headers(), outgoing_headers()]
        note(**self.notes)
        if self.status is None:
            raise ZeroDivisionError
        headers = {} if self.fields is None else {"headers": self.fields}
        await send({"type": "http.response.start", "status": self.status, **headers})
        await send({"type": "http.response.body", "body": b"x"})

    async def made(
        self, path: str = "/v1/search", method: str = "GET", headers: tuple[Any, ...] = (), **more: object
    ) -> "Requested":
        async def send(message: dict[str, Any]) -> None:
            self.sent.append(message)

        scope = {"type": "http", "path": path, "method": method, "headers": headers, **more}
        with structlog.testing.capture_logs() as self.lines:
            middleware = TelemetryMiddleware(self, "index", self.metrics)
            await middleware(scope, None, send)  # type: ignore[arg-type]
        return self

    @property
    def identity(self) -> str:
        """The id in the response."""
        (value,) = [value for name, value in self.sent[0]["headers"] if name == b"x-request-id"]
        return str(value.decode())


async def test_a_line_has_what_was_asked_and_answered_and_what_was_noted() -> None:
    requested = await Requested(404, k=3, problem="unknown-product").made(method="POST")
    (line,) = requested.lines
    assert 0 <= line.pop("ms") < 60_000
    assert line == {
        "event": "request",
        "log_level": "info",
        "service": "index",
        "request_id": requested.identity,
        "method": "POST",
        "route": "unmatched",
        "status": 404,
        "k": 3,
        "problem": "unknown-product",
    }
    assert [message["type"] for message in requested.sent] == ["http.response.start", "http.response.body"]


async def test_a_line_names_the_route_and_only_usual_methods() -> None:
    class Route:
        path = "/v1/things/{name}"

    (line,) = (await Requested().made("/v1/things/a", "BREW", route=Route())).lines
    assert (line["route"], line["method"]) == ("/v1/things/{name}", "other")


@pytest.mark.parametrize("path", ["/livez", "/readyz", "/metrics", "/v1/status"])
@pytest.mark.parametrize(("status", "lines"), [(200, 0), (304, 0), (399, 0), (400, 1), (503, 1)])
async def test_health_and_metrics_have_a_line_only_if_they_fail(path: str, status: int, lines: int) -> None:
    requested = await Requested(status).made(path)
    assert [line["route"] for line in requested.lines] == [path] * lines


async def test_a_fault_has_the_status_500_and_is_no_more_in_flight() -> None:
    requested = Requested(None)
    with pytest.raises(ZeroDivisionError):
        await requested.made()
    assert [line["status"] for line in requested.lines] == [500]
    (in_flight,) = requested.metrics.process.in_flight.collect()
    assert in_flight.samples[0].value == 0
    labels = requested.metrics.process.problems.collect()[0].samples[0].labels  # type: ignore[index]
    assert labels == {"problem": "internal"}


@pytest.mark.parametrize(
    ("given", "is_taken"),
    [
        (b"abc-123", True),
        (b"A.b_c:d", True),
        (b"a" * 128, True),
        (b"a" * 129, False),
        (b"", False),
        (b"a b", False),
        (b"\xfc", False),
        (b"a\n", False),
    ],
)
async def test_an_id_of_the_client_is_taken_if_it_is_plain(given: bytes, is_taken: bool) -> None:
    requested = await Requested().made(headers=((b"accept", b"x"), (b"x-request-id", given)))
    assert (requested.identity == given.decode("latin-1")) is is_taken
    assert is_taken or len(requested.identity) == 16
    assert requested.inside == [requested.identity, *[{"X-Request-ID": requested.identity}] * 2]


async def test_two_requests_have_two_ids() -> None:
    assert (await Requested().made()).identity != (await Requested().made()).identity


@pytest.mark.parametrize("fields", [None, [], [(b"x-request-id", b"the app's")]])
async def test_a_response_has_its_id_once_and_the_default_fields(fields: list[Any] | None) -> None:
    requested = await Requested(fields=fields).made()
    assert requested.sent[0]["headers"] == [(b"x-request-id", requested.identity.encode()), *DEFAULTS]


async def test_a_response_keeps_the_fields_that_it_has() -> None:
    own = [(b"cache-control", b"max-age=9"), (b"vary", b"a"), (b"vary", b"b")]
    requested = await Requested(fields=own).made()
    assert requested.sent[0]["headers"] == [*own, (b"x-request-id", requested.identity.encode()), DEFAULTS[0]]


async def test_a_lifespan_is_no_request() -> None:
    requested = Requested()
    await TelemetryMiddleware(requested, "index", requested.metrics)({"type": "lifespan"}, None, None)  # type: ignore[arg-type]
    assert (requested.inside, requested.lines) == (["lifespan"], [])


async def test_notes_belong_to_a_request() -> None:
    class Noting(Requested):
        async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
            assert noted("k") is None
            note(k=3)
            note(k=4, more=True)
            self.inside = [noted("k"), noted("more"), noted("nothing")]
            await send({"type": "http.response.start", "status": 200, "headers": []})

    requested = await Noting().made()
    assert requested.inside == [4, True, None]
    assert requested.lines[0]["k"] == 4
