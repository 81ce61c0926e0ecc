"""`lookalike events` and `lookalike demand`: what the commands print and write, and the status they end with."""

import sys
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Self

import numpy as np
import orjson
import pytest
from typer.testing import CliRunner, Result

from services.catalogue.store import database as module
from services.catalogue.store.events.event_log import LogSize
from services.cli.main import app
from services.contracts.domain.errors import CatalogueUnavailable
from tests.support.values.events import FakeEventLog, make_event, make_query

NOW = datetime.now(UTC)


class Log(FakeEventLog):
    async def size(self) -> LogSize:
        moments = [query.timestamp for query in self.searches]
        return LogSize(len(self.kept), len(self.searches), min(moments, default=None), max(moments, default=None))


class Database:
    """Logs by catalogue, in place of a database."""

    logs: dict[str, Log]

    def __init__(self, *addresses: str) -> None:
        self.events = self.logs["default"]
        self.products = self

    def of(self, catalogue: str) -> Self:
        other = type(self)()
        other.events = self.logs[catalogue]
        return other

    async def read(self, document_ids: Sequence[str]) -> list[Any]:
        return []

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None: ...


@pytest.fixture
def logs(monkeypatch: pytest.MonkeyPatch) -> dict[str, Log]:
    Database.logs = {"default": Log(), "shoes": Log()}
    Database.logs["default"].kept += [
        make_event("click", "old", NOW - timedelta(days=40), visitor="v-1"),
        make_event("click", "new", NOW - timedelta(days=1), product="s1", ordinal=2, visitor="v-1"),
    ]
    Database.logs["default"].searches.append(
        make_query("q1", NOW - timedelta(days=1), outcome="no_close_match", vector=np.ones(2, np.float32))
    )
    Database.logs["shoes"].kept.append(make_event("like", "other", NOW, visitor="v-1"))
    monkeypatch.setattr(module, "CatalogueDatabase", Database)
    monkeypatch.setenv("CATALOGUES", "shoes")
    return Database.logs


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, arguments)


def lines(text: str) -> list[dict[str, Any]]:
    return [orjson.loads(line) for line in text.splitlines()]


def test_events_are_exported_as_lines_in_the_time_that_was_asked_for(logs: dict[str, Log]) -> None:
    result = run("events", "export")
    assert [row["event_id"] for row in lines(result.stdout)] == ["old", "new"]
    result = run("events", "export", "--since", "30d")
    assert [row["event_id"] for row in lines(result.stdout)] == ["new"]
    assert "1 rows" in result.stderr
    result = run("events", "export", "--until", f"{NOW - timedelta(days=30):%Y-%m-%d}")
    assert [row["event_id"] for row in lines(result.stdout)] == ["old"]
    result = run("events", "export", "--catalogue", "shoes")
    assert [row["event_id"] for row in lines(result.stdout)] == ["other"]


def test_searches_are_exported_to_a_file(logs: dict[str, Log], tmp_path: Path) -> None:
    path = tmp_path / "searches.ndjson"
    assert run("events", "export", "--of", "searches", "--output", str(path)).exit_code == 0
    (row,) = lines(path.read_text())
    assert (row["query_id"], row["query_attributes"]["vector"]) == ("q1", [1.0, 1.0])
    assert list(tmp_path.iterdir()) == [path]


def test_an_export_that_breaks_off_leaves_the_file_before_it(logs: dict[str, Log], tmp_path: Path) -> None:
    path = tmp_path / "events.ndjson"
    path.write_text("before")
    logs["default"].trouble = CatalogueUnavailable("the database is unavailable")
    result = run("events", "export", "--output", str(path))
    assert (result.exit_code, path.read_text(), list(tmp_path.iterdir())) == (1, "before", [path])
    assert "the database is unavailable" in result.stderr


def test_parquet_has_a_column_for_each_field(logs: dict[str, Log], tmp_path: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    events, searches = tmp_path / "events.parquet", tmp_path / "searches.parquet"
    assert run("events", "export", "--format", "parquet", "--output", str(events)).exit_code == 0
    result = run("events", "export", "--format", "parquet", "--of", "searches", "--output", str(searches))
    assert result.exit_code == 0, result.stderr
    rows = parquet.read_table(events).to_pylist()
    assert [(row["event_id"], row["object_id"], row["ordinal"]) for row in rows] == [
        ("old", "a", None),
        ("new", "s1", 2),
    ]
    (row,) = parquet.read_table(searches).to_pylist()
    assert (row["outcome"], row["query_response_hit_ids"], row["vector"]) == ("no_close_match", ["a", "b"], [1.0, 1.0])


def test_parquet_without_its_library_is_a_sentence(
    logs: dict[str, Log], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    result = run("events", "export", "--format", "parquet", "--output", str(tmp_path / "x"))
    assert result.exit_code == 1
    assert "pip install pyarrow" in result.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["events", "export", "--since", "yesterday"], "not a time"),
        (["events", "export", "--since", "1d", "--until", "2d"], "before --until"),
        (["events", "export", "--format", "parquet"], "--output"),
        (["events", "export", "--catalogue", "hats"], "no catalogue"),
        (["events", "delete-visitor", "anna@example.com"], "opaque"),
        (["events", "delete-visitor", "v" * 101], "at most 100"),
        (["demand", "--since", "soon"], "not a time"),
    ],
)
def test_a_value_that_cannot_be_used_is_a_sentence(logs: dict[str, Log], arguments: list[str], text: str) -> None:
    result = run(*arguments)
    assert result.exit_code == 2
    assert text in result.stderr


def test_a_visitor_is_deleted_from_every_catalogue_or_from_one(logs: dict[str, Log]) -> None:
    result = run("events", "delete-visitor", "v-1", "--catalogue", "shoes", "--json")
    assert orjson.loads(result.stdout) == {"events": 1, "searches": 0}
    assert len(logs["default"].kept) == 2
    result = run("events", "delete-visitor", "v-1")
    assert "removed 2 events and 0 searches" in result.stdout
    assert logs["default"].kept == []


def test_the_status_names_each_catalogue(logs: dict[str, Log]) -> None:
    default, shoes = orjson.loads(run("events", "status", "--json").stdout)
    assert (default["catalogue"], default["events"], default["searches"]) == ("default", 2, 1)
    assert (shoes["catalogue"], shoes["events"], shoes["first"]) == ("shoes", 1, None)
    table = run("events", "status").stdout
    assert "shoes" in table
    assert "{" not in table


def test_the_demand_report_is_a_table_a_csv_or_json(logs: dict[str, Log]) -> None:
    table = run("demand")
    assert "1 searches, 1 of them unmet" in table.stderr
    assert "Topwear" in table.stdout
    assert run("demand", "--format", "csv").stdout.splitlines()[1].startswith("Topwear,,,1,0,1,0")
    days = run("demand", "--format", "csv", "--by", "day").stdout.splitlines()
    assert days[1].split(",")[1:] == ["Topwear", "1", "0", "1", "0", "0", "0"]
    assert "no match" in run("demand", "--by", "day").stdout
    assert orjson.loads(run("demand", "--format", "json").stdout)["clusters"][0]["searches"] == 1


def test_a_database_that_is_unavailable_is_a_sentence(logs: dict[str, Log]) -> None:
    for log in logs.values():
        log.trouble = CatalogueUnavailable("the database is unavailable")
    for arguments in (["demand"], ["events", "delete-visitor", "v-1"], ["events", "export"]):
        result = run(*arguments)
        assert (result.exit_code, "the database is unavailable" in result.stderr) == (1, True), arguments
