"""One fault of one process under load, and the answers to requests before, during and after it."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from services.local.stack import Stack
from tests.faults.outages.fault import KINDS
from tests.load.http import Sender
from tests.load.open_loop import REFUSALS, Load, Samples
from tests.load.processes import processes
from tests.load.shop import Shop

PARTS = ("mongo", "tfs", "embedding", "index", "gateway")
NO_ANSWER = frozenset({"disconnected", "timeout"})
RECOVERY_S = 30.0
CALM_S = 2.0  # without a failure: the stack has recovered
LONGEST_S = 45.0  # that is waited for


@dataclass(frozen=True)
class Outage:
    """What came of a fault.

    Attributes:
        part: the process.
        kind: the kind of fault.
        proof: what shows that it happened; empty if nothing does.
        begin: when it began (monotonic, in seconds).
        end: when it ended; a kill ends when it begins, because the supervisor then starts the process again.
        seconds: the length of the fault; of a kill, the time in which errors are counted.
        samples: the requests from a second before it until the stack has recovered.
        rate: requests a second.
        lost: acknowledged writes that are lost.
    """

    part: str
    kind: str
    proof: str
    begin: float
    end: float
    seconds: float
    samples: Samples
    rate: float
    lost: Sequence[str] = field(default=())

    @property
    def error_rate(self) -> float:
        """The share of the requests during the fault that were not served."""
        during = self.samples.between(self.begin, self.begin + self.seconds)
        return len(during.failed()) / max(1, len(during.all))

    @property
    def recovery_s(self) -> float:
        """The time from the end of the fault until the last request that failed."""
        return max([0.0, *(sample.done - self.end for sample in self.samples.failed())])

    @property
    def load(self) -> str:
        """The load in words."""
        return f"{self.rate:.0f} requests a second; each fault lasts {self.seconds:.0f} s."

    def row(self) -> tuple[str, ...]:
        """Return a row of the table."""
        statuses = ", ".join(f"{count} × {status}" for status, count in sorted(self.samples.statuses().items()))
        return (
            f"{self.kind} {self.part}",
            f"{self.error_rate:.0%}",
            statuses,
            f"{len(self.samples.wrong())}",
            f"{self.recovery_s:.1f} s",
            self.proof or "none",
        )

    def problems(self) -> list[str]:
        """Return what is not as it has to be, in words."""
        allowed = REFUSALS | {"200", "201"} | (NO_ANSWER if self.part == "gateway" else frozenset())
        other = self.samples.statuses().keys() - allowed
        rules = (
            (bool(self.proof), "nothing shows that it happened"),
            (not other, f"answered {', '.join(sorted(other))}"),
            (not self.samples.wrong(), f"a wrong result: {', '.join(self.samples.wrong()[:3])}"),
            (not self.lost, f"acknowledged writes are lost: {'; '.join(self.lost[:3])}"),
            (self.recovery_s < RECOVERY_S, f"it took {self.recovery_s:.1f} s to recover"),
        )
        return [f"{self.kind} {self.part}: {text}" for holds, text in rules if not holds]


HEAD = ("fault", "errors during it", "statuses", "wrong results", "time to recover", "proof")


async def outage(stack: Stack, shop: Shop, part: str, kind: str, *, rate: float, seconds: float) -> Outage:
    """Let a process fail for `seconds` under `rate` requests a second, and wait until all requests are served again."""
    sender = Sender(stack.settings.gateway_url)
    load = Load(sender, shop.mixed())
    async with load.at(rate):
        await asyncio.sleep(1.0)
        async with KINDS[kind](lambda: processes(stack).get(part), seconds) as proof:
            begin = time.monotonic()
        end = begin if kind == "kill" else time.monotonic()
        await _recovered(load, max(end, time.monotonic() - CALM_S))
    lost = await shop.lost(sender)
    sender.close()
    return Outage(part, kind, proof.text, begin, end, seconds, load.samples, rate, lost)


async def _recovered(load: Load, since: float) -> None:
    """Return when no request that was due in the last seconds has failed, or when it takes too long."""
    deadline = time.monotonic() + LONGEST_S
    while time.monotonic() < deadline:
        await asyncio.sleep(0.2)
        now = time.monotonic()
        recent = [sample for sample in load.samples.all if sample.done > now - CALM_S]
        if now - since >= CALM_S and recent and all(sample.is_good for sample in recent):
            return
