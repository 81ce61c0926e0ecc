"""Whether the gateway can serve, checked in the background of requests: an answer never waits for a slow service."""

import asyncio
import time
from collections.abc import Awaitable, Callable

from services.contracts.domain.errors import LookalikeError
from services.contracts.web.app import Readiness
from services.gateway.state import GatewayState

MAX_AGE_S = 1.0  # of a result
PATIENCE_S = 0.08  # for a newer result, before the last one is the answer
CHECK_S = 3.0  # deadline of a check
BY_PHOTO = "searches by photo"
BY_PRODUCT = "searches by product"
GARMENTS = "garments of a photo"
Check = Callable[[], Awaitable[Readiness]]


class CachedReadiness:
    """The last result of a check; a request starts the next check if the result is old. For one event loop."""

    def __init__(self) -> None:
        self._last = Readiness(ready=False, reasons=("the services are being checked",))
        self._checked_at = -float("inf")
        self._task: asyncio.Task[None] | None = None

    async def get(self, check: Check) -> Readiness:
        """Return the result of the last check, within PATIENCE_S."""
        if time.monotonic() - self._checked_at >= MAX_AGE_S:
            if self._task is None or self._task.done():
                self._task = asyncio.create_task(self._run(check), name="check the services")
            await asyncio.wait([self._task], timeout=PATIENCE_S)
        return self._last

    async def _run(self, check: Check) -> None:
        try:
            async with asyncio.timeout(CHECK_S):
                self._last = await check()
        except TimeoutError:
            self._last = Readiness(ready=False, reasons=("the services do not respond in time",))
        self._checked_at = time.monotonic()


async def readiness(state: GatewayState) -> Readiness:
    """Return whether anything can be served: searches, or the garments of a photo.

    `degraded` names the parts that cannot. The database is not checked: a search does not need it.
    """
    embedding, gaps = await asyncio.gather(_can_embed(state), state.index.ready(), return_exceptions=True)
    for outcome in (embedding, gaps):
        if isinstance(outcome, BaseException) and not isinstance(outcome, LookalikeError):
            raise outcome
    errors = dict.fromkeys(outcome.detail for outcome in (embedding, gaps) if isinstance(outcome, LookalikeError))
    has_embedding, has_index = not isinstance(embedding, LookalikeError), isinstance(gaps, tuple)
    parts = {BY_PHOTO: has_embedding and has_index, BY_PRODUCT: has_index, GARMENTS: has_embedding}
    return Readiness(
        ready=any(parts.values()),
        reasons=(*errors, *(gaps if isinstance(gaps, tuple) else ())),
        degraded=tuple(part for part, is_well in parts.items() if not is_well),
    )


async def _can_embed(state: GatewayState) -> None:
    """Return if photos can be embedded with the active model; raises as `EmbeddingClient.ready`."""
    await state.search.embedding.ready(await state.search.binding.active())
