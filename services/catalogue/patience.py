"""Waiting out a service that is away for a while."""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

from services.contracts.errors import (
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


class GivenUp(Exception):
    """A service stayed away for longer than we wait. The text is the last thing it, or its client, said."""


class Stopped(Exception):
    """We were told to stop while waiting."""


class Patience:
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
            GivenUp: it still failed when the time was up.
            Stopped: we were told to stop.
        """
        since: float | None = None
        delay = FIRST_DELAY_S
        while True:
            try:
                answer = await what()
            except PASSING as error:
                since = since or time.monotonic()
                if time.monotonic() - since >= self._within_s:
                    raise GivenUp(f"{error.detail} (waited {self._within_s:g} s)") from None
                await self._pause(error, delay)
                delay = min(2 * delay, MAX_DELAY_S)
            else:
                if since is not None:
                    self._say(None)
                return answer

    async def _pause(self, error: LookalikeError, delay: float) -> None:
        self._say(error.detail)
        try:
            async with asyncio.timeout(delay * random.uniform(0.5, 1.0)):
                await self._stopping.wait()
        except TimeoutError:
            return
        raise Stopped
