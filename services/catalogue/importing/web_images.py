"""Images from the web servers of a feed: a limited number of requests to each server at a time, repeated where it
helps.

A server is the host and port of the URL in the feed. Requests after a redirect count for the server of that URL.
"""

import asyncio
import time
from collections import OrderedDict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

from tenacity import (
    AsyncRetrying,
    RetryCallState,
    retry_if_exception,
    stop_after_delay,
    wait_random_exponential,
)

from services.catalogue.importing.ports import Fetcher
from services.catalogue.retry import pause
from services.contracts.domain.errors import ImageServerUnavailable, LookalikeError, UpstreamTimeout
from services.contracts.images.fetch import NO_VALIDATORS, FetchedImage, Validators

TEMPORARY = (ImageServerUnavailable, UpstreamTimeout)
AT_ONCE = 32  # requests under way, to all servers together
PER_HOST = 8  # of them to one server
ATTEMPTS = 3  # of one image; those that the server postpones do not count
FIRST_DELAY_S = 0.5
MAX_DELAY_S = 8.0
MAX_WAIT_S = 60.0  # the longest pause that a server may demand
MAX_TOTAL_S = 180.0  # after which an image is not requested again
# gRPC's retry throttling (proposal A6): a server that mostly fails gets no second request for each image.
FULL_CREDIT = 10.0
CREDIT_A_SUCCESS = 0.1
MAX_SERVERS = 1000  # remembered without requests under way


class _Server:
    """The requests under way to a web server, its credit, and the end of the pause that it demands."""

    def __init__(self, at_once: int) -> None:
        self.slots = asyncio.Semaphore(at_once)
        self.users = 0
        self.credit = FULL_CREDIT
        self.resumes_at = 0.0

    def record(self, error: LookalikeError | None) -> None:
        """Record the outcome of a request."""
        wait_s = error.wait_s if isinstance(error, ImageServerUnavailable) else None
        if wait_s is not None and wait_s <= MAX_WAIT_S:
            self.resumes_at = max(self.resumes_at, time.monotonic() + wait_s)
        elif isinstance(error, TEMPORARY):
            self.credit = max(0.0, self.credit - 1)
        else:
            self.credit = min(FULL_CREDIT, self.credit + CREDIT_A_SUCCESS)


class WebImages:
    """Fetches images without overloading their servers."""

    def __init__(self, fetcher: Fetcher, stopping: asyncio.Event, per_host: int = PER_HOST) -> None:
        """Set the limits.

        Args:
            fetcher: makes one attempt.
            stopping: set to end waits.
            per_host: requests to one server at a time.
        """
        self._fetcher = fetcher
        self._stopping = stopping
        self._per_host = per_host
        self._slots = asyncio.Semaphore(AT_ONCE)
        self._servers: OrderedDict[str, _Server] = OrderedDict()

    async def get(self, url: str, known: Validators = NO_VALIDATORS) -> FetchedImage:
        """Return the image at a URL, as `ImageFetcher.get` does, after several attempts if need be.

        Raises:
            LookalikeError: the error of the last attempt.
            Stopped: `stopping` is set while waiting.
        """
        async with self._server(url) as server:
            policy = _Policy(server)
            retrying = AsyncRetrying(
                retry=retry_if_exception(policy.again),
                wait=policy.wait_s,
                stop=stop_after_delay(MAX_TOTAL_S),
                sleep=lambda seconds: pause(seconds, self._stopping),
                reraise=True,
            )
            fetched: FetchedImage = await retrying(self._attempt, server, url, known)
            return fetched

    async def _attempt(self, server: _Server, url: str, known: Validators) -> FetchedImage:
        async with server.slots:
            while (wait_s := server.resumes_at - time.monotonic()) > 0:
                await pause(wait_s, self._stopping)
            async with self._slots:
                try:
                    fetched = await self._fetcher.get(url, known)
                except LookalikeError as error:
                    server.record(error)
                    raise
        server.record(None)
        return fetched

    @asynccontextmanager
    async def _server(self, url: str) -> AsyncIterator[_Server]:
        name = _name(url)
        server = self._servers.get(name)
        if server is None:
            server = self._servers[name] = _Server(self._per_host)
        self._servers.move_to_end(name)
        server.users += 1
        try:
            yield server
        finally:
            server.users -= 1
            self._forget()

    def _forget(self) -> None:
        """Forget the servers with the oldest requests: a feed may name any number."""
        while len(self._servers) > MAX_SERVERS and not next(iter(self._servers.values())).users:
            self._servers.popitem(last=False)


class _Policy:
    """Whether one image is requested again, and after what pause."""

    def __init__(self, server: _Server) -> None:
        self._server = server
        self._failures = 0
        self._growing = wait_random_exponential(multiplier=FIRST_DELAY_S, max=MAX_DELAY_S)

    def again(self, error: BaseException) -> bool:
        """Whether the next attempt may succeed."""
        if isinstance(error, ImageServerUnavailable) and error.wait_s is not None:
            return error.wait_s <= MAX_WAIT_S  # the server works, and says when
        self._failures += 1
        return isinstance(error, TEMPORARY) and self._failures < ATTEMPTS and self._server.credit > FULL_CREDIT / 2

    def wait_s(self, state: RetryCallState) -> float:
        """Return a growing and random pause, at least until the server's own pause ends."""
        return max(self._growing(state), self._server.resumes_at - time.monotonic())


def _name(url: str) -> str:
    try:
        parts = urlsplit(url)
        return f"{parts.scheme}://{parts.netloc}".lower()
    except ValueError:
        return ""
