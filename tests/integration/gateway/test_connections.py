"""Connections over raw sockets: slow and silent clients, clients that do not read, and ambiguous requests."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TypeVar

import orjson
import pytest
import uvicorn
from fastapi import APIRouter, Request
from starlette.responses import Response

from services.contracts.web.bodies.body_limit import BodyRate
from services.contracts.web.requests.connections import ConnectionLimits, OpenConnections, bounded_protocol
from services.contracts.web.requests.in_flight import BytesInFlight
from tests.support.web.web_app import app_of

T = TypeVar("T")
LIMIT_S = 60.0  # of the event loop's clock, which the tests set forward: nobody waits for it
GET = b"GET /livez HTTP/1.1\r\nHost: test\r\n\r\n"
LARGE = 20_000_000
router = APIRouter()


@router.post("/size")
async def size(request: Request) -> int:
    return len(await request.body())


@router.get("/large")
async def large() -> Response:
    return Response(bytes(LARGE))


@dataclass
class Clock:
    """How far the event loop's clock is set forward, in seconds."""

    ahead_s: float = 0.0

    async def runs_until(self, awaited: Awaitable[T]) -> T:
        """Set the clock forward until something has happened; return its result."""
        task = asyncio.ensure_future(awaited)
        while not task.done():
            self.ahead_s += LIMIT_S
            await asyncio.sleep(0)
        return await task


@pytest.fixture
async def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock, loop = Clock(), asyncio.get_running_loop()
    time = loop.time
    monkeypatch.setattr(loop, "time", lambda: time() + clock.ahead_s)
    return clock


async def until(is_so: Callable[[], object]) -> None:
    while not is_so():  # noqa: ASYNC110
        await asyncio.sleep(0.001)


@dataclass
class Running:
    """A server in this event loop."""

    port: int
    server: uvicorn.Server

    @property
    def head_bytes(self) -> int:
        """How many bytes of its head the one connection has received; -1 if there is no connection."""
        connections = list(self.server.server_state.connections)
        return connections[0]._head_bytes if connections else -1  # type: ignore[union-attr]

    async def open(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        return await asyncio.open_connection("127.0.0.1", self.port)


@asynccontextmanager
async def running(
    limits: ConnectionLimits | None = None, rate: BodyRate | None = None, in_flight: BytesInFlight | None = None
) -> AsyncIterator[Running]:
    app = app_of(router, max_body_bytes=1_000_000, body_rate=rate, in_flight=in_flight)
    listener = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(
        app,
        http=bounded_protocol(OpenConnections(limits or ConnectionLimits())),
        ws="none",
        log_config=None,
        timeout_graceful_shutdown=1,
        timeout_keep_alive=1_000_000,
    )
    server = uvicorn.Server(config)
    server.capture_signals = contextlib.nullcontext  # type: ignore[method-assign,assignment]
    serving = asyncio.create_task(server.serve([listener]))
    try:
        yield Running(listener.getsockname()[1], server)
    finally:
        server.should_exit = True
        await serving


async def rest(reader: asyncio.StreamReader) -> bytes:
    """Return what a connection brings until it ends."""
    with contextlib.suppress(ConnectionResetError):
        return await reader.read()
    return b""


async def response(reader: asyncio.StreamReader) -> tuple[bytes, bytes]:
    """Return the head and the body of one response."""
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    length = int(head.partition(b"content-length: ")[2].partition(b"\r\n")[0])
    return head, await reader.readexactly(length)


@pytest.mark.parametrize("start", [b"", b"G", b"GET /livez HTTP/1.1\r\nHost: test\r\nX: "])
async def test_a_head_that_does_not_come_ends_the_connection(clock: Clock, start: bytes) -> None:
    async with running(ConnectionLimits(head_s=LIMIT_S)) as server:
        reader, writer = await server.open()
        writer.write(start)
        await until(lambda: server.head_bytes == len(start))
        assert b"HTTP/1.1 408" in await clock.runs_until(rest(reader))
        writer.close()


async def test_a_head_in_small_pieces_without_end_ends_the_connection(clock: Clock) -> None:
    async with running(ConnectionLimits(head_s=LIMIT_S)) as server:
        reader, writer = await server.open()

        async def send() -> None:
            writer.write(b"GET / HTTP/1.1\r\n")
            while not writer.is_closing():  # also after the server has responded
                writer.write(b"X: y\r\n")
                clock.ahead_s = min(clock.ahead_s + LIMIT_S / 20, LIMIT_S)
                await asyncio.sleep(0.001)

        sending = asyncio.create_task(send())
        assert b"HTTP/1.1 408" in await rest(reader)
        sending.cancel()
        writer.close()


async def test_a_client_that_sends_on_after_the_last_response_loses_its_connection(clock: Clock) -> None:
    async with running() as server:
        reader, writer = await server.open()
        writer.write(b"no HTTP\r\n\r\n")
        assert (await rest(reader)).startswith(b"HTTP/1.1 400")
        connections = server.server.server_state.connections

        async def send() -> None:
            while connections:
                writer.write(b"more")
                await asyncio.sleep(0.001)

        await clock.runs_until(send())
        writer.close()


@pytest.mark.parametrize(
    "begin",
    [
        b"GET /",
        b"GET /livez HTTP/1.1\r\nHost: test\r\nX: ",
        b"GET /livez HTTP/1.1\r\nHost: test\r\n",
        b"POST /size HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n1;",
        b"POST /size HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX: ",
        b"POST /size HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n",
    ],
    ids=["target", "field", "fields", "chunk extension", "trailer", "trailers"],
)
async def test_a_head_or_trailer_without_end_ends_the_connection(begin: bytes) -> None:
    async with running(ConnectionLimits(head_s=LIMIT_S)) as server:
        reader, writer = await server.open()
        more = b"y: " + b"x" * 1000 + b"\r\n" if begin.endswith(b"\n") else b"x" * 1000
        writer.write(begin + more * 300)
        data = await rest(reader)
        assert data.startswith((b"HTTP/1.1 431", b"HTTP/1.1 400"))
        writer.close()


async def test_a_large_body_in_one_chunk_is_no_large_head() -> None:
    async with running() as server:
        reader, writer = await server.open()
        head = b"POST /size HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n"
        writer.write(head + b"%x\r\n" % 900_000 + bytes(900_000) + b"\r\n0\r\n\r\n")
        assert (await response(reader))[1] == b"900000"
        writer.close()


async def test_a_connection_between_two_requests_is_kept(clock: Clock) -> None:
    async with running(ConnectionLimits(head_s=LIMIT_S)) as server:
        reader, writer = await server.open()
        for _ in range(2):
            writer.write(GET)
            assert b"200 ok" in (await response(reader))[0]
            clock.ahead_s += 2 * LIMIT_S
        writer.close()


async def test_a_body_that_arrives_too_slowly_is_a_problem_and_ends_the_connection(clock: Clock) -> None:
    async with running(rate=BodyRate(bytes_per_s=1000, grace_s=LIMIT_S)) as server:
        reader, writer = await server.open()
        writer.write(b"POST /size HTTP/1.1\r\nHost: test\r\nContent-Length: 100000\r\n\r\nx")
        head, body = await clock.runs_until(response(reader))
        assert b"408" in head
        assert b"connection: close" in head
        assert orjson.loads(body)["type"] == "/problems/request-timeout"
        assert await rest(reader) == b""
        writer.close()


async def test_a_body_at_the_least_rate_is_read(clock: Clock) -> None:
    in_flight = BytesInFlight(max_bytes=10_000, max_client_bytes=10_000)
    async with running(rate=BodyRate(bytes_per_s=1, grace_s=LIMIT_S), in_flight=in_flight) as server:
        reader, writer = await server.open()
        writer.write(b"POST /size HTTP/1.1\r\nHost: test\r\nContent-Length: 4000\r\n\r\n" + bytes(2000))
        await until(lambda: in_flight.bytes == 2000)
        clock.ahead_s += 2 * LIMIT_S
        writer.write(bytes(2000))
        assert (await response(reader))[1] == b"4000"
        writer.close()


async def test_a_client_that_does_not_read_loses_its_connection(clock: Clock) -> None:
    async with running(ConnectionLimits(write_s=LIMIT_S)) as server:
        client = socket.create_connection(("127.0.0.1", server.port))
        await asyncio.get_running_loop().sock_sendall(client, b"GET /large HTTP/1.1\r\nHost: test\r\n\r\n")
        connections = server.server.server_state.connections
        await until(lambda: server.server.server_state.tasks or connections)
        await clock.runs_until(until(lambda: not connections))
        client.close()


async def test_the_number_of_connections_is_bounded() -> None:
    async with running(ConnectionLimits(connections=2)) as server:
        held = [await server.open() for _ in range(2)]
        for reader, writer in held:
            writer.write(GET)
            assert b"200 ok" in (await response(reader))[0]
        reader, writer = await server.open()
        assert b"HTTP/1.1 503" in await rest(reader)
        held[0][1].close()
        while True:
            reader, writer = await server.open()
            writer.write(GET)
            if b"200" in (await response(reader))[0]:
                break
            writer.close()
        for _, writer in held:
            writer.close()


@pytest.mark.parametrize(("is_proxy", "status"), [(False, b"HTTP/1.1 503"), (True, b"HTTP/1.1 200")])
async def test_the_connections_of_one_client_are_bounded_unless_it_is_a_proxy(is_proxy: bool, status: bytes) -> None:
    async with running(ConnectionLimits(client_connections=1, is_proxy=lambda _: is_proxy)) as server:
        reader, writer = await server.open()
        writer.write(GET)
        await response(reader)
        other_reader, other_writer = await server.open()
        other_writer.write(b"GET /livez HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n")
        assert (await rest(other_reader)).startswith(status)
        writer.close()
        other_writer.close()


CHUNKED = b"0\r\n\r\n"


@pytest.mark.parametrize(
    "fields",
    [
        b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
        b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n",
        b"Content-Length: 5\r\nContent-Length: 6\r\n",
        b"Content-Length: 5, 6\r\n",
        b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n",
        b"Transfer-Encoding: xchunked\r\n",
        b"Transfer-Encoding: gzip, chunked\r\n",
        b"Content-Length: -5\r\n",
        b"Content-Length: +5\r\n",
        b"Content-Length: 0x5\r\n",
    ],
)
@pytest.mark.parametrize("method", [b"POST /size", b"GET /livez"])
async def test_an_ambiguous_length_ends_the_connection_and_no_second_request_is_read(
    fields: bytes, method: bytes
) -> None:
    async with running() as server:
        reader, writer = await server.open()
        writer.write(method + b" HTTP/1.1\r\nHost: test\r\n" + fields + b"\r\n" + CHUNKED + GET)
        data = await rest(reader)
        assert data.startswith((b"HTTP/1.1 400", b"HTTP/1.1 501"))
        assert data.count(b"HTTP/1.1") == 1
        writer.close()


async def test_the_bytes_of_bodies_in_memory_are_bounded_and_freed() -> None:
    in_flight = BytesInFlight(max_bytes=10_000, max_client_bytes=6000)
    async with running(in_flight=in_flight) as server:
        waiting_reader, waiting = await server.open()
        waiting.write(b"POST /size HTTP/1.1\r\nHost: test\r\nContent-Length: 5000\r\n\r\n" + bytes(4000))
        await until(lambda: in_flight.bytes == 4000)
        reader, writer = await server.open()
        writer.write(b"POST /size HTTP/1.1\r\nHost: test\r\nContent-Length: 3000\r\n\r\n" + bytes(3000))
        head, body = await response(reader)
        assert b"429" in head
        assert orjson.loads(body)["type"] == "/problems/too-many-requests"
        waiting.write(bytes(1000))
        assert (await response(waiting_reader))[1] == b"5000"
        assert in_flight.bytes == 0
        for open_writer in (waiting, writer):
            open_writer.close()


@pytest.mark.parametrize("pieces", [1, 100])
async def test_a_body_of_any_pieces_is_counted_once(pieces: int) -> None:
    in_flight = BytesInFlight(max_bytes=10_000, max_client_bytes=10_000)
    async with running(in_flight=in_flight) as server:
        reader, writer = await server.open()
        for _ in range(3):
            writer.write(b"POST /size HTTP/1.1\r\nHost: test\r\nContent-Length: 9000\r\n\r\n")
            for _ in range(pieces):
                writer.write(bytes(9000 // pieces))
                await writer.drain()
            assert (await response(reader))[1] == b"9000"
        writer.close()
