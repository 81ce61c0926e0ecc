"""A run of `lookalike reembed`: what it opens and calls, how it ends, and what is closed. The services are fakes."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from services.bulk.block_reembedder import MissingReader, ReembedWork
from services.bulk.options import BulkOptions
from services.bulk.own_models import OwnModels
from services.bulk.worker_services import WorkerServices
from services.catalogue.importing.ports import ImporterError
from services.catalogue.importing.report import RejectedFile, RejectedFileError
from services.catalogue.model_switch.reembedding_report import ReembedTally
from services.catalogue.retry import RetriesExhausted, Stopped
from services.catalogue.sources.records.rows import RejectedRow
from services.catalogue.store.model_note import ModelNote, ModelSwitchRefused
from services.cli.bulk import reembed as bulk_reembed
from services.cli.bulk.options import worker_services
from services.cli.models import reembed_run
from services.cli.models.reembed_run import ReembedRequest, prepare, run
from services.cli.options import Services
from services.contracts.domain.errors import CatalogueUnavailable
from services.contracts.domain.parts import Part
from services.contracts.images.fetch import FetchedImage, Validators
from services.contracts.wire.embedding import ModelFacts
from tests.support.servers.stack import MODEL_DIR
from tests.support.values.products import make_product

SERVICES = Services("mongodb://m:1", "shop", "http://e:2", "t0ken")
FACTS = ModelFacts(model="fashion/2", categories=["Topwear"], dimension=4, input={}, thresholds={})
Work = Callable[["Job", asyncio.Event], Any]


class Job:
    """Takes the place of both re-embedders."""

    def __init__(self, world: "World", arguments: tuple[Any, ...], options: dict[str, Any]) -> None:
        self.arguments, self.options = arguments, options
        self.given: tuple[Any, ...] = ()
        self.tally = ReembedTally(found=2, embedded=1)
        self.world = world

    async def run(self, *given: Any) -> None:
        self.given = given[:-1]
        assert len(self.world.closed) == (len(self.world.jobs) - 1) * len(self.world.made)  # nothing of this run
        outcome = self.world.work(self, given[-1])
        if asyncio.iscoroutine(outcome):
            await outcome


class World:
    """The services of a run."""

    def __init__(self) -> None:
        self.made: dict[str, tuple[tuple[Any, ...], dict[str, Any]]] = {}
        self.closed: list[str] = []
        self.work: Work = lambda *_: None
        self.jobs: list[Job] = []
        self.switched: list[tuple[Any, str]] = []

    def service(self, name: str, *arguments: Any, **options: Any) -> Any:
        self.made[name] = arguments, options
        return Service(self, name)

    def job(self, *arguments: Any, **options: Any) -> Job:
        self.jobs.append(Job(self, arguments, options))
        return self.jobs[-1]

    async def prepare(self, change: Any, name: str) -> ModelFacts:
        self.switched.append((change, name))
        return FACTS


class Service:
    """A connection: the database, the embedding service, or web servers that have every image but `empty`."""

    models, pictures = "the models", SimpleNamespace()

    def __init__(self, world: World, name: str) -> None:
        self._world, self.name = world, name

    async def close(self) -> None:
        self._world.closed.append(self.name)

    async def __aenter__(self) -> "Service":
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def get(self, url: str, known: Validators) -> FetchedImage:
        return FetchedImage(None if "empty" in url else url.encode(), known)


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> World:
    world = World()
    monkeypatch.chdir(tmp_path)
    for place in ("CatalogueDatabase", "EmbeddingClient", "ImageFetcher"):
        monkeypatch.setattr(
            reembed_run, place, lambda *given, place=place, **options: world.service(place, *given, **options)
        )
    monkeypatch.setattr(reembed_run, "Reembedder", world.job)
    monkeypatch.setattr(bulk_reembed, "BulkReembedder", world.job)
    monkeypatch.setattr(reembed_run, "ModelSwitch", lambda *parts: parts)
    monkeypatch.setattr(reembed_run, "prepare", world.prepare)
    return world


def request(**changes: Any) -> ReembedRequest:
    return ReembedRequest("2", SERVICES, catalogue="shoes", **changes)


def test_a_run_opens_its_services_makes_the_model_the_candidate_and_closes_everything(world: World) -> None:
    summary = run(request(allow_hosts=("a:1",), rate=2.5, part=Part(1, 2), unversioned_model="fashion/7"))
    assert world.made["CatalogueDatabase"] == (("mongodb://m:1", "shop"), {"catalogue": "shoes"})
    assert world.made["EmbeddingClient"][0][0] == "http://e:2"
    assert world.made["EmbeddingClient"][1] == {"token": "t0ken"}
    assert world.made["ImageFetcher"] == ((), {"allowed_hosts": ("a:1",)})
    (((models, embedding), name),) = world.switched
    assert (models, embedding.name, name) == ("the models", "EmbeddingClient", "2")
    (job,) = world.jobs
    assert (job.arguments[0], job.arguments[1].name, job.given) == (
        "the models",
        "EmbeddingClient",
        (FACTS, "fashion/7"),
    )
    assert (job.options["part"], job.options["rate"]) == (Part(1, 2), 2.5)
    assert sorted(world.closed) == ["CatalogueDatabase", "EmbeddingClient", "ImageFetcher"]
    assert (summary.status, summary.model, summary.reason, summary.catalogue) == ("done", "fashion/2", None, "shoes")
    assert (summary.tally is job.tally, summary.rejected_file) == (True, None)


def stop(_: Job, stopping: asyncio.Event) -> None:
    stopping.set()


def failing(error: Exception) -> Work:
    def work(*_: object) -> None:
        raise error

    return work


@pytest.mark.parametrize(
    ("work", "status", "reason"),
    [
        (stop, "interrupted", None),
        (failing(Stopped()), "interrupted", None),
        (failing(RetriesExhausted("MongoDB is unavailable (waited 60 s)")), "failed", "MongoDB is unavailable (wait"),
        (failing(ModelSwitchRefused("fashion/3 is the candidate")), "failed", "fashion/3 is the candidate"),
        (failing(RejectedFileError("r.ndjson: the disk is full")), "failed", "r.ndjson: the disk is full"),
        (failing(ImporterError("Ray has failed")), "failed", "Ray has failed"),
        (failing(CatalogueUnavailable("the database refuses it")), "failed", "the database refuses it"),
    ],
)
def test_a_run_that_ends_early_says_how(world: World, work: Work, status: str, reason: str | None) -> None:
    world.work = work
    summary = run(request())
    assert (summary.status, (summary.reason or "")[:28]) == (status, (reason or "")[:28])
    assert (summary.model, summary.tally.embedded) == ("fashion/2", 1)
    assert len(world.closed) == 3


def test_an_error_of_the_program_is_not_a_summary(world: World) -> None:
    world.work = failing(ZeroDivisionError())
    with pytest.raises(ZeroDivisionError):
        run(request())


def test_rejected_products_are_in_the_file(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def reject(job: Job, _: object) -> None:
        job.arguments[3].add(RejectedRow(None, "a", "it is broken"))

    world.work = reject
    summary = run(request())
    assert summary.rejected_file == Path("reembed-2-shoes.rejected.ndjson")
    assert '"a"' in summary.rejected_file.read_text()

    def full(_: object) -> Path:
        raise RejectedFileError("the disk is full")

    monkeypatch.setattr(RejectedFile, "close", full)
    summary = run(request())
    assert (summary.status, summary.reason, summary.rejected_file) == ("failed", "the disk is full", None)


def test_a_folder_that_cannot_be_written_is_an_option_that_is_not_valid(world: World) -> None:
    with pytest.raises(ValueError, match=r"none/r\.ndjson: name another file with --rejected"):
        run(request(rejected=Path("none/r.ndjson")))


def test_the_run_shows_how_far_it_is_and_what_it_waits_for(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    world.work = lambda job, _: job.options["on_progress"]()
    run(request())
    assert "1 of 2 products" in capsys.readouterr().err


def test_pictures_come_from_the_shop_by_the_template(world: World) -> None:
    files: list[Any] = []

    async def get(job: Job) -> None:
        vector = np.eye(4, dtype=np.float32)[0]
        products = [make_product(name, 0, vector, image_url=f"https://i.test/{name}") for name in ("full", "empty")]
        files.extend(await job.arguments[2].get(products))

    world.work = lambda job, _: get(job)
    run(request(image_url_template="https://i.test/{id}"))
    assert [file.pictures[0].data for file in files] == [b"https://i.test/full", b""]
    assert world.jobs[0].arguments[2]._template == "https://i.test/{id}"


def test_workers_get_what_the_run_would_do_itself(world: World) -> None:
    options = BulkOptions(2, model_dir=MODEL_DIR)
    summary = run(request(bulk=options, rate=2.5, part=Part(1, 2), image_url_template="https://i.test/{id}"))
    services = worker_services(request(), options)
    assert world.jobs[0].given == (
        MissingReader(services, FACTS, "fashion/1", Part(1, 2)),
        ReembedWork(services, FACTS, "fashion/1", "https://i.test/{id}", 2.5),
    )
    assert isinstance(world.switched[0][0][1], OwnModels)
    assert (summary.status, summary.tally.embedded) == ("done", 1)
    world.work = stop
    assert run(request(bulk=BulkOptions())).status == "interrupted"
    assert world.switched[1][0][1].name == "EmbeddingClient"


@pytest.mark.parametrize(("wait_s", "timeout_s"), [(0.0, 2.0), (2.0, 2.0), (5.0, 5.0), (10.0, 10.0), (60.0, 10.0)])
def test_a_worker_has_the_services_of_the_command(wait_s: float, timeout_s: float) -> None:
    asked = request(allow_hosts=("a:1",), per_host=3, wait_s=wait_s)
    assert worker_services(asked, BulkOptions()) == WorkerServices(
        "mongodb://m:1", "shop", "shoes", "http://e:2", "t0ken", None, ("a:1",), 3, wait_s, timeout_s
    )


def test_the_model_of_workers_is_found_from_any_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(MODEL_DIR.parent)
    found = worker_services(request(), BulkOptions(model_dir=Path(MODEL_DIR.name))).model_dir
    assert (found is not None and found.is_absolute(), found) == (True, MODEL_DIR.resolve())


async def test_a_model_is_made_the_candidate_when_it_can_be_used() -> None:
    note = ModelNote()
    asked: list[str] = []

    async def named(name: str) -> str:
        return f"fashion/{name}"

    async def usable(model: str) -> ModelFacts:
        asked.append(model)
        return FACTS

    async def first() -> str:
        return "fashion/1"

    async def change(step: Callable[[ModelNote], ModelNote]) -> ModelNote:
        nonlocal note
        note = step(note)
        return note

    switch: Any = SimpleNamespace(named=named, usable=usable, first=first, change=change)
    assert await prepare(switch, "2") is FACTS
    assert (asked, note) == (["fashion/2"], ModelNote(candidate="fashion/2"))
