"""The transport between the services, against servers in this event loop."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import httpx
import pytest

from services.contracts.clients.service_transport import ServiceRequest, ServiceResponse, ServiceTransport
from tests.support.waiting import WITHIN_S

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Type: text/plain\r\n\r\nok"


@dataclass
class Server:
    """Answers each request with the next of `responses`; None ends the connection."""

    responses: list[bytes | None]
    heads: list[bytes] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    connections: int = 0
    ended: asyncio.Event = field(default_factory=asyncio.Event)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0] or 0)
                self.heads.append(head)
                self.bodies.append(await reader.readexactly(length))
                response = self.responses.pop(0)
                if response is None:
                    return
                writer.write(response)
        except (asyncio.IncompleteReadError, ConnectionError):
            self.ended.set()
        finally:
            writer.close()


@dataclass
class Client:
    """Sends requests to the server."""

    transport: ServiceTransport

    async def send(
        self,
        method: str = "GET",
        content: bytes | None = None,
        step_s: float = WITHIN_S,
        total_s: float | None = None,
    ) -> ServiceResponse:
        request = ServiceRequest(method, "/path?a=b%20c", {"X-Request-ID": "id"}, content)
        return await self.transport.send(request, step_s, total_s)


@asynccontextmanager
async def running(*responses: bytes | None) -> AsyncIterator[tuple[Server, Client]]:
    server = Server(list(responses))
    listening = await asyncio.start_server(server.serve, "127.0.0.1", 0)
    port = listening.sockets[0].getsockname()[1]
    transport = ServiceTransport(httpx.URL(f"http://127.0.0.1:{port}"), 2)
    async with listening, asyncio.timeout(WITHIN_S):
        try:
            yield server, Client(transport)
        finally:
            await transport.close()


async def test_a_request_is_sent_as_it_is_and_its_response_read() -> None:
    async with running(OK) as (server, client):
        response = await client.send("POST", b"picture")
        assert response == (200, "text/plain", b"ok", "")
        assert server.heads[0].startswith(b"POST /path?a=b%20c HTTP/1.1\r\nHost: 127.0.0.1:")
        assert b"\r\nX-Request-ID: id\r\nContent-Length: 7\r\n" in server.heads[0]
        assert server.bodies == [b"picture"]


async def test_a_connection_is_kept_for_the_next_request() -> None:
    async with running(OK, OK, OK) as (server, client):
        for _ in range(3):
            await client.send()
        assert server.connections == 1


@pytest.mark.parametrize(
    "response",
    [
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\no\r\n1\r\nk\r\n0\r\n\r\n",
        b"HTTP/1.1 100 Continue\r\n\r\n" + OK,
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok",
    ],
    ids=["chunked", "after an interim one", "the last of its connection"],
)
async def test_a_response_of_another_form_is_read_too(response: bytes) -> None:
    async with running(response, OK) as (_, client):
        for _ in range(2):
            assert (await client.send()).content == b"ok"


async def test_a_response_in_many_pieces_is_whole() -> None:
    body = bytes(range(256)) * 20_000
    async with running(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)) as (_, client):
        assert (await client.send()).content == body


async def test_a_large_request_is_sent_whole() -> None:
    async with running(OK) as (server, client):
        body = bytes(range(256)) * 40_000
        await client.send("POST", body)
        assert server.bodies == [body]


async def test_a_request_whose_kept_connection_has_ended_is_sent_again() -> None:
    async with running(OK, None, OK) as (server, client):
        await client.send("POST", b"first")
        await client.send("POST", b"second")
        assert (server.connections, server.bodies) == (2, [b"first", b"second", b"second"])


@pytest.mark.parametrize("begin", [None, b"HTTP/1.1 200 OK\r\nContent-Length: 20000000\r\n\r\nbegin"])
async def test_a_new_connection_that_ends_is_an_error(begin: bytes | None) -> None:
    async with running(begin) as (server, client):
        server.responses.append(None)
        failing = client.send(step_s=0.2)
        with pytest.raises((httpx.RemoteProtocolError, httpx.ReadTimeout)):
            await failing
        assert server.connections == 1


async def test_a_response_that_is_no_http_is_an_error() -> None:
    async with running(b"220 smtp.test ESMTP\r\n") as (_, client):
        with pytest.raises(httpx.RemoteProtocolError, match="no HTTP"):
            await client.send()


async def test_a_response_that_does_not_come_is_a_timeout_and_its_connection_is_not_used_again() -> None:
    async with running(b"", OK) as (server, client):
        with pytest.raises(httpx.ReadTimeout):
            await client.send(step_s=0.05)
        await server.ended.wait()
        assert (await client.send()).content == b"ok"
        assert server.connections == 2


async def test_the_whole_request_has_a_time_too() -> None:
    async with running(b"") as (_, client):
        with pytest.raises(httpx.ReadTimeout):
            await client.send(total_s=0.05)


async def test_a_request_does_not_wait_for_a_connection_for_longer() -> None:
    async with running(b"", b"") as (server, client):
        first, second = (asyncio.create_task(client.send()) for _ in range(2))
        await until(lambda: len(server.heads) == 2)
        with pytest.raises(httpx.PoolTimeout):
            await client.send(total_s=0.01)
        for waiting in (first, second):
            waiting.cancel()
        await asyncio.wait((first, second))


async def test_a_cancelled_request_ends_its_connection() -> None:
    async with running(b"", OK) as (server, client):
        waiting = asyncio.create_task(client.send())
        await until(lambda: bool(server.heads))
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        await server.ended.wait()
        assert (await client.send()).content == b"ok"


async def test_more_requests_than_connections_wait_for_one() -> None:
    async with running(*[OK] * 6) as (server, client):
        responses = await asyncio.gather(*(client.send() for _ in range(6)))
        assert [response.content for response in responses] == [b"ok"] * 6
        assert server.connections <= 2


async def test_bytes_that_nothing_asked_for_end_a_kept_connection() -> None:
    async with running(OK + OK, OK) as (server, client):
        await client.send()
        assert (await client.send()).content == b"ok"
        assert server.connections == 2


async def test_a_closed_transport_has_ended_its_connections() -> None:
    async with running(OK) as (server, client):
        await client.send()
        await client.transport.close()
        await server.ended.wait()


async def test_a_server_that_cannot_be_reached_is_a_connect_error() -> None:
    async with running() as (_, client):
        pass
    with pytest.raises(httpx.ConnectError):
        await client.send()


async def until(condition: Callable[[], bool]) -> None:
    while not condition():  # noqa: ASYNC110 - the server has no event for it
        await asyncio.sleep(0.005)
