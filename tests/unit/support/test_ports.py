"""The ports of the tests' own servers."""

import socket

import pytest

from tests.support.web import ports
from tests.support.web.ports import FIRST, LAST, free_port, free_ports


def test_ports_are_different_and_free() -> None:
    reserved = [*free_ports(5), free_port()]
    assert len(set(reserved)) == 6
    for port in reserved:
        assert FIRST <= port < LAST
        with socket.socket() as listener:
            listener.bind(("127.0.0.1", port))


def test_a_port_on_which_something_listens_is_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as listener:
        port = free_port()
        listener.bind(("127.0.0.1", port))
        listener.listen()
        assert next(ports._reserved_ports(port)) != port


def test_when_no_port_is_left_the_error_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ports, "is_free", lambda _: False)
    with pytest.raises(RuntimeError, match="reserved or in use"):
        next(ports._reserved_ports(LAST - 2))
