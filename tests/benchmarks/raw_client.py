"""A client of HTTP that costs next to nothing: one kept connection, a request whose bytes are made beforehand.

The benchmarks run on the machine that they measure: the time that a client library takes would be missing there.
"""

import re
import socket
import time
from collections.abc import Mapping
from urllib.parse import urlsplit

_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_STATUS = re.compile(rb"HTTP/1\.1 (\d{3})")
RECEIVE_BYTES = 256 * 1024


class RawClient:
    """Sends the same request again and again.

    Args:
        url: of the request.
        body: of a POST; None for a GET.
        headers: further fields.
    """

    def __init__(self, url: str, body: bytes | None = None, headers: Mapping[str, str] | None = None) -> None:
        parts = urlsplit(url)
        assert parts.hostname and parts.port
        fields = {"Host": parts.netloc, **(headers or {})}
        self._fields = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
        self._head = self._line(body, (parts.path or "/") + (f"?{parts.query}" if parts.query else ""))
        self._request = self._with_body(body)
        self._socket = socket.create_connection((parts.hostname, parts.port), timeout=60)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def send(self) -> bytes:
        """Send the request; return the response's body.

        Raises:
            RuntimeError: the status is not 200.
        """
        status, body = self.exchange()
        if status != 200:
            raise RuntimeError(f"the response has the status {status}: {body[:300]!r}")
        return body

    def post(self, body: bytes) -> bytes:
        """Send the request with another body; return the response's, as `send`."""
        self._request = self._with_body(body)
        return self.send()

    def get_timed_ms(self, target: str) -> float:
        """Send a GET to another path; return the milliseconds as `timed_ms`."""
        self._head = self._line(None, target)
        self._request = self._with_body(None)
        return self.timed_ms()

    def _line(self, body: bytes | None, target: str) -> bytes:
        return f"{'GET' if body is None else 'POST'} {target} HTTP/1.1\r\n{self._fields}".encode()

    def _with_body(self, body: bytes | None) -> bytes:
        return self._head + (b"\r\n" if body is None else b"Content-Length: %d\r\n\r\n%b" % (len(body), body))

    def exchange(self) -> tuple[int, bytes]:
        """Send the request; return the status and the body of the response.

        Raises:
            ConnectionError: the server closed the connection.
        """
        self._socket.sendall(self._request)
        received = b""
        while (end := received.find(b"\r\n\r\n")) < 0:
            received += self._receive()
        status, length = _STATUS.match(received), _LENGTH.search(received, 0, end + 2)
        assert status and length, received[:200]
        complete = end + 4 + int(length[1])
        while len(received) < complete:
            received += self._receive()
        return int(status[1]), received[end + 4 :]

    def timed_ms(self) -> float:
        """Send the request; return the milliseconds until the whole response was there."""
        started = time.perf_counter()
        self.send()
        return (time.perf_counter() - started) * 1000

    def close(self) -> None:
        """Close the connection."""
        self._socket.close()

    def _receive(self) -> bytes:
        data = self._socket.recv(RECEIVE_BYTES)
        if not data:
            raise ConnectionError("the server closed the connection")
        return data
