"""Repeating calls to services that are unavailable for a while."""

import asyncio

import pytest

from services.catalogue import retry as retry_module
from services.catalogue.retry import RetriesExhausted, Retry, Stopped, pause
from services.contracts.domain.errors import EmbeddingUnavailable, LookalikeError, UnknownModel, UpstreamTimeout


class Service:
    """Raises these errors, one a call, then returns 7."""

    def __init__(self, *errors: LookalikeError) -> None:
        self.errors = list(errors)
        self.calls = 0

    async def __call__(self) -> int:
        self.calls += 1
        if self.errors:
            raise self.errors.pop(0)
        return 7


@pytest.fixture(autouse=True)
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retry_module, "FIRST_DELAY_S", 0.001)


def retrying(reports: list[str | None], within_s: float = 60.0, stopping: asyncio.Event | None = None) -> Retry:
    return Retry(within_s, stopping or asyncio.Event(), reports.append)


async def test_a_call_that_succeeds_at_once_reports_nothing() -> None:
    reports: list[str | None] = []
    service = Service()
    assert await retrying(reports).call(service) == 7
    assert (service.calls, reports) == (1, [])


async def test_a_temporary_error_is_reported_and_the_call_repeated_until_it_succeeds() -> None:
    reports: list[str | None] = []
    service = Service(EmbeddingUnavailable("restarting"), UpstreamTimeout("slow"))
    assert await retrying(reports).call(service) == 7
    assert (service.calls, reports) == (3, ["restarting", "slow", None])


async def test_the_second_attempt_is_enough_to_report_that_the_service_responds_again() -> None:
    reports: list[str | None] = []
    assert await retrying(reports).call(Service(EmbeddingUnavailable("restarting"))) == 7
    assert reports == ["restarting", None]


async def test_when_the_time_is_up_the_last_error_is_the_cause() -> None:
    reports: list[str | None] = []
    service = Service(*[EmbeddingUnavailable("gone")] * 9)
    with pytest.raises(RetriesExhausted, match=r"gone \(waited 0 s\)") as caught:
        await retrying(reports, within_s=0).call(service)
    assert isinstance(caught.value.__cause__, EmbeddingUnavailable)
    assert (service.calls, reports) == (1, [])


async def test_an_error_that_waiting_does_not_mend_is_raised_at_once() -> None:
    service = Service(UnknownModel("no such model"))
    with pytest.raises(UnknownModel):
        await retrying([]).call(service)
    assert service.calls == 1


async def test_a_wait_ends_when_stopping_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retry_module, "FIRST_DELAY_S", 1000.0)
    monkeypatch.setattr(retry_module, "MAX_DELAY_S", 1000.0)
    stopping = asyncio.Event()
    service = Service(*[EmbeddingUnavailable("gone")] * 9)
    with pytest.raises(Stopped):
        await Retry(5000.0, stopping, lambda _: stopping.set()).call(service)
    assert service.calls == 1


async def test_a_pause_lasts_its_time_unless_stopping_is_set() -> None:
    stopping = asyncio.Event()
    await pause(0.001, stopping)
    stopping.set()
    with pytest.raises(Stopped):
        await pause(1000.0, stopping)
