"""Requests at a fixed rate, even if earlier ones have no answer yet, and the answer of each."""

import asyncio
import contextlib
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from dataclasses import dataclass, field

from tests.load.http import Sender
from tests.load.shop import Request

REFUSALS = frozenset({"429", "503", "504"})  # declared answers of a service that is busy or lacks a part


@dataclass(frozen=True)
class Sample:
    """One request: when it was due (monotonic, in seconds), how long its answer took from then, and what it was."""

    kind: str
    due: float
    seconds: float
    status: str
    wrong: str = ""

    @property
    def is_good(self) -> bool:
        """Whether it was served."""
        return self.status.startswith("2") and not self.wrong

    @property
    def done(self) -> float:
        """When its answer was complete."""
        return self.due + self.seconds


@dataclass
class Samples:
    """The answers of a number of requests."""

    all: list[Sample] = field(default_factory=list)

    def between(self, begin: float, end: float) -> "Samples":
        """Return those that were due from `begin` to `end`."""
        return Samples([sample for sample in self.all if begin <= sample.due < end])

    def statuses(self) -> Counter[str]:
        """Return how often each status came."""
        return Counter(sample.status for sample in self.all)

    def failed(self) -> list[Sample]:
        """Return those that were not served."""
        return [sample for sample in self.all if not sample.is_good]

    def wrong(self) -> list[str]:
        """Return what is wrong with wrong answers."""
        return [sample.wrong for sample in self.all if sample.wrong]

    def milliseconds(self, statuses: Callable[[str], bool]) -> list[float]:
        """Return the times of the answers with some statuses."""
        return [sample.seconds * 1000 for sample in self.all if statuses(sample.status)]


class Load:
    """Sends requests and collects their samples."""

    def __init__(self, sender: Sender, requests: Iterator[Request]) -> None:
        self.samples = Samples()
        self._sender = sender
        self._requests = requests
        self._running: set[asyncio.Task[None]] = set()

    @contextlib.asynccontextmanager
    async def at(self, rate: float) -> AsyncIterator[None]:
        """Send `rate` requests a second for the length of the block; in the end, wait for their answers."""
        sending = asyncio.create_task(self._send_at(rate))
        try:
            yield
        finally:
            sending.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await sending
            await asyncio.gather(*self._running)

    async def _send_at(self, rate: float) -> None:
        began, number = time.monotonic(), 0
        while True:
            due = began + number / rate
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            task = asyncio.create_task(self._one(next(self._requests), due))
            self._running.add(task)
            task.add_done_callback(self._running.discard)
            number += 1

    async def clients(self, count: int, seconds: float) -> float:
        """Let clients send one request after the other; return the number of good answers a second."""
        began = time.monotonic()
        before = len(self.samples.all)
        await asyncio.gather(*(self._client(began + seconds) for _ in range(count)))
        good = sum(sample.is_good for sample in self.samples.all[before:])
        return good / (time.monotonic() - began)

    async def _client(self, until: float) -> None:
        while time.monotonic() < until:
            await self._one(next(self._requests), time.monotonic())

    async def _one(self, request: Request, due: float) -> None:
        answer = await self._sender.send(request.data)
        wrong = request.check(answer) if answer.status.startswith("2") else ""
        self.samples.all.append(Sample(request.kind, due, time.monotonic() - due, answer.status, wrong))


async def capacity(load: Load, clients: Iterable[int] = (4, 8, 16), seconds: float = 5.0) -> float:
    """Return the most good answers a second that some number of clients gets."""
    await load.clients(4, seconds / 2)  # warms up
    return max([await load.clients(count, seconds) for count in clients])
