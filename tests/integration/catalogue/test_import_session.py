"""An import from beginning to end: lease, record and `--sync`, with a real database stand-in and a fake network."""

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from services.catalogue.importing import lease as import_lease
from services.catalogue.importing import record as import_record
from services.catalogue.importing.importer import ImportHooks
from services.catalogue.importing.lease import ImportUnderWay
from services.catalogue.importing.record import ImportRecord, present
from services.catalogue.importing.removal import FeedKeys
from services.catalogue.importing.report import Outcome, RejectedFile, Summary
from services.catalogue.importing.session import ImportSession, Plan, SessionServices
from services.catalogue.retry import Retry
from services.catalogue.sources.records.rows import RejectedRow, SourceError, SourceRow
from services.catalogue.store.database import CatalogueDatabase
from services.catalogue.store.notes import LAST_IMPORT
from services.contracts.domain.errors import EmbeddingUnavailable
from services.contracts.wire.embedding import ModelFacts
from tests.support.fakes.import_fakes import CATEGORIES, FakeEmbedding, FakeWeb, ListSource, row
from tests.support.servers.mongo import any_mongo, fresh_database
from tests.support.values.products import make_product

FACTS = ModelFacts(
    model="fashion/1", categories=list(CATEGORIES), dimension=4, input={"height": 80, "width": 80}, thresholds={}
)


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with any_mongo(tmp_path_factory.mktemp("mongo")) as url:
        yield url


@pytest.fixture
async def store(url: str) -> AsyncIterator[CatalogueDatabase]:
    with fresh_database(url) as name:
        async with CatalogueDatabase(url, name) as store:
            yield store


@pytest.fixture(autouse=True)
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(import_record, "BEAT_S", 0.05)


class Run:
    """One import in a test."""

    def __init__(self, store: CatalogueDatabase, folder: Path, *rows: SourceRow | RejectedRow, **plan: Any) -> None:
        self.store = store
        self.embedding = FakeEmbedding()
        self.stopping = asyncio.Event()
        self.outcomes: list[Outcome] = []
        self.retry = Retry(1.0, self.stopping, lambda _: None)
        self.session = ImportSession(
            Plan(plan.pop("source", None) or ListSource(rows), "feed.csv", **plan),
            SessionServices(self.embedding, store, FakeWeb(), self.retry),
            RejectedFile(folder / "rejected.ndjson"),
            self.stopping,
            ImportHooks(on_outcome=self.outcomes.append),
        )
        self.record = ImportRecord(store, "feed.csv", self.retry, self.stopping)

    async def __call__(self) -> Summary:
        async with self.record:
            return await self.session.run(self.record, FACTS)

    async def note(self) -> dict[str, Any]:
        actual = await self.store.notes.get_import(self.record.id)
        assert actual is not None
        return actual


async def keys(store: CatalogueDatabase) -> set[str]:
    return {key async for batch in store.products.keys(100) for key in batch}


class Held(ListSource):
    """A source that gives its rows once it is let go on."""

    def __init__(self, *rows: SourceRow | RejectedRow) -> None:
        super().__init__(rows)
        self.loop = asyncio.get_running_loop()
        self.reached, self.go_on = asyncio.Event(), asyncio.Event()

    def rows(self) -> Iterator[SourceRow | RejectedRow]:
        self.loop.call_soon_threadsafe(self.reached.set)
        asyncio.run_coroutine_threadsafe(self.go_on.wait(), self.loop).result(20)
        yield from super().rows()


async def test_what_becomes_of_each_row_is_told_and_kept(store: CatalogueDatabase, tmp_path: Path) -> None:
    await Run(store, tmp_path, row("same", b"\x00a"), row("changed", b"\x00b"))()
    run = Run(
        store,
        tmp_path,
        row("same", b"\x00a", line=1),
        row("changed", b"\x01c", line=2),
        row("new", b"\x00d", line=3),
        row("outside", category_required=True, category_words=("Hats",), line=4),
        row("broken", b"broken", line=5),
        RejectedRow(6, None, "not UTF-8"),
    )
    summary = await run()
    assert (summary.status, summary.reason) == ("done", None)
    assert {(outcome.line, outcome.key, outcome.fate, outcome.reason) for outcome in run.outcomes} == {
        (1, "same", "unchanged", None),
        (2, "changed", "updated", None),
        (3, "new", "imported", None),
        (4, "outside", "skipped", None),
        (5, "broken", "rejected", "it is broken"),
        (6, None, "rejected", "not UTF-8"),
    }
    note = present(await run.note())
    assert (note["state"], note["source"], note["model"]) == ("done", "feed.csv", "fashion/1")
    assert [note[name] for name in ("read", "imported", "updated", "unchanged", "rejected")] == [6, 1, 1, 1, 2]
    assert {rejected["line"] for rejected in note["rejected_rows"]} == {5, 6}
    assert note["finished_at"] >= note["started_at"]
    last = await store.notes.get(LAST_IMPORT)
    assert last is not None
    assert (last["status"], last["imported"], len(last["rejected_rows"])) == ("done", 1, 2)
    assert await store.notes.lease() is None


async def test_a_second_import_is_refused_while_the_first_runs_and_welcome_afterwards(
    store: CatalogueDatabase, tmp_path: Path
) -> None:
    source = Held(row("A"))
    first = Run(store, tmp_path, source=source)
    running = asyncio.create_task(first())
    await source.reached.wait()
    with pytest.raises(ImportUnderWay, match=r"feed\.csv, since"):
        await Run(store, tmp_path, row("B"))()
    source.go_on.set()
    assert (await running).status == "done"
    assert (await Run(store, tmp_path, row("B"))()).status == "done"
    assert await keys(store) == {"A", "B"}
    assert len(await store.notes.list_imports(10)) == 2, "an import that was refused leaves no note"


async def test_the_note_tells_of_an_import_while_it_runs(store: CatalogueDatabase, tmp_path: Path) -> None:
    source = Held(row("A"))
    run = Run(store, tmp_path, source=source)
    running = asyncio.create_task(run())
    await source.reached.wait()
    first = present(await run.note())
    assert first["state"] == "running"
    assert first["finished_at"] is None
    for _ in range(1000):
        held = await store.notes.lease()
        if held is not None and held.beat >= 2 and (await run.note())["updated_at"] > first["updated_at"]:
            break
        await asyncio.sleep(0.02)
    assert held is not None
    assert (held.import_id, held.beat >= 2) == (run.record.id, True)
    source.go_on.set()
    await running


async def test_an_import_is_cancelled_through_its_note(store: CatalogueDatabase, tmp_path: Path) -> None:
    source = Held(row("A"))
    run = Run(store, tmp_path, source=source)
    running = asyncio.create_task(run())
    await source.reached.wait()
    assert await store.notes.request_cancel(run.record.id)
    await run.stopping.wait()
    source.go_on.set()
    assert (await running).status == "cancelled"
    assert (await run.note())["state"] == "cancelled"


async def test_an_import_that_another_has_taken_over_ends_and_says_so(store: CatalogueDatabase, tmp_path: Path) -> None:
    source = Held(row("A"))
    run = Run(store, tmp_path, source=source, sync_limit=1.0)
    await Run(store, tmp_path, row("B"))()
    running = asyncio.create_task(run())
    await source.reached.wait()
    held = await store.notes.lease()
    assert held is not None
    await store.notes.drop_lease(held)
    await run.stopping.wait()
    source.go_on.set()
    summary = await running
    assert (summary.status, "taken over" in str(summary.reason)) == ("failed", True)
    assert "B" in await keys(store)


async def test_sync_leaves_what_was_written_since_the_import_began(store: CatalogueDatabase, tmp_path: Path) -> None:
    await Run(store, tmp_path, row("stays"), row("goes", b"\x00g"), row("again", b"\x00h"))()
    source = Held(row("stays"))
    run = Run(store, tmp_path, source=source, sync_limit=1.0)
    running = asyncio.create_task(run())
    await source.reached.wait()
    for key in ("again", "other"):  # by the API, or by an importer that this one knows nothing of
        await store.products.put(make_product(key, 1, np.ones(4, dtype=np.float32), updated_at=datetime.now(UTC)))
    source.go_on.set()
    summary = await running
    assert (summary.status, summary.tally.removed) == ("done", 1)
    assert await keys(store) == {"stays", "again", "other"}


@pytest.mark.parametrize("fault", ["source", "service"])
async def test_a_failure_is_kept_with_its_reason_and_the_lease_given_back(
    store: CatalogueDatabase, tmp_path: Path, fault: str
) -> None:
    run = Run(store, tmp_path, row("A"))
    if fault == "service":
        run.embedding.failures = [EmbeddingUnavailable("no network")] * 100
    else:

        class Broken(ListSource):
            def rows(self) -> Iterator[SourceRow | RejectedRow]:
                yield row("A")
                raise SourceError("no network for the feed")

        run = Run(store, tmp_path, source=Broken([]))
    summary = await run()
    assert (summary.status, "no network" in str(summary.reason)) == ("failed", True)
    note = await run.note()
    assert (note["state"], "no network" in note["reason"]) == ("failed", True)
    assert await store.notes.lease() is None


async def test_a_note_of_a_process_that_was_killed_says_interrupted(store: CatalogueDatabase, url: str) -> None:
    program = """
import asyncio, sys
from services.catalogue.importing.record import ImportRecord
from services.catalogue.retry import Retry
from services.catalogue.store.database import CatalogueDatabase
async def main():
    stopping = asyncio.Event()
    async with CatalogueDatabase(sys.argv[1], sys.argv[2]) as store:
        async with ImportRecord(store, "killed.csv", Retry(5, stopping, print), stopping) as record:
            print(record.id, flush=True)
            await stopping.wait()
asyncio.run(main())
"""
    arguments = ("-c", program, url, store.database_name)
    process = await asyncio.create_subprocess_exec(sys.executable, *arguments, stdout=subprocess.PIPE)
    assert process.stdout is not None
    import_id = (await process.stdout.readline()).decode().strip()
    note = await store.notes.get_import(import_id)
    assert note is not None
    assert present(note)["state"] == "running"
    process.kill()
    await process.wait()
    note = await store.notes.get_import(import_id)
    assert note is not None
    actual = present(note)
    assert (actual["state"], actual["finished_at"]) == ("interrupted", note["updated_at"])
    assert "import again" in actual["reason"]
    stopping = asyncio.Event()
    async with ImportRecord(store, "next.csv", Retry(5, stopping, lambda _: None), stopping) as record:
        held = await store.notes.lease()
        assert held is not None
        assert held.import_id == record.id


@pytest.mark.parametrize(("is_lease_renewed", "state"), [(True, "running"), (False, "interrupted")])
def test_an_import_elsewhere_is_running_as_long_as_it_renews_its_lease(is_lease_renewed: bool, state: str) -> None:
    process = {"host": "elsewhere", "place": "another boot", "pid": 1, "began": 2}
    at = (datetime.now(UTC) - timedelta(hours=1)).isoformat()  # clocks of two machines are not compared
    note = {"id": "x", "state": "running", "updated_at": at, "finished_at": None, "process": process}
    record = present(note, is_lease_renewed=is_lease_renewed)
    assert (record["state"], "process" in record) == (state, False)


def test_the_bounds_leave_a_busy_holder_time() -> None:
    assert import_lease.STALE_S >= 5 * import_lease.BEAT_S


@pytest.mark.parametrize("fault", [None, "the feed breaks off"])
async def test_the_recorded_keys_are_deleted_however_an_import_ends(
    store: CatalogueDatabase, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: str | None
) -> None:
    closed: list[FeedKeys] = []
    close = FeedKeys.close

    def recorded(feed: FeedKeys) -> None:
        closed.append(feed)
        close(feed)

    monkeypatch.setattr(FeedKeys, "close", recorded)

    class Broken(ListSource):
        def rows(self) -> Iterator[SourceRow | RejectedRow]:
            yield from super().rows()
            if fault is not None:
                raise SourceError(fault)

    summary = await Run(store, tmp_path, source=Broken([row("a")]), sync_limit=1.0)()
    assert (summary.status, summary.reason) == (("done", None) if fault is None else ("failed", fault))
    assert len(closed) == 1
