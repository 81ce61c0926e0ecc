"""How requests between the services travel: HTTP/1.1 over kept connections, parsed by llhttp (docs/adr/0024).

httpx's own transport and client take half of the gateway's processor time in a search.
"""

import asyncio
import ssl
from collections import defaultdict
from collections.abc import Callable
from types import TracebackType
from typing import Any

import httptools
import httpx

Origin = tuple[str, str, int]  # scheme, host, port
PORTS = {"http": 80, "https": 443}
NO_TIMEOUT: dict[str, float | None] = {}


class ServiceTransport(httpx.AsyncBaseTransport):
    """Sends requests over kept connections. It belongs to one event loop.

    A request that finds its kept connection closed is sent once more over a new one, and so is one whose connection is
    refused: requests between the services may be repeated. Redirects, cookies, proxies and compressed responses do not
    occur between them.

    Args:
        max_connections: the most open connections; other requests wait for one.
    """

    def __init__(self, max_connections: int = 100) -> None:
        self._slots = asyncio.Semaphore(max_connections)
        self._idle: defaultdict[Origin, list[_Connection]] = defaultdict(list)
        self._tls: ssl.SSLContext | None = None

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Return the response, with its whole body.

        Raises:
            httpx.ConnectError: the server cannot be reached.
            httpx.TimeoutException: a step took longer than its part of the extension `timeout`.
            httpx.RemoteProtocolError: the server closed the connection, or its response is no HTTP.
        """
        timeouts = request.extensions.get("timeout", NO_TIMEOUT)
        message = _message(request, await request.aread())
        async with self._slots:
            connection = self._kept(_origin(request.url))
            if connection is not None:
                try:
                    return await self._exchange(connection, message, request, timeouts)
                except _ClosedWhileIdle:
                    pass
            connection = await self._connected(request, timeouts)
            try:
                return await self._exchange(connection, message, request, timeouts)
            except _ClosedWhileIdle:
                raise httpx.RemoteProtocolError("the server closed the connection", request=request) from None

    async def aclose(self) -> None:
        """Close the kept connections."""
        for connections in self._idle.values():
            for connection in connections:
                connection.close()
        self._idle.clear()

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None = None,
        exc_value: BaseException | None = None,
        traceback: TracebackType | None = None,
    ) -> None:
        await self.aclose()

    def _kept(self, origin: Origin) -> "_Connection | None":
        """Return an open connection that no request uses: the last used one, so that others grow old and close."""
        connections = self._idle[origin]
        while connections:
            connection = connections.pop()
            if connection.is_usable:
                return connection
        return None

    async def _connected(self, request: httpx.Request, timeouts: dict[str, float | None]) -> "_Connection":
        """Return a new connection. A refused one is tried again."""
        scheme, host, port = _origin(request.url)
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(timeouts.get("connect")):
                for is_last in (False, True):
                    try:
                        _, connection = await loop.create_connection(
                            lambda: _Connection(loop), host, port, ssl=self._context() if scheme == "https" else None
                        )
                        return connection
                    except OSError as error:
                        if is_last:
                            raise httpx.ConnectError(str(error), request=request) from None
        except TimeoutError:
            raise httpx.ConnectTimeout("the connection was not made in time", request=request) from None
        raise AssertionError  # the loop has returned or raised

    async def _exchange(
        self, connection: "_Connection", message: bytes, request: httpx.Request, timeouts: dict[str, float | None]
    ) -> httpx.Response:
        try:
            response = await connection.exchange(message, timeouts.get("write"), timeouts.get("read"))
        except BaseException as error:  # also a cancellation: the rest of the response would be the next one's
            connection.close()
            if isinstance(error, httpx.RequestError):
                error.request = request
            raise
        if connection.is_usable:
            self._idle[_origin(request.url)].append(connection)
        return response

    def _context(self) -> ssl.SSLContext:
        if self._tls is None:
            self._tls = httpx.create_ssl_context(trust_env=False)
        return self._tls


class _ClosedWhileIdle(Exception):
    """The server closed the connection before it sent a byte of the response."""


class _Connection(asyncio.Protocol):
    """A connection, with one request at a time. httptools calls the methods that do not begin with an underscore."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._transport: Any = None
        self._response: asyncio.Future[httpx.Response] | None = None
        self._may_write = asyncio.Event()
        self._may_write.set()
        self._progress: Callable[[], object] = lambda: None
        self._is_closed = False
        self._begin()

    @property
    def is_usable(self) -> bool:
        """Whether a request can be sent."""
        return not self._is_closed and self._response is None

    async def exchange(self, message: bytes, write_s: float | None, read_s: float | None) -> httpx.Response:
        """Send a request; return its response. `read_s` is the longest time without a byte of it."""
        if self._is_closed:
            raise _ClosedWhileIdle
        self._begin()
        response: asyncio.Future[httpx.Response] = self._loop.create_future()
        self._response = response
        try:
            self._transport.write(message)
            if not self._may_write.is_set():
                await self._written(response, write_s)
            async with asyncio.timeout(read_s) as limit:
                if read_s is not None:
                    self._progress = lambda: limit.reschedule(self._loop.time() + read_s)
                return await response
        except TimeoutError:
            raise httpx.ReadTimeout("the response did not come in time") from None
        finally:
            self._progress = lambda: None
            self._response = None

    async def _written(self, response: "asyncio.Future[httpx.Response]", write_s: float | None) -> None:
        """Wait until the server has read the request, or has answered before."""
        writing = asyncio.ensure_future(self._may_write.wait())
        try:
            done, _ = await asyncio.wait((writing, response), timeout=write_s, return_when=asyncio.FIRST_COMPLETED)
        finally:
            writing.cancel()
        if not done:
            raise httpx.WriteTimeout("the request was not read in time")

    def close(self) -> None:
        """Close the connection."""
        self._is_closed = True
        if self._transport is not None:
            self._transport.abort()

    def _begin(self) -> None:
        self._parser = httptools.HttpResponseParser(self)
        self._headers: list[tuple[bytes, bytes]] = []
        self._body: list[bytes] = []
        self._has_begun = False

    def _fail(self, error: Exception) -> None:
        if self._response is not None and not self._response.done():
            self._response.set_exception(error)

    # What asyncio calls.
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def connection_lost(self, exc: Exception | None) -> None:
        self._is_closed = True
        self._may_write.set()
        broken = httpx.RemoteProtocolError("the server closed the connection before the end of its response")
        self._fail(broken if self._has_begun else _ClosedWhileIdle())

    def pause_writing(self) -> None:
        self._may_write.clear()

    def resume_writing(self) -> None:
        self._may_write.set()

    def data_received(self, data: bytes) -> None:
        if self._response is None or self._response.done():  # nothing was asked
            self.close()
            return
        self._has_begun = True
        self._progress()
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
            self._fail(httpx.RemoteProtocolError(f"the response is no HTTP: {error}"))
            self.close()

    # What the parser calls.
    def on_message_begin(self) -> None:
        if self._response is None or self._response.done():  # a response that nothing asked for
            self.close()

    def on_header(self, name: bytes, value: bytes) -> None:
        self._headers.append((name, value))

    def on_body(self, body: bytes) -> None:
        self._body.append(body)

    def on_message_complete(self) -> None:
        status = self._parser.get_status_code()
        if status < 200:  # an interim response
            self._headers, self._body = [], []
            return
        if not self._parser.should_keep_alive():
            self.close()
        if self._response is not None and not self._response.done():
            body = self._body[0] if len(self._body) == 1 else b"".join(self._body)
            self._response.set_result(httpx.Response(status, headers=self._headers, content=body))


def _origin(url: httpx.URL) -> Origin:
    return url.scheme, url.host, url.port or PORTS[url.scheme]


def _message(request: httpx.Request, body: bytes) -> bytes:
    """Return a request as it is sent."""
    head = [b"%b %b HTTP/1.1\r\n" % (request.method.encode("ascii"), request.url.raw_path)]
    head += [b"%b: %b\r\n" % field for field in request.headers.raw]
    return b"".join((*head, b"\r\n", body))
