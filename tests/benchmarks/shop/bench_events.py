"""Events taken in next to searches: events acknowledged a second, and what they cost the searches.

Rounds of searches alone and of the same searches with events alternate, and so does which of the two comes first, so
that other work on the machine meets both. The intervals are over pairs of rounds.
Searches and events come at fixed rates, and waiting counts (coordinated omission). EVENTS_RATE is the number of events
a second (default: 2,000), in requests of EVENTS_BATCH (50) as a shop's server sends them; SEARCH_RATE that of searches.
ROUNDS pairs of rounds (default: 8) of ROUND_SECONDS (10) take three minutes.
"""

import asyncio
import os
from collections.abc import Callable
from itertools import repeat
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from services.catalogue.store.database import CatalogueDatabase
from tests.benchmarks.paired import Ratio
from tests.load.http import Sender, prepared
from tests.load.open_loop import Load, Samples
from tests.load.shop import Request, Shop, open_shop

EVENTS_RATE = int(os.environ.get("EVENTS_RATE", "2000"))
SEARCH_RATE = int(os.environ.get("SEARCH_RATE", "10"))
ROUND_S = float(os.environ.get("ROUND_SECONDS", "10"))
ROUNDS = int(os.environ.get("ROUNDS", "8"))
BATCH = int(os.environ.get("EVENTS_BATCH", "50"))


def events() -> Request:
    """Return a request with impressions and clicks."""
    batch = [
        {
            "action_name": "click" if number % 10 == 0 else "impression",
            "request_id": f"{number:016x}",
            "visitor": f"v-{number}",
            "event_attributes": {"object": {"object_id": f"product-{number}"}, "position": {"ordinal": number + 1}},
        }
        for number in range(BATCH)
    ]
    return Request("events", prepared("POST", "/v1/events", orjson.dumps(batch)), lambda _: "")


async def measure(shop: Shop) -> tuple[list[Samples], list[Samples], Samples, float]:
    """Return the searches alone and those with events, by round, the events, and the seconds that these took."""
    searching, taking = Load(Sender(shop.url), shop.searches()), Load(Sender(shop.url), repeat(events()))
    await searching.clients(2, ROUND_S / 2)  # warms up
    alone: list[Samples] = []
    together: list[Samples] = []
    for number in range(ROUNDS):
        for with_events in (False, True) if number % 2 == 0 else (True, False):
            if with_events:
                async with taking.at(EVENTS_RATE / BATCH):
                    together.append(await _round(searching))
            else:
                alone.append(await _round(searching))
    return alone, together, taking.samples, ROUNDS * ROUND_S


async def _round(searching: Load) -> Samples:
    before = len(searching.samples.all)
    async with searching.at(SEARCH_RATE):
        await asyncio.sleep(ROUND_S)
    return Samples(searching.samples.all[before:])


def times(rounds: list[Samples]) -> list[list[float]]:
    """Return the durations of the searches of each round, in milliseconds."""
    return [list(samples.milliseconds(lambda status: status == "200")) for samples in rounds]


def percentile(share: float) -> Callable[[NDArray[np.float64]], float]:
    """Return the function that computes a percentile."""
    return lambda values: float(np.percentile(values, share))


async def kept(mongo_url: str) -> int:
    """Return the number of events in the database."""
    async with CatalogueDatabase(mongo_url) as store:
        return (await store.events.size()).events


def main() -> dict[str, Any]:
    """Print and return the figures."""
    os.environ["GATEWAY_EVENTS_ENABLED"] = "true"
    with open_shop("events") as (stack, shop):
        alone, together, taken, seconds = asyncio.run(measure(shop))
        stored = asyncio.run(kept(stack.settings.mongo_url))
    acknowledged = sum(sample.is_good for sample in taken.all) * BATCH
    before, after = times(alone), times(together)
    pooled = [np.concatenate(side) for side in (before, after)]
    p50, p99 = Ratio.of(before, after, percentile(50)), Ratio.of(before, after, percentile(99))
    figures = {
        "events_acknowledged_a_second": round(acknowledged / seconds),
        "event_requests_failed": len(taken.failed()),
        "acknowledged_events_lost": max(0, acknowledged - stored),
        "searches": sum(len(samples.all) for samples in [*alone, *together]),
        "searches_failed": sum(len(samples.failed()) for samples in [*alone, *together]),
        "p50_ms": round(percentile(50)(pooled[0]), 1),
        "p50_ms_with_events": round(percentile(50)(pooled[1]), 1),
        "p99_ms": round(percentile(99)(pooled[0]), 1),
        "p99_ms_with_events": round(percentile(99)(pooled[1]), 1),
        "p50_ratio": str(p50),
        "p99_ratio": str(p99),
    }
    table = Table("figure", "value", box=None)
    for name, value in figures.items():
        table.add_row(name.replace("_", " "), str(value))
    Console().print(table)
    return figures
