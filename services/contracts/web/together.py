"""Runs several services in one process and event loop. Each keeps its address; their calls need no sockets."""

import asyncio
import contextlib
import signal
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from socket import socket
from typing import Any

import structlog
from fastapi import FastAPI

from services.contracts.web.lean_imports import lean_imports
from services.contracts.web.local_app import LocalApp, local_apps
from services.contracts.web.observability.telemetry import configure_logging
from services.contracts.web.run import (
    LOG_DELAY_S,
    GracefulServer,
    Service,
    keep_objects,
    make_config,
    make_service_app,
    make_sockets,
    read_settings,
)

STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT)
NAME = "lookalike"  # of the process's spans
THREADS_EACH = 6  # of the shared pool; asyncio's default for one service on two processors


class ServerOfSeveral(GracefulServer):
    """A server that takes no signals: its process does, for all of its servers."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Take no signals."""
        yield


Listening = tuple[str, GracefulServer, list[socket]]  # the service's name, its server, its sockets


@lean_imports()
def run_together(services: Sequence[Service[Any]]) -> None:
    """Serve until a stop signal. The services stop in their order: first the one that calls the others.

    The log is as the settings of the first service say.

    Raises:
        SystemExit: a service cannot start; see `run_service`.
    """
    settings = [read_settings(service) for service in services]
    configure_logging(services[0].name, json=settings[0].log_json, level=settings[0].log_level, delay_s=LOG_DELAY_S)
    apps = [
        make_service_app(service, each, traced_as=NAME if service is services[0] else None)
        for service, each in zip(services, settings, strict=True)
    ]
    keep_objects()
    local = {each.port: LocalApp(app) for each, app in zip(settings, apps, strict=True)}
    listening = [
        (service.name, _server(service, each, app, local[each.port]), make_sockets(service, each))
        for service, each, app in zip(services, settings, apps, strict=True)
    ]
    with local_apps(local):
        asyncio.run(_until_signal(listening))


def _server(service: Service[Any], settings: Any, app: FastAPI, local: LocalApp) -> GracefulServer:
    config = make_config(service, settings, app)
    config.app = local
    return ServerOfSeveral(config)


async def _until_signal(listening: Sequence[Listening]) -> None:
    loop, stopping = asyncio.get_running_loop(), asyncio.Event()
    loop.set_default_executor(ThreadPoolExecutor(THREADS_EACH * len(listening), thread_name_prefix="asyncio"))
    for number in STOP_SIGNALS:
        loop.add_signal_handler(number, stopping.set)
    await serve_together(listening, stopping)


async def serve_together(listening: Sequence[Listening], stopping: asyncio.Event) -> None:
    """Serve until the event is set or a server ends; then stop the servers, one after the other."""
    running = [_start(name, server, sockets) for name, server, sockets in listening]
    waiting = asyncio.create_task(stopping.wait())
    await asyncio.wait([waiting, *running], return_when=asyncio.FIRST_COMPLETED)
    waiting.cancel()
    for (_, server, _), task in zip(listening, running, strict=True):
        server.should_exit = True
        await asyncio.wait([task])
    for task in running:
        task.result()


def _start(name: str, server: GracefulServer, sockets: list[socket]) -> "asyncio.Task[None]":
    """Start a server in a task whose log lines, and those of what it starts, have the service's name."""
    context = copy_context()
    context.run(structlog.contextvars.bind_contextvars, service=name)
    return asyncio.create_task(server.serve(sockets=sockets), name=name, context=context)
