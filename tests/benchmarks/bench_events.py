"""Events taken in next to searches: events acknowledged a second, and what they cost the searches.

Rounds of searches alone and of the same searches with events alternate, so that other work on the machine meets both.
Searches and events come at fixed rates, and waiting counts (coordinated omission). EVENTS_RATE is the number of events
a second (default: 2,000), in requests of EVENTS_BATCH (50) as a shop's server sends them; SEARCH_RATE that of searches.
"""

import asyncio
import os
from itertools import repeat
from statistics import median
from typing import Any

import numpy as np
import orjson
from rich.console import Console
from rich.table import Table

from services.catalogue.store.database import CatalogueDatabase
from tests.load.http import Sender, prepared
from tests.load.open_loop import Load, Samples
from tests.load.shop import Request, Shop, open_shop

EVENTS_RATE = int(os.environ.get("EVENTS_RATE", "2000"))
SEARCH_RATE = int(os.environ.get("SEARCH_RATE", "10"))
ROUND_S = float(os.environ.get("ROUND_SECONDS", "10"))
ROUNDS = int(os.environ.get("ROUNDS", "5"))
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
    alone, together = [], []
    for _ in range(ROUNDS):
        alone.append(await _round(searching))
        async with taking.at(EVENTS_RATE / BATCH):
            together.append(await _round(searching))
    return alone, together, taking.samples, ROUNDS * ROUND_S


async def _round(searching: Load) -> Samples:
    before = len(searching.samples.all)
    async with searching.at(SEARCH_RATE):
        await asyncio.sleep(ROUND_S)
    return Samples(searching.samples.all[before:])


def percentiles(rounds: list[Samples]) -> tuple[float, float]:
    """Return p50 and p99 of the searches of all rounds, in milliseconds."""
    times = [ms for samples in rounds for ms in samples.milliseconds(lambda status: status == "200")]
    p50, p99 = np.percentile(times, [50, 99])
    return float(p50), float(p99)


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
    (p50, p99), (p50_with, p99_with) = percentiles(alone), percentiles(together)
    by_round = [percentiles([b])[1] / percentiles([a])[1] for a, b in zip(alone, together, strict=True)]
    figures = {
        "events_acknowledged_a_second": round(acknowledged / seconds),
        "event_requests_failed": len(taken.failed()),
        "acknowledged_events_lost": max(0, acknowledged - stored),
        "searches": sum(len(samples.all) for samples in [*alone, *together]),
        "searches_failed": sum(len(samples.failed()) for samples in [*alone, *together]),
        "p50_ms": round(p50, 1),
        "p50_ms_with_events": round(p50_with, 1),
        "p99_ms": round(p99, 1),
        "p99_ms_with_events": round(p99_with, 1),
        "p50_ratio": round(p50_with / p50, 2),
        "p99_ratio": round(p99_with / p99, 2),
        "p99_ratio_median_round": round(median(by_round), 2),
    }
    table = Table("figure", "value", box=None)
    for name, value in figures.items():
        table.add_row(name.replace("_", " "), str(value))
    Console().print(table)
    return figures
