"""Waiting out a service that is away for a while."""

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
PASSING = (CatalogueUnavailable, EmbeddingUnavailable, TooManyRequests, UpstreamTimeout)
FIRST_DELAY_S = 0.2
MAX_DELAY_S = 5.0


class RetriesExhausted(Exception):
    """A service stayed away for longer than we wait. The text is the last thing it, or its client, said; the cause said it."""


class Stopped(Exception):
    """We were told to stop while waiting."""


async def pause(seconds: float, stopping: asyncio.Event) -> None:
    """Wait.

    Raises:
        Stopped: we are told to stop.
    """
    try:
        async with asyncio.timeout(seconds):
            await stopping.wait()
    except TimeoutError:
        return
    raise Stopped


class Retry:
    """Repeats calls that change nothing when repeated, with growing and random pauses, for a bounded time each."""

    def __init__(self, within_s: float, stopping: asyncio.Event, say: Callable[[str | None], None]) -> None:
        """Remember the bounds.

        Args:
            within_s: how long a service may be away, in seconds.
            stopping: set when waiting should end at once.
            say: takes the reason when a wait begins, and None when the service is back.
        """
        self._within_s = within_s
        self._stopping = stopping
        self._say = say

    async def call(self, what: Callable[[], Awaitable[T]]) -> T:
        """Return what the call returns, in the end.

        Raises:
            RetriesExhausted: it still failed when the time was up.
            Stopped: we were told to stop.
        """

        async def attempt() -> T:
            return await what()

        retrying = AsyncRetrying(
            retry=retry_if_exception_type(PASSING),
            wait=wait_random_exponential(multiplier=FIRST_DELAY_S, max=MAX_DELAY_S),
            stop=stop_after_delay(self._within_s),
            before_sleep=self._tell,
            sleep=lambda seconds: pause(seconds, self._stopping),
            reraise=True,
        )
        try:
            answer: T = await retrying(attempt)
        except PASSING as error:
            raise RetriesExhausted(f"{error.detail} (waited {self._within_s:g} s)") from error
        if retrying.statistics["attempt_number"] > 1:
            self._say(None)
        return answer

    async def _tell(self, state: RetryCallState) -> None:
        error = state.outcome.exception() if state.outcome is not None else None
        if isinstance(error, LookalikeError):
            self._say(error.detail)
