"""`lookalike doctor` over a database in memory: what it reads, stores and prints, and the status it ends with."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import numpy as np
import orjson
import pytest
import typer
from typer.testing import CliRunner, Result

from services.catalogue.documents.product_document import BrokenDocument, Record
from services.catalogue.health.doctor import KINDS, Finding, Report
from services.catalogue.store import database as module
from services.catalogue.store.model_note import ModelNote
from services.catalogue.store.notes import LAST_EXAMINATION
from services.cli import doctor
from services.cli.imports.run import SHIPPED
from services.contracts.domain.errors import CatalogueUnavailable
from services.contracts.images import fetch
from services.contracts.wire.embedding import ModelFacts
from tests.support.values.products import make_product

VECTOR = np.ones(64, np.float32)
APP = typer.Typer()
APP.command()(doctor.doctor)


class World:
    """The catalogue of a run, and what was asked of the services."""

    def __init__(self) -> None:
        self.entries: list[Any] = [
            Record(str(number), make_product(str(number), number, VECTOR, "fashion/1", image_url=f"/{number}.jpg"))
            for number in range(9)
        ]
        self.trouble: Exception | None = None
        self.asked: list[Any] = []
        self.notes: dict[str, Any] = {}
        self.fetchers: list[Any] = []

    def database(self, *addresses: str, catalogue: str) -> "World":
        self.asked.append((*addresses, catalogue))
        return self

    async def __aenter__(self) -> Any:
        async def note() -> ModelNote:
            return ModelNote(active="fashion/1")

        async def put(name: str, facts: dict[str, Any]) -> None:
            self.notes[name] = facts

        async def scan(size: int) -> AsyncIterator[list[Any]]:
            if self.trouble is not None:
                raise self.trouble
            yield self.entries

        parts = {"models": SimpleNamespace(note=note), "notes": SimpleNamespace(put=put)}
        return SimpleNamespace(**parts, products=SimpleNamespace(scan=scan))

    async def __aexit__(self, *_: object) -> None: ...

    async def facts(self, *arguments: Any) -> ModelFacts:
        self.asked.append(arguments)
        return SHIPPED.model_copy(update={"model": "fashion/1"})

    def fetcher(self, **options: Any) -> Any:
        async def close() -> None:
            self.fetchers.append("closed")

        self.fetchers.append(options)
        return SimpleNamespace(close=close)


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    world = World()
    monkeypatch.setattr(module, "CatalogueDatabase", world.database)
    monkeypatch.setattr(fetch, "ImageFetcher", world.fetcher)
    monkeypatch.setattr(doctor, "model_facts", world.facts)
    return world


def run(*arguments: str) -> Result:
    return CliRunner().invoke(APP, arguments, env={"CATALOGUES": "shoes", "MONGO_DATABASE": "shop"})


def test_a_sound_catalogue_ends_with_status_0_and_its_report_is_stored(world: World) -> None:
    before = datetime.now(UTC)
    done = run("--catalogue", "shoes", "--embedding-url", "http://e:2", "--service-token", "t0ken")
    assert done.exit_code == 0, done.output
    assert world.asked == [("mongodb://127.0.0.1:27017", "shop", "shoes"), ("http://e:2", "fashion/1", "t0ken")]
    stored = dict(world.notes[LAST_EXAMINATION])
    assert before <= stored.pop("finished_at") <= datetime.now(UTC)
    assert (stored["healthy"], stored["products"], stored["model"]) == (True, 9, "fashion/1")
    assert done.stdout.startswith("9 products, model fashion/1\n")
    assert world.fetchers == []


def test_problems_end_with_status_3_and_as_many_examples_as_asked_for(world: World) -> None:
    world.entries += [BrokenDocument(f"b{number}", "the id is missing") for number in range(3)]
    done = run("--show", "2", "--json")
    assert done.exit_code == 3
    document = orjson.loads(done.stdout)
    assert document["findings"]["broken"] == {
        "count": 3,
        "examples": ["b0: the id is missing", "b1: the id is missing"],
    }
    assert (document["healthy"], world.asked[0][2]) == (False, "default")


def test_urls_are_checked_on_request(world: World) -> None:
    done = run("--check-urls", "--allow-host", "a.test:80", "--json")
    assert orjson.loads(done.stdout)["urls_unchecked"] == 9  # paths of the shop
    assert world.fetchers == [{"allowed_hosts": ["a.test:80"]}, "closed"]
    run("--check-urls")
    assert world.fetchers[2] == {"allowed_hosts": ()}


@pytest.mark.parametrize(
    ("error", "status"), [(CatalogueUnavailable("the database is gone"), 1), (ValueError("the database is gone"), 2)]
)
def test_a_catalogue_that_cannot_be_read_is_one_sentence(world: World, error: Exception, status: int) -> None:
    world.trouble = error
    done = run()
    assert (done.exit_code, done.stdout) == (status, "")
    assert "lookalike: the database is gone\n" in done.stderr
    assert world.notes == {}


def report(**counts: int) -> Report:
    findings = {kind: Finding() for kind in KINDS}
    for kind, count in counts.items():
        findings[kind] = Finding(count, [f"{kind} [{number}]" for number in range(min(count, 2))])
    return Report(findings, 1500, {}, {}, None)


def test_the_report_for_people(capsys: pytest.CaptureFixture[str]) -> None:
    doctor.print_report(report(broken=1200, duplicates=1))
    lines = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]
    counts = {"broken": "1,200", "duplicates": "1"}
    assert lines == [
        "1,500 products, model unknown",
        *(f"{text} {counts.get(kind, '0')}" for kind, text in KINDS.items()),
        "",
        "documents that are not products",
        "broken [0]",
        "broken [1]",
        "",
        "images that several products have",
        "duplicates [0]",
    ]


@pytest.mark.parametrize(("checked", "paths"), [(1200, 0), (0, 3)])
def test_the_urls_that_were_checked_are_counted(checked: int, paths: int, capsys: pytest.CaptureFixture[str]) -> None:
    made = report()
    made.urls_checked, made.urls_unchecked = checked, paths
    doctor.print_report(made)
    assert capsys.readouterr().out.splitlines()[1] == f"{checked:,} URLs checked, {paths} are paths"
