"""What a connection answers to heads and bodies, byte by byte, on a transport without a socket."""

import asyncio
from typing import Any

import pytest
import uvicorn
from uvicorn.server import ServerState

from services.contracts.web.requests.connections import ConnectionLimits, OpenConnections, bounded_protocol

MOST = 65_536  # bytes of a head
GET = b"GET / HTTP/1.1\r\n\r\n"
CHUNKED = b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"


class Wire:
    """A transport that keeps what is written."""

    def __init__(self, client: str) -> None:
        self.client = client
        self.written = b""
        self.has_eof = self.is_closed = self.is_aborted = False
        self.is_reading = True

    def get_extra_info(self, name: str) -> Any:
        return {"peername": (self.client, 1), "sockname": ("127.0.0.1", 2)}.get(name)

    def write(self, data: bytes) -> None:
        self.written += data

    def write_eof(self) -> None:
        self.has_eof = True

    def close(self) -> None:
        self.is_closed = True

    def abort(self) -> None:
        self.is_aborted = self.is_closed = True

    def is_closing(self) -> bool:
        return self.is_closed

    def pause_reading(self) -> None:
        self.is_reading = False

    def resume_reading(self) -> None:
        self.is_reading = True

    @property
    def status(self) -> str:
        """The status of the response, or "" without one."""
        return self.written.partition(b"\r\n")[0].decode().partition(" ")[2][:3]


class Timers:
    """The timers of a loop, which are due when a test says so."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self.waiting: dict[str, Any] = {}

    def call_later(self, seconds: float, callback: Any) -> Any:
        name = callback.__name__
        self.waiting[name] = callback
        timers = self.waiting

        class Handle:
            def cancel(self) -> None:
                timers.pop(name, None)

        return Handle()

    def fire(self, name: str) -> None:
        self.waiting.pop(name)()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._loop, name)


class Connection:
    """A connection of a client to an app that never answers."""

    def __init__(self, opened: OpenConnections | None = None, client: str = "192.0.2.1") -> None:
        async def app(scope: Any, receive: Any, send: Any) -> None:
            self.send = send
            self.received: list[Any] = []
            while True:
                self.received.append(await receive())
                if self.received[-1]["type"] == "http.disconnect":
                    return

        self.opened = opened or OpenConnections(ConnectionLimits())
        self.timers = Timers(asyncio.get_running_loop())
        config = uvicorn.Config(app, log_config=None, ws="none", lifespan="off")
        kind: Any = bounded_protocol(self.opened)
        self.protocol = kind(config=config, server_state=ServerState(), app_state={}, _loop=self.timers)
        self.wire = Wire(client)
        self.protocol.connection_made(self.wire)

    def sends(self, *parts: bytes) -> str:
        """Return the status of what the connection answers at once; "" for nothing."""
        for part in parts:
            self.protocol.data_received(part)
        return self.wire.status

    async def ends(self) -> None:
        """End the connection, and with it the app's task."""
        self.protocol.connection_lost(None)
        await asyncio.sleep(0)


def head(size: int) -> bytes:
    """Return a head whose target, names and values have this many bytes together."""
    names = b"a", b"b" * 100
    target = b"/" + b"t" * 99
    value = b"v" * (size - len(target) - sum(map(len, names)) - 7)
    return b"GET %b HTTP/1.1\r\n%b: 1234567\r\n%b: %b\r\n\r\n" % (target, names[0], names[1], value)


@pytest.mark.parametrize(("size", "status"), [(MOST - 1, ""), (MOST, ""), (MOST + 1, "400")])
async def test_target_names_and_values_have_at_most_64_kb(size: int, status: str) -> None:
    connection = Connection()
    assert connection.sends(head(size)) == status
    await connection.ends()


@pytest.mark.parametrize(
    ("begin", "rest"),
    [
        (b"", b"GET /"),
        (b"", b"GET / HTTP/1.1\r\na: "),
        (CHUNKED, b"1;"),
        (CHUNKED + b"1\r\nx\r\n", b"0\r\na: "),
        (GET, b"GET /"),
    ],
    ids=["target", "field", "chunk", "trailer", "second head"],
)
async def test_a_head_or_a_line_of_a_body_without_end_has_at_most_64_kb(begin: bytes, rest: bytes) -> None:
    connection = Connection()
    start = rest.ljust(MOST, b"x")
    assert connection.sends(begin, start) == ""
    assert connection.sends(b"x") == "431"
    assert (connection.wire.has_eof, connection.wire.is_closed) == (True, False)
    await connection.ends()


async def test_a_body_of_any_size_is_no_head() -> None:
    connection = Connection()
    assert connection.sends(CHUNKED, b"20000\r\n", *[b"x" * 0x8000] * 4, b"\r\n", b"1;" + b"y" * 1000) == ""
    assert connection.sends(b"\r\nx\r\n0\r\n\r\n", GET) == ""
    await connection.ends()


@pytest.mark.parametrize(
    ("coding", "status"), [(b"chunked", ""), (b"Chunked", ""), (b"gzip", "400"), (b"gzip, chunked", "400")]
)
async def test_only_the_transfer_coding_of_chunks_is_supported(coding: bytes, status: str) -> None:
    connection = Connection()
    assert connection.sends(b"POST / HTTP/1.1\r\nA: gzip\r\nTransfer-Encoding: " + coding + b"\r\n\r\n") == status
    await connection.ends()


async def test_after_its_last_response_a_connection_reads_nothing_and_closes_in_time() -> None:
    connection = Connection()
    assert connection.sends(b"no HTTP\r\n\r\n") == "400"
    assert connection.wire.has_eof
    response = connection.wire.written
    connection.sends(GET, b"x" * (MOST + 1))
    assert connection.wire.written == response
    assert set(connection.timers.waiting) == {"close"}
    connection.timers.fire("close")
    assert connection.wire.is_closed
    await connection.ends()


async def test_a_head_has_its_time_from_the_beginning_and_after_each_response() -> None:
    connection = Connection()
    assert "_give_up_reading" in connection.timers.waiting
    connection.sends(GET[:5])
    assert "_give_up_reading" in connection.timers.waiting
    connection.sends(GET[5:])
    assert "_give_up_reading" not in connection.timers.waiting
    await asyncio.sleep(0)
    await connection.send({"type": "http.response.start", "status": 204, "headers": []})
    await connection.send({"type": "http.response.body", "body": b""})
    connection.sends(GET[:5])
    assert "_give_up_reading" in connection.timers.waiting
    connection.wire.written = b""
    connection.timers.fire("_give_up_reading")
    assert connection.wire.status == "408"
    assert connection.opened.ended["slow-head"] == 1
    await connection.ends()


async def test_a_head_that_is_late_while_a_request_is_answered_ends_nothing() -> None:
    connection = Connection()
    late = connection.timers.waiting["_give_up_reading"]
    connection.sends(GET)
    late()
    assert (connection.wire.status, connection.opened.ended["slow-head"]) == ("", 0)
    await connection.ends()


async def test_a_client_that_does_not_read_loses_its_connection_at_once() -> None:
    connection = Connection()
    connection.protocol.pause_writing()
    connection.timers.fire("_give_up_writing")
    assert connection.wire.is_aborted
    assert connection.opened.ended["slow-reader"] == 1
    await connection.ends()


@pytest.mark.parametrize("has_started", [False, True])
async def test_a_fault_in_a_body_ends_the_connection_or_answers_before_the_app_has(has_started: bool) -> None:
    connection = Connection()
    connection.sends(CHUNKED)
    await asyncio.sleep(0)
    if has_started:
        await connection.send({"type": "http.response.start", "status": 200, "headers": []})
    connection.wire.written = b""
    assert connection.sends(b"no number\r\n") == ("" if has_started else "400")
    assert (connection.wire.is_aborted, connection.wire.has_eof) == (has_started, not has_started)
    await asyncio.sleep(0)
    if not has_started:
        assert connection.received[-1]["type"] == "http.disconnect"
    await connection.ends()


async def test_a_connection_too_many_is_answered_and_closed_and_each_is_counted_until_it_ends() -> None:
    opened = OpenConnections(ConnectionLimits(client_connections=1))
    first, second, other = (Connection(opened, client) for client in ("192.0.2.1", "192.0.2.1", "192.0.2.2"))
    assert [each.wire.status for each in (first, second, other)] == ["", "503", ""]
    assert [each.wire.is_closed for each in (first, second, other)] == [False, True, False]
    assert second.timers.waiting == {}
    assert b"Retry-After: 1\r\n" in second.wire.written
    assert (opened.count, opened.ended["client"]) == (3, 1)
    for each in (first, second, other):
        await each.ends()
        assert each.timers.waiting == {}
    assert opened.count == 0


async def test_no_timer_outlives_a_connection() -> None:
    connection = Connection()
    connection.protocol.pause_writing()
    connection.sends(b"no HTTP\r\n\r\n")
    assert set(connection.timers.waiting) == {"close", "_give_up_writing"}
    await connection.ends()
    assert connection.timers.waiting == {}
