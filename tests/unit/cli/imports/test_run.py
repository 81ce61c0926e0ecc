"""A run of `lookalike import`: what it opens, how it ends, and what is closed. The services are fakes."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from services.catalogue.importing.importer import ImportOptions
from services.catalogue.importing.report import RejectedFile, RejectedFileError, Summary, Tally
from services.catalogue.importing.session import Plan
from services.catalogue.model_switch.switch import EmbeddingModels
from services.catalogue.retry import RetriesExhausted, Stopped
from services.catalogue.sources.records.rows import SourceError
from services.cli.imports import run as module
from services.cli.imports.run import SHIPPED, ImportRequest, Workers, run
from services.cli.options import Services
from services.contracts.domain.errors import CatalogueUnavailable, EmbeddingUnavailable
from services.contracts.domain.parts import WHOLE, Part
from services.contracts.wire.embedding import ModelFacts
from tests.support.fakes.import_fakes import ListSource, row

SERVICES = Services("mongodb://m:1", "shop", "http://e:2", "t0ken")
FACTS = ModelFacts(
    model="fashion/2", categories=["Topwear", "Shoes"], dimension=4, input={"height": 8, "width": 8}, thresholds={}
)
ROWS = [row(str(number), f"https://i.test/{number}.jpg", line=number) for number in range(250)]


class Source(ListSource):
    """A source that knows whether it is closed."""

    is_closed = False

    def close(self) -> None:
        self.is_closed = True


class Connection:
    """The database, the embedding service or the web; `products` has the keys of the catalogue."""

    def __init__(self, world: "World", name: str) -> None:
        self.world, self.name, self.products = world, name, self

    async def close(self) -> None:
        self.world.closed.append(self.name)

    async def __aenter__(self) -> "Connection":
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    models = "the models"

    async def model(self) -> ModelFacts:
        if self.world.trouble is not None:
            raise self.world.trouble
        return FACTS

    async def keys(self) -> AsyncIterator[list[str]]:
        yield self.world.keys


class World:
    """The services of a run, and what it gave them."""

    def __init__(self) -> None:
        self.source = Source(ROWS)
        self.made: dict[str, tuple[tuple[Any, ...], dict[str, Any]]] = {}
        self.closed: list[str] = []
        self.keys: list[str] = []
        self.trouble: Exception | None = None
        self.session: list[Any] = []
        self.record: tuple[Any, ...] = ()
        self.facts_of: list[Any] = []
        self.work: Callable[[asyncio.Event], None] = lambda _: None

    def connection(self, name: str, *arguments: Any, **options: Any) -> Connection:
        self.made[name] = arguments, options
        return Connection(self, name)

    def open_session(self, *parts: Any) -> "World":
        self.session = [*parts]
        return self

    async def run(self, record: str, facts: ModelFacts) -> Summary:
        assert (record, facts, self.closed) == ("the record", FACTS, [])
        self.work(self.session[3])
        return Summary(Tally(read=3), "done", facts.model, 1.0)

    def open_record(self, *arguments: Any, **options: Any) -> "Record":
        self.record = (*arguments, options)
        return Record()

    async def serving(self, *parts: Any) -> ModelFacts:
        self.facts_of.append(parts)
        if self.trouble is not None:
            raise self.trouble
        return FACTS


class Record:
    async def __aenter__(self) -> str:
        return "the record"

    async def __aexit__(self, *_: object) -> None: ...


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> World:
    world = World()
    monkeypatch.chdir(tmp_path)
    for place in ("CatalogueDatabase", "EmbeddingClient", "ImageFetcher"):
        monkeypatch.setattr(
            module, place, lambda *given, place=place, **options: world.connection(place, *given, **options)
        )
    monkeypatch.setattr(module, "open_source", lambda *_: world.source)
    monkeypatch.setattr(module, "ImportSession", world.open_session)
    monkeypatch.setattr(module, "ImportRecord", world.open_record)
    monkeypatch.setattr(module, "serving_facts", world.serving)
    return world


def request(**changes: Any) -> ImportRequest:
    made = ImportRequest(Path("shop/feed.csv"), Path("r.ndjson"), SERVICES, wait_s=0.0)
    return replace(made, **changes)


def test_the_session_gets_what_the_options_say(world: World) -> None:
    options = {"url_template": "/p/{id}", "limit": None, "per_host": 3, "part": Part(1, 2), "catalogue": "shoes"}
    summary = run(request(**options, allow_hosts=("a:1",), sync=True, sync_limit=0.5))
    assert (summary.status, summary.tally.read) == ("done", 3)
    plan, services, _, stopping, _, make_importer = world.session
    assert plan == Plan(
        world.source, "feed.csv", plan.mapping, ImportOptions("/p/{id}", None, per_host=3), 0.5, Part(1, 2)
    )
    assert (services.embedding.name, services.catalogue.name, services.fetcher.name, make_importer) == (
        *("EmbeddingClient", "CatalogueDatabase", "ImageFetcher", None),
    )
    database, name, retry, stopped, rest = world.record
    assert (database.name, name, retry is services.retry, stopped is stopping) == (
        *("CatalogueDatabase", "feed.csv", True, True),
    )
    assert rest == {"part": Part(1, 2)}
    assert world.made["CatalogueDatabase"] == (("mongodb://m:1", "shop"), {"catalogue": "shoes", "timeout_s": 2.0})
    assert (world.made["EmbeddingClient"][0][0], world.made["EmbeddingClient"][1]) == (
        *("http://e:2", {"token": "t0ken"}),
    )
    assert world.made["ImageFetcher"] == ((), {"allowed_hosts": ("a:1",)})
    assert world.facts_of == [("the models", services.embedding)]
    assert sorted(world.closed) == ["CatalogueDatabase", "EmbeddingClient", "ImageFetcher"]
    assert world.source.is_closed


def test_without_sync_no_product_is_removed(world: World) -> None:
    run(request(limit=7))
    plan = world.session[0]
    assert (plan.sync_limit, plan.options.limit, plan.part) == (None, 7, WHOLE)


@pytest.mark.parametrize(("wait_s", "timeout_s"), [(1.9, 2.0), (2.1, 2.1), (9.9, 9.9), (10.1, 10.0)])
def test_a_call_to_the_database_waits_as_long_as_the_command_within_bounds(
    world: World, wait_s: float, timeout_s: float
) -> None:
    run(request(wait_s=wait_s))
    assert world.made["CatalogueDatabase"][1]["timeout_s"] == timeout_s


@pytest.mark.parametrize(
    ("error", "status", "reason"),
    [
        (Stopped(), "interrupted", None),
        (RetriesExhausted("it is gone (waited 60 s)"), "failed", "it is gone (waited 60 s)"),
        (CatalogueUnavailable("the database is gone"), "failed", "the database is gone"),
    ],
)
def test_an_import_that_cannot_begin_says_why(world: World, error: Exception, status: str, reason: str | None) -> None:
    def fail(_: object) -> None:
        raise error

    world.work = fail
    summary = run(request())
    assert (summary.status, (summary.reason or "")[:30]) == (status, (reason or "")[:30])
    assert (summary.tally.read, summary.model, summary.rejected_file, summary.dry_run) == (0, None, None, False)
    assert (len(world.closed), world.source.is_closed) == (3, True)


def test_an_error_of_the_program_closes_everything(world: World) -> None:
    def fail(_: object) -> None:
        raise ZeroDivisionError

    world.work = fail
    with pytest.raises(ZeroDivisionError):
        run(request())
    assert (len(world.closed), world.source.is_closed) == (3, True)


def test_a_source_that_cannot_be_opened_is_a_failed_import(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise SourceError("feed.csv is empty")

    monkeypatch.setattr(module, "open_source", fail)
    summary = run(request())
    assert (summary.status, summary.reason, world.made) == ("failed", "feed.csv is empty", {})


@pytest.mark.parametrize("own", [None, "the models of the workers"])
def test_workers_make_the_importer(world: World, own: EmbeddingModels | None) -> None:
    made: list[tuple[Any, ...]] = []

    class Remote:
        source, models = Source(()), own

        def importer(self, *arguments: Any) -> str:
            made.append(arguments)
            return "the importer"

    workers: Workers = Remote()  # type: ignore[assignment]
    run(request(), workers)
    _, services, rejected, _, _, make_importer = world.session
    assert make_importer("the placer", "the feed") == "the importer"
    ((parts, *rest),) = made
    assert (parts.services, parts.rejected, rest) == (services, rejected, ["the placer", "the feed"])
    assert world.facts_of == [("the models", own or services.embedding)]
    assert (workers.source.is_closed, world.source.is_closed) == (True, False)  # type: ignore[attr-defined]


@pytest.mark.parametrize(("trouble", "model"), [(None, "fashion/2"), (EmbeddingUnavailable("gone"), None)])
def test_a_dry_run_needs_no_service(world: World, trouble: Exception | None, model: str | None) -> None:
    world.trouble = trouble
    summary = run(request(dry_run=True))
    assert (summary.status, summary.dry_run, summary.model) == ("done", True, model or (SHIPPED.model or None))
    assert (summary.tally.checked, summary.rejected_file) == (250, None)
    assert world.closed == ["EmbeddingClient"]


def test_a_dry_run_says_what_a_sync_would_remove(world: World) -> None:
    world.keys = [*(str(number) for number in range(250)), "old"]
    summary = run(request(dry_run=True, sync=True))
    assert (summary.status, summary.tally.would_remove) == ("done", 1)
    refused = run(request(dry_run=True, sync=True, sync_limit=0.0))
    assert (refused.status, refused.tally.would_remove) == ("failed", 0)
    assert "--sync removes nothing" in (refused.reason or "")
    assert run(request(dry_run=True)).tally.would_remove == 0


def test_a_dry_run_of_a_part_checks_the_part(world: World) -> None:
    reads = [run(request(dry_run=True, part=Part(number, 2))).tally.read for number in (1, 2)]
    assert (sum(reads), 250 in reads) == (250, False)


def test_a_dry_run_that_is_stopped_ends_at_once(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    class Stopping:
        def __init__(self, stop: Callable[[], None]) -> None:
            stop()

        def __enter__(self) -> None: ...

        def __exit__(self, *_: object) -> None: ...

    monkeypatch.setattr(module, "interruptible", Stopping)
    summary = run(request(dry_run=True, sync=True))
    assert (summary.status, summary.tally.read, summary.tally.would_remove) == ("interrupted", 100, 0)
    assert "CatalogueDatabase" not in world.made
    world.source = Source(ROWS[:50])
    assert run(request(dry_run=True, sync=True)).status == "interrupted"


def test_a_rejected_file_that_cannot_be_written_is_a_failed_dry_run(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: object) -> Path:
        raise RejectedFileError("the disk is full")

    monkeypatch.setattr(RejectedFile, "close", full)
    summary = run(request(dry_run=True))
    assert (summary.status, summary.reason, summary.rejected_file) == ("failed", "the disk is full", None)
