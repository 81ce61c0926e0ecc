"""A container's health check: one line, and the exit status."""

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from services.contracts.web.health import main, problem


@contextmanager
def answering(status: int, body: bytes, *, hang: threading.Event | None = None) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if hang:
                hang.wait(5)
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            with suppress(BrokenPipeError):  # the one who asked has gone
                self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
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
    with answering(200, b'{"ready": true}') as url:
        assert main([url]) == 0
    assert capsys.readouterr().out == "ready\n"


def test_what_is_missing_is_said_in_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    with answering(503, json.dumps({"ready": False, "reasons": ["no model", "no database"]}).encode()) as url:
        assert main([url]) == 1
    assert capsys.readouterr().out == "not ready: no model; no database\n"


@pytest.mark.parametrize("body", [b"", b"oops", b"[]", b'{"reasons": []}', b'{"reasons": 3}'])
def test_an_answer_without_reasons_is_still_unhealthy(body: bytes) -> None:
    with answering(500, body) as url:
        assert problem(url) == "it answers 500 without a reason"


def test_a_service_that_hangs_is_unhealthy_within_the_time_given() -> None:
    with answering(200, b"", hang=threading.Event()) as url:
        assert problem(url, timeout_s=0.2) == "it does not answer within 0.2 s"


def test_a_port_that_nothing_listens_on_is_unhealthy() -> None:
    with answering(200, b"") as url:
        pass
    assert problem(url) == "it does not answer: Connection refused"


def test_it_needs_a_url() -> None:
    assert main([]) == 2


def test_it_loads_nothing_but_the_standard_library() -> None:
    code = (
        "import sys, services.contracts.web.health;"
        "print([m for m in ('pydantic', 'structlog', 'fastapi', 'numpy', 'httpx') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
