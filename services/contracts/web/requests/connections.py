"""Bounds connections: how many there are, and how long a client may take to send a head or to read a response."""

import asyncio
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, get_args

import structlog
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

log = structlog.get_logger()
# Why a connection was ended: the service or the client has too many, or the client is slow.
Ending = Literal["full", "client", "slow-head", "slow-reader"]
_LAST = b"\r\nConnection: close\r\nContent-Length: 0\r\nCache-Control: no-store\r\n\r\n"
FULL = b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1" + _LAST
LATE = b"HTTP/1.1 408 Request Timeout" + _LAST
LARGE = b"HTTP/1.1 431 Request Header Fields Too Large" + _LAST
MALFORMED = b"HTTP/1.1 400 Bad Request" + _LAST
# Of a head, and of the lines around the parts of a body: the sizes of chunks and the trailer fields.
MAX_HEAD_BYTES = 64 * 1024
# How long a connection is read after its last response. If it were closed while the client sends, the kernel would
# reset it, and the client could lose the response.
LINGER_S = 2.0


@dataclass(frozen=True)
class ConnectionLimits:
    """The bounds of a service's connections.

    Attributes:
        connections: the most connections.
        client_connections: the most of one client address.
        is_proxy: returns whether an address is a proxy's, which has no bound of its own.
        head_s: the time for a request's head, in seconds.
        write_s: the time in which a client must read 48 kB of a response, in seconds.
    """

    connections: int = 1024
    client_connections: int = 1024
    is_proxy: Callable[[str], bool] = lambda _: False
    head_s: float = 15.0
    write_s: float = 30.0


class OpenConnections:
    """Counts the connections of a service, and those that it ended. It belongs to one event loop."""

    def __init__(self, limits: ConnectionLimits) -> None:
        self.limits = limits
        self.ended: Counter[Ending] = Counter(dict.fromkeys(get_args(Ending), 0))
        self._by_client: Counter[str] = Counter()

    @property
    def count(self) -> int:
        """The open connections."""
        return self._by_client.total()

    def add(self, client: str) -> bool:
        """Count a connection, and return whether there is room for it. `remove` it in any case."""
        self._by_client[client] += 1
        if self._by_client.total() > self.limits.connections:
            self.ended["full"] += 1
            return False
        if self._by_client[client] <= self.limits.client_connections or self.limits.is_proxy(client):
            return True
        self.ended["client"] += 1
        return False

    def remove(self, client: str) -> None:
        """Count a connection no more."""
        self._by_client[client] -= 1
        if not self._by_client[client]:
            del self._by_client[client]


def bounded_protocol(connections: OpenConnections) -> type[asyncio.Protocol]:
    """Return uvicorn's HTTP protocol with bounds."""

    class BoundedProtocol(_BoundedProtocol):
        open_connections = connections

    return BoundedProtocol


class _BoundedProtocol(HttpToolsProtocol):
    """A connection. uvicorn itself bounds only the time between two requests; llhttp bounds no sizes."""

    open_connections: OpenConnections
    _client = ""
    _head: asyncio.TimerHandle | None = None
    _write: asyncio.TimerHandle | None = None
    _closing: asyncio.TimerHandle | None = None
    _head_bytes = 0  # received since the last part of a body or the end of a request

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        self._client = self.client[0] if self.client else ""
        if self.open_connections.add(self._client):
            self._expect_head()
        else:  # at once: waiting for the client would keep the connection that is too many
            transport.write(FULL)
            transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        self.open_connections.remove(self._client)
        self._cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._is_closing:
            return
        self._head_bytes += len(data)
        super().data_received(data)
        if self._head_bytes > MAX_HEAD_BYTES and not self._is_closing:
            self._respond_and_close(LARGE)
        if self.cycle is not None and not self.cycle.response_complete:  # a request is being answered
            self._head_has_come()
        elif self._head is None and not self._is_closing:
            self._expect_head()

    def send_400_response(self, msg: str) -> None:
        """Answer a request that cannot be parsed."""
        self._respond_and_close(MALFORMED)

    def on_headers_complete(self) -> None:
        # If this raises, the request is refused with the status 400.
        if len(self.url) + sum(len(name) + len(value) for name, value in self.headers) > MAX_HEAD_BYTES:
            raise ValueError("the head is too large")
        if any(name == b"transfer-encoding" and value.lower() != b"chunked" for name, value in self.headers):
            raise ValueError("the body has a transfer coding that is not supported")
        self._head_bytes = 0
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        self._head_bytes = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        self._head_bytes = 0
        super().on_message_complete()

    def pause_writing(self) -> None:
        super().pause_writing()
        if self._write is None:
            self._write = self.loop.call_later(self.open_connections.limits.write_s, self._give_up_writing)

    def resume_writing(self) -> None:
        super().resume_writing()
        if self._write is not None:
            self._write.cancel()
            self._write = None

    def _expect_head(self) -> None:
        self._head = self.loop.call_later(self.open_connections.limits.head_s, self._give_up_reading)

    def _head_has_come(self) -> None:
        if self._head is not None:
            self._head.cancel()
            self._head = None

    @property
    def _is_closing(self) -> bool:
        return self._closing is not None or self.transport.is_closing()

    def _respond_and_close(self, response: bytes) -> None:
        """Send a last response and close this side; what the client still sends is read for a while, and dropped."""
        self._head_has_come()
        if self.cycle is not None and not self.cycle.response_complete:
            if self.cycle.response_started:  # the client would take the response for a part of the other
                self.transport.abort()
                return
            self.cycle.disconnected = True  # the app's own response would come too late
            self.cycle.message_event.set()
        self._unset_keepalive_if_required()
        self.flow.resume_reading()
        self.transport.write(response)
        self.transport.write_eof()
        self._closing = self.loop.call_later(LINGER_S, self.transport.close)

    def _cancel(self) -> None:
        self._head_has_come()
        for timer in (self._write, self._closing):
            if timer is not None:
                timer.cancel()

    def _give_up_reading(self) -> None:
        self._head = None
        if self.cycle is None or self.cycle.response_complete:
            self.open_connections.ended["slow-head"] += 1
            self._respond_and_close(LATE)

    def _give_up_writing(self) -> None:
        self.open_connections.ended["slow-reader"] += 1
        log.info("slow_reader", client=self._client)
        self.transport.abort()
