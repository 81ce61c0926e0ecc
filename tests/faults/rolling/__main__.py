"""A rolling upgrade of each service in turn, with two pods of each, under load: no request may fail.

    .venv/bin/python -m tests.faults.rolling [--rate 20] [--only index]

Pods are processes. They start and end as deploy/kubernetes says: a pod of a Deployment is replaced by a new one that is
ready first, a pod of the index ends before it starts again; each one gets no new connections for three seconds, then
SIGTERM, and may take twelve more. Of ten requests, eight search by photo, one by product, and one writes a product.
"""

import argparse
import asyncio
import sys
import tempfile
from collections.abc import Sequence
from contextlib import AsyncExitStack, suppress
from pathlib import Path

from services.local.settings import StackSettings
from services.local.stack import Stack
from tests.faults.rolling.balancer import Balancer
from tests.faults.rolling.pods import Pod
from tests.load.http import Sender
from tests.load.open_loop import Load, Samples
from tests.load.shop import Shop
from tests.support.servers.stack import running_stack
from tests.support.waiting import WITHIN_S

ORDER = ("tfs", "embedding", "index", "gateway")
PODS = 2
CALM_S = 2.0  # of load before and after each upgrade
HEAD = ("service", "requests", "failed", "p50 ms", "p99 ms", "longest end after SIGTERM, s")


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    result = argparse.ArgumentParser(
        prog="python -m tests.faults.rolling",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    result.add_argument("--rate", type=float, default=20.0, help="requests a second")
    result.add_argument("--only", choices=ORDER, help="the service to upgrade. Default: all, one after the other")
    return result


class Cluster:
    """Two pods of each service, behind balancers; the index's pods have addresses of their own."""

    def __init__(self, settings: StackSettings, folder: Path) -> None:
        """Set where the pods' database and files are."""
        self.balancers = {name: Balancer() for name in ("tfs", "embedding", "gateway")}
        self.pods: dict[str, list[Pod]] = {}
        self._settings = settings
        self._folder = folder

    async def start(self) -> None:
        """Start all pods, those first that others ask."""
        for name in ORDER:
            self.pods[name] = [self._pod(name) for _ in range(PODS)]
            await asyncio.gather(*(pod.start() for pod in self.pods[name]))
            if name in self.balancers:
                self.balancers[name].ports = [pod.port for pod in self.pods[name]]

    def _pod(self, name: str) -> Pod:
        at = {name: f"127.0.0.1:{balancer.port}" for name, balancer in self.balancers.items()}
        if name == "embedding":
            return Pod(name, self._settings, self._folder, {"TFS_ADDRESS": at["tfs"]})
        if name == "gateway":
            nodes = ",".join(f"http://127.0.0.1:{pod.port}" for pod in self.pods["index"])
            urls = {"EMBEDDING_URL": f"http://{at['embedding']}", "INDEX_URL": nodes}
            return Pod(name, self._settings, self._folder, urls)
        return Pod(name, self._settings, self._folder)

    async def upgrade(self, name: str) -> float:
        """Replace each pod of a service; return the longest time that one took to end."""
        if name == "index":  # a StatefulSet: the pod of a number ends before it starts again
            longest = 0.0
            for pod in self.pods[name]:
                longest = max(longest, await pod.end())
                await pod.start()
            return longest
        return max([await self._replace(name, old) for old in list(self.pods[name])])

    async def _replace(self, name: str, old: Pod) -> float:
        new = self._pod(name)
        self.pods[name].append(new)
        await new.start()
        self.pods[name].remove(old)
        self.balancers[name].ports = [pod.port for pod in self.pods[name]]
        return await old.end()

    def kill(self) -> None:
        """End all pods."""
        for pod in (pod for pods in self.pods.values() for pod in pods):
            pod.kill()


async def upgraded(cluster: Cluster, shop: Shop, name: str, rate: float) -> tuple[Samples, float]:
    """Upgrade a service under load; return the answers, and the longest time that a pod took to end."""
    sender = Sender(f"http://127.0.0.1:{cluster.balancers['gateway'].port}", timeout_s=WITHIN_S)
    load = Load(sender, shop.mixed())
    async with load.at(rate):
        await asyncio.sleep(CALM_S)
        longest = await cluster.upgrade(name)
        await asyncio.sleep(CALM_S)
    sender.close()
    return load.samples, longest


def row(name: str, samples: Samples, longest: float) -> tuple[str, ...]:
    """Return the line of a service."""
    times = sorted(samples.milliseconds(lambda status: status.startswith("2")))
    p50, p99 = (times[int(share * len(times))] for share in (0.5, 0.99))
    return (
        name, f"{len(samples.all):,}", f"{len(samples.failed())}", f"{p50:.0f}", f"{p99:.0f}", f"{longest:.1f}",
    )  # fmt: skip


async def upgrades(stack: Stack, shop: Shop, folder: Path, options: argparse.Namespace) -> int:
    """Upgrade the services and print a table; return how many requests failed."""
    cluster, failed = Cluster(stack.settings, folder), 0
    async with AsyncExitStack() as balancers:
        for balancer in cluster.balancers.values():
            await balancers.enter_async_context(balancer.running())
        try:
            await cluster.start()
            sys.stdout.write(f"| {' | '.join(HEAD)} |\n| ---{' | ---:' * (len(HEAD) - 1)} |\n")
            for name in ORDER if options.only is None else (options.only,):
                samples, longest = await upgraded(cluster, shop, name, options.rate)
                failed += len(samples.failed())
                sys.stdout.write(f"| {' | '.join(row(name, samples, longest))} |\n")
                for sample in samples.failed()[:5]:
                    sys.stdout.write(f"! {sample.kind}: {sample.status} {sample.wrong}\n")
                sys.stdout.flush()
        finally:
            cluster.kill()
    return failed


def main(arguments: Sequence[str] | None = None) -> int:
    """Return the exit status: 1 if a request failed."""
    options = parser().parse_args(arguments)
    with suppress(KeyboardInterrupt), tempfile.TemporaryDirectory(prefix="lookalike-rolling-") as name:
        folder = Path(name)
        with running_stack(folder / "stack") as stack:
            shop = Shop(stack.settings.gateway_url)
            shop.open()
            return int(asyncio.run(upgrades(stack, shop, folder, options)) > 0)
    return 130


if __name__ == "__main__":
    sys.exit(main())
