"""Under which name a client is counted, for its places and its rate."""

import pytest
from starlette.requests import Request

from services.gateway.access.guard import caller_name
from services.gateway.access.record import ADMIN_KEY, record_of


def request(address: str) -> Request:
    return Request({"type": "http", "headers": [], "client": (address, 50_000)})


@pytest.mark.parametrize(
    ("address", "name"),
    [("192.0.2.7", "192.0.2.7"), ("::ffff:192.0.2.7", "192.0.2.7"), ("a-unix-socket", "a-unix-socket")],
)
def test_without_a_key_a_client_is_counted_by_its_address(address: str, name: str) -> None:
    assert caller_name(request(address)) == name


def test_the_addresses_of_an_ipv6_network_are_one_client() -> None:
    first, other, stranger = (caller_name(request(f"2001:db8:0:{part}")) for part in ("1::1", "1:9::2", "2::1"))
    assert first == other != stranger


@pytest.mark.parametrize("who", ["k7", ADMIN_KEY])
def test_with_a_key_a_client_is_counted_by_the_key(who: str) -> None:
    with_key = request("192.0.2.7")
    record_of(with_key.scope).who = who
    assert caller_name(with_key) == who
