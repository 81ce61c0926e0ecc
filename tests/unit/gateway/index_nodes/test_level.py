"""Waiting until searches see a change."""

from typing import Any

import pytest

from services.contracts.domain.errors import IndexNotReady
from services.gateway.index_nodes.level import wait_until_level
from services.gateway.index_nodes.node import IndexNode
from tests.support.fakes.index_fakes import FakeIndex


class Clock:
    """A clock that only sleeping moves."""

    def __init__(self) -> None:
        self.now = 100.0

    def monotonic(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr("services.gateway.index_nodes.level.time.monotonic", clock.monotonic)
    monkeypatch.setattr("services.gateway.index_nodes.level.asyncio.sleep", clock.sleep)
    return clock


class Following(FakeIndex):
    """A node that is level with the database at some times only."""

    def __init__(self, clock: Clock, *level_at: float) -> None:
        super().__init__({0: ["a"]})
        self._clock = clock
        self._times = level_at

    async def status(self) -> Any:
        self.lag = self._clock.now - max(time for time in (*self._times, 0.0) if time <= self._clock.now)
        return await super().status()


def nodes(*indexes: FakeIndex) -> list[IndexNode]:
    return [IndexNode(index) for index in indexes]  # type: ignore[arg-type]


async def test_a_node_that_is_level_since_the_write_ends_the_wait(clock: Clock) -> None:
    assert await wait_until_level(nodes(Following(clock, 99.9, 100.3)), "default", 5)
    assert 100.3 <= clock.now < 100.8


async def test_a_node_that_was_level_before_the_write_is_not_enough(clock: Clock) -> None:
    assert not await wait_until_level(nodes(Following(clock, 99.999)), "default", 2)
    assert clock.now <= 102


async def test_every_node_that_answers_has_to_be_level(clock: Clock) -> None:
    slow, fast = Following(clock, 101.0), Following(clock, 100.0)
    assert await wait_until_level(nodes(slow, fast), "default", 5)
    assert clock.now >= 101


async def test_nodes_that_do_not_answer_are_left_out(clock: Clock) -> None:
    away = Following(clock, 100.0)
    away.trouble = IndexNotReady("the index cannot be reached")
    assert await wait_until_level(nodes(away, Following(clock, 100.0)), "default", 5)
    assert not await wait_until_level(nodes(away), "default", 1)


async def test_a_catalogue_that_is_not_indexed_is_never_level(clock: Clock) -> None:
    assert not await wait_until_level(nodes(Following(clock, 100.0)), "shoes", 1)


@pytest.mark.parametrize(("within_s", "is_level"), [(0.029, False), (0.03, True), (0.031, True)])
async def test_a_pause_that_ends_with_the_wait_is_made(clock: Clock, within_s: float, is_level: bool) -> None:
    assert await wait_until_level(nodes(Following(clock, 100.03)), "default", within_s) is is_level


async def test_pauses_double_up_to_a_quarter_of_a_second(clock: Clock) -> None:
    times: list[float] = []

    class Never(Following):
        async def status(self) -> Any:
            times.append(round(clock.now - 100, 3))
            return await super().status()

    assert not await wait_until_level(nodes(Never(clock)), "default", 1)
    assert times == [0.0, 0.03, 0.09, 0.21, 0.45, 0.7, 0.95]


async def test_without_a_node_nothing_is_level(clock: Clock) -> None:
    assert not await wait_until_level([], "default", 0)
