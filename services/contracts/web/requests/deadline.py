"""The deadline of a request, which every service behind the gateway gets with its part of the work.

The gateway sets it once. Each call to another service passes on the time that is left, so that no service works on a
request that no client waits for any more. The time travels as milliseconds, so the clocks of two machines need not
agree.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from starlette.types import ASGIApp, Receive, Scope, Send

from services.contracts.domain.errors import UpstreamTimeout

HEADER = "X-Deadline-Ms"
MAX_MS = 600_000
_deadline: ContextVar[float | None] = ContextVar("deadline", default=None)


@contextmanager
def deadline_in(seconds: float) -> Iterator[None]:
    """Give the work of the block this time, or less if its deadline is earlier already."""
    mine, earlier = time.monotonic() + seconds, _deadline.get()
    token = _deadline.set(mine if earlier is None else min(mine, earlier))
    try:
        yield
    finally:
        _deadline.reset(token)


def remaining_s(most_s: float) -> float:
    """Return the time that is left, at most `most_s` seconds.

    Raises:
        UpstreamTimeout: the deadline has passed.
    """
    deadline = _deadline.get()
    if deadline is None:
        return most_s
    left = deadline - time.monotonic()
    if left <= 0:
        raise UpstreamTimeout("the request's deadline has passed")
    return min(left, most_s)


def deadline_headers() -> dict[str, str]:
    """Return the header field that passes the time on; none without a deadline. Raises as `remaining_s`."""
    if _deadline.get() is None:
        return {}
    return {HEADER: str(max(1, int(remaining_s(MAX_MS / 1000) * 1000)))}


def time_left_s() -> float | None:
    """Return the time that is left; None without a deadline. Raises as `remaining_s`."""
    return None if _deadline.get() is None else remaining_s(float("inf"))


class DeadlineMiddleware:
    """Takes the deadline of a request from its header. For services behind the gateway."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        left_ms = _left_ms(scope) if scope["type"] == "http" else None
        if left_ms is None:
            await self.app(scope, receive, send)
            return
        with deadline_in(left_ms / 1000):
            await self.app(scope, receive, send)


def _left_ms(scope: Scope) -> int | None:
    name = HEADER.lower().encode()
    text = next((value for key, value in scope["headers"] if key == name), b"").decode("latin-1")
    return min(int(text), MAX_MS) if text.isascii() and text.isdigit() and len(text) < 10 else None
