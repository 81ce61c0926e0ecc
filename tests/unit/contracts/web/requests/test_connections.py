"""The numbers of connections that are accepted: in all, and of one client; and the time that a client has to read."""

from types import SimpleNamespace
from typing import Any

from services.contracts.web.requests.connections import ConnectionLimits, OpenConnections, bounded_protocol


def accepted(limits: ConnectionLimits, *clients: str) -> list[bool]:
    connections = OpenConnections(limits)
    return [connections.add(client) for client in clients]


def test_a_service_accepts_as_many_connections_as_its_limit() -> None:
    assert accepted(ConnectionLimits(connections=2), "a", "b", "c") == [True, True, False]


def test_a_client_has_as_many_connections_as_its_limit() -> None:
    limits = ConnectionLimits(connections=10, client_connections=2)
    assert accepted(limits, "a", "a", "a", "b") == [True, True, False, True]


def test_a_proxy_has_no_limit_of_its_own() -> None:
    limits = ConnectionLimits(connections=3, client_connections=1, is_proxy=lambda client: client == "proxy")
    assert accepted(limits, "proxy", "proxy", "proxy", "proxy") == [True, True, True, False]


def test_a_connection_that_ends_makes_room_and_refusals_are_counted() -> None:
    connections = OpenConnections(ConnectionLimits(connections=1))
    assert connections.add("a")
    assert not connections.add("b")
    connections.remove("b")
    assert (connections.count, connections.ended["full"], connections.ended["client"]) == (1, 1, 0)
    connections.remove("a")
    assert connections.count == 0
    assert connections.add("b")


def test_a_client_beyond_its_limit_is_counted_as_such() -> None:
    connections = OpenConnections(ConnectionLimits(connections=9, client_connections=1))
    assert [connections.add("a"), connections.add("a")] == [True, False]
    assert (connections.ended["full"], connections.ended["client"]) == (0, 1)


def test_a_service_has_1024_connections_by_default_and_so_has_a_client() -> None:
    assert accepted(ConnectionLimits(), *map(str, range(1025))) == [True] * 1024 + [False]
    assert accepted(ConnectionLimits(connections=2000), *["a"] * 1025) == [True] * 1024 + [False]


def test_no_client_is_a_proxy_by_default() -> None:
    assert accepted(ConnectionLimits(client_connections=1), "127.0.0.1", "127.0.0.1") == [True, False]


class Timers:
    """A loop whose timers are never due; `waiting` has the seconds of those that are not cancelled."""

    def __init__(self) -> None:
        self.waiting: list[float] = []

    def call_later(self, seconds: float, _: object) -> Any:
        self.waiting.append(seconds)
        return SimpleNamespace(cancel=lambda: self.waiting.remove(seconds))


def protocol_of(limits: ConnectionLimits, timers: Timers) -> Any:
    kind: Any = bounded_protocol(OpenConnections(limits))
    protocol = kind.__new__(kind)
    protocol.loop = timers
    protocol.flow = SimpleNamespace(pause_writing=lambda: None, resume_writing=lambda: None)
    return protocol


def test_a_client_that_reads_again_has_its_whole_time_again() -> None:
    timers = Timers()
    protocol = protocol_of(ConnectionLimits(write_s=30.0), timers)
    protocol.pause_writing()
    protocol.pause_writing()
    assert timers.waiting == [30.0]
    protocol.resume_writing()
    assert timers.waiting == []
    protocol.resume_writing()
    protocol.pause_writing()
    assert timers.waiting == [30.0]


def test_the_time_for_a_head_ends_with_the_head() -> None:
    timers = Timers()
    protocol = protocol_of(ConnectionLimits(head_s=15.0), timers)
    protocol._expect_head()
    assert timers.waiting == [15.0]
    protocol._head_has_come()
    protocol._head_has_come()
    assert timers.waiting == []
