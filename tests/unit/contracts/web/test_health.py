"""A container's health check: its line of output and its exit status."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from services.contracts.web.health import main, problem
from tests.support.waiting import WITHIN_S


@contextmanager
def health_server(status: int, body: bytes, *, hang: threading.Event | None = None) -> Iterator[str]:
    class ReadinessHandler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if hang:
                hang.wait(WITHIN_S)
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            with suppress(BrokenPipeError):  # the client has disconnected
                self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), ReadinessHandler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}/readyz"
        finally:
            if hang:
                hang.set()
            server.shutdown()
            thread.join()


def test_a_ready_service_is_healthy(capsys: pytest.CaptureFixture[str]) -> None:
    with health_server(200, b'{"ready": true}') as url:
        assert main([url]) == 0
    assert capsys.readouterr().out == "ready\n"


def test_the_reasons_of_an_unready_service_are_joined_in_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    with health_server(503, json.dumps({"ready": False, "reasons": ["no model", "no database"]}).encode()) as url:
        assert main([url]) == 1
    assert capsys.readouterr().out == "not ready: no model; no database\n"


@pytest.mark.parametrize("body", [b"", b"oops", b"[]", b'{"reasons": []}', b'{"reasons": 3}'])
def test_a_response_without_reasons_is_unhealthy(body: bytes) -> None:
    with health_server(500, body) as url:
        assert problem(url) == "its response has the status 500 and no reason"


def test_a_service_that_does_not_respond_is_unhealthy_at_the_timeout() -> None:
    with health_server(200, b"", hang=threading.Event()) as url:
        assert problem(url, timeout_s=0.2) == "it does not respond within 0.2 s"


def test_a_refused_connection_is_unhealthy() -> None:
    with health_server(200, b"") as url:
        pass
    assert problem(url) == "it does not respond: Connection refused"


def test_a_missing_url_is_a_usage_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 2
    assert capsys.readouterr().err.startswith("usage: python -m services.contracts.web.health http://")
