"""The numbers of connections that are accepted: in all, and of one client."""

from services.contracts.web.requests.connections import ConnectionLimits, OpenConnections


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
