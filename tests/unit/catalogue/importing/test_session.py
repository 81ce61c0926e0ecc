"""How an import ends, and what its summary, its note and the note of the last import say."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from services.catalogue.importing.description import Placer, UnknownTarget
from services.catalogue.importing.importer import Importer
from services.catalogue.importing.ports import ImporterError
from services.catalogue.importing.record import TAKEN_OVER
from services.catalogue.importing.removal import FeedKeys, SyncRefused
from services.catalogue.importing.report import RejectedFile, RejectedFileError, Summary, Tally
from services.catalogue.importing.session import ImportSession, Plan
from services.catalogue.retry import RetriesExhausted, Retry, Stopped
from services.catalogue.sources.records.mapping import FeedMapping
from services.catalogue.sources.records.rows import RejectedRow, SourceError
from services.catalogue.sources.source_part import SourcePart
from services.contracts.domain.errors import CatalogueUnavailable, InvalidRequest
from services.contracts.domain.parts import Part
from services.contracts.wire.embedding import ModelFacts
from tests.support.fakes.import_fakes import CATEGORIES, ListSource, row

FACTS = ModelFacts(
    model="fashion/1", categories=list(CATEGORIES), dimension=4, input={"height": 80, "width": 80}, thresholds={}
)
BEGAN = datetime(2026, 5, 1, tzinfo=UTC)


class Products:
    """The keys of a catalogue."""

    def __init__(self, *keys: str) -> None:
        self.there = list(keys)

    async def keys(self) -> AsyncIterator[list[str]]:
        yield self.there

    async def delete_many(self, keys: Sequence[str], *, written_before: datetime | None = None) -> int:
        assert written_before == BEGAN
        self.there = [key for key in self.there if key not in keys]
        return len(keys)


class Run:
    """A session with an importer that reads its source, then calls the function of the test."""

    def __init__(
        self, do: Callable[["Run"], None] = lambda _: None, rejected: RejectedFile | None = None, **plan: Any
    ) -> None:
        self.do = do
        self.tally = Tally(imported=2, read=3)
        self.models: list[str] = []
        self.notes: dict[str, Any] = {}
        self.note_error: Exception | None = None
        self.stopping = asyncio.Event()
        self.source = ListSource([row("a"), row("b")])
        self.products = Products("a", "b", "gone")
        self.record: Any = SimpleNamespace(state="receiving", cancelled=False, taken_over=False, started_at=BEGAN)
        self.feed: FeedKeys | None = None
        catalogue = SimpleNamespace(products=self.products, notes=SimpleNamespace(put=self.put))
        services: Any = SimpleNamespace(catalogue=catalogue, retry=Retry(0.0, self.stopping, lambda _: None))
        self.rejected = rejected or RejectedFile(None)
        plan = {"source": self.source, "name": "feed.csv", **plan}
        self.session = ImportSession(Plan(**plan), services, self.rejected, self.stopping, None, self.importer)

    def importer(self, placer: Placer, feed: FeedKeys | None) -> Any:
        assert placer.categories == CATEGORIES
        self.feed = feed
        return self

    async def run(self, first: str, stopping: asyncio.Event) -> None:
        self.models.append(first)
        list((self.feed or self.source).rows())
        self.do(self)

    async def put(self, name: str, facts: Any) -> None:
        if self.note_error is not None:
            raise self.note_error
        self.notes[name] = facts

    async def __call__(self) -> Summary:
        return await self.session.run(self.record, FACTS)


def fail(error: Exception) -> Callable[[Run], None]:
    def do(_: Run) -> None:
        raise error

    return do


async def test_an_import_that_reaches_the_end_is_done() -> None:
    run = Run(lambda run: run.rejected.add(RejectedRow(3, None, "not UTF-8")))
    summary = await run()
    assert (summary.status, summary.reason, summary.model) == ("done", None, "fashion/1")
    assert summary.tally is run.tally is run.session.tally
    assert (run.record.state, run.models, run.products.there) == ("done", ["fashion/1"], ["a", "b", "gone"])
    last = run.notes["last-import"]
    assert (last["source"], last["status"], last["imported"], last["read"]) == ("feed.csv", "done", 2, 3)
    assert datetime.fromisoformat(last["finished_at"]).tzinfo is not None
    assert last["rejected_rows"] == [{"line": 3, "id": None, "reason": "not UTF-8"}]
    note = run.record.facts()
    assert (note["progress"], note["imported"], note["reason"], note["model"]) == ([2, 0], 2, None, "fashion/1")
    assert note["rejected_rows"] == last["rejected_rows"]
    assert not {"status", "dry_run", "rejected_file"} & note.keys()


async def test_while_an_import_runs_its_note_shows_how_far_it_is() -> None:
    notes: list[dict[str, Any]] = []
    run = Run(lambda run: notes.append({**run.record.facts(), "state": run.record.state}))
    await run()
    (note,) = notes
    assert (note["state"], note["progress"], note["imported"], note["model"]) == ("running", [2, 0], 2, "fashion/1")
    assert note["seconds"] >= 0


@pytest.mark.parametrize(
    "error",
    [
        SourceError("why"),
        SyncRefused("why"),
        UnknownTarget("why"),
        RetriesExhausted("why"),
        RejectedFileError("why"),
        ImporterError("why"),
        InvalidRequest("why"),
    ],
)
async def test_an_import_that_fails_says_why(error: Exception) -> None:
    run = Run(fail(error), sync_limit=1.0)
    summary = await run()
    assert (summary.status, summary.reason, run.record.state) == ("failed", "why", "failed")
    assert (run.record.facts()["reason"], run.notes["last-import"]["reason"]) == ("why", "why")
    assert run.products.there == ["a", "b", "gone"]


async def test_a_mapping_to_an_unknown_category_is_a_failure() -> None:
    summary = await Run(mapping=FeedMapping(categories={"hats": "Headwear"}))()
    assert summary.status == "failed" and "Headwear" in str(summary.reason)


async def test_a_fault_of_the_program_is_no_outcome() -> None:
    with pytest.raises(ZeroDivisionError):
        await Run(fail(ZeroDivisionError()))()


@pytest.mark.parametrize(
    ("cancelled", "taken_over", "error", "status", "reason"),
    [
        (False, False, None, "interrupted", None),
        (True, False, None, "cancelled", None),
        (True, False, Stopped(), "cancelled", None),
        (False, False, Stopped(), "interrupted", None),
        (True, False, SourceError("why"), "failed", "why"),
        (True, True, None, "failed", TAKEN_OVER),
        (False, True, SourceError("why"), "failed", TAKEN_OVER),
    ],
)
async def test_an_import_that_is_stopped_says_by_whom(
    cancelled: bool, taken_over: bool, error: Exception | None, status: str, reason: str | None
) -> None:
    def do(run: Run) -> None:
        run.record.cancelled, run.record.taken_over = cancelled, taken_over
        if not isinstance(error, Stopped):
            run.stopping.set()
        if error is not None:
            raise error

    run = Run(do, sync_limit=1.0)
    summary = await run()
    assert (summary.status, summary.reason, run.stopping.is_set()) == (status, reason, True)
    assert run.products.there == ["a", "b", "gone"]  # --sync removes nothing of a feed that was not read to its end


@pytest.mark.parametrize(
    ("limit", "status", "there"),
    [(None, "done", ["a", "b", "gone"]), (1.0, "done", ["a", "b"]), (0.5, "failed", ["a", "b", "gone"])],
)
async def test_sync_removes_what_the_feed_does_not_have_up_to_its_limit(
    limit: float | None, status: str, there: list[str]
) -> None:
    run = Run(sync_limit=limit)
    summary = await run()
    assert (summary.status, run.products.there) == (status, there)
    assert summary.tally.removed == (there == ["a", "b"])
    assert (run.feed is None) is (limit is None)
    if limit == 0.5:
        assert "1 of 1 products" in str(summary.reason)  # two of the three are new


async def test_a_file_of_rejected_rows_that_cannot_be_written_is_a_failure(tmp_path: Path) -> None:
    rejected = RejectedFile(tmp_path)
    summary = await Run(lambda run: run.rejected.add(RejectedRow(1, None, "why")), rejected)()
    assert (summary.status, summary.rejected_file) == ("failed", None)
    assert "cannot be written" in str(summary.reason)


async def test_the_summary_names_the_file_of_rejected_rows(tmp_path: Path) -> None:
    path = tmp_path / "rejected.ndjson"
    run = Run(lambda run: run.rejected.add(RejectedRow(1, None, "why")), RejectedFile(path))
    assert (await run()).rejected_file == path


async def test_an_import_is_done_though_the_note_of_the_last_one_cannot_be_written() -> None:
    run = Run()
    run.note_error = CatalogueUnavailable("away", "db:1")
    assert (await run()).status == "done"


@pytest.mark.parametrize("part", [Part(1, 1), Part(2, 3)])
def test_the_importer_of_this_process_reads_its_part_of_the_source(part: Part) -> None:
    run = Run(part=part)
    placer = Placer(CATEGORIES, FeedMapping())
    feed = FeedKeys(run.source, placer)
    for given, source in ((None, run.source), (feed, feed)):
        importer = run.session._importer(placer, given)
        assert isinstance(importer, Importer)
        assert isinstance(importer._source, SourcePart) is not part.is_whole
        assert not part.is_whole or importer._source is source
    feed.close()
