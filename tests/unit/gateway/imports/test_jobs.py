"""Imports through the API, around fakes: the lease, the records, and what is closed at the end."""

import asyncio
import errno
from collections.abc import AsyncIterator, Callable
from dataclasses import asdict, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest

from services.catalogue.importing import record as import_record
from services.catalogue.importing.record import UNDER_WAY
from services.catalogue.importing.session import ImportSession
from services.catalogue.process_mark import ProcessMark
from services.catalogue.store.notes import Lease
from services.contracts.domain.errors import (
    CatalogueUnavailable,
    EmbeddingUnavailable,
    FeedTooLarge,
    ImageUrlRefused,
    ImportConflict,
    InvalidFeed,
    NoRoom,
    UnknownImport,
    UpstreamTimeout,
)
from services.gateway.imports import jobs as module
from services.gateway.imports.jobs import ImportDependencies, ImportJob, ImportJobs
from services.gateway.imports.options import ImportParameters
from tests.support.fakes.gateway_fakes import GatewayCatalogue, GatewayEmbedding, GatewayWeb

URL = "https://shop.example/{}.jpg"
ELSEWHERE = ProcessMark("other-machine", "another boot pid:[1]", 7, 1000)


def feed(*numbers: int) -> bytes:
    return b"\n".join(orjson.dumps({"id": f"p{n}", "image_url": URL.format(n), "category": "Shoes"}) for n in numbers)


async def parts(*data: bytes) -> AsyncIterator[bytes]:
    for part in data:
        yield part


class Imports:
    """The imports of a gateway whose feeds go below `folder`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.catalogue, self.embedding, self.web = GatewayCatalogue(), GatewayEmbedding(), GatewayWeb()
        self.web.pages = {URL.format(n): b"picture %d" % n for n in range(20)}
        self.jobs = self.another()

    def another(self, **changes: Any) -> ImportJobs:
        """Return the imports of another gateway over the same catalogue."""
        given: dict[str, Any] = {"fetcher": self.web, "folder": self.folder, "max_bytes": 10_000, **changes}
        return ImportJobs(ImportDependencies(self.catalogue, self.embedding, **given))  # type: ignore[arg-type]

    async def received(self, body: bytes = feed(1, 2), **options: Any) -> ImportJob:
        job = await self.jobs.begin(ImportParameters(**options))
        await job.receive(parts(body), ".ndjson", gzipped=False)
        return job

    async def ended(self, job: ImportJob) -> dict[str, Any]:
        """Wait for a started import to end; return its lines' last document."""
        lines = [orjson.loads(line) async for part in job.results.follow() for line in part.splitlines()]
        await asyncio.gather(*self.jobs._tasks)
        last: dict[str, Any] = lines[-1]["import"]
        return last


@pytest.fixture
def imports(tmp_path: Path) -> Imports:
    return Imports(tmp_path)


async def test_an_import_writes_its_products_and_leaves_nothing_behind(imports: Imports) -> None:
    job = await imports.received(name="Tuesday's")
    assert (imports.catalogue.notes.held is not None, len(list(imports.folder.iterdir()))) == (True, 1)
    assert imports.jobs.start(job, with_results=True)["state"] == "running"
    document = await imports.ended(job)
    assert (document["state"], document["source"], document["imported"]) == ("done", "Tuesday's", 2)
    assert set(imports.catalogue.products.rows) == {"p1", "p2"}
    assert imports.catalogue.notes.held is None
    assert list(imports.folder.iterdir()) == []
    assert imports.jobs._jobs == {}
    assert (await imports.jobs.get(job.record.id))["state"] == "done"


async def test_each_row_has_a_line_if_somebody_reads_them(imports: Imports) -> None:
    job = await imports.received(feed(1, 99))
    imports.jobs.start(job, with_results=True)
    lines = [orjson.loads(line) async for part in job.results.follow() for line in part.splitlines()]
    assert {(line["id"], line["outcome"]) for line in lines[:-1]} == {("p1", "imported"), ("p99", "rejected")}
    job = await imports.received(feed(1, 99))
    imports.jobs.start(job, with_results=False)
    document = await imports.ended(job)
    assert (document["unchanged"], document["rejected"]) == (1, 1)
    assert document["rejected_rows"][0]["id"] == "p99"


async def test_the_options_reach_the_import(imports: Imports) -> None:
    job = await imports.received(feed(1, 2, 3), limit=2, url_template="https://shop.example/p/{id}")
    imports.jobs.start(job, with_results=False)
    assert (await imports.ended(job))["imported"] == 2
    assert imports.catalogue.products.rows["p1"].url == "https://shop.example/p/p1"


async def test_sync_removes_products_that_the_feed_no_longer_has_within_its_limit(imports: Imports) -> None:
    job = await imports.received(feed(*range(10)))
    imports.jobs.start(job, with_results=False)
    await imports.ended(job)
    for numbers, options, state, left in (
        (range(7), {"sync": True}, "failed", 10),  # 30 % would be removed; the limit is 20 %
        (range(8), {"sync": True}, "done", 8),
        (range(4), {"sync": True, "sync_limit": 0.5}, "done", 4),
        (range(2), {}, "done", 4),
    ):
        job = await imports.received(feed(*numbers), **options)
        imports.jobs.start(job, with_results=False)
        assert (await imports.ended(job))["state"] == state
        assert len(imports.catalogue.products.rows) == left


async def test_a_second_import_is_refused_with_the_first_ones_id(imports: Imports) -> None:
    first = await imports.jobs.begin(ImportParameters())
    with pytest.raises(ImportConflict, match="another import is under way: api") as caught:
        await imports.another().begin(ImportParameters())
    assert caught.value.extra == {"import_id": first.record.id}
    await imports.jobs.give_up(first, InvalidFeed("it has no columns"))
    assert await imports.another().begin(ImportParameters())


async def test_without_a_fetcher_nothing_is_imported(imports: Imports) -> None:
    with pytest.raises(ImageUrlRefused, match="GATEWAY_FETCH_ENABLED"):
        await imports.another(fetcher=None).begin(ImportParameters())
    assert imports.catalogue.notes.held is None


@pytest.mark.parametrize("service", ["database", "embedding"])
async def test_a_service_that_is_unavailable_ends_an_import_before_it_begins(imports: Imports, service: str) -> None:
    if service == "database":
        imports.catalogue.notes.trouble = CatalogueUnavailable("the catalogue's database cannot be reached")
    else:
        imports.embedding.trouble = EmbeddingUnavailable("the embedding service cannot be reached")
    with pytest.raises((CatalogueUnavailable, EmbeddingUnavailable), match="cannot be reached"):
        await imports.jobs.begin(ImportParameters())
    imports.catalogue.notes.trouble = None
    assert (imports.catalogue.notes.held, imports.jobs._jobs) == (None, {})


@pytest.mark.parametrize(
    ("error", "reason"),
    [(InvalidFeed("it has no columns"), "it has no columns"), (asyncio.CancelledError(), "the feed did not arrive")],
)
async def test_an_import_without_its_feed_has_failed_and_says_why(
    imports: Imports, error: BaseException, reason: str
) -> None:
    job = await imports.received()
    await imports.jobs.give_up(job, error)
    record = await imports.jobs.get(job.record.id)
    assert (record["state"], record["reason"]) == ("failed", reason)
    assert imports.catalogue.notes.held is None
    assert list(imports.folder.iterdir()) == []


async def test_a_feed_that_cannot_be_received_is_an_error(imports: Imports, monkeypatch: pytest.MonkeyPatch) -> None:
    job = await imports.jobs.begin(ImportParameters())
    with pytest.raises(FeedTooLarge):
        await job.receive(parts(b"x" * 10_001), ".ndjson", gzipped=False)
    with pytest.raises(InvalidFeed):
        await job.receive(parts(b"x"), ".ndjson", gzipped=True)

    async def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(module, "receive", full)
    with pytest.raises(NoRoom, match="No space left on device"):
        await job.receive(parts(b"x"), ".ndjson", gzipped=False)

    async def endless() -> AsyncIterator[bytes]:
        yield b"x"
        await asyncio.Event().wait()

    monkeypatch.undo()
    monkeypatch.setattr(module, "RECEIVE_S", 0.01)
    with pytest.raises(UpstreamTimeout, match="did not arrive within"):
        await job.receive(endless(), ".ndjson", gzipped=False)
    await imports.jobs.give_up(job, InvalidFeed("x"))
    assert list(imports.folder.iterdir()) == []


async def test_the_last_imports_are_listed_the_latest_first(imports: Imports) -> None:
    ids = []
    for _ in range(2):
        job = await imports.received()
        ids.append(job.record.id)
        imports.jobs.start(job, with_results=False)
        await imports.ended(job)
    assert [record["id"] for record in await imports.jobs.last()] == ids[::-1]
    assert all("process" not in record for record in await imports.jobs.last())
    with pytest.raises(UnknownImport, match="'x'"):
        await imports.jobs.get("x")


class Gate:
    """Holds every image back until it is opened."""

    def __init__(self, imports: Imports) -> None:
        self.reached, self.opened = asyncio.Event(), asyncio.Event()
        self._get = imports.web.get
        imports.web.get = self.get  # type: ignore[assignment, method-assign]

    async def get(self, *given: Any) -> Any:
        self.reached.set()
        await self.opened.wait()
        return await self._get(*given)


async def test_an_import_under_way_is_shown_and_cancelled(imports: Imports) -> None:
    gate = Gate(imports)
    job = await imports.received()
    imports.jobs.start(job, with_results=False)
    await gate.reached.wait()
    assert (await imports.jobs.get(job.record.id))["state"] == "running"
    assert (await imports.jobs.last())[0]["state"] in UNDER_WAY
    assert (await imports.jobs.cancel(job.record.id))["state"] == "running"
    assert imports.catalogue.notes.cancelled == {job.record.id}
    assert job.stopping.is_set()
    gate.opened.set()
    assert (await imports.ended(job))["state"] == "cancelled"
    imports.catalogue.notes.cancelled.clear()
    assert (await imports.jobs.cancel(job.record.id))["state"] == "cancelled"
    assert imports.catalogue.notes.cancelled == set()  # it has ended, so nothing is requested


async def test_another_gateway_can_cancel_an_import(imports: Imports, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(import_record, "BEAT_S", 0.01)
    gate = Gate(imports)
    job = await imports.received()
    imports.jobs.start(job, with_results=False)
    await gate.reached.wait()
    await imports.catalogue.notes.request_cancel(job.record.id)
    await job.stopping.wait()
    gate.opened.set()
    assert (await imports.ended(job))["state"] == "cancelled"


async def test_closing_writes_what_is_under_way_and_says_interrupted(imports: Imports) -> None:
    gate = Gate(imports)
    job = await imports.received()
    imports.jobs.start(job, with_results=False)
    await gate.reached.wait()
    closing = asyncio.create_task(imports.jobs.close())
    await job.stopping.wait()
    gate.opened.set()
    await closing
    record = await imports.jobs.get(job.record.id)
    assert record["state"] == "interrupted"
    assert record["imported"] == len(imports.catalogue.products.rows)
    assert (imports.catalogue.notes.held, imports.jobs._tasks) == (None, set())
    assert list(imports.folder.iterdir()) == []


async def test_closing_does_not_wait_for_ever(imports: Imports, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "CLOSE_S", 0.01)
    gate = Gate(imports)
    job = await imports.received()
    imports.jobs.start(job, with_results=False)
    await gate.reached.wait()
    await imports.jobs.close()
    assert not gate.opened.is_set()
    assert (await imports.jobs.get(job.record.id))["state"] == "interrupted"
    assert (imports.catalogue.notes.held, imports.jobs._jobs, list(imports.folder.iterdir())) == (None, {}, [])


async def test_an_unexpected_error_ends_the_import_and_its_lines(
    imports: Imports, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = await imports.received()

    async def fail(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(ImportSession, "run", fail)
    imports.jobs.start(job, with_results=True)
    assert (await imports.ended(job))["state"] == "failed"
    assert imports.catalogue.notes.held is None


async def test_a_record_without_its_import_is_interrupted(imports: Imports) -> None:
    job = await imports.received()
    here: Callable[[], Any] = lambda: imports.another().get(job.record.id)  # noqa: E731  # as after a crash
    assert (await here())["state"] == "interrupted"
    assert (await imports.jobs.get(job.record.id))["state"] == "receiving"


@pytest.fixture
async def elsewhere(imports: Imports) -> Lease:
    """An import that runs on another machine, whose clock is an hour behind."""
    lease = Lease("theirs", "theirs.csv", "2026-05-01T00:00:00+00:00", ELSEWHERE)
    hour_ago = (datetime.now(UTC) - timedelta(hours=1)).isoformat()
    facts = {"id": "theirs", "state": "running", "source": "theirs.csv", "started_at": hour_ago}
    times = {"updated_at": hour_ago, "finished_at": None}
    imports.catalogue.notes.imports["theirs"] = {**facts, **times, "process": asdict(ELSEWHERE)}
    imports.catalogue.notes.held = lease
    return lease


async def test_an_import_on_a_machine_with_another_clock_is_running_and_can_be_cancelled(
    imports: Imports, elsewhere: Lease
) -> None:
    assert (await imports.jobs.get("theirs"))["state"] == "running"
    assert [record["state"] for record in await imports.jobs.last()] == ["running"]
    await imports.jobs.cancel("theirs")
    assert imports.catalogue.notes.cancelled == {"theirs"}


async def test_an_import_elsewhere_that_does_not_hold_its_lease_is_interrupted(
    imports: Imports, elsewhere: Lease
) -> None:
    imports.catalogue.notes.held = replace(elsewhere, import_id="later")
    assert (await imports.jobs.get("theirs"))["state"] == "interrupted"


async def test_an_import_elsewhere_that_ends_while_its_record_is_read_is_done(
    imports: Imports, elsewhere: Lease, monkeypatch: pytest.MonkeyPatch
) -> None:
    notes = imports.catalogue.notes

    async def ended() -> list[Lease]:
        notes.imports["theirs"] = {**notes.imports["theirs"], "state": "done"}
        return []

    monkeypatch.setattr(notes, "leases", ended)
    assert (await imports.jobs.get("theirs"))["state"] == "done"
