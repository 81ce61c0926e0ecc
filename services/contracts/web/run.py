"""Runs a service under uvicorn. Settings that are wrong end it with a sentence, not with a traceback."""

import asyncio
import os
import socket
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn, Protocol, TypeVar

import uvicorn
from fastapi import FastAPI
from pydantic import ValidationError

from services.contracts.domain.errors import validation_message
from services.contracts.domain.manifest import ManifestError
from services.contracts.web.telemetry import configure_logging


class ServiceSettings(Protocol):
    """What every service's settings have."""

    @property
    def host(self) -> str: ...
    @property
    def port(self) -> int: ...
    @property
    def log_json(self) -> bool: ...
    @property
    def log_level(self) -> str: ...


Settings = TypeVar("Settings", bound=ServiceSettings)
EXIT_USAGE = 2
SHUTDOWN_S = 4
HEAR_OUT_S = 0.25
# Set in containers: a file for what keeps the service from starting, which their health check shows.
PROBLEM_FILE = "LOOKALIKE_PROBLEM_FILE"
LINGER_S = 15.0


class GracefulServer(uvicorn.Server):
    """Ends as uvicorn does, but first hears out who has just come in.

    uvicorn closes a connection at once whose request it has not read yet. On a busy machine those are requests that were
    sent before the end began.
    """

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop listening, read what has been sent, then end: requests under way are answered within SHUTDOWN_S."""
        await asyncio.sleep(0)  # one turn of the loop takes in every connection that waits
        for server in self.servers:
            server.close()
        await asyncio.sleep(HEAR_OUT_S)
        await super().shutdown(sockets)


def run_service(name: str, settings_type: type[Settings], create_app: Callable[[Settings], FastAPI]) -> None:
    """Read the settings, make the app and serve it until told to stop; requests under way are answered first.

    Raises:
        SystemExit: the settings are not valid, the model or the port cannot be used, or the service could not start.
    """
    try:
        settings = settings_type()
    except ValidationError as error:
        refuse("\n".join(_say(name, item["loc"], validation_message(item)) for item in error.errors()))
    configure_logging(name, json=settings.log_json, level=settings.log_level)
    try:
        app = create_app(settings)
    except ManifestError as error:
        refuse(f"lookalike {name}: {error}")
    config = uvicorn.Config(
        app,
        host=settings.host,
        port=settings.port,
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=SHUTDOWN_S,
        timeout_keep_alive=75,
    )
    GracefulServer(config).run(sockets=[_listen(name, settings.host, settings.port)])


def refuse(text: str, linger_s: float = LINGER_S) -> NoReturn:
    """End the process with a sentence. In a container it stands for a while first, for the health check to show it.

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


def _say(name: str, place: tuple[int | str, ...], message: str) -> str:
    return f"lookalike {name}: setting {'.'.join(map(str, place)).upper()}: {message}"


def _listen(name: str, host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # Told the protocol, asyncio turns Nagle off on what is accepted: it cost 40 ms a request.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        sys.exit(
            f"lookalike {name}: cannot listen on {host}:{port}: {error.strerror}; stop what uses it, or set another port"
        )
    listener.listen(1024)
    listener.set_inheritable(True)
    return listener
