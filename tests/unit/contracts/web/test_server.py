"""How a service's server is made: its settings' errors, its addresses and what it leaves out of responses."""

import socket
from collections.abc import Iterator
from typing import Any

import pytest
from prometheus_client import CollectorRegistry, generate_latest
from pydantic import AliasChoices, Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from services.contracts.domain.manifest import ManifestError
from services.contracts.web import run
from services.contracts.web.observability import tracing
from services.contracts.web.observability.tracing import TracingError
from services.contracts.web.requests.connections import ConnectionLimits, OpenConnections, bounded_protocol
from services.contracts.web.run import (
    Service,
    SettingError,
    make_config,
    make_service_app,
    make_sockets,
    read_settings,
    server_config,
    setting_errors,
    show_connections,
)
from tests.support.web.web_app import app_of


class Settings(BaseSettings):
    model_config = SettingsConfigDict(env_prefix="THING_")

    host: str = "127.0.0.1"
    port: int = Field(0, ge=0)
    log_json: bool = True
    log_level: str = "INFO"
    traces_endpoint: str | None = Field(None, validation_alias=AliasChoices("TRACES_ENDPOINT", "traces_endpoint"))
    traces_ratio: float = Field(1.0, ge=0, validation_alias=AliasChoices("TRACES_RATIO", "traces_ratio"))


def service_of(create: Any = None, name: str = "thing", **options: Any) -> Service[Any]:
    return Service(name, Settings, create or (lambda _: app_of(max_body_bytes=1)), **options)


def test_each_wrong_setting_is_a_line_with_the_name_of_its_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"THING_PORT": "-1", "THING_LOG_JSON": "perhaps", "TRACES_RATIO": "-1"}.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(SystemExit) as ended:
        read_settings(service_of())
    lines = str(ended.value.code).splitlines()
    assert [line.split(": ")[:2] for line in lines] == [
        ["lookalike thing", f"setting {name}"] for name in ("THING_PORT", "THING_LOG_JSON", "TRACES_RATIO")
    ]
    assert lines[0].endswith("it has to be greater than or equal to 0")


def test_an_error_of_no_field_has_no_variable() -> None:
    error = ValidationError.from_exception_data("x", [{"type": "missing", "loc": (), "input": {}}])
    assert setting_errors(Settings, error) == ["setting : it is missing"]


def test_right_settings_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("THING_PORT", "7")
    assert read_settings(service_of()).port == 7


@pytest.mark.parametrize("error", [ManifestError("no model"), SettingError("no model"), TracingError("no model")])
def test_a_service_that_cannot_start_ends_with_the_reason(error: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    def create(_: Any) -> Any:
        raise error

    monkeypatch.delenv(run.PROBLEM_FILE, raising=False)
    with pytest.raises(SystemExit, match=r"^lookalike thing: no model$"):
        make_service_app(service_of(create), Settings(), "thing")
    assert make_service_app(service_of(lambda _: 7), Settings(), "thing") == 7  # type: ignore[comparison-overlap]


@pytest.mark.parametrize(
    ("name", "endpoint", "traced_as", "configured"),
    [
        ("gateway", "http://c", "lookalike", [("lookalike", "http://c", 0.5, True)]),
        ("index", "http://c", "index", [("index", "http://c", 0.5, False)]),
        ("index", "http://c", None, []),
        ("index", None, "index", []),
    ],
)
def test_traces_are_sent_once_for_a_process_if_there_is_a_collector(
    name: str, endpoint: str | None, traced_as: str | None, configured: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[Any] = []

    def configure(service: str, address: str, ratio: float, *, is_public: bool) -> None:
        calls.append((service, address, ratio, is_public))

    monkeypatch.setattr(tracing, "configure", configure)
    settings = Settings.model_validate({"traces_endpoint": endpoint, "traces_ratio": 0.5})
    make_service_app(service_of(name=name), settings, traced_as)
    assert calls == configured


def test_a_server_bounds_its_connections_and_says_nothing_about_itself() -> None:
    protocol = bounded_protocol(OpenConnections(ConnectionLimits()))
    config = server_config("app", "127.0.0.1", 7, protocol)
    assert (config.app, config.host, config.port, config.http) == ("app", "127.0.0.1", 7, protocol)
    assert (config.ws, config.log_config, config.timeout_keep_alive) == ("none", None, 75)
    left_out = config.access_log, config.server_header, config.proxy_headers
    assert left_out == (False, False, False)
    assert config.reset_contextvars is True


def test_a_service_has_its_own_bounds_of_connections() -> None:
    app = app_of(max_body_bytes=1)
    service = service_of(connections=lambda _: ConnectionLimits(connections=7))
    config: Any = make_config(service, Settings(), app)
    assert config.http.open_connections.limits.connections == 7
    assert "lookalike_connections_open 0.0" in generate_latest(app.state.metrics.registry).decode()
    other: Any = make_config(service_of(), Settings(), app_of(max_body_bytes=1))
    assert other.http.open_connections.limits == ConnectionLimits()


def test_metrics_show_the_open_and_the_ended_connections() -> None:
    opened, registry = OpenConnections(ConnectionLimits(connections=2)), CollectorRegistry()
    show_connections(opened, registry)
    for client in "abc":
        opened.add(client)
    text = generate_latest(registry).decode()
    assert "lookalike_connections_open 3.0" in text
    for reason, count in (("full", 1.0), ("client", 0.0), ("slow-head", 0.0), ("slow-reader", 0.0)):
        assert f'lookalike_connections_ended_total{{reason="{reason}"}} {count}' in text


@pytest.fixture
def listeners() -> Iterator[list[socket.socket]]:
    listeners: list[socket.socket] = []
    yield listeners
    for listener in listeners:
        listener.close()


@pytest.mark.parametrize(("host", "family"), [("127.0.0.1", socket.AF_INET), ("::1", socket.AF_INET6)])
def test_a_service_listens_with_sockets_that_send_at_once(
    host: str, family: int, listeners: list[socket.socket]
) -> None:
    try:
        socket.create_server((host, 0), family=family).close()
    except OSError:
        pytest.skip("the machine has no such address")
    listeners += make_sockets(service_of(), Settings(host=host))
    (listener,) = listeners
    assert (listener.family, listener.proto) == (family, socket.IPPROTO_TCP)
    assert listener.getsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR)
    assert listener.get_inheritable()
    socket.create_connection(listener.getsockname()[:2], timeout=5).close()


def test_a_port_that_is_taken_is_a_sentence(listeners: list[socket.socket]) -> None:
    listeners += make_sockets(service_of(), Settings())
    port = listeners[0].getsockname()[1]
    with pytest.raises(SystemExit, match=rf"cannot listen on 127.0.0.1:{port}: .*stop the process that uses the port"):
        make_sockets(service_of(), Settings(port=port))
