"""What is left of an import after its end, however it ended."""

import shutil
from collections.abc import AsyncIterator
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import orjson
import psutil  # type: ignore[import-untyped]
import pytest

from services.catalogue.process_mark import is_alive, this_process
from services.contracts.domain.errors import InvalidFeed, UnknownImport
from services.gateway.imports import jobs as module
from services.gateway.imports.jobs import ImportDependencies, ImportJob, ImportJobs
from services.gateway.imports.options import ImportParameters
from services.gateway.imports.upload import open_feed
from tests.support.fakes.gateway_fakes import GatewayCatalogue, GatewayEmbedding, GatewayWeb

URL = "https://shop.example/1.jpg"
ROW = orjson.dumps({"id": "p1", "image_url": URL, "category": "Shoes"})


async def body() -> AsyncIterator[bytes]:
    yield ROW


class Imports:
    def __init__(self, folder: Path) -> None:
        self.folder, self.catalogue, self.web = folder, GatewayCatalogue(), GatewayWeb()
        self.web.pages = {URL: b"\x01 a picture"}
        fakes: tuple[Any, Any, Any] = self.catalogue, GatewayEmbedding(), self.web
        self.jobs = ImportJobs(ImportDependencies(*fakes, folder, 10_000))

    async def received(self, suffix: str = ".ndjson") -> ImportJob:
        job = await self.jobs.begin(ImportParameters())
        await job.receive(body(), suffix, gzipped=False)
        return job

    async def lines(self, job: ImportJob) -> list[dict[str, Any]]:
        return [orjson.loads(line) async for part in job.results.follow() for line in part.splitlines()]


@pytest.fixture
def imports(tmp_path: Path) -> Imports:
    return Imports(tmp_path)


@pytest.fixture
def closed(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The feeds that have been closed."""
    paths: list[Path] = []

    def opened(path: Path, *given: Any) -> Any:
        feed = open_feed(path, *given)
        close = feed.close

        def closing() -> None:
            paths.append(path)
            close()

        monkeypatch.setattr(feed, "close", closing, raising=False)
        return feed

    monkeypatch.setattr(module, "open_feed", opened)
    return paths


async def test_the_feed_is_closed_and_removed_at_the_end(imports: Imports, closed: list[Path]) -> None:
    job = await imports.received()
    (folder,) = imports.folder.iterdir()
    assert [path.name for path in folder.iterdir()] == ["feed.ndjson"]
    imports.jobs.start(job, with_results=True)
    await imports.lines(job)
    assert ([path.name for path in closed], list(imports.folder.iterdir())) == (["feed.ndjson"], [])


async def test_a_feed_of_no_type_gets_the_suffix_of_its_format(imports: Imports, closed: list[Path]) -> None:
    job = await imports.received("")
    await imports.jobs.give_up(job, InvalidFeed("no"))
    assert [path.suffix for path in closed] == [".json"]


async def test_an_import_that_is_given_up_is_forgotten_and_its_record_says_why(
    imports: Imports, closed: list[Path]
) -> None:
    for error, reason in ((InvalidFeed("it is none"), "it is none"), (ZeroDivisionError(), "the feed did not arrive")):
        job = await imports.received()
        await imports.jobs.give_up(job, error)
        assert imports.jobs._jobs == {}
        record = await imports.jobs.get(job.record.id)
        assert (record["state"], record["reason"]) == ("failed", reason)
        assert imports.catalogue.notes.held is None
    assert (len(closed), list(imports.folder.iterdir())) == (2, [])


async def test_a_folder_that_somebody_has_removed_does_no_harm(imports: Imports) -> None:
    job = await imports.received()
    for folder in imports.folder.iterdir():
        shutil.rmtree(folder)
    await imports.jobs.give_up(job, InvalidFeed("no"))
    assert imports.catalogue.notes.held is None


async def test_searches_are_waited_for_only_at_the_end_of_an_import_with_wait(imports: Imports) -> None:
    written: list[set[str]] = []

    async def level() -> bool:
        written.append(set(imports.catalogue.products.rows))
        return False

    job = await imports.received()
    imports.jobs.start(job, with_results=True, level=level)
    *_, last = await imports.lines(job)
    assert (last["import"]["searchable"], written) == (False, [{"p1"}])
    job = await imports.received()
    imports.jobs.start(job, with_results=True)
    *_, last = await imports.lines(job)
    assert "searchable" not in last["import"]


async def test_at_most_fifty_imports_are_listed(imports: Imports) -> None:
    times = dict.fromkeys(("started_at", "updated_at", "finished_at"), "2026-11-01T10:00:00+00:00")
    imports.catalogue.notes.imports = {
        f"{number:03}": {
            "id": f"{number:03}",
            "state": "done",
            "source": "",
            "process": asdict(this_process()),
            **times,
        }
        for number in range(51)
    }
    assert [record["id"] for record in await imports.jobs.last()] == [f"{number:03}" for number in range(50, 0, -1)]
    with pytest.raises(UnknownImport, match="'x'"):
        await imports.jobs.get("x")


async def test_an_import_of_the_first_process_of_a_container_is_interrupted_once_no_job_runs_it(
    imports: Imports, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = replace(this_process(), pid=1, began=psutil.Process(1).create_time())
    assert is_alive(first)
    monkeypatch.setattr(module, "this_process", lambda: first)
    times = dict.fromkeys(("started_at", "updated_at"), "2026-11-01T10:00:00+00:00")
    record = {"id": "x", "state": "running", "source": "", "process": asdict(first), "finished_at": None, **times}
    imports.catalogue.notes.imports["x"] = record
    assert (await imports.jobs.get("x"))["state"] == "interrupted"
