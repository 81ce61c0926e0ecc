"""A service as a process: what it says when it cannot start, and how it stops."""

import asyncio
import io
import logging
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextvars import ContextVar
from pathlib import Path
from typing import Any

import pytest
import uvicorn

from services.contracts.web.observability.log_lines import LogLines
from services.contracts.web.requests.connections import ConnectionLimits, OpenConnections, bounded_protocol
from services.contracts.web.run import GracefulServer, server_config
from tests.support.waiting import WITHIN_S, eventually


def run(service: str, **environment: str) -> subprocess.CompletedProcess[str]:
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("GATEWAY_", "EMBEDDING_", "INDEX_"))}
    command = [sys.executable, "-m", f"services.{service}"]
    return subprocess.run(command, capture_output=True, text=True, env={**clean, **environment}, timeout=WITHIN_S)


@pytest.fixture
def used_port() -> Iterator[int]:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield listener.getsockname()[1]


def test_an_invalid_setting_is_named() -> None:
    process = run("gateway", GATEWAY_MAX_IMAGE_BYTES="many")
    assert process.returncode == 1
    assert process.stderr.startswith("lookalike gateway: setting GATEWAY_MAX_IMAGE_BYTES: it has to be a valid integer")
    assert len(process.stderr.splitlines()) == 1


def test_a_missing_model_is_named(tmp_path: Path) -> None:
    process = run("index", INDEX_MODEL_DIR=str(tmp_path / "none"))
    assert process.returncode == 1
    assert process.stderr.startswith(f"lookalike index: there is no model directory {tmp_path / 'none'}")
    assert len(process.stderr.splitlines()) == 1


def test_a_port_in_use_is_named(used_port: int) -> None:
    process = run("gateway", GATEWAY_PORT=str(used_port))
    assert process.returncode == 1
    assert f"lookalike gateway: cannot listen on 127.0.0.1:{used_port}: Address already in use" in process.stderr


async def respond(scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
    await send({"type": "http.response.body", "body": b"ok"})


async def test_a_connection_opened_before_the_stop_gets_its_response(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.contracts.web.run.DRAIN_S", 1.0)
    server = GracefulServer(uvicorn.Config(respond, lifespan="off", log_config=None))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        serving = asyncio.create_task(server._serve([listener]))
        await asyncio.to_thread(eventually, lambda: server.started)
        reader, writer = await asyncio.open_connection(*listener.getsockname())
        server.should_exit = True
        await asyncio.to_thread(eventually, lambda: not server.servers[0].is_serving())
        writer.write(b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        assert (await reader.read()).startswith(b"HTTP/1.1 200")
        writer.close()
        await serving


async def test_a_server_that_stops_writes_the_lines_of_the_log_that_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = io.StringIO()
    lines = LogLines(stream, delay_s=3600)
    monkeypatch.setattr(logging.root, "handlers", [logging.StreamHandler(lines)])
    server = GracefulServer(uvicorn.Config(respond, lifespan="off", log_config=None))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        serving = asyncio.create_task(server._serve([listener]))
        await asyncio.to_thread(eventually, lambda: server.started)
        lines.info("request")
        server.should_exit = True
        await serving
    assert "request" in stream.getvalue().splitlines()


async def test_a_request_inherits_nothing_from_an_earlier_one_of_its_connection() -> None:
    variable: ContextVar[str] = ContextVar("variable", default="none")
    bodies: list[tuple[str, int]] = []

    async def read(scope: Any, receive: Any, send: Any) -> None:
        before, size, more = variable.get(), 0, True
        variable.set("an earlier request's")
        while more:
            message = await receive()
            size, more = size + len(message["body"]), message.get("more_body", False)
        bodies.append((before, size))
        await respond(scope, receive, send)

    server = GracefulServer(server_config(read, "127.0.0.1", 0, bounded_protocol(OpenConnections(ConnectionLimits()))))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        serving = asyncio.create_task(server._serve([listener]))
        await asyncio.to_thread(eventually, lambda: server.started)
        reader, writer = await asyncio.open_connection(*listener.getsockname())
        for size in (1_000_000, 10):  # the server pauses the first body while it is read
            writer.write(b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n" % size + b"x" * size)
            await writer.drain()
            assert (await reader.readuntil(b"ok")).startswith(b"HTTP/1.1 200")
        writer.close()
        server.should_exit = True
        await serving
    assert bodies == [("none", 1_000_000), ("none", 10)]
