"""Runs attacks against a stack, one after the other, and judges what they did."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass

from services.local.stack import Stack
from tests.attack.client import Answers, AttackClient
from tests.attack.corpus import Attack
from tests.attack.memory import Memory, bound_memory, forget_peak, limits_mb, memory_of, process_ids
from tests.attack.probe import Honest, Probe

REFUSALS = ("503", "504")  # a service is busy, or does not answer in time
MAX_ERROR_BYTES = 16 * 1024
LEAST_S = 2.0  # during which honest clients are watched
SETTLE_S = 1.0  # after an attack, before memory is measured
REST_S = 35.0  # after a round: the process that decodes large pictures ends after 30 s without one


@dataclass(frozen=True)
class Bounds:
    """What must hold. None for bounds of time and memory that are not checked.

    Attributes:
        livez_ms: the longest /livez. A longer one is none of the gateway's if the control's health check, which does
            nothing, took half of it in the same attack: the machine was busy.
        answered: the least share of honest requests that are served.
        growth: the most that memory at rest grows from the first to the last round.
    """

    livez_ms: float | None = 100.0
    answered: float = 0.99
    growth: float | None = 0.1


@dataclass(frozen=True)
class Outcome:
    """What one attack did."""

    attack: str
    answers: Answers
    probe: Probe
    before: dict[str, Memory]
    after: dict[str, Memory]
    restarted: tuple[str, ...]

    def problems(self, bounds: Bounds) -> Iterator[str]:
        """Yield the bounds that are broken, in words."""
        if self.restarted:
            yield f"ended and started again: {', '.join(self.restarted)}"
        servers = [status for status in self.answers.statuses if status.startswith("5") and status not in REFUSALS]
        if servers:
            yield f"answered {', '.join(servers)}"
        if self.answers.largest_error > MAX_ERROR_BYTES:
            yield f"an error of {self.answers.largest_error:,} bytes"
        limits = limits_mb()
        for name, memory in self.after.items():
            if memory.peak > limits[name]:
                yield f"{name} reached {memory.peak:.0f} MB of {limits[name]:.0f}"
        probed = len(self.probe.livez_ms) + len(self.probe.search_ms)
        if probed and len(self.probe.failed) > (1 - bounds.answered) * probed:
            yield f"{len(self.probe.failed)} of {probed} honest requests failed: {self.probe.failed[0]}"
        livez, control = max(self.probe.livez_ms, default=0), max(self.probe.control_ms, default=0)
        if bounds.livez_ms is not None and livez > max(bounds.livez_ms, 2 * control):
            yield f"/livez took {livez:.0f} ms, the control's health check {control:.0f} ms"


class Campaign:
    """Attacks a running stack."""

    def __init__(self, stack: Stack, honest: Honest | None = None, settle_s: float = SETTLE_S) -> None:
        """Take the stack and the honest clients; without these, nothing is timed."""
        self._stack = stack
        self._settle_s = settle_s
        self._honest = honest

    def bound_memory(self) -> None:
        """Bound the memory of each service to its limit in the Compose file."""
        for name, pid in process_ids(self._stack).items():
            bound_memory(pid, limits_mb()[name])

    async def calm(self, seconds: float) -> Probe:
        """Return what honest clients see without an attack."""
        async with self._probing() as probe:
            await asyncio.sleep(seconds)
        return probe

    async def rest(self, seconds: float = REST_S) -> dict[str, Memory]:
        """Return the memory of each service some time after the attacks."""
        await asyncio.sleep(seconds)
        return {name: memory_of(pid) for name, pid in process_ids(self._stack).items()}

    async def run(self, attack: Attack) -> Outcome:
        """Carry out an attack, and measure."""
        data = await asyncio.to_thread(attack.make)
        processes = process_ids(self._stack)
        before = {name: memory_of(pid) for name, pid in processes.items()}
        for pid in processes.values():
            forget_peak(pid)
        client = AttackClient(self._stack.settings.gateway_url)
        try:
            async with self._probing() as probe:
                began = time.monotonic()
                await attack.run(client, data)
                if self._honest is not None:  # an attack that is over soon has effects, too
                    await asyncio.sleep(began + LEAST_S - time.monotonic())
        finally:
            await client.close()
        await asyncio.sleep(self._settle_s)
        now = process_ids(self._stack)
        restarted = tuple(sorted(name for name, pid in processes.items() if now.get(name) != pid))
        after = {name: memory_of(pid) for name, pid in now.items()}
        return Outcome(attack.name, client.answers, probe, before, after, restarted)

    @contextlib.asynccontextmanager
    async def _probing(self) -> AsyncIterator[Probe]:
        if self._honest is None:
            yield Probe()
            return
        async with self._honest.probing() as probe:
            yield probe
