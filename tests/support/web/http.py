"""A web server with images on a free port, and with all kinds of failures."""

import contextlib
import hashlib
import io
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Self

from PIL import Image

from tests.support.waiting import WITHIN_S


def picture(colour: tuple[int, int, int] = (200, 30, 30), size: tuple[int, int] = (60, 80), kind: str = "PNG") -> bytes:
    """Return an image file of one colour."""
    file = io.BytesIO()
    Image.new("RGB", size, colour).save(file, kind)
    return file.getvalue()


class ImageServer:
    """Serves `pages` and records the requests.

    Other paths: `/hang` never responds, `/drip` sends single bytes without end, `/redirect?to=URL` redirects, with 302
    or the status in its path (`/redirect/307?to=URL`), `/loop` redirects to itself, `/redirect-raw` redirects to the
    bytes of `location`, `/endless` streams without a length, `/huge` has a length of ten gigabytes, `/status/503` has
    this status, `/cut` sends less than its length, `/packed` has the encoding gzip.

    Attributes:
        troubles: path → failures before the page is served, one for each request: a status, or a status and the value
            of Retry-After.
        tags: whether pages have an ETag and answer conditional requests.
        held: paths whose responses wait for `release`.
        busy: paths whose clients have to come again a second later, until `release`.
        gathers: how many requests have to be in progress at once before the first response.
        most_at_once: the most requests in progress.
    """

    def __init__(self, pages: dict[str, bytes] | None = None) -> None:
        self.pages = {"/ok.png": picture(), "/text.jpg": b"this is not a picture", "/empty": b"", **(pages or {})}
        self.requests: list[tuple[str, dict[str, str]]] = []
        self.location = b""
        self.closing = threading.Event()
        self.troubles: dict[str, list[int | tuple[int, str]]] = {}
        self.tags = False
        self.held: frozenset[str] = frozenset()
        self.busy: frozenset[str] = frozenset()
        self.release = threading.Event()
        self.gathers = 1
        self.most_at_once = 0
        self._in_progress = 0
        self._changed = threading.Condition()
        owner = self

        class BoundHandler(_ImageHandler):
            server_of = owner

        self._server = _ImageHttpServer(("127.0.0.1", 0), BoundHandler)
        self.port = int(self._server.server_address[1])
        self.host = f"127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.closing.set()
        self._server.shutdown()
        self._server.server_close()

    def url(self, path: str) -> str:
        """Return the address of a page."""
        return f"http://{self.host}{path}"

    @contextlib.contextmanager
    def counted(self) -> Iterator[None]:
        """Count a request in progress."""
        with self._changed:
            self._in_progress += 1
            self.most_at_once = max(self.most_at_once, self._in_progress)
            self._changed.notify_all()
            self._changed.wait_for(lambda: self.most_at_once >= self.gathers, WITHIN_S)
        try:
            yield
        finally:
            with self._changed:
                self._in_progress -= 1

    def request_count(self, path: str) -> int:
        """Return the number of requests for a path."""
        return sum(1 for requested, _ in self.requests if requested == path)


class _ImageHttpServer(ThreadingHTTPServer):
    daemon_threads = True
    # Python's default of 5 is too low for 8 concurrent connections: the others retry after one, two and four seconds.
    request_queue_size = 128


class _ImageHandler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_of: ImageServer

    def do_GET(self) -> None:
        self.server_of.requests.append((self.path, dict(self.headers)))
        route, _, query = self.path.partition("?")
        while route in self.server_of.held and not self.server_of.closing.is_set():
            if self.server_of.release.wait(0.05):
                break
        # Some pages are for clients that disconnect.
        with contextlib.suppress(BrokenPipeError, ConnectionResetError), self.server_of.counted():
            self._route(route, query)
        self.close_connection = True

    def _route(self, route: str, query: str) -> None:
        if route in self.server_of.busy and not self.server_of.release.is_set():
            self._trouble((429, "1"))
        elif trouble := self.server_of.troubles.get(route):
            self._trouble(trouble.pop(0))
        elif route in self.server_of.pages:
            self._page(self.server_of.pages[route])
        elif route == "/redirect" or route.startswith("/redirect/"):
            status = int(route.removeprefix("/redirect").strip("/") or 302)
            self._answer(status, b"", Location=query.removeprefix("to="))
        elif route == "/redirect-raw":
            self.wfile.write(
                b"HTTP/1.1 302 Found\r\nContent-Length: 0\r\nLocation: " + self.server_of.location + b"\r\n\r\n"
            )
        elif route == "/loop":
            self._answer(302, b"", Location="/loop")
        elif route.startswith("/status/"):
            self._answer(int(route.removeprefix("/status/")), b"sorry", **{"Set-Cookie": "session=1"})
        elif route == "/packed":
            self._answer(200, b"\x1f\x8b", **{"Content-Encoding": "gzip"})
        elif route in ("/hang", "/drip", "/endless", "/huge", "/cut"):
            self._misbehave(route)
        else:
            self._answer(404, b"this page does not exist")

    def _trouble(self, trouble: int | tuple[int, str]) -> None:
        status, after = trouble if isinstance(trouble, tuple) else (trouble, None)
        self._answer(status, b"sorry", **({} if after is None else {"Retry-After": after}))

    def _page(self, body: bytes) -> None:
        tag = f'"{hashlib.sha256(body).hexdigest()[:16]}"'
        headers = {"ETag": tag} if self.server_of.tags else {}
        if headers and self.headers.get("If-None-Match") == tag:
            self._answer(304, b"", **headers)
        else:
            self._answer(200, body, **headers)

    def _answer(self, status: int, body: bytes, **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _misbehave(self, route: str) -> None:
        if route == "/hang":
            self.server_of.closing.wait(WITHIN_S)
            return
        lengths = {"/huge": 10_000_000_000, "/cut": 1000}
        self.send_response(200)
        if route in lengths:
            self.send_header("Content-Length", str(lengths[route]))
        self.end_headers()
        self.wfile.write(b"x")
        while route in ("/drip", "/endless") and not self.server_of.closing.is_set():
            self.wfile.write(b"x" if route == "/drip" else b"x" * 65536)
            time.sleep(0.02 if route == "/drip" else 0)

    def log_message(self, format: str, *args: object) -> None:
        """Write no log."""
