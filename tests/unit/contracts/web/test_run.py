"""A service that cannot start says why in one line, and in a container the health check can repeat it."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from services.contracts.web.health import problem
from services.contracts.web.run import EXIT_USAGE, PROBLEM_FILE, refuse


def run(service: str, **environment: str) -> subprocess.CompletedProcess[str]:
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("GATEWAY_", "EMBEDDING_", "INDEX_"))}
    command = [sys.executable, "-m", f"services.{service}"]
    return subprocess.run(command, capture_output=True, text=True, env={**clean, **environment}, timeout=60)


@pytest.fixture
def taken() -> Iterator[int]:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield listener.getsockname()[1]


def test_a_wrong_setting_is_named() -> None:
    done = run("gateway", GATEWAY_MAX_IMAGE_BYTES="many")
    assert done.returncode == 1
    assert done.stderr.startswith("lookalike gateway: setting MAX_IMAGE_BYTES: Input should be a valid integer")
    assert len(done.stderr.splitlines()) == 1


def test_a_missing_model_is_named(tmp_path: Path) -> None:
    done = run("index", INDEX_MODEL_DIR=str(tmp_path / "none"))
    assert done.returncode == 1
    assert done.stderr.startswith(f"lookalike index: there is no model directory {tmp_path / 'none'}")
    assert len(done.stderr.splitlines()) == 1


def test_a_taken_port_is_named(taken: int) -> None:
    done = run("gateway", GATEWAY_PORT=str(taken))
    assert done.returncode == 1
    assert f"lookalike gateway: cannot listen on 127.0.0.1:{taken}: Address already in use" in done.stderr


def test_in_a_container_the_health_check_shows_the_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(PROBLEM_FILE, str(tmp_path / "problem"))
    started = time.monotonic()
    with pytest.raises(SystemExit) as end:
        refuse("lookalike index: no model\nlookalike index: no port", linger_s=0.05)
    assert end.value.code == EXIT_USAGE
    assert time.monotonic() - started >= 0.05
    assert capsys.readouterr().err == "lookalike index: no model\nlookalike index: no port\n"
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}/readyz"
    assert problem(url) == "lookalike index: no model; lookalike index: no port"


def test_a_request_that_has_just_been_sent_is_answered_before_the_end(tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "services.gateway"]
    with subprocess.Popen(command, env={**os.environ, "GATEWAY_PORT": str(port)}, stderr=subprocess.DEVNULL) as process:
        assert _ask(_connect(port)).startswith(b"HTTP/1.1 200")  # it is up
        late = _connect(port)
        process.send_signal(signal.SIGTERM)
        time.sleep(0.15)  # the end has begun: main_loop looks every tenth of a second
        answer = _ask(late)
        assert process.wait(timeout=10) in (0, -signal.SIGTERM)
    assert answer.startswith(b"HTTP/1.1 200")


def _connect(port: int) -> socket.socket:
    deadline = time.monotonic() + 30
    while True:
        try:
            return socket.create_connection(("127.0.0.1", port), timeout=10)
        except ConnectionRefusedError:
            assert time.monotonic() < deadline
            time.sleep(0.05)


def _ask(connection: socket.socket) -> bytes:
    with connection:
        connection.sendall(b"GET /livez HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        return connection.recv(4096)
