"""The steps of the switch under load, and the answers to requests in each of them."""

import argparse
import asyncio
import contextlib
import itertools
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable

import httpx

from services.catalogue.store.database import CatalogueDatabase
from services.contracts.domain.engines import is_exact
from services.contracts.domain.errors import CatalogueUnavailable
from services.contracts.web.background import in_background
from services.index.milvus.collection import MilvusCollection
from services.local.stack import Stack
from tests.faults.switch.gateways import Gateways, index_url_of
from tests.faults.switch.searches import CHANGING, Searches, changing_product
from tests.load.http import Sender
from tests.load.open_loop import Load, Sample
from tests.load.shop import Shop
from tests.support.servers.index import IndexProcess
from tests.support.servers.milvus import MilvusProcess, build_index
from tests.support.waiting import WITHIN_S, eventually

HEAD = ("step", "requests", "answers by", "failed", "wrong", "p50 / p99, ms")
DATABASE_S = 60.0  # deadline of a write
CHANGES_S = 0.2  # between two products that come or go
Work = Callable[[], Awaitable[None]]


class Switch:
    """The way from FAISS to Milvus and back.

    Attributes:
        rows: the figures of each step.
        problems: what is not as it has to be, in words.
        shadow: the results of the comparisons.
    """

    def __init__(
        self, options: argparse.Namespace, stack: Stack, shop: Shop, index: IndexProcess, server: MilvusProcess
    ) -> None:
        """Take no step yet.

        Args:
            options: the command line's.
            stack: with FAISS.
            shop: in it.
            index: the index service with Milvus, which is not running.
            server: Milvus.
        """
        self.rows: list[tuple[str, ...]] = []
        self.problems: list[str] = []
        self.shadow: Counter[str] = Counter()
        self._options, self._stack, self._shop, self._index, self._server = options, stack, shop, index, server
        self._engine = f"milvus {options.search}"
        self._differences: Counter[int] = Counter()
        self._walks: Counter[str] = Counter()
        self._changes = self._missed = 0

    async def all(self, gateways: Gateways, searches: Searches, model: str) -> None:
        """Take all steps there and back under load, and judge the answers."""
        sender = Sender(gateways.url)
        load = Load(sender, searches.requests(self._shop))
        faiss, milvus = index_url_of(self._stack), self._index.url
        shadow = {"GATEWAY_INDEX_SHADOW_URL": milvus, "GATEWAY_INDEX_SHADOW_SHARE": "1"}

        def restarted(index_url: str, **settings: str) -> Work:
            return lambda: asyncio.to_thread(gateways.restart, {"INDEX_URL": index_url, **settings})

        steps: list[tuple[str, Work]] = [
            ("FAISS", _nothing),
            ("Milvus loads and follows", lambda: self._start(model)),
            ("FAISS, compared with Milvus", restarted(faiss, **shadow)),
            ("both", restarted(f"{faiss},{milvus}")),
            ("Milvus", restarted(milvus)),
            ("both again", restarted(f"{faiss},{milvus}")),
            ("FAISS again", restarted(faiss)),
        ]
        async with self._changing(model), self._shoppers(searches, gateways.url), load.at(self._options.rate):
            for name, work in steps:
                await self._step(name, work, load.samples.all, searches)
                self.shadow = self.shadow or await asyncio.to_thread(gateways.shadow_counts)
        self.problems += [f"lost: {write}" for write in await self._shop.lost(sender)] + searches.examples
        sender.close()
        self._walks, self._missed = searches.walks, searches.missed
        self._judge_differences(gateways)
        await self._compare_counts()

    def notes(self) -> list[str]:
        """Return the other figures in words."""
        options, engine = self._options, self._engine
        walks = "; ".join(f"{ended} {count}" for ended, count in sorted(self._walks.items()))
        compared = ", ".join(f"{what} {count}" for what, count in sorted(self.shadow.items()))
        total = sum(int(row[1]) for row in self.rows)
        where = ", ".join(f"{count} in category {category}" for category, count in sorted(self._differences.items()))
        return [
            f"{options.rate:g} requests a second, `{engine}`, {options.products:,} products, "
            f"{self._changes} products that came or went.",
            f"{total:,} requests, {sum(int(row[3]) for row in self.rows)} failed, "
            f"{sum(int(row[4]) for row in self.rows)} wrong, "
            f"{sum(problem.startswith('lost') for problem in self.problems)} writes lost.",
            *([] if is_exact(engine) else [f"{self._missed} searches by a photo did not find its own product."]),
            f"Searches that were read page by page: {walks}.",
            f"Comparisons: {compared}.",
            f"Differences: {where or 'none'}; products change in category {CHANGING}.",
        ]

    async def _step(self, name: str, work: Work, samples: list[Sample], searches: Searches) -> None:
        """Take a step, go on for some seconds, and note the answers that came since it began."""
        before, began = len(samples), time.monotonic()
        searches.engines.clear()
        await work()
        await asyncio.sleep(self._options.seconds)
        taken = samples[before:]
        engines = ", ".join(f"{engine} {count}" for engine, count in sorted(searches.engines.items()))
        failed = [f"{name}: {step.kind} got {step.status}" for step in taken if not step.status.startswith("2")]
        wrong = [f"{name}: {step.wrong}" for step in taken if step.wrong]
        times = sorted(1000 * step.seconds for step in taken)
        spread = f"{times[len(times) // 2]:.0f} / {times[int(0.99 * len(times))]:.0f}"
        self.problems += failed + wrong
        self.rows.append((name, str(len(taken)), engines, str(len(failed)), str(len(wrong)), spread))
        sys.stdout.write(" | ".join(self.rows[-1]) + f" | {time.monotonic() - began:.0f} s\n")
        sys.stdout.flush()

    async def _start(self, model: str) -> None:
        """Start the index service with Milvus, and wait until it is ready."""
        await asyncio.to_thread(self._index.start)
        await asyncio.to_thread(eventually, lambda: self._index.answers("/readyz"))
        if not is_exact(self._engine):
            await asyncio.to_thread(self._build_index, model)

    def _build_index(self, model: str) -> None:
        """Let Milvus build its index now: of new rows, it has none yet."""
        collection = MilvusCollection(self._server.connection(timeout_s=WITHIN_S), "lookalike", model, 64)
        build_index(collection)
        collection.server.close()

    @contextlib.asynccontextmanager
    async def _shoppers(self, searches: Searches, url: str) -> AsyncIterator[None]:
        tasks = [asyncio.create_task(searches.shopper(url)) for _ in range(self._options.shoppers)]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            ended = await asyncio.gather(*tasks, return_exceptions=True)
            self.problems += [f"a shopper: {error!r}" for error in ended if isinstance(error, Exception)]

    @contextlib.asynccontextmanager
    async def _changing(self, model: str) -> AsyncIterator[None]:
        """Let products come and go for as long as the block."""

        async def change() -> None:
            for number in itertools.count():
                product = changing_product(number, model)
                with contextlib.suppress(CatalogueUnavailable):  # a busy machine; the next change comes soon
                    if number % 3:
                        await database.products.put_many([product])
                    else:
                        await database.products.delete_many([product.key])
                    self._changes += 1
                await asyncio.sleep(CHANGES_S)

        url = self._stack.settings.mongo_url
        async with CatalogueDatabase(url, timeout_s=DATABASE_S) as database, in_background(change(), "change products"):
            yield

    def _judge_differences(self, gateways: Gateways) -> None:
        """Add the differences between the engines that nothing explains: no product changes, and both are exact."""
        events = [event for gateway in gateways.all for event in gateway.shadow_differences()]
        self._differences = Counter(int(str(event["category"])) for event in events)
        if is_exact(self._engine):
            self.problems += [f"the engines differ: {event}" for event in events if event["category"] != CHANGING]

    async def _compare_counts(self) -> None:
        """Wait until both engines hold as many products of each category; add what differs in the end."""
        faiss = index_url_of(self._stack)
        deadline = time.monotonic() + 60
        async with httpx.AsyncClient(trust_env=False) as http:
            while True:
                counts = [await _counts(http, url) for url in (faiss, self._index.url)]
                if counts[0] == counts[1]:
                    return
                if time.monotonic() > deadline:
                    self.problems.append(f"the engines hold {counts[0]} and {counts[1]} products of each category")
                    return
                await asyncio.sleep(0.5)


async def _counts(http: httpx.AsyncClient, index_url: str) -> list[int]:
    status = (await http.get(f"{index_url}/v1/status")).json()
    return [category["products"] for category in status["catalogues"]["default"]["categories"]]


async def _nothing() -> None:
    """Change nothing."""
