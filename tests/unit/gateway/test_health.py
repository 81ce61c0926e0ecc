"""The gateway's readiness: what counts as ready, and that an answer does not wait for a slow service."""

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest

from services.contracts.domain.errors import EmbeddingUnavailable, IndexNotReady
from services.contracts.web.app import Readiness
from services.gateway import health as module
from services.gateway.health import CachedReadiness
from tests.support.fakes.gateway_fakes import Gateway, running_gateway

READY, NOT_READY = Readiness(ready=True), Readiness(ready=False, reasons=("why",))


@pytest.fixture
def unhurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every request checks again, and waits for the result."""
    monkeypatch.setattr(module, "MAX_AGE_S", 0)
    monkeypatch.setattr(module, "PATIENCE_S", 30)


def document(gateway: Gateway) -> tuple[int, dict[str, Any]]:
    response = gateway.client.get("/readyz")
    return response.status_code, response.json()


@pytest.mark.usefixtures("unhurried")
def test_ready_means_that_anything_can_be_served() -> None:
    with running_gateway() as gateway:
        assert document(gateway) == (200, {"ready": True, "reasons": []})
        gateway.embedding.trouble = EmbeddingUnavailable("the network is loading")
        degraded = ["searches by photo", "garments of a photo"]
        assert document(gateway) == (
            200, {"ready": True, "reasons": ["the network is loading"], "degraded": degraded}
        )  # fmt: skip
        gateway.index.trouble = IndexNotReady("the index cannot be reached")
        reasons = ["the network is loading", "the index cannot be reached"]
        parts = ["searches by photo", "searches by product", "garments of a photo"]
        assert document(gateway) == (503, {"ready": False, "reasons": reasons, "degraded": parts})
        gateway.embedding.trouble = None
        assert document(gateway)[0] == 200
        gateway.index.trouble = None
        del gateway.index.held[2]
        gap = "no index node answers for Bags: none is set to hold them"
        assert document(gateway) == (200, {"ready": True, "reasons": [gap]})


async def test_an_answer_is_the_last_result_while_a_check_takes_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_AGE_S", 0)
    monkeypatch.setattr(module, "PATIENCE_S", 0)
    release, calls = asyncio.Event(), [0]

    async def slow() -> Readiness:
        calls[0] += 1
        await release.wait()
        return READY

    cached = CachedReadiness()
    for _ in range(3):
        assert not (await cached.get(slow)).ready
    assert calls[0] == 1  # requests share a check
    release.set()
    monkeypatch.setattr(module, "PATIENCE_S", 30)
    assert (await cached.get(slow)).ready


async def test_a_fresh_result_is_not_checked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_AGE_S", 3600)
    monkeypatch.setattr(module, "PATIENCE_S", 30)
    results = [READY, NOT_READY]

    async def check() -> Readiness:
        return results.pop(0)

    cached = CachedReadiness()
    assert [(await cached.get(check)).ready for _ in range(3)] == [True, True, True]


async def test_services_that_never_answer_are_not_ready(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "CHECK_S", 0.01)
    monkeypatch.setattr(module, "PATIENCE_S", 30)

    async def never() -> Readiness:
        await asyncio.Event().wait()
        return READY

    assert (await CachedReadiness().get(never)).reasons == ("the services do not respond in time",)


async def test_a_result_counts_for_a_second_after_its_check_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 100.0
    monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=lambda: now))
    monkeypatch.setattr(module, "PATIENCE_S", 30)
    checks = 0

    async def check() -> Readiness:
        nonlocal checks, now
        checks += 1
        now += 5  # the check takes five seconds
        return READY

    cached = CachedReadiness()
    for later, expected in ((0.0, 1), (0.99, 1), (0.01, 2)):
        now += later
        assert (await cached.get(check)).ready
        assert checks == expected


async def test_before_the_first_check_has_ended_nothing_is_ready(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PATIENCE_S", 0)
    hold = asyncio.Event()

    async def check() -> Readiness:
        await hold.wait()
        return READY

    cached = CachedReadiness()
    assert await cached.get(check) == Readiness(ready=False, reasons=("the services are being checked",))
    hold.set()
    assert cached._task is not None
    await cached._task
    assert await cached.get(check) == READY


@pytest.mark.usefixtures("unhurried")
def test_an_unexpected_error_of_a_check_is_not_taken_for_readiness(monkeypatch: pytest.MonkeyPatch) -> None:
    with running_gateway() as gateway:
        for part in (gateway.embedding, gateway.index):
            gateway.embedding.trouble = gateway.index.trouble = None
            part.trouble = ZeroDivisionError()  # type: ignore[assignment]
            assert gateway.client.get("/readyz").json()["ready"] is False
