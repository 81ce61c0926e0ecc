"""A connection to a service, byte by byte, on a transport and a clock without a socket and without waiting."""

import asyncio
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from services.contracts.clients import service_transport
from services.contracts.clients.service_transport import ServiceRequest, ServiceResponse, ServiceTransport

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Type: text/plain\r\n\r\nok"
ANSWER = ServiceResponse(200, "text/plain", b"ok")


class Clock:
    """A loop whose time a test sets, with its one timer."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self.now = 100.0
        self.timer: tuple[float, Callable[[], None]] | None = None

    def time(self) -> float:
        return self.now

    def create_future(self) -> "asyncio.Future[Any]":
        return self._loop.create_future()

    def call_at(self, when: float, callback: Callable[[], None]) -> Any:
        self.timer = when, callback
        clock = self

        class Handle:
            def cancel(self) -> None:
                clock.timer = None

        return Handle()

    def reach(self, now: float) -> None:
        """Set the time, and run the timer if it is due."""
        self.now = now
        if self.timer is not None and self.timer[0] <= now:
            self.timer[1]()


class Wire:
    """A transport that keeps what is written."""

    def __init__(self) -> None:
        self.written: list[bytes] = []
        self.is_aborted = False

    def write(self, data: bytes) -> None:
        self.written.append(data)

    def abort(self) -> None:
        self.is_aborted = True


class Exchange:
    """A connection whose first request has been sent."""

    def __init__(self, step_s: float = 5, until: float = float("inf")) -> None:
        self.clock, self.wire = Clock(), Wire()
        self.connection = service_transport._Connection(self.clock)  # type: ignore[arg-type]
        self.connection.connection_made(self.wire)  # type: ignore[arg-type]
        self.step_s, self.until = step_s, until
        self.task: asyncio.Task[ServiceResponse] = None  # type: ignore[assignment]

    async def begin(self) -> "Exchange":
        self.task = asyncio.create_task(self.connection.exchange(b"request", self.step_s, self.until))
        await asyncio.sleep(0)
        return self

    async def answer(self, *parts: bytes) -> ServiceResponse:
        """Return the response of these bytes."""
        for part in parts:
            self.connection.data_received(part)
        return await self.task


async def test_a_connection_is_usable_before_and_after_a_request_and_not_during_it() -> None:
    exchange = Exchange()
    assert exchange.connection.is_usable
    await exchange.begin()
    assert not exchange.connection.is_usable
    assert exchange.wire.written == [b"request"]
    assert await exchange.answer(OK) == ANSWER
    assert exchange.connection.is_usable
    assert exchange.clock.timer is None
    await exchange.begin()
    assert await exchange.answer(OK[:5], OK[5:]) == ANSWER


async def test_a_connection_whose_request_is_not_read_is_not_usable() -> None:
    exchange = Exchange()
    exchange.connection.pause_writing()
    assert not exchange.connection.is_usable
    exchange.connection.resume_writing()
    assert exchange.connection.is_usable


@pytest.mark.parametrize(
    ("response", "expected"),
    [
        (b"HTTP/1.1 204 No Content\r\n\r\n", (204, "", b"")),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\ncontent-TYPE: a/b\r\nX: c\r\n\r\n", (200, "a/b", b"")),
        (
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1\r\nc\r\n3\r\ndef\r\n0\r\n\r\n",
            (200, "", b"abcdef"),
        ),
        (
            b"HTTP/1.1 103 Early Hints\r\nContent-Type: x/y\r\n\r\nHTTP/1.1 404 No\r\nContent-Length: 1\r\n\r\nz",
            (404, "", b"z"),
        ),
        (b"HTTP/1.1 199 Wait\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nz", (200, "", b"z")),
    ],
)
async def test_a_response_has_its_status_media_type_and_whole_body(response: bytes, expected: tuple[Any, ...]) -> None:
    assert await (await Exchange().begin()).answer(response) == ServiceResponse(*expected)
    assert await (await Exchange().begin()).answer(*(bytes([byte]) for byte in response)) == ServiceResponse(*expected)


@pytest.mark.parametrize(
    ("head", "stays"),
    [
        (b"HTTP/1.1 200 OK\r\n", True),
        (b"HTTP/1.1 200 OK\r\nConnection: close\r\n", False),
        (b"HTTP/1.0 200 OK\r\n", False),
    ],
)
async def test_a_server_that_closes_is_not_asked_again(head: bytes, stays: bool) -> None:
    exchange = await Exchange().begin()
    assert (await exchange.answer(head + b"Content-Length: 1\r\n\r\nx")).content == b"x"
    assert (exchange.connection.is_usable, exchange.wire.is_aborted) == (stays, not stays)


@pytest.mark.parametrize("rest", [b"HTTP", OK])
async def test_bytes_that_nothing_asked_for_close_a_connection(rest: bytes) -> None:
    before = Exchange()
    before.connection.data_received(rest)
    after = await Exchange().begin()
    await after.answer(OK)
    after.connection.data_received(rest)
    together = await Exchange().begin()
    assert await together.answer(OK + OK) == ANSWER
    for exchange in (before, after, together):
        assert exchange.wire.is_aborted
        assert not exchange.connection.is_usable


async def test_a_response_that_is_no_http_is_an_error_and_closes_the_connection() -> None:
    exchange = await Exchange().begin()
    with pytest.raises(httpx.RemoteProtocolError, match="the response is no HTTP"):
        await exchange.answer(b"no HTTP\r\n\r\n")
    assert exchange.wire.is_aborted


@pytest.mark.parametrize(
    ("begun", "error"), [(b"H", httpx.RemoteProtocolError), (OK[:-1], httpx.RemoteProtocolError), (b"", Exception)]
)
async def test_a_connection_that_ends_says_whether_the_response_had_begun(begun: bytes, error: type[Exception]) -> None:
    exchange = await Exchange().begin()
    if begun:
        exchange.connection.data_received(begun)
    exchange.connection.connection_lost(None)
    with pytest.raises(error) as raised:
        await exchange.task
    assert isinstance(raised.value, service_transport._ClosedWhileIdle) is (not begun)
    assert not exchange.connection.is_usable
    with pytest.raises(service_transport._ClosedWhileIdle):
        await exchange.connection.exchange(b"request", 5, float("inf"))


async def test_the_end_of_a_connection_after_its_response_changes_nothing() -> None:
    exchange = await Exchange().begin()
    exchange.connection.data_received(OK)
    exchange.connection.connection_lost(None)
    assert await exchange.task == ANSWER


async def test_a_request_is_late_without_progress_for_the_time_of_a_step() -> None:
    exchange = await Exchange(step_s=5).begin()
    exchange.clock.reach(104.9)
    exchange.connection.data_received(OK[:9])
    exchange.clock.reach(105)
    assert not exchange.task.done()
    exchange.clock.reach(109.8)
    exchange.connection.pause_writing()
    exchange.connection.resume_writing()
    exchange.clock.reach(109.95)
    await asyncio.sleep(0)
    assert not exchange.task.done()
    exchange.clock.reach(114.8)
    with pytest.raises(httpx.ReadTimeout):
        await exchange.task


async def test_a_request_is_late_at_its_deadline_whatever_progress_it_makes() -> None:
    exchange = await Exchange(step_s=5, until=107).begin()
    assert exchange.clock.timer is not None
    exchange.clock.reach(104)
    exchange.connection.data_received(OK[:9])
    exchange.clock.reach(106.9)
    await asyncio.sleep(0)
    assert not exchange.task.done()
    exchange.clock.reach(107)
    with pytest.raises(httpx.ReadTimeout):
        await exchange.task


@pytest.mark.parametrize(
    ("address", "port"),
    [("http://index", 80), ("https://index", 443), ("http://index:8002", 8002), ("https://index:80", 80)],
)
async def test_an_address_without_a_port_has_that_of_its_scheme(
    address: str, port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Any] = []

    async def connect(_: Any, host: str, port: int, ssl: Any) -> Any:
        asked.append((host, port, ssl is not None))
        raise OSError("refused")

    monkeypatch.setattr(asyncio.get_running_loop(), "create_connection", connect)
    transport = ServiceTransport(httpx.URL(address))
    with pytest.raises(httpx.ConnectError, match="refused"):
        await transport.send(ServiceRequest("GET", "/", {}), 5, None)
    assert asked == [("index", port, address.startswith("https"))] * 2


async def test_a_refused_connection_is_tried_once_again_and_the_last_used_one_is_kept(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    wires: list[Wire] = []
    refusals = [True, False, False]

    async def connect(make: Callable[[], Any], *_: object, **__: object) -> Any:
        if refusals.pop(0):
            raise OSError("refused")
        connection, wire = make(), Wire()
        connection.connection_made(wire)
        wires.append(wire)
        connection_of[len(wires)] = connection
        return wire, connection

    async def sent(number: int) -> None:
        while len(wires) < number or not wires[number - 1].written:  # noqa: ASYNC110
            await asyncio.sleep(0)

    connection_of: dict[int, Any] = {}
    monkeypatch.setattr(asyncio.get_running_loop(), "create_connection", connect)
    transport = ServiceTransport(httpx.URL("http://index"), 2)
    request = ServiceRequest("GET", "/a?b", {"X": "y"})
    tasks = [asyncio.create_task(transport.send(request, 5, None)) for _ in range(2)]
    await sent(1)
    await sent(2)
    for number in (1, 2):
        connection_of[number].data_received(OK)
    assert [await task for task in tasks] == [ANSWER] * 2
    third = asyncio.create_task(transport.send(request, 5, None))
    while len(wires[1].written) < 2:  # noqa: ASYNC110
        await asyncio.sleep(0)
    connection_of[2].data_received(OK)
    assert await third == ANSWER
    assert [wire.written for wire in wires] == [
        [b"GET /a?b HTTP/1.1\r\nHost: index\r\nX: y\r\n\r\n"] * n for n in (1, 2)
    ]
    await transport.close()
    assert all(wire.is_aborted for wire in wires)
