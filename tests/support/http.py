"""A web server of the shop's, on a free port: pictures, and every way in which a picture's URL can disappoint."""

import contextlib
import io
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Self

from PIL import Image


def picture(colour: tuple[int, int, int] = (200, 30, 30), size: tuple[int, int] = (60, 80), kind: str = "PNG") -> bytes:
    """Return an image file of one colour."""
    file = io.BytesIO()
    Image.new("RGB", size, colour).save(file, kind)
    return file.getvalue()


class ImageServer:
    """Serves `pages` and remembers what it was asked.

    Beside the pages: `/hang` never answers, `/drip` sends a byte at a time without end, `/redirect?to=URL` redirects,
    `/loop` redirects to itself, `/endless` streams without a length, `/huge` announces ten gigabytes, `/status/503`
    answers with that status, `/cut` promises more than it sends, `/packed` says that it is gzip.
    """

    def __init__(self, pages: dict[str, bytes] | None = None) -> None:
        self.pages = {"/ok.png": picture(), "/text.jpg": b"this is no picture", "/empty": b"", **(pages or {})}
        self.requests: list[tuple[str, dict[str, str]]] = []
        self.closing = threading.Event()
        owner = self

        class Handler(_Handler):
            server_of = owner

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
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

    def asked(self, path: str) -> int:
        """Return how often a path was asked for."""
        return sum(1 for asked, _ in self.requests if asked == path)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_of: ImageServer

    def do_GET(self) -> None:
        self.server_of.requests.append((self.path, dict(self.headers)))
        route, _, query = self.path.partition("?")
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # the client had enough: what these are for
            self._route(route, query)
        self.close_connection = True

    def _route(self, route: str, query: str) -> None:
        if route in self.server_of.pages:
            self._answer(200, self.server_of.pages[route])
        elif route == "/redirect":
            self._answer(302, b"", Location=query.removeprefix("to="))
        elif route == "/loop":
            self._answer(302, b"", Location="/loop")
        elif route.startswith("/status/"):
            self._answer(int(route.removeprefix("/status/")), b"sorry", **{"Set-Cookie": "session=1"})
        elif route == "/packed":
            self._answer(200, b"\x1f\x8b", **{"Content-Encoding": "gzip"})
        elif route in ("/hang", "/drip", "/endless", "/huge", "/cut"):
            self._misbehave(route)
        else:
            self._answer(404, b"no such page")

    def _answer(self, status: int, body: bytes, **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _misbehave(self, route: str) -> None:
        if route == "/hang":
            self.server_of.closing.wait(30)
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
        """Stay quiet."""
