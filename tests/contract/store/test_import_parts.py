"""Imports of parts of a source at the same time, against the server that MONGO_URL names, else a stand-in."""

import asyncio
from pathlib import Path

import pytest

from services.catalogue.importing.lease import ImportLease, ImportUnderWay
from services.catalogue.importing.record import ImportRecord
from services.catalogue.importing.report import RejectedFile, Summary
from services.catalogue.importing.session import ImportSession, Plan, SessionServices
from services.catalogue.retry import Retry
from services.catalogue.sources.records.rows import RejectedRow, SourceRow
from services.catalogue.store.database import CatalogueDatabase
from services.catalogue.store.notes import NOTES
from services.contracts.domain.parts import WHOLE, Part
from services.contracts.wire.embedding import ModelFacts
from tests.support.fakes.import_fakes import CATEGORIES, FakeEmbedding, FakeWeb, ListSource, row

FACTS = ModelFacts(
    model="fashion/1", categories=list(CATEGORIES), dimension=4, input={"height": 80, "width": 80}, thresholds={}
)
ROWS = [row(f"p{number}", bytes([0, number])) for number in range(40)]
PARTS = [Part(number, 3) for number in (1, 2, 3)]


def lease(store: CatalogueDatabase, part: Part) -> ImportLease:
    return ImportLease(store.notes, f"import of {part}", "feed.csv", "2026-05-01T00:00:00+00:00", part)


async def imported(
    store: CatalogueDatabase, folder: Path, part: Part, *rows: SourceRow | RejectedRow, sync_limit: float | None = None
) -> Summary:
    """Import one part of a source, and return the summary."""
    stopping = asyncio.Event()
    retry = Retry(1.0, stopping, lambda _: None)
    session = ImportSession(
        Plan(ListSource(rows), "feed.csv", sync_limit=sync_limit, part=part),
        SessionServices(FakeEmbedding(), store, FakeWeb(), retry),
        RejectedFile(folder / f"{part.number}.ndjson"),
        stopping,
    )
    async with ImportRecord(store, "feed.csv", retry, stopping, part=part) as record:
        return await session.run(record, FACTS)


async def keys(store: CatalogueDatabase) -> set[str]:
    return {key async for batch in store.products.keys(100) for key in batch}


async def test_parts_of_a_source_are_imported_at_the_same_time(store: CatalogueDatabase, tmp_path: Path) -> None:
    rows: list[SourceRow | RejectedRow] = [
        *ROWS,
        RejectedRow(41, None, "not UTF-8"),
        RejectedRow(42, "p99", "no image"),
    ]
    summaries = await asyncio.gather(*(imported(store, tmp_path, part, *rows) for part in PARTS))
    assert [summary.status for summary in summaries] == ["done"] * 3
    assert sum(summary.tally.imported for summary in summaries) == len(ROWS)
    assert all(summary.tally.imported for summary in summaries)
    assert sum(summary.tally.rejected for summary in summaries) == 2
    assert await keys(store) == {row.key for row in ROWS}
    sources = {record["source"] for record in await store.notes.list_imports(10)}
    assert sources == {f"feed.csv, part {part}" for part in PARTS}
    assert await store.notes.leases() == []


async def test_the_sync_of_a_part_removes_products_of_that_part(store: CatalogueDatabase, tmp_path: Path) -> None:
    await imported(store, tmp_path, WHOLE, *ROWS)
    left = ROWS[:30]
    gone = {row.key for row in ROWS[30:]}
    summary = await imported(store, tmp_path, PARTS[1], *left, sync_limit=1.0)
    of_the_part = {key for key in gone if PARTS[1].holds(key)}
    assert of_the_part
    assert summary.tally.removed == len(of_the_part)
    assert await keys(store) == {row.key for row in ROWS} - of_the_part


async def test_a_row_without_an_id_keeps_every_part_from_removing(store: CatalogueDatabase, tmp_path: Path) -> None:
    await imported(store, tmp_path, WHOLE, *ROWS)
    summary = await imported(store, tmp_path, PARTS[1], RejectedRow(1, None, "not UTF-8"), sync_limit=1.0)
    assert summary.status == "failed"
    assert "1 row of the feed had no readable id" in str(summary.reason)
    assert await keys(store) == {row.key for row in ROWS}


async def test_imports_that_may_have_a_product_in_common_exclude_each_other(store: CatalogueDatabase) -> None:
    stopping = asyncio.Event()
    parts = [lease(store, part) for part in PARTS]
    for part in parts:
        await part.take(stopping)
    for other in (WHOLE, Part(1, 2), Part(3, 3)):
        with pytest.raises(ImportUnderWay, match=r"feed\.csv, part ./3, since"):
            await ImportLease(store.notes, "another", "other.csv", "now", other).take(stopping)
    assert len(await store.notes.leases()) == 3
    assert await parts[1].renew()
    for part in parts:
        await part.drop()
    await lease(store, WHOLE).take(stopping)
    with pytest.raises(ImportUnderWay, match=r"feed\.csv, since"):
        await lease(store, Part(1, 2)).take(stopping)


async def test_leases_are_in_no_backup_and_stay_in_a_restore(store: CatalogueDatabase) -> None:
    await store.notes.put("last-import", {"source": "x"})
    await lease(store, PARTS[0]).take(asyncio.Event())
    pages = [page async for parts in store.dump.others() for name, page in parts.items() if name == NOTES]
    assert [note["_id"] for page in pages for note in page] == ["last-import"]
    await store.dump.clear()
    assert await store.notes.get("last-import") is None
    assert len(await store.notes.leases()) == 1
