"""The parts of a bulk import and of a bulk re-embedding: what is read, what the workers do, and which engine runs."""

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from services.bulk.block_importer import ImportWork
from services.bulk.checkpoint import CheckpointNote
from services.bulk.feed_blocks import FeedReader
from services.bulk.options import BulkOptions
from services.bulk.own_models import OwnModels
from services.catalogue.importing.description import Placer
from services.catalogue.importing.report import RejectedFile
from services.catalogue.sources.records.mapping import FeedMapping
from services.cli.bulk import reembed as bulk_reembed
from services.cli.bulk import run as module
from services.cli.bulk.options import own_models, worker_services
from services.cli.bulk.run import BulkRun
from services.cli.imports.run import ImportRequest
from services.cli.options import Services
from services.contracts.domain.parts import Part
from tests.support.fakes.bulk import Notes
from tests.support.servers.stack import MODEL_DIR

CATEGORIES = ("Topwear", "Shoes")
PLACER = Placer(CATEGORIES, FeedMapping())
SERVICES = Services("mongodb://m:1", "shop", "http://e:2")


@pytest.fixture
def request_(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ImportRequest:
    monkeypatch.chdir(tmp_path)
    Path("feed.csv").touch()
    return ImportRequest(
        *(Path("feed.csv"), Path("r.ndjson"), SERVICES),
        images=Path("images"),
        url_template="/p/{id}",
        limit=7,
        part=Part(1, 2),
    )


@pytest.fixture
def engines(monkeypatch: pytest.MonkeyPatch) -> list[BulkOptions]:
    opened: list[BulkOptions] = []
    for place in (module, bulk_reembed):
        monkeypatch.setattr(place, "RayEngine", opened.append)
    monkeypatch.setattr(module, "BulkImporter", lambda *parts: parts)
    monkeypatch.setattr(bulk_reembed, "BulkReembedder", lambda *parts, **options: (*parts, options))
    return opened


def importer(request: ImportRequest, options: BulkOptions, notes: Notes | None = None, **changes: Any) -> Any:
    services: Any = SimpleNamespace(
        catalogue=SimpleNamespace(notes=Notes() if notes is None else notes), retry="the retry"
    )
    parts: Any = SimpleNamespace(
        mapping=FeedMapping(), services=services, rejected="the file", on_progress="the progress"
    )
    return BulkRun(request, options, **changes).importer(parts, PLACER, None)


def test_the_workers_of_an_import_get_what_the_options_say(
    request_: ImportRequest, engines: list[BulkOptions], tmp_path: Path
) -> None:
    options = BulkOptions(workers=3)
    parts, open_engine, retry, rejected, feed, on_progress = importer(request_, options)
    source, images = tmp_path / "feed.csv", tmp_path / "images"
    assert parts.reader == FeedReader(source, FeedMapping(), CATEGORIES, images, Part(1, 2), 7)
    assert parts.work == ImportWork(worker_services(request_, options), CATEGORIES, FeedMapping(), "", "/p/{id}")
    assert (parts.restarts, retry, rejected, feed, on_progress) == (
        *(False, "the retry", "the file", None, "the progress"),
    )
    assert parts.source.kind == "feed.csv"
    open_engine()
    assert engines == [options]


@pytest.mark.parametrize("restarts", [True, False])
def test_a_run_may_begin_at_the_first_row(request_: ImportRequest, engines: list[BulkOptions], restarts: bool) -> None:
    (parts, *_) = importer(replace(request_, images=None), BulkOptions(), restarts=restarts)
    assert (parts.restarts, parts.reader.images) == (restarts, None)


async def test_the_checkpoint_is_that_of_the_source_and_of_the_options(
    request_: ImportRequest, engines: list[BulkOptions]
) -> None:
    async def names(request: ImportRequest) -> dict[str, Any]:
        notes = Notes()
        note: CheckpointNote = importer(request, BulkOptions(), notes)[0].note
        await note.save(SimpleNamespace(rows=1, digest="a", again=()))  # type: ignore[arg-type]
        return {name: await notes.get(name) for name in notes}

    first = await names(request_)
    assert await names(replace(request_, rejected=Path("x"), wait_s=1.0)) == first
    for changes in ({"images": None}, {"limit": 8}, {"url_template": None}, {"part": Part(2, 2)}):
        assert await names(replace(request_, **changes)) != first  # type: ignore[arg-type]


def test_the_models_are_those_of_the_workers_if_they_have_one(request_: ImportRequest) -> None:
    assert isinstance(BulkRun(request_, BulkOptions(model_dir=MODEL_DIR)).models, OwnModels)
    assert BulkRun(request_, BulkOptions()).models is own_models(BulkOptions()) is None
    assert isinstance(own_models(BulkOptions(model_dir=MODEL_DIR)), OwnModels)
    run = BulkRun(request_, BulkOptions())
    assert (run.source.kind, run.source.progress()) == ("feed.csv", (0, 0))


def test_a_bulk_reembedding_runs_on_the_engine_of_its_options(engines: list[BulkOptions]) -> None:
    options, file = BulkOptions(workers=3), RejectedFile(None)
    made: Any = bulk_reembed.reembedder(options, file, print)
    open_engine, rejected, given = made
    open_engine()
    assert (engines, rejected, given) == ([options], file, {"on_progress": print})
