"""`lookalike import`: what it says and which status it ends with, without any service."""

from collections import Counter
from pathlib import Path
from typing import Any

import orjson
import pytest
import typer
from typer.testing import CliRunner

from services.catalogue.importing.report import Status, Summary, Tally
from services.cli.imports.command import exit_status, import_
from services.cli.imports.display import show
from services.cli.imports.run import SHIPPED
from services.cli.train import SHIPPED as SHIPPED_MODELS
from services.contracts.domain.manifest import load_manifest
from services.contracts.wire.embedding import ModelFacts
from tests.support.values.settings import ROOT
from tests.support.web.http import picture


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A feed of three products, one of them without an image, in the present folder."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "1.png").write_bytes(picture())
    (tmp_path / "2.png").write_bytes(picture()[:50])
    (tmp_path / "feed.csv").write_text("id,image,category\nA,1.png,Shoes\nB,2.png,\nC,3.png,Hats\n")
    return tmp_path


def run(*arguments: str) -> tuple[int, str, str]:
    """Return exit status, stdout and stderr."""
    app = typer.Typer(pretty_exceptions_enable=False)
    app.command()(import_)
    done = CliRunner().invoke(app, arguments)
    return done.exit_code, done.stdout, done.stderr


def summary(status: Status = "done", reason: str | None = None, **counts: int) -> Summary:
    return Summary(Tally(**counts), status, "fashion/1", 2.0, reason)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (["nowhere.csv"], 1, "nowhere.csv does not exist"),
        (["1.png"], 1, "cannot be imported: give"),
        (["feed.csv", "--mapping", "none.json"], 1, "cannot be read"),
        (["feed.csv", "--url-template", "https://a.test/"], 2, "must contain {id}"),
        (["feed.csv", "--allow-host", "a.test"], 2, "is not host:port"),
        (["feed.csv", "--embedding-url", "nonsense"], 2, "is not a URL"),
        (["feed.csv", "--decimal-separator", ";"], 2, "must be a point or a comma"),
        (["feed.csv", "--currency", "$"], 2, "--currency $ is not a currency"),
        (["feed.csv", "--encoding", "none"], 2, "--encoding none is not known"),
        (["feed.csv", "--rejected", "none/x.ndjson"], 2, "name another file"),
        (
            ["feed.csv", "--wait", "0", "--embedding-url", "http://127.0.0.1:9"],
            1,
            "embedding service cannot be reached",
        ),
    ],
)
def test_what_cannot_be_done_is_said_in_one_sentence(shop: Path, arguments: list[str], status: int, words: str) -> None:
    code, _, said = run(*arguments)
    assert code == status
    assert words in said
    assert said.count("lookalike: ") == 1


def test_a_mapping_to_no_category_is_told(shop: Path) -> None:
    (shop / "map.json").write_text('{"categories": {"Hats": "Headwear"}}')
    code, _, said = run("feed.csv", "--mapping", "map.json", "--dry-run")
    assert code == 1
    assert "not a category" in said


def test_a_dry_run_needs_no_service_and_decodes_the_images(shop: Path) -> None:
    code, out, _ = run("feed.csv", "--dry-run", "--json", "--embedding-url", "http://127.0.0.1:9")
    document = orjson.loads(out)
    assert code == 3
    assert (document["dry_run"], document["read"], document["checked"], document["rejected"]) == (True, 3, 1, 2)
    entries = [orjson.loads(line) for line in (shop / "feed.csv.rejected.ndjson").read_bytes().splitlines()]
    assert [(entry["line"], entry["id"]) for entry in entries] == [(3, "B"), (4, "C")]


def test_prices_that_are_not_understood_are_counted_and_named_and_options_decide_the_ambiguous(shop: Path) -> None:
    (shop / "feed.csv").write_text("id,image,price\nA,1.png,on request\nB,1.png,1.299\n")
    options = ("--decimal-separator", ".", "--currency", "usd")
    code, out, _ = run(
        "feed.csv", "--dry-run", "--wait", "0", "--embedding-url", "http://127.0.0.1:9", "--json", *options
    )
    assert code == 0
    assert (orjson.loads(out)["checked"], orjson.loads(out)["values_not_understood"]) == (2, 1)
    (line,) = (shop / "feed.csv.rejected.ndjson").read_bytes().splitlines()
    assert orjson.loads(line).items() >= {"line": 2, "id": "A", "column": "price"}.items()


def test_dry_runs_of_the_parts_check_each_row_once(shop: Path) -> None:
    reads = []
    for part in ("1/2", "2/2"):
        _, out, _ = run("feed.csv", "--dry-run", "--json", "--embedding-url", "http://127.0.0.1:9", "--part", part)
        reads.append(orjson.loads(out)["read"])
    assert sum(reads) == 3
    assert 3 not in reads


def test_a_part_that_there_is_not_is_refused(shop: Path) -> None:
    code, _, said = run("feed.csv", "--dry-run", "--shard", "3/2")
    assert code == 2
    assert "'3/2' is no part" in said


def test_a_dry_run_stops_at_its_limit(shop: Path) -> None:
    code, out, _ = run("feed.csv", "--dry-run", "--limit", "1", "--embedding-url", "http://127.0.0.1:9")
    assert code == 0
    assert "Check done" in out
    assert " valid " in out


@pytest.mark.parametrize(
    ("status", "rejected", "code"),
    [
        ("done", 0, 0),
        ("done", 1, 3),
        ("failed", 0, 1),
        ("failed", 1, 1),
        ("interrupted", 0, 130),
        ("interrupted", 1, 130),
    ],
)
def test_the_exit_status_tells_how_it_went(status: Status, rejected: int, code: int) -> None:
    assert exit_status(summary(status, rejected=rejected)) == code


def test_the_summary_for_people_names_what_there_was(capsys: pytest.CaptureFixture[str]) -> None:
    counts: dict[str, Any] = {"left_out": Counter(description=7), "notes": ["a [b]"]}
    show(summary(read=1500, imported=1200, skipped=250, rejected=50, **counts), as_json=False)
    out = capsys.readouterr().out
    for words in (
        "Import done (2.0 s, 600 products/s)",
        "1,500",
        "1,200",
        "outside the categories",
        "description (7)",
        "note: a [b]",
    ):
        assert words in out
    assert "unchanged" not in out


def test_the_summary_as_json_has_every_count_and_why_it_ended(capsys: pytest.CaptureFixture[str]) -> None:
    show(summary("failed", "no network", read=5, imported=3), as_json=True)
    captured = capsys.readouterr()
    document = orjson.loads(captured.out)
    assert (document["status"], document["reason"], document["imported"]) == ("failed", "no network", 3)
    counts = {
        "read",
        "imported",
        "updated",
        "unchanged",
        "embedded",
        "skipped",
        "rejected",
        "checked",
        "category_conflicts",
    }
    assert counts <= document.keys()
    assert captured.err == "lookalike: no network\n"


def test_without_a_service_a_dry_run_has_the_facts_of_the_shipped_model() -> None:
    facts = ModelFacts.of(load_manifest(ROOT / SHIPPED_MODELS["fashion"]))
    assert (facts.categories, facts.dimension, facts.input) == (SHIPPED.categories, SHIPPED.dimension, SHIPPED.input)
