"""How requests between the services travel: HTTP/1.1 over kept connections, parsed by llhttp (docs/adr/0024).

httpx's own transport and client take half of the gateway's processor time in a search, and its requests and responses
a tenth.
"""

import asyncio
import ssl
from collections.abc import Mapping
from typing import Any, NamedTuple, Protocol

import httptools
import httpx

from services.contracts.wire.index import REVISION_FIELD

PORTS = {"http": 80, "https": 443}
_REVISION = REVISION_FIELD.encode()


class ServiceRequest(NamedTuple):
    """A request to a service.

    Attributes:
        method: of the request.
        target: the path with the query string, as they are sent.
        fields: of the head, without those that say where the request goes and how long it is.
        content: the body; None for no body.
    """

    method: str
    target: str
    fields: Mapping[str, str]
    content: bytes | None = None


class ServiceResponse(NamedTuple):
    """A response of any status.

    Attributes:
        status: of the response.
        content_type: its media type.
        content: its whole body.
        revision: of what an index shows; empty if the response names none.
    """

    status: int
    content_type: str
    content: bytes
    revision: str = ""


class Transport(Protocol):
    """Sends requests to one service. It belongs to one event loop."""

    async def send(self, request: ServiceRequest, step_s: float, total_s: float | None) -> ServiceResponse:
        """Return the response.

        Args:
            request: what to send.
            step_s: the longest time for connecting, and without progress in sending and receiving, in seconds.
            total_s: the longest time for all; None for any.

        Raises:
            httpx.ConnectError: the server cannot be reached.
            httpx.TimeoutException: it took longer.
            httpx.RemoteProtocolError: the server closed the connection, or its response is no HTTP.
        """

    async def close(self) -> None:
        """Close the kept connections."""


class ServiceTransport:
    """Sends requests over kept connections to one service.

    A request that finds its kept connection closed is sent once more over a new one, and so is one whose connection is
    refused: requests between the services may be repeated. Redirects, cookies, proxies and compressed responses do not
    occur between them.

    Args:
        address: of the service; only scheme, host and port count.
        max_connections: the most open connections; other requests wait for one.
    """

    def __init__(self, address: httpx.URL, max_connections: int = 100) -> None:
        self._scheme, self._host = address.scheme, address.host
        self._port = address.port or PORTS[address.scheme]
        self._host_line = b"Host: %b\r\n" % address.netloc
        self._slots = asyncio.Semaphore(max_connections)
        self._idle: list[_Connection] = []
        self._tls: ssl.SSLContext | None = None

    async def send(self, request: ServiceRequest, step_s: float, total_s: float | None) -> ServiceResponse:
        """Return the response; see `Transport.send`."""
        until = float("inf") if total_s is None else asyncio.get_running_loop().time() + total_s
        message = self._message(request)
        await self._slot(total_s)
        try:
            connection = self._kept()
            if connection is not None:
                try:
                    return await self._exchange(connection, message, step_s, until)
                except _ClosedWhileIdle:
                    pass
            connection = await self._connected(step_s, until)
            try:
                return await self._exchange(connection, message, step_s, until)
            except _ClosedWhileIdle:
                raise httpx.RemoteProtocolError("the server closed the connection") from None
        finally:
            self._slots.release()

    async def close(self) -> None:
        """Close the kept connections."""
        for connection in self._idle:
            connection.close()
        self._idle.clear()

    async def _slot(self, total_s: float | None) -> None:
        """Wait until there may be a connection more."""
        if not self._slots.locked():
            await self._slots.acquire()
            return
        try:
            async with asyncio.timeout(total_s):
                await self._slots.acquire()
        except TimeoutError:
            raise httpx.PoolTimeout("no connection became free in time") from None

    def _kept(self) -> "_Connection | None":
        """Return an open connection that no request uses: the last used one, so that others grow old and close."""
        while self._idle:
            connection = self._idle.pop()
            if connection.is_usable:
                return connection
        return None

    async def _connected(self, step_s: float, until: float) -> "_Connection":
        """Return a new connection. A refused one is tried again."""
        loop = asyncio.get_running_loop()
        tls = self._context() if self._scheme == "https" else None
        try:
            async with asyncio.timeout_at(min(loop.time() + step_s, until)):
                for is_last in (False, True):
                    try:
                        _, connection = await loop.create_connection(
                            lambda: _Connection(loop), self._host, self._port, ssl=tls
                        )
                        return connection
                    except OSError as error:
                        if is_last:
                            raise httpx.ConnectError(str(error)) from None
        except TimeoutError:
            raise httpx.ConnectTimeout("the connection was not made in time") from None
        raise AssertionError  # the loop has returned or raised

    async def _exchange(
        self, connection: "_Connection", message: bytes, step_s: float, until: float
    ) -> ServiceResponse:
        try:
            response = await connection.exchange(message, step_s, until)
        except BaseException:  # also a cancellation: the rest of the response would be the next one's
            connection.close()
            raise
        if connection.is_usable:
            self._idle.append(connection)
        return response

    def _context(self) -> ssl.SSLContext:
        if self._tls is None:
            self._tls = httpx.create_ssl_context(trust_env=False)
        return self._tls

    def _message(self, request: ServiceRequest) -> bytes:
        """Return a request as it is sent."""
        fields = "".join([f"{name}: {value}\r\n" for name, value in request.fields.items()])
        length = "" if request.content is None else f"Content-Length: {len(request.content)}\r\n"
        return b"%b %b HTTP/1.1\r\n%b%b\r\n%b" % (
            request.method.encode("ascii"),
            request.target.encode("ascii"),
            self._host_line,
            (fields + length).encode("latin-1"),
            request.content or b"",
        )


class _ClosedWhileIdle(Exception):
    """The server closed the connection before it sent a byte of the response."""


class _Connection(asyncio.Protocol):
    """A connection, with one request at a time. httptools calls the methods that do not begin with an underscore."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._transport: Any = None
        self._response: asyncio.Future[ServiceResponse] | None = None
        self._is_closed = False
        self._is_paused = False  # the server does not read the request
        self._progress_at = self._step_s = self._until = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self._begin()

    @property
    def is_usable(self) -> bool:
        """Whether a request can be sent."""
        return not self._is_closed and not self._is_paused and self._response is None

    async def exchange(self, message: bytes, step_s: float, until: float) -> ServiceResponse:
        """Send a request; return its response.

        Args:
            message: the request.
            step_s: the longest time without progress, in seconds.
            until: when the response has to be there, by the loop's clock.
        """
        if self._is_closed:
            raise _ClosedWhileIdle
        self._begin()
        self._response = self._loop.create_future()
        self._progress_at, self._step_s, self._until = self._loop.time(), step_s, until
        self._timer = self._loop.call_at(self._late_at, self._check_progress)
        try:
            self._transport.write(message)
            return await self._response
        finally:
            self._timer.cancel()
            self._response = None

    def close(self) -> None:
        """Close the connection."""
        self._is_closed = True
        if self._transport is not None:
            self._transport.abort()

    @property
    def _late_at(self) -> float:
        return min(self._progress_at + self._step_s, self._until)

    def _check_progress(self) -> None:
        """End the request if it is late; otherwise look again when it may be."""
        if self._loop.time() >= self._late_at:
            self._fail(httpx.ReadTimeout("the response did not come in time"))
        else:
            self._timer = self._loop.call_at(self._late_at, self._check_progress)

    def _begin(self) -> None:
        self._parser = httptools.HttpResponseParser(self)
        self._content_type = self._revision = b""
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
        broken = httpx.RemoteProtocolError("the server closed the connection before the end of its response")
        self._fail(broken if self._has_begun else _ClosedWhileIdle())

    def pause_writing(self) -> None:
        self._is_paused = True

    def resume_writing(self) -> None:
        self._is_paused, self._progress_at = False, self._loop.time()

    def data_received(self, data: bytes) -> None:
        if self._response is None or self._response.done():  # nothing was asked
            self.close()
            return
        self._has_begun, self._progress_at = True, self._loop.time()
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
        field = name.lower()
        if field == b"content-type":
            self._content_type = value
        elif field == _REVISION:
            self._revision = value

    def on_body(self, body: bytes) -> None:
        self._body.append(body)

    def on_message_complete(self) -> None:
        status = self._parser.get_status_code()
        if status < 200:  # an interim response
            self._content_type, self._revision, self._body = b"", b"", []
            return
        if not self._parser.should_keep_alive():
            self.close()
        if self._response is not None and not self._response.done():
            body = self._body[0] if len(self._body) == 1 else b"".join(self._body)
            kind, revision = self._content_type.decode("latin-1"), self._revision.decode("latin-1")
            self._response.set_result(ServiceResponse(status, kind, body, revision))
