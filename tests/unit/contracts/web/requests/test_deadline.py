"""The deadline of a request: set once, passed on, never later than before."""

from typing import Any

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from services.contracts.domain.errors import UpstreamTimeout
from services.contracts.web.requests import deadline as module
from services.contracts.web.requests.deadline import (
    HEADER,
    DeadlineMiddleware,
    deadline_headers,
    deadline_in,
    remaining_s,
    time_left_s,
)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The time; a test changes it."""
    now = [1000.0]

    class Clock:
        @staticmethod
        def monotonic() -> float:
            return now[0]

    monkeypatch.setattr(module, "time", Clock)
    return now


def test_without_a_deadline_nothing_is_passed_on() -> None:
    assert deadline_headers() == {}
    assert remaining_s(5) == 5


def test_the_time_that_is_left_is_passed_on(clock: list[float]) -> None:
    with deadline_in(8):
        assert deadline_headers() == {HEADER: "8000"}
        clock[0] += 6.5
        assert deadline_headers() == {HEADER: "1500"}
        assert (remaining_s(5), remaining_s(1)) == (1.5, 1)
    assert deadline_headers() == {}


@pytest.mark.parametrize(("seconds", "header"), [(1000, "600000"), (600, "600000"), (0.0015, "1"), (0.0004, "1")])
def test_at_least_a_millisecond_and_at_most_ten_minutes_are_passed_on(
    clock: list[float], seconds: float, header: str
) -> None:
    clock[0] = 0
    with deadline_in(seconds):
        assert deadline_headers() == {HEADER: header}


def test_a_deadline_inside_another_is_never_later(clock: list[float]) -> None:
    with deadline_in(2):
        with deadline_in(60):
            assert remaining_s(100) == 2
        with deadline_in(1):
            assert remaining_s(100) == 1
        assert remaining_s(100) == 2


def test_a_call_after_the_deadline_is_not_made(clock: list[float]) -> None:
    with deadline_in(1):
        clock[0] += 1
        for call in (lambda: remaining_s(5), deadline_headers, time_left_s):
            with pytest.raises(UpstreamTimeout):
                call()


def test_the_time_that_is_left_is_known(clock: list[float]) -> None:
    assert time_left_s() is None
    with deadline_in(8):
        clock[0] += 6.5
        assert time_left_s() == 1.5


@pytest.mark.parametrize(
    ("header", "left"),
    [
        ("1500", 1.5),
        ("0", 0),
        ("500", 0.5),
        ("599500", 599.5),
        ("600001", 600),
        ("999999999", 600),
        ("1234567890", None),
        ("", None),
        ("-5", None),
        ("1e3", None),
        ("9" * 50, None),
        ("²", None),
    ],
)
def test_a_service_takes_the_deadline_of_the_header(clock: list[float], header: str, left: float | None) -> None:
    app = FastAPI()
    collected: list[Any] = []

    @app.get("/")
    async def root() -> None:
        deadline = module._deadline.get()
        collected.append(None if deadline is None else deadline - clock[0])

    app.add_middleware(DeadlineMiddleware)
    with TestClient(app) as client:
        client.get("/", headers={HEADER.encode(): header.encode("latin-1")})
        client.get("/")
    assert collected == [left, None]
