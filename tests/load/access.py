"""`make fairness`: a key that is rotated under load, and one hog among ten honest clients.

No request may get 401 while clients change from a key's first secret to its second, and the first is revoked. Of the
honest searches, 99 % have to be answered while another client sends all it can. Otherwise the exit status is 1.
"""

import argparse
import asyncio
import os
import secrets
import statistics
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

import orjson

from services.local.stack import Stack
from tests.load.http import Sender
from tests.load.open_loop import Load, Samples
from tests.load.report import write_section
from tests.load.shop import Shop, open_shop
from tests.support.servers.shop import environment
from tests.support.servers.stack import ROOT

HONEST = 10
HOG_CONNECTIONS = 100
ANSWERED = 0.99
UNAUTHORISED = "401"


class Keys:
    """`lookalike keys` for the database of a stack."""

    def __init__(self, stack: Stack) -> None:
        self._environment = {**os.environ, "MONGO_URL": stack.settings.mongo_url, "MONGO_DATABASE": "lookalike"}

    async def create(self, name: str) -> dict[str, str]:
        """Create a key of scope search; return its id and its secret."""
        return await self("create", name, "--scope", "search")

    async def __call__(self, *words: str) -> dict[str, str]:
        """Run a command and return its JSON.

        Raises:
            CalledProcessError: it fails.
        """
        command = [sys.executable, "-m", "services.cli.main", "keys", *words, "--json"]
        done = await asyncio.to_thread(
            subprocess.run, command, env=self._environment, cwd=ROOT, check=True, capture_output=True
        )
        document: dict[str, str] = orjson.loads(done.stdout)
        return document


@dataclass(frozen=True)
class Rotation:
    """What requests got with the first secret and with the second one."""

    first: Samples
    second: Samples
    revoked: str  # the status of a request with the first secret after its revocation

    def problems(self) -> list[str]:
        """Return what is not as it has to be, in words."""
        refused = sum(each.statuses()[UNAUTHORISED] for each in (self.first, self.second))
        rules = (
            (refused == 0, f"{refused} requests got 401 during the rotation"),
            (bool(self.first.all and self.second.all), "no request was sent with one of the secrets"),
            (self.revoked == UNAUTHORISED, f"a revoked secret got {self.revoked}"),
        )
        return [text for holds, text in rules if not holds]


async def rotation(shop: Shop, keys: Keys, rate: float, seconds: float) -> Rotation:
    """Rotate a key while clients search with it."""
    key = await keys.create("rotated")
    sender = Sender(shop.url)
    first = Load(sender, shop.searches(key["secret"]))
    async with first.at(rate):
        await asyncio.sleep(seconds)
        second = Load(sender, shop.searches((await keys("rotate", key["id"]))["secret"]))
        async with second.at(rate):  # some clients have the second secret, others still the first
            await asyncio.sleep(seconds)
    async with second.at(rate):
        await keys("revoke", key["id"], "--previous")
        await asyncio.sleep(seconds)
    answer = await sender.send(next(shop.searches(key["secret"])).data)
    sender.close()
    return Rotation(first.samples, second.samples, answer.status)


@dataclass(frozen=True)
class Fairness:
    """What a hog and the honest clients got."""

    calm: Samples
    hog: Samples
    honest: Samples

    @property
    def answered(self) -> float:
        """The share of the honest clients' searches that were answered."""
        return 1 - len(self.honest.failed()) / max(1, len(self.honest.all))

    def problems(self) -> list[str]:
        """Return what is not as it has to be, in words."""
        rules = (
            (self.answered >= ANSWERED, f"{self.answered:.1%} of the honest clients' searches were answered"),
            (len(self.hog.all) > len(self.honest.all), "the hog sent fewer requests than the honest clients"),
        )
        return [text for holds, text in rules if not holds]


async def fairness(shop: Shop, keys: Keys, seconds: float) -> Fairness:
    """Let ten clients search once a second, then next to another one that sends all it can."""
    honest = [await keys.create(f"honest {number}") for number in range(HONEST)]
    sender = Sender(shop.url)
    phases = [Samples(), Samples()]
    hog = Load(Sender(shop.url), shop.searches((await keys.create("hog"))["secret"]))
    for phase in phases:
        loads = [Load(sender, shop.searches(key["secret"])) for key in honest]
        sending = [_send(load, seconds) for load in loads]
        if phase is phases[1]:
            sending.append(_hog(hog, seconds))
        await asyncio.gather(*sending)
        phase.all += [sample for load in loads for sample in load.samples.all]
    sender.close()
    return Fairness(phases[0], hog.samples, phases[1])


async def _send(load: Load, seconds: float) -> None:
    async with load.at(1.0):
        await asyncio.sleep(seconds)


async def _hog(load: Load, seconds: float) -> None:
    await load.clients(HOG_CONNECTIONS, seconds)


def table(turned: Rotation, shared: Fairness) -> list[tuple[str, str]]:
    """Return the figures as a table."""

    def statuses(samples: Samples) -> str:
        return ", ".join(f"{count:,} × {status}" for status, count in samples.statuses().most_common())

    def median(samples: Samples) -> str:
        return f"{statistics.median(samples.milliseconds(lambda status: status == '200') or [0.0]):.0f} ms"

    return [
        ("", "figure"),
        ("searches with the first secret", statuses(turned.first)),
        ("searches with the second secret", statuses(turned.second)),
        ("a search with the first secret after its revocation", turned.revoked),
        (f"{HONEST} honest clients, alone", f"{statuses(shared.calm)}; median {median(shared.calm)}"),
        (f"{HONEST} honest clients, next to a hog", f"{statuses(shared.honest)}; median {median(shared.honest)}"),
        ("the hog", statuses(shared.hog)),
        ("honest searches answered next to the hog", f"{shared.answered:.1%}"),
    ]


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    result = argparse.ArgumentParser(prog="make fairness", description=__doc__)
    result.add_argument("--rate", type=float, default=10.0, help="searches a second while a key is rotated")
    result.add_argument("--seconds", type=float, default=15.0, help="length of each part")
    result.add_argument("--write", action="store_true", help="write the figures into docs/reliability.md")
    return result


async def both(shop: Shop, keys: Keys, options: argparse.Namespace) -> tuple[Rotation, Fairness]:
    """Measure the rotation, then the hog."""
    turned = await rotation(shop, keys, options.rate, options.seconds)
    return turned, await fairness(shop, keys, options.seconds)


def main(arguments: Sequence[str] | None = None) -> int:
    """Return the exit status."""
    options = parser().parse_args(arguments)
    admin = secrets.token_hex(16)
    settings = {"GATEWAY_ACCESS": "keys", "GATEWAY_ADMIN_KEY": admin}
    with suppress(KeyboardInterrupt):
        with environment(settings), open_shop("fairness", admin) as (stack, shop):
            turned, shared = asyncio.run(both(shop, Keys(stack), options))
        rows = table(turned, shared)
        sys.stdout.write("".join(f"  {what:<54} {value}\n" for what, value in rows[1:]))
        problems = turned.problems() + shared.problems()
        sys.stdout.write("".join(f"! {problem}\n" for problem in problems))
        if options.write:
            write_section("access", rows)
        return int(bool(problems))
    return 130


if __name__ == "__main__":
    sys.exit(main())
