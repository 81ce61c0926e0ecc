"""The circuit breaker: when it opens, who may try, and when it closes."""

import grpc
import numpy as np
import pytest

from services.contracts.domain.errors import EmbeddingUnavailable, UpstreamTimeout
from services.contracts.web.requests.deadline import deadline_in
from services.embedding.serving import breaker as module
from services.embedding.serving import serving_client
from services.embedding.serving.breaker import FAILURES, PAUSE_S, Breaker
from services.embedding.serving.model_clients import EmbeddingModelClient
from tests.support.servers.tfs import ScriptedServing, good_reply, manifest, scripted_serving
from tests.support.waiting import WITHIN_S

IMAGES = np.zeros((1, 16, 16, 3), np.uint8)


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def opened() -> tuple[Breaker, Clock]:
    clock = Clock()
    breaker = Breaker(clock)
    for _ in range(FAILURES):
        breaker.admit()
        breaker.failed()
    return breaker, clock


def test_it_opens_after_consecutive_failures_only() -> None:
    breaker = Breaker(Clock())
    for _ in range(3):
        for _ in range(FAILURES - 1):
            breaker.failed()
        breaker.succeeded()
    breaker.admit()
    assert not breaker.is_open


def test_while_it_is_open_one_call_a_pause_tries() -> None:
    breaker, clock = opened()
    for _ in range(3):
        for _ in range(5):
            with pytest.raises(EmbeddingUnavailable, match="tried again"):
                breaker.admit()
        clock.now += PAUSE_S
        breaker.admit()
        breaker.failed()


def test_a_success_closes_it() -> None:
    breaker, clock = opened()
    clock.now += PAUSE_S
    breaker.admit()
    breaker.succeeded()
    for _ in range(10):
        breaker.admit()


def test_five_failures_in_a_row_open_it() -> None:
    breaker, states = Breaker(Clock()), list[bool]()
    for _ in range(6):
        breaker.failed()
        states.append(breaker.is_open)
    assert states == [False, False, False, False, True, True]


async def test_a_check_of_the_state_says_nothing_of_the_network() -> None:
    with scripted_serving(LateStatus()) as address:
        client = EmbeddingModelClient(address, manifest(), WITHIN_S)
        for _ in range(FAILURES):
            with pytest.raises(UpstreamTimeout):
                await client.available()
        assert not client.is_breaker_open
        await client.close()


class LateStatus(ScriptedServing):
    """Does not say in time which versions it has loaded."""

    def GetModelStatus(self, request: object, context: grpc.ServicerContext) -> None:
        context.abort(grpc.StatusCode.DEADLINE_EXCEEDED, "late")


def test_after_a_success_it_takes_as_many_failures_again() -> None:
    breaker = Breaker(Clock())
    breaker.succeeded()
    for _ in range(FAILURES):
        assert not breaker.is_open
        breaker.failed()
    assert breaker.is_open


def test_the_pause_begins_with_the_failure_that_opens_it() -> None:
    clock = Clock()
    breaker = Breaker(clock)
    for _ in range(FAILURES):
        clock.now += 10 * PAUSE_S
        breaker.failed()
    clock.now += PAUSE_S / 2
    breaker.failed()  # a call that began earlier: it neither extends the pause nor begins another
    with pytest.raises(EmbeddingUnavailable):
        breaker.admit()
    clock.now += PAUSE_S / 2
    breaker.admit()


async def test_calls_with_less_time_than_counts_are_counted_if_it_is_all_that_the_settings_give() -> None:
    timeout_s = serving_client.COUNTED_S / 2
    serving = ScriptedServing(lambda _: grpc.StatusCode.DEADLINE_EXCEEDED)
    with scripted_serving(serving) as address:
        client = EmbeddingModelClient(address, manifest(), timeout_s)
        for _ in range(FAILURES):
            with pytest.raises(UpstreamTimeout):
                await client.predict(IMAGES)
        assert client.is_breaker_open
        await client.close()


async def test_calls_to_a_server_that_stands_still_fail_at_once_after_some(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PAUSE_S", 3600)
    is_stuck = [True]

    serving = ScriptedServing(lambda request: grpc.StatusCode.DEADLINE_EXCEEDED if is_stuck[0] else good_reply(request))
    with scripted_serving(serving) as address:
        client = EmbeddingModelClient(address, manifest(), timeout_s=WITHIN_S)
        for _ in range(FAILURES):
            with pytest.raises(UpstreamTimeout):
                await client.predict(IMAGES)
        calls = len(serving.requests)
        with pytest.raises(EmbeddingUnavailable, match="does not respond"):
            await client.predict(IMAGES)
        assert len(serving.requests) == calls
        is_stuck[0] = False
        await client.predict(IMAGES, probing=True)  # the readiness check is made all the same, and closes it
        await client.predict(IMAGES)
        await client.close()


async def test_a_call_with_little_time_left_says_nothing_of_the_server(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serving_client, "COUNTED_S", WITHIN_S)
    serving = ScriptedServing(lambda _: grpc.StatusCode.DEADLINE_EXCEEDED)
    with scripted_serving(serving) as address:
        client = EmbeddingModelClient(address, manifest(), timeout_s=WITHIN_S)
        for _ in range(FAILURES + 2):
            with deadline_in(WITHIN_S / 2), pytest.raises(UpstreamTimeout):
                await client.predict(IMAGES)
        assert len(serving.requests) == FAILURES + 2
        with deadline_in(0), pytest.raises(UpstreamTimeout, match="deadline has passed"):
            await client.predict(IMAGES)
        assert len(serving.requests) == FAILURES + 2
        await client.close()
