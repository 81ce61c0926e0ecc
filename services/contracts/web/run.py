"""Runs a service under uvicorn. Invalid settings end it with a sentence instead of a traceback."""

import asyncio
import errno
import gc
import logging
import os
import socket
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, NoReturn, Protocol, TypeVar

import uvicorn
from fastapi import FastAPI
from prometheus_client import CollectorRegistry, Gauge
from pydantic import ValidationError

from services.contracts.domain.errors import validation_message
from services.contracts.domain.manifest import ManifestError
from services.contracts.web.lean_imports import lean_imports
from services.contracts.web.observability import tracing
from services.contracts.web.observability.process_metrics import Readout
from services.contracts.web.observability.telemetry import configure_logging
from services.contracts.web.observability.tracing import TracingError
from services.contracts.web.requests.connections import ConnectionLimits, OpenConnections, bounded_protocol


class ServiceSettings(Protocol):
    """The settings that every service has."""

    @property
    def host(self) -> str: ...
    @property
    def port(self) -> int: ...
    @property
    def log_json(self) -> bool: ...
    @property
    def log_level(self) -> str: ...
    @property
    def traces_endpoint(self) -> str | None: ...
    @property
    def traces_ratio(self) -> float: ...


class SettingError(ValueError):
    """A setting cannot be used, which shows when the app is created. The text names the setting."""


Settings = TypeVar("Settings", bound=ServiceSettings)
EXIT_USAGE = 2
SHUTDOWN_S = 4
DRAIN_S = 0.25
# New objects that begin a collection of the youngest; collections of one age that begin one of the next.
COLLECTIONS = (10_000, 20, 20)
LOG_DELAY_S = 0.1  # how long a line about ordinary work may wait for others
# Set in containers: the file for the reason why the service cannot start. The health check shows it.
PROBLEM_FILE = "LOOKALIKE_PROBLEM_FILE"
LINGER_S = 15.0


class GracefulServer(uvicorn.Server):
    """A uvicorn server that answers requests sent just before it stops.

    uvicorn closes a connection at once if it has not read the request yet. On a busy machine such a request may have
    been sent before the stop began.
    """

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop listening, read the requests already sent, and answer requests in progress within SHUTDOWN_S.

        Then spans are sent and the log is written.
        """
        await asyncio.sleep(0)  # one turn of the loop accepts the waiting connections
        for server in self.servers:
            server.close()
        await asyncio.sleep(DRAIN_S)
        await super().shutdown(sockets)
        await asyncio.to_thread(tracing.close)
        for handler in logging.root.handlers:
            handler.flush()  # uvicorn ends the process by the signal itself, without exit handlers


@dataclass(frozen=True)
class Service(Generic[Settings]):
    """A service that can be run.

    Attributes:
        name: of the service.
        settings_type: reads its settings from environment variables.
        create_app: makes the app from them.
        additional_addresses: returns hosts and ports to listen on in addition to those of the settings.
        connections: returns the bounds of connections.
    """

    name: str
    settings_type: type[Settings]
    create_app: Callable[[Settings], FastAPI]
    additional_addresses: Callable[[Settings], Sequence[tuple[str, int]]] = lambda _: ()
    connections: Callable[[Settings], ConnectionLimits] = lambda _: ConnectionLimits()


@lean_imports()
def run_service(service: Service[Any]) -> None:
    """Read the settings, create the app and serve it until a stop signal; requests in progress are answered first.

    Raises:
        SystemExit: the settings are invalid, the model or the port cannot be used, or the service cannot start.
    """
    settings = read_settings(service)
    configure_logging(service.name, json=settings.log_json, level=settings.log_level, delay_s=LOG_DELAY_S)
    app = make_service_app(service, settings, traced_as=service.name)
    keep_objects()
    server = GracefulServer(make_config(service, settings, app))
    server.run(sockets=make_sockets(service, settings))


def read_settings(service: Service[Any]) -> Any:
    """Return the settings of a service.

    Raises:
        SystemExit: they are invalid.
    """
    try:
        return service.settings_type()
    except ValidationError as error:
        texts = setting_errors(service.settings_type, error)
        exit_with("\n".join(f"lookalike {service.name}: {text}" for text in texts))


def make_service_app(service: Service[Any], settings: ServiceSettings, traced_as: str | None) -> FastAPI:
    """Return the app of a service, whose spans have a name; None: another service of the process has set it.

    Raises:
        SystemExit: the model cannot be used, or a setting cannot.
    """
    try:
        if settings.traces_endpoint is not None and traced_as is not None:
            is_public = service.name == "gateway"
            tracing.configure(traced_as, settings.traces_endpoint, settings.traces_ratio, is_public=is_public)
        return service.create_app(settings)
    except (ManifestError, SettingError, TracingError) as error:
        exit_with(f"lookalike {service.name}: {error}")


def keep_objects() -> None:
    """Leave the 140,000 objects that stay out of garbage collections: each full one would hold up requests.

    The others are collected less often than by default. A search makes thousands, nearly all of which go without it.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*COLLECTIONS)


def make_config(service: Service[Any], settings: ServiceSettings, app: FastAPI) -> uvicorn.Config:
    """Return the configuration of a service's server, which bounds and shows its connections."""
    opened = OpenConnections(service.connections(settings))
    show_connections(opened, app.state.metrics.registry)
    return server_config(app, settings.host, settings.port, bounded_protocol(opened))


def make_sockets(service: Service[Any], settings: ServiceSettings) -> list[socket.socket]:
    """Return the sockets of a service, which listen.

    Raises:
        SystemExit: an address cannot be used.
    """
    addresses = [(settings.host, settings.port), *service.additional_addresses(settings)]
    return [_listen(service.name, host, port) for host, port in addresses]


def show_connections(connections: OpenConnections, registry: CollectorRegistry) -> None:
    """Add the metrics of connections."""
    opened = Gauge("lookalike_connections_open", "Open connections.", registry=registry)
    opened.set_function(lambda: connections.count)
    text = "Connections that the service ended, by reason."
    ended = Readout("lookalike_connections_ended_total", text, "reason", lambda: dict(connections.ended.items()))
    registry.register(ended)


def server_config(app: Any, host: str, port: int, protocol: type[asyncio.Protocol]) -> uvicorn.Config:
    """Return the configuration of a server that serves `app` with a protocol of HTTP."""
    return uvicorn.Config(
        app,
        host=host,
        port=port,
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,  # the gateway takes them, from the proxies that it trusts
        timeout_graceful_shutdown=SHUTDOWN_S,
        timeout_keep_alive=75,
        http=protocol,
        ws="none",
        # Otherwise a request inherits the deadline of an earlier one of its connection, which read a large body.
        reset_contextvars=True,
    )


def exit_with(text: str, linger_s: float = LINGER_S) -> NoReturn:
    """End the process with a sentence. In a container it first waits, so that the health check shows the sentence.

    Raises:
        SystemExit: always.
    """
    path = os.environ.get(PROBLEM_FILE)
    if path:
        sys.stderr.write(text + "\n")
        Path(path).write_text(text, encoding="utf-8")
        time.sleep(linger_s)
        sys.exit(EXIT_USAGE)
    sys.exit(text)


def setting_errors(settings_type: type[Any], error: ValidationError) -> list[str]:
    """Return a sentence for each wrong setting, with the name of its environment variable."""
    prefix = settings_type.model_config.get("env_prefix", "")

    def variable(place: tuple[int | str, ...]) -> str:
        first = str(place[0]) if place else ""
        field = settings_type.model_fields.get(first)
        return f"{prefix}{first}".upper() if field and field.validation_alias is None else first.upper()

    return [f"setting {variable(item['loc'])}: {validation_message(item)}" for item in error.errors()]


def _remedy(name: str, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return "stop the process that uses the port, or set another port"
    if error.errno == errno.EACCES:
        return "this user needs a port from 1024 on"
    return f"set {name.upper()}_HOST to an address of this machine"


def _listen(name: str, host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # With the protocol set, asyncio disables Nagle's algorithm on accepted connections: it costs 40 ms per request.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        sys.exit(f"lookalike {name}: cannot listen on {host}:{port}: {error.strerror}; {_remedy(name, error)}")
    listener.listen(1024)
    listener.set_inheritable(True)
    return listener
