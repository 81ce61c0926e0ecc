"""An import by workers: what comes of interruptions, repetitions and failures. The workers are those of a fake."""

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, cast

import orjson
import pytest

from services.bulk import bulk_importer, feed_blocks
from services.bulk.block_importer import BlockResult, ImportWork, import_block
from services.bulk.bulk_importer import BulkImporter, BulkParts, RemoteSource
from services.bulk.checkpoint import CheckpointNote
from services.bulk.engine import EngineError
from services.bulk.feed_blocks import FeedBlock, FeedReader, Row
from services.bulk.worker_services import OpenServices, WorkerServices
from services.catalogue.importing.description import Placer
from services.catalogue.importing.ports import ImporterError
from services.catalogue.importing.removal import FeedKeys
from services.catalogue.importing.report import RejectedFile, Tally
from services.catalogue.retry import Retry
from services.catalogue.sources.records.mapping import FeedMapping
from services.catalogue.sources.records.rows import RejectedRow, SourceError, ValueProblem
from services.contracts.domain.errors import EmbeddingUnavailable
from services.contracts.domain.parts import WHOLE
from tests.support.fakes.bulk import FakeEngine, Notes
from tests.support.fakes.import_fakes import CATEGORIES, FakeCatalogue, FakeEmbedding, FakeWeb, ListSource, row

FEED = Path("feed.csv")
ADDRESSES = WorkerServices("mongodb://m:1", "shop", "default", "http://e:2", wait_s=0.0)


class Noted(ListSource):
    """A source whose last row is an oddity."""

    @property
    def notes(self) -> list[str]:
        return ["the last row is cut"] if self.given == 10 else []


@dataclass
class World:
    """What the runs of one test share."""

    folder: Path
    embedding: FakeEmbedding = field(default_factory=FakeEmbedding)
    catalogue: FakeCatalogue = field(default_factory=FakeCatalogue)
    web: FakeWeb = field(default_factory=FakeWeb)
    notes: Notes = field(default_factory=Notes)
    engine: FakeEngine = field(default_factory=FakeEngine)
    stopping: asyncio.Event = field(default_factory=asyncio.Event)
    works: list[ImportWork] = field(default_factory=list)
    source: RemoteSource = field(default_factory=lambda: RemoteSource(FEED))

    async def run(
        self,
        rows: Iterable[Row],
        *,
        feed: FeedKeys | None = None,
        restarts: bool = False,
        on_progress: Callable[[Tally], None] = lambda _: None,
    ) -> Tally:
        listed = list(rows)
        reader = FeedReader(FEED, FeedMapping(), CATEGORIES, open=lambda *_: Noted(listed))
        work = _Work(ADDRESSES, CATEGORIES, FeedMapping(), "", world=self)
        note = CheckpointNote(self.notes, FEED, WHOLE, ["fashion/1"])
        parts = BulkParts(reader, work, self.source, note, **({"restarts": True} if restarts else {}))
        rejected = RejectedFile(self.folder / "rejected.ndjson")
        retry = Retry(0.0, self.stopping, lambda _: None)
        importer = BulkImporter(parts, lambda: self.engine, retry, rejected, feed, on_progress)
        try:
            await importer.run(self.embedding.model, self.stopping)
        finally:
            rejected.close()
        return importer.tally

    @property
    def rejected(self) -> list[str]:
        path = self.folder / "rejected.ndjson"
        return [orjson.loads(line)["id"] for line in path.read_bytes().splitlines()] if path.exists() else []

    def positions(self) -> list[int]:
        return [number for block in self.engine.blocks for number, _ in block.rows]


@dataclass(frozen=True)
class _Work(ImportWork):
    """Workers that share the fakes of a test."""

    world: Any = None

    def __call__(self) -> Callable[[FeedBlock], BlockResult]:  # type: ignore[override]
        self.world.works.append(self)
        return lambda block: asyncio.run(self._import(block))

    async def _import(self, block: FeedBlock) -> BlockResult:
        stopping = asyncio.Event()
        retry = Retry(self.services.wait_s, stopping, lambda _: None)
        world = self.world
        services = OpenServices(world.embedding, cast(Any, world.catalogue), cast(Any, world.web), retry, stopping)
        return await import_block(block, self, services)


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.setattr(feed_blocks, "BLOCK_ROWS", 4)
    return World(tmp_path)


ROWS = [row(str(number), bytes([number % 3]) + b"picture", line=number) for number in range(10)]


async def test_all_rows_are_imported_and_counted_and_no_checkpoint_is_left(world: World) -> None:
    tally = await world.run(ROWS)
    assert set(world.catalogue.products) == {str(number) for number in range(10)}
    assert (tally.read, tally.imported, tally.embedded, tally.unchanged) == (10, 10, 10, 0)
    assert tally.sources == {"network": 10}
    assert tally.notes == ["the last row is cut"]
    assert not world.notes
    assert world.engine.is_closed


async def test_a_repeated_import_changes_nothing(world: World) -> None:
    await world.run(ROWS)
    before = dict(world.catalogue.products)
    tally = await world.run(ROWS)
    assert (tally.imported, tally.unchanged, tally.embedded) == (0, 10, 0)
    assert world.catalogue.products == before


async def test_blocks_that_come_twice_leave_every_product_once(world: World) -> None:
    world.engine.repeats = frozenset({0, 2})
    tally = await world.run(ROWS)
    written = [key for kind, key in world.catalogue.faults.events if kind == "product"]
    assert sorted(written) == sorted(set(written))
    assert (tally.read, tally.imported + tally.unchanged) == (10, 10)


async def test_a_run_after_a_failure_continues_after_the_blocks_that_are_done(world: World) -> None:
    world.engine.fails_after = 2
    with pytest.raises(EngineError, match="out of memory"):
        await world.run(ROWS)
    assert world.engine.is_closed
    world.engine = FakeEngine()
    tally = await world.run(ROWS)
    assert world.positions() == [8, 9]
    assert tally.imported == 2
    assert tally.notes == ["the last row is cut", bulk_importer.CONTINUED.format(8)]
    assert len(world.catalogue.products) == 10
    assert not world.notes


async def test_a_run_that_is_stopped_keeps_its_checkpoint_and_can_begin_again(world: World) -> None:
    await world.run(ROWS, on_progress=lambda _: world.stopping.set())
    assert len(world.notes) == 1
    world.stopping.clear()
    world.engine = FakeEngine()
    tally = await world.run(ROWS, restarts=True)
    assert world.positions() == list(range(10))
    assert (tally.imported, tally.unchanged) == (6, 4)
    assert tally.notes == ["the last row is cut"]


async def test_rejected_rows_of_an_interrupted_run_are_tried_again_and_reported_by_the_next(world: World) -> None:
    rows: list[Row] = [
        *ROWS[:2],
        row("bad", b"broken", line=90),
        RejectedRow(91, "worse", "the image is missing"),
        *ROWS[2:],
    ]
    rows[1] = replace(ROWS[1], problems=(ValueProblem("price", "x", "is not an amount"),))
    world.engine.fails_after = 1
    with pytest.raises(EngineError):
        await world.run(rows)
    assert sorted(world.rejected) == ["1", "bad", "worse"]
    world.engine = FakeEngine()
    tally = await world.run(rows)
    assert sorted(world.rejected) == ["1", "bad", "worse"]
    assert world.positions() == [1, 2, 3, *range(4, 12)]
    assert (tally.rejected, tally.values_not_understood, tally.imported, tally.unchanged) == (2, 1, 8, 1)


async def test_a_feed_that_changed_since_the_interruption_is_imported_from_its_first_row(world: World) -> None:
    world.engine.fails_after = 2
    with pytest.raises(EngineError):
        await world.run(ROWS)
    world.engine = FakeEngine()
    tally = await world.run([replace(ROWS[0], title="Renamed"), *ROWS[1:]])
    assert world.catalogue.products["0"].title == "Renamed"
    assert (tally.updated, tally.unchanged, tally.imported) == (1, 7, 2)
    assert tally.notes == ["the last row is cut"]


async def test_the_rejected_rows_of_a_feed_before_its_change_are_forgotten(world: World) -> None:
    rows: list[Row] = [*ROWS[:3], RejectedRow(90, "bad", "the image is missing"), *ROWS[3:]]
    world.engine.fails_after = 1
    with pytest.raises(EngineError):
        await world.run(rows)
    world.engine = FakeEngine(fails_after=2)
    with pytest.raises(EngineError):
        await world.run([replace(ROWS[0], title="Renamed"), *ROWS[1:]])
    (note,) = world.notes.values()
    assert (orjson.loads(note)["rows"], orjson.loads(note)["again"]) == (4, [])


async def test_the_progress_is_that_of_the_blocks_that_are_done(world: World) -> None:
    progress: list[tuple[int, int]] = []
    assert (world.source.kind, world.source.progress()) == ("feed.csv", (0, 0))
    await world.run(ROWS, on_progress=lambda _: progress.append(world.source.progress()))
    assert progress == [(4, 0), (8, 0), (10, 0)]


async def test_a_service_of_the_workers_that_stays_away_ends_the_run_before_its_block_counts(world: World) -> None:
    world.embedding.failures = [EmbeddingUnavailable("the embedding service cannot be reached")] * 2
    with pytest.raises(ImporterError, match="the embedding service cannot be reached"):
        await world.run(ROWS)
    assert not world.notes
    world.embedding.failures = []
    world.engine = FakeEngine()
    assert (await world.run(ROWS)).imported == 10


async def test_a_source_that_breaks_off_is_an_error_after_its_rows(world: World) -> None:
    class Broken(ListSource):
        def rows(self) -> Any:
            yield from super().rows()
            raise SourceError("feed.csv is cut short")

    reader = FeedReader(FEED, FeedMapping(), CATEGORIES, open=lambda *_: Broken(ROWS))
    parts = BulkParts(
        reader,
        _Work(ADDRESSES, CATEGORIES, FeedMapping(), "", world=world),
        RemoteSource(FEED),
        CheckpointNote(world.notes, FEED, WHOLE, []),
    )
    importer = BulkImporter(parts, lambda: world.engine, Retry(0.0, world.stopping, print), RejectedFile(None))
    with pytest.raises(SourceError, match="cut short"):
        await importer.run("fashion/1", world.stopping)
    assert len(world.catalogue.products) == 10


async def test_a_sync_knows_the_keys_of_rows_that_an_interrupted_run_has_done(world: World) -> None:
    world.engine.fails_after = 2
    with pytest.raises(EngineError):
        await world.run(ROWS)
    world.engine = FakeEngine()
    feed = FeedKeys(RemoteSource(FEED), Placer(CATEGORIES, FeedMapping()))
    await world.run([*ROWS, RejectedRow(20, None, "the id is missing")], feed=feed)
    assert feed.missing([*map(str, range(10)), "other"]) == ["other"]
    assert feed.unreadable == 1
    feed.close()


async def test_workers_share_the_requests_to_a_web_server_and_get_the_first_model(world: World) -> None:
    world.engine.workers = 3
    await world.run(ROWS)
    (work,) = world.works
    assert work.services.per_host == 2
    assert work.first == "fashion/1"
    assert ADDRESSES.shared_by(20).per_host == 1
