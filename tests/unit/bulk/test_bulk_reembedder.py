"""Re-embedding by workers: passes until nothing is missing, and what is merged. The workers are those of a fake."""

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import orjson
import pytest

from services.bulk.block_reembedder import DocumentIds, MissingReader, ReembedResult, ReembedWork
from services.bulk.bulk_reembedder import BulkReembedder
from services.bulk.worker_services import WorkerServices
from services.catalogue.importing.ports import ImporterError
from services.catalogue.importing.report import RejectedFile
from services.catalogue.model_switch.reembedding_report import ReembedTally
from services.catalogue.sources.records.rows import RejectedRow
from services.contracts.wire.embedding import ModelFacts
from tests.support.fakes.bulk import FakeEngine

FACTS = ModelFacts(
    model="fashion/2", categories=["Topwear"], dimension=4, input={"height": 8, "width": 8}, thresholds={}
)
ADDRESSES = WorkerServices("mongodb://m:1", "shop", "default", "http://e:2")


class Shop:
    """Documents without a vector; the ids `bad…` cannot be embedded, and `busy` is written by others each time."""

    def __init__(self, *ids: str) -> None:
        self.missing = list(ids)
        self.scans: list[list[str]] = []
        self.rates: list[float | None] = []
        self.failure: str | None = None

    def embed(self, block: DocumentIds) -> ReembedResult:
        bad = [row for row in block if row.startswith("bad")]
        good = [row for row in block if row not in bad and row != "busy"]
        self.missing = [each for each in self.missing if each not in good]
        tally = ReembedTally(found=len(block), embedded=len(good), rejected=len(bad))
        tally.overtaken = len(block) - len(good) - len(bad)
        rows = tuple(RejectedRow(None, row, "it is broken") for row in bad)
        return ReembedResult(tally, rows, frozenset(bad), self.failure)


@dataclass(frozen=True)
class _Reader(MissingReader):
    shop: Any = None

    def __call__(self) -> Iterator[DocumentIds]:
        ids = [each for each in self.shop.missing if each not in self.skipped]
        self.shop.scans.append(ids)
        for begin in range(0, len(ids), 2):
            yield tuple(ids[begin : begin + 2])


@dataclass(frozen=True)
class _Work(ReembedWork):
    shop: Any = None

    def __call__(self) -> Callable[[DocumentIds], ReembedResult]:  # type: ignore[override]
        self.shop.rates.append(self.rate)
        return lambda block: self.shop.embed(block)  # type: ignore[no-any-return]


async def run(shop: Shop, engine: FakeEngine, file: RejectedFile, rate: float | None = None) -> ReembedTally:
    job = BulkReembedder(lambda: engine, file)
    read = _Reader(ADDRESSES, FACTS, "fashion/1", shop=shop)
    work = _Work(ADDRESSES, FACTS, "fashion/1", rate=rate, shop=shop)
    await job.run(read, work, asyncio.Event())
    return job.tally


async def test_it_scans_until_a_scan_embeds_nothing_and_reports_a_rejected_product_once(tmp_path: Path) -> None:
    shop, engine, file = Shop("a", "b", "bad", "c", "busy"), FakeEngine(), RejectedFile(tmp_path / "rejected.ndjson")
    tally = await run(shop, engine, file)
    assert (tally.embedded, tally.rejected, tally.overtaken) == (3, 1, 2)
    assert shop.scans == [["a", "b", "bad", "c", "busy"], ["busy"]]
    path = file.close()
    assert path is not None
    assert [orjson.loads(line)["id"] for line in path.read_bytes().splitlines()] == ["bad"]
    assert engine.is_closed


async def test_a_worker_that_ended_before_its_result_came_costs_no_product() -> None:
    shop = Shop(*(f"p{number}" for number in range(7)))
    await run(shop, FakeEngine(repeats=frozenset({0, 1})), RejectedFile(None))
    assert shop.missing == []


async def test_workers_share_the_rate() -> None:
    shop = Shop("a")
    await run(shop, FakeEngine(workers=4), RejectedFile(None), rate=10.0)
    assert shop.rates[0] == 2.5


async def test_a_failed_service_ends_the_run_with_its_reason() -> None:
    shop, engine = Shop("a"), FakeEngine()
    shop.failure = "the embedding service cannot be reached (waited 60 s)"
    with pytest.raises(ImporterError, match="cannot be reached"):
        await run(shop, engine, RejectedFile(None))
    assert engine.is_closed


def test_counts_of_blocks_are_added() -> None:
    tally = ReembedTally(found=3, embedded=1, images_rejected=1)
    tally.merge(replace(tally, rejected=2, other_pictures=1))
    assert (tally.found, tally.embedded, tally.images_rejected, tally.rejected, tally.other_pictures) == (6, 2, 2, 2, 1)
