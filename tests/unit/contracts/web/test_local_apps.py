"""Apps of the same process by their addresses, public addresses, and how a server stops."""

import asyncio
import signal
from contextvars import copy_context
from typing import Any

import pytest
import uvicorn

from services.contracts.web import run, together
from services.contracts.web.local_app import LocalApp, local_app, local_apps
from services.contracts.web.observability import tracing
from services.contracts.web.public_address import (
    current_base,
    current_prefix,
    set_public_address,
    use_absolute_urls,
)
from services.contracts.web.requests.connections import ConnectionLimits, OpenConnections
from services.contracts.web.requests.in_flight import BytesInFlight
from services.contracts.web.run import GracefulServer


async def _app(scope: Any, receive: Any, send: Any) -> None: ...


def test_an_app_is_found_by_its_scheme_host_and_port() -> None:
    first, second = LocalApp(_app), LocalApp(_app)
    with local_apps({80: first, 8001: second}):
        for host in ("127.0.0.1", "localhost"):
            assert [local_app("http", host, port) for port in (None, 80, 8001, 79, 8002)] == [
                *(first, first, second, None, None)
            ]
        assert local_app("https", "127.0.0.1", 8001) is None
        assert local_app("http", "index", 8001) is None
    assert [local_app("http", "127.0.0.1", port) for port in (80, 8001)] == [None, None]


def test_addresses_are_absolute_only_in_the_request_that_asks_for_it() -> None:
    def asked() -> list[str]:
        bases = [current_base(), current_prefix()]
        for prefix in ("/shop", ""):
            set_public_address(lambda: "https://a", prefix)
            bases += [current_base(), current_prefix()]
            use_absolute_urls()
            bases.append(current_base())
        return bases

    assert copy_context().run(asked) == ["", "", "/shop", "/shop", "https://a/shop", "", "", "https://a"]


def test_clients_that_have_gone_take_no_memory() -> None:
    opened, bodies = OpenConnections(ConnectionLimits()), BytesInFlight(100, 50)
    for client in ("a", "b", "a"):
        opened.add(client)
        bodies.add(client, 10)
    for client in ("a", "b"):
        opened.remove(client)
        bodies.remove(client, 10)
    assert (dict(opened._by_client), dict(bodies._by_client)) == ({"a": 1}, {"a": 10})
    opened.remove("a")
    bodies.remove("a", 10)
    assert (opened.count, bodies.bytes, opened._by_client, bodies._by_client) == (0, 0, {}, {})


async def test_a_server_stops_listening_then_answers_and_then_sends_its_spans(monkeypatch: pytest.MonkeyPatch) -> None:
    events: list[str] = []

    class Listening:
        def close(self) -> None:
            events.append("stops listening")

    async def shutdown(_: Any, sockets: Any) -> None:
        events.append(f"answers {sockets}")

    monkeypatch.setattr(run, "DRAIN_S", 0)
    monkeypatch.setattr(uvicorn.Server, "shutdown", shutdown)
    monkeypatch.setattr(tracing, "close", lambda: events.append("sends its spans"))
    server = GracefulServer(uvicorn.Config(_app))
    server.servers = [Listening(), Listening()]  # type: ignore[list-item]
    await server.shutdown("sockets")  # type: ignore[arg-type]
    assert events == ["stops listening", "stops listening", "answers sockets", "sends its spans"]


async def test_both_signals_stop_the_services_which_share_their_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    handlers: dict[int, Any] = {}
    served: list[Any] = []
    executors: list[Any] = []

    class Loop:
        def set_default_executor(self, executor: Any) -> None:
            executors.append(executor)

        def add_signal_handler(self, number: int, handler: Any) -> None:
            handlers[number] = handler

    async def serve(listening: Any, stopping: Any) -> None:
        assert not stopping.is_set()
        for handler in handlers.values():
            stopping.clear()
            handler()
            assert stopping.is_set()
        served.append(listening)

    monkeypatch.setattr(asyncio, "get_running_loop", Loop)
    monkeypatch.setattr(together, "serve_together", serve)
    await together._until_signal(["gateway", "index", "embedding"])  # type: ignore[list-item]
    monkeypatch.undo()
    assert handlers.keys() == {signal.SIGTERM, signal.SIGINT}
    assert served == [["gateway", "index", "embedding"]]
    assert executors[0]._max_workers == 18
