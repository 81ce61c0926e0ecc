"""Several services in one process: each on its own address, stopped in their order."""

import asyncio
import socket
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest
from structlog.contextvars import get_contextvars

from services.contracts.web import run, together
from services.contracts.web.local_app import local_app
from services.contracts.web.requests.connections import ConnectionLimits, OpenConnections, bounded_protocol
from services.contracts.web.run import Service, server_config
from services.contracts.web.together import Listening, ServerOfSeveral, run_together, serve_together
from services.embedding.settings import EmbeddingSettings
from services.gateway.settings import GatewaySettings
from tests.support.waiting import WITHIN_S
from tests.support.web.ports import free_ports
from tests.support.web.web_app import app_of

NAMES = ("gateway", "embedding")


@dataclass
class Servers:
    """Servers of apps that answer with their name, and what happened to them."""

    listening: list[Listening] = field(default_factory=list)
    events: list[tuple[str, str, Any]] = field(default_factory=list)
    has_begun: dict[str, asyncio.Event] = field(default_factory=dict)

    def add(self, name: str) -> None:
        async def app(scope: Any, receive: Any, send: Any) -> None:
            if scope["type"] == "http":
                await send(
                    {"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % len(name))]}
                )
                await send({"type": "http.response.body", "body": name.encode()})
                return
            while (kind := (await receive())["type"]) != "lifespan.shutdown":
                self.events.append((name, kind, get_contextvars().get("service")))
                await send({"type": "lifespan.startup.complete"})
                self.has_begun[name].set()
            self.events.append((name, kind, get_contextvars().get("service")))
            await send({"type": "lifespan.shutdown.complete"})

        self.has_begun[name] = asyncio.Event()
        protocol = bounded_protocol(OpenConnections(ConnectionLimits()))
        server = ServerOfSeveral(server_config(app, "127.0.0.1", 0, protocol))
        self.listening.append((name, server, [socket.create_server(("127.0.0.1", 0))]))

    @property
    def ends(self) -> list[str]:
        return [name for name, kind, _ in self.events if kind == "lifespan.shutdown"]


async def started(servers: Servers, stopping: asyncio.Event) -> "asyncio.Task[None]":
    task = asyncio.create_task(serve_together(servers.listening, stopping))
    async with asyncio.timeout(WITHIN_S):
        await asyncio.gather(*(begun.wait() for begun in servers.has_begun.values()))
    return task


@pytest.fixture
def servers(monkeypatch: pytest.MonkeyPatch) -> Servers:
    monkeypatch.setattr(run, "DRAIN_S", 0)
    servers = Servers()
    for name in NAMES:
        servers.add(name)
    return servers


async def test_each_service_answers_at_its_address_and_they_stop_in_their_order(servers: Servers) -> None:
    stopping = asyncio.Event()
    task = await started(servers, stopping)
    async with httpx.AsyncClient(trust_env=False) as http:
        urls = [f"http://127.0.0.1:{sockets[0].getsockname()[1]}/" for _, _, sockets in servers.listening]
        assert [(await http.get(url)).text for url in urls] == list(NAMES)
    assert servers.ends == []
    stopping.set()
    await asyncio.wait_for(task, WITHIN_S)
    assert servers.ends == list(NAMES)


async def test_what_a_service_starts_logs_under_its_name(servers: Servers) -> None:
    stopping = asyncio.Event()
    task = await started(servers, stopping)
    stopping.set()
    await asyncio.wait_for(task, WITHIN_S)
    assert {(name, service) for name, _, service in servers.events} == {(name, name) for name in NAMES}


async def test_a_service_that_ends_ends_the_others(servers: Servers) -> None:
    task = await started(servers, asyncio.Event())
    servers.listening[1][1].should_exit = True
    await asyncio.wait_for(task, WITHIN_S)
    assert sorted(servers.ends) == sorted(NAMES)


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> list[Listening]:
    """Return what `run_together` would serve."""
    served: list[Listening] = []

    async def record(listening: Sequence[Listening]) -> None:
        served.extend(listening)
        for _, server, sockets in listening:
            port = sockets[0].getsockname()[1]
            assert server.config.app is local_app("http", "127.0.0.1", port) is not None

    monkeypatch.setattr(together, "_until_signal", record)
    monkeypatch.setattr(together, "configure_logging", lambda *_, **__: None)
    return served


def app(_: object) -> Any:
    return app_of(max_body_bytes=100)


def test_the_services_have_the_addresses_of_their_settings_and_reach_each_other_without_sockets(
    monkeypatch: pytest.MonkeyPatch, served: list[Listening]
) -> None:
    for name, port in zip(("GATEWAY_PORT", "GATEWAY_ADMIN_PORT", "EMBEDDING_PORT"), free_ports(3), strict=True):
        monkeypatch.setenv(name, str(port))
    run_together(
        [
            Service("gateway", GatewaySettings, app, GatewaySettings.admin_addresses),
            Service("embedding", EmbeddingSettings, app),
        ]
    )
    try:
        assert [(name, len(sockets)) for name, _, sockets in served] == [("gateway", 2), ("embedding", 1)]
        assert local_app("http", "127.0.0.1", served[0][2][0].getsockname()[1]) is None
    finally:
        for listener in (listener for _, _, sockets in served for listener in sockets):
            listener.close()


def test_a_wrong_setting_of_any_service_ends_the_process_with_a_sentence(
    monkeypatch: pytest.MonkeyPatch, served: list[Listening]
) -> None:
    monkeypatch.setenv("EMBEDDING_PORT", "none")
    with pytest.raises(SystemExit, match="lookalike embedding: setting EMBEDDING_PORT"):
        run_together([Service("gateway", GatewaySettings, app), Service("embedding", EmbeddingSettings, app)])
    assert served == []
