"""Calls to services that may be unavailable for a while, repeated until they succeed."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from tenacity import (
    AsyncRetrying,
    RetryCallState,
    retry_if_exception_type,
    stop_after_delay,
    wait_random_exponential,
)

from services.contracts.domain.errors import (
    CatalogueUnavailable,
    EmbeddingUnavailable,
    LookalikeError,
    TooManyRequests,
    UpstreamTimeout,
)

T = TypeVar("T")
TEMPORARY = (CatalogueUnavailable, EmbeddingUnavailable, TooManyRequests, UpstreamTimeout)
FIRST_DELAY_S = 0.2
MAX_DELAY_S = 5.0


class RetriesExhausted(Exception):
    """A service was unavailable for longer than the limit. The text and the cause are its last error."""


class Stopped(Exception):
    """The work was stopped while it waited."""


async def pause(seconds: float, stopping: asyncio.Event) -> None:
    """Wait.

    Raises:
        Stopped: `stopping` is set, before or meanwhile.
    """
    try:
        async with asyncio.timeout(seconds):
            await stopping.wait()
    except TimeoutError:
        return
    raise Stopped


class Retry:
    """Repeats idempotent calls, with growing and random pauses, for a limited time each."""

    def __init__(self, within_s: float, stopping: asyncio.Event, report: Callable[[str | None], None]) -> None:
        """Set the limits.

        Args:
            within_s: how long a service may be unavailable, in seconds.
            stopping: set to end a wait at once.
            report: called with the reason when a wait begins, and with None when the service responds again.
        """
        self._within_s = within_s
        self._stopping = stopping
        self._report = report

    async def call(self, function: Callable[[], Awaitable[T]]) -> T:
        """Return what the function returns once it succeeds.

        Raises:
            RetriesExhausted: it still fails when the time is up.
            Stopped: `stopping` is set while waiting.
        """

        async def attempt() -> T:
            return await function()

        retrying = AsyncRetrying(
            retry=retry_if_exception_type(TEMPORARY),
            wait=wait_random_exponential(multiplier=FIRST_DELAY_S, max=MAX_DELAY_S),
            stop=stop_after_delay(self._within_s),
            before_sleep=self._report_wait,
            sleep=lambda seconds: pause(seconds, self._stopping),
            reraise=True,
        )
        try:
            result: T = await retrying(attempt)
        except TEMPORARY as error:
            raise RetriesExhausted(f"{error.detail} (waited {self._within_s:g} s)") from error
        if retrying.statistics["attempt_number"] > 1:
            self._report(None)
        return result

    async def _report_wait(self, state: RetryCallState) -> None:
        error = state.outcome.exception() if state.outcome is not None else None
        if isinstance(error, LookalikeError):
            self._report(error.detail)
