"""A service that cannot start: in a container, the health check repeats the reason."""

import errno
import gc
import os
import socket
import time
from pathlib import Path

import pytest

from services.contracts.web import run
from services.contracts.web.health import problem
from services.contracts.web.run import (
    COLLECTIONS,
    EXIT_USAGE,
    PROBLEM_FILE,
    GracefulServer,
    Service,
    exit_with,
    keep_objects,
)
from services.gateway.settings import GatewaySettings
from tests.support.web.web_app import app_of


def test_in_a_container_the_health_check_shows_the_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(PROBLEM_FILE, str(tmp_path / "problem"))
    pauses: list[float] = []
    monkeypatch.setattr(time, "sleep", pauses.append)
    with pytest.raises(SystemExit) as end:
        exit_with("lookalike index: no model\nlookalike index: no port", linger_s=7)
    assert end.value.code == EXIT_USAGE
    assert pauses == [7]
    assert capsys.readouterr().err == "lookalike index: no model\nlookalike index: no port\n"
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        assert problem(f"http://127.0.0.1:{unused.getsockname()[1]}/readyz") == (
            "lookalike index: no model; lookalike index: no port"
        )


def test_outside_a_container_the_process_ends_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(PROBLEM_FILE, raising=False)
    monkeypatch.setattr(time, "sleep", lambda _: pytest.fail("it waited"))
    with pytest.raises(SystemExit) as end:
        exit_with("lookalike index: no model")
    assert end.value.code == "lookalike index: no model"


@pytest.mark.parametrize(
    ("code", "remedy"),
    [
        (errno.EADDRINUSE, "stop the process that uses the port, or set another port"),
        (errno.EACCES, "this user needs a port from 1024 on"),
        (errno.EADDRNOTAVAIL, "set INDEX_HOST to an address of this machine"),
        (socket.EAI_NONAME, "set INDEX_HOST to an address of this machine"),
    ],
)
def test_an_address_that_cannot_be_used_has_its_own_remedy(
    monkeypatch: pytest.MonkeyPatch, code: int, remedy: str
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(code, os.strerror(abs(code)))

    monkeypatch.setattr(socket.socket, "bind", refuse)
    with pytest.raises(SystemExit, match=rf"^lookalike index: cannot listen on ::1:8002: .*; {remedy}$"):
        run._listen("index", "::1", 8002)


def test_a_service_listens_on_additional_addresses_too(monkeypatch: pytest.MonkeyPatch) -> None:
    listeners: list[socket.socket] = []
    monkeypatch.setattr(GracefulServer, "run", lambda _, sockets: listeners.extend(sockets))
    monkeypatch.setattr(run, "configure_logging", lambda *_, **__: None)
    monkeypatch.setenv("GATEWAY_PORT", "0")
    monkeypatch.setenv("GATEWAY_ADMIN_PORT", "0")
    try:
        app = app_of(max_body_bytes=100)
        run.run_service(Service("gateway", GatewaySettings, lambda _: app, GatewaySettings.admin_addresses))
        assert len({listener.getsockname()[1] for listener in listeners}) == 2
        assert {listener.getsockname()[0] for listener in listeners} == {"127.0.0.1"}
    finally:
        for listener in listeners:
            listener.close()


def test_a_service_looks_for_garbage_less_often_and_never_among_what_stays() -> None:
    before = gc.get_threshold()
    try:
        gc.set_threshold(700, 10, 10)
        keep_objects()
        assert gc.get_threshold() == COLLECTIONS
        assert gc.get_freeze_count() > 10_000
    finally:
        gc.unfreeze()
        gc.set_threshold(*before)
