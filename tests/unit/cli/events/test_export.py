"""Files of exported rows: which columns a Parquet file has, and what is left when the export breaks off."""

import sys
import types
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Self

import orjson
import pytest

from services.catalogue.events.ubi import event_rows, query_row
from services.cli.events.export import Row, ndjson_writer, parquet_writer
from services.cli.events.values import parse_moment, parse_period
from tests.support.values.events import make_event, make_query

NOON = datetime(2026, 11, 30, 12, tzinfo=UTC)


class FakeArrow:
    """What pyarrow is asked for: types are their names, and a table is its rows with its schema."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.tables: list[tuple[Sequence[Row], Any]] = []
        self.closed = 0
        arrow, parquet = types.ModuleType("pyarrow"), types.ModuleType("pyarrow.parquet")
        for name in ("string", "float32", "int32"):
            setattr(arrow, name, lambda name=name: name)
        facts: dict[str, Any] = {
            "timestamp": lambda unit, tz: f"{unit} {tz}",
            "list_": lambda item: [item],
            "schema": dict,
            "Table": types.SimpleNamespace(from_pylist=lambda rows, schema: (rows, schema)),
            "parquet": parquet,
        }
        for name, value in facts.items():
            setattr(arrow, name, value)
        parquet.ParquetWriter = self._open  # type: ignore[attr-defined]
        patch.setitem(sys.modules, "pyarrow", arrow)
        patch.setitem(sys.modules, "pyarrow.parquet", parquet)

    def _open(self, path: Path, schema: Any) -> Self:
        path.write_text("a file")
        return self

    def write_table(self, table: tuple[Sequence[Row], Any]) -> None:
        self.tables.append(table)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.closed += 1


@pytest.fixture
def arrow(monkeypatch: pytest.MonkeyPatch) -> FakeArrow:
    return FakeArrow(monkeypatch)


COMMON = {"application": "string", "query_id": "string", "client_id": "string", "timestamp": "us UTC"}


def test_events_have_a_column_for_each_field(arrow: FakeArrow, tmp_path: Path) -> None:
    path = tmp_path / "events.parquet"
    rows = [
        *event_rows(make_event("click", "e1", NOON, product="s1", ordinal=2)),
        *event_rows(make_event("like", "e2", NOON)),
    ]
    with parquet_writer(path, is_events=True) as writer:
        writer.write(rows)
        assert not path.exists()
    ((written, schema),) = arrow.tables
    texts = dict.fromkeys(("event_id", "action_name", "message_type", "object_id"), "string")
    assert schema == {**COMMON, **texts, "ordinal": "int32", "quantity": "int32"}
    first = {name: value for name, value in written[0].items() if name in schema}
    assert first.items() >= {"event_id": "e1", "object_id": "s1", "ordinal": 2, "timestamp": NOON}.items()
    assert "ordinal" not in written[1]
    assert (arrow.closed, path.read_text(), list(tmp_path.iterdir())) == (1, "a file", [path])


def test_searches_have_a_column_for_each_field(arrow: FakeArrow, tmp_path: Path) -> None:
    queries = [make_query("q1", NOON, filter='{"a":1}'), make_query("q2", NOON)]
    with parquet_writer(tmp_path / "searches.parquet", is_events=False) as writer:
        writer.write([query_row(query) for query in queries])
    ((written, schema),) = arrow.tables
    texts = dict.fromkeys(("kind", "product", "outcome", "category", "model", "filter", "query_response_id"), "string")
    numbers = {"offset": "int32", "nearest_score": "float32", "nearest_similarity": "float32"}
    lists = {"query_response_hit_ids": ["string"], "vector": ["float32"]}
    assert schema == {**COMMON, **texts, **numbers, **lists}
    assert (written[0]["filter"], written[0]["category"], written[0]["timestamp"]) == ('{"a":1}', "Topwear", NOON)
    assert "filter" not in written[1]


@pytest.mark.parametrize("kind", ["ndjson", "parquet"])
def test_a_file_is_whole_or_stays_as_it_was(arrow: FakeArrow, kind: str, tmp_path: Path) -> None:
    path = tmp_path / "rows"
    path.write_text("before")
    opened = ndjson_writer(path) if kind == "ndjson" else parquet_writer(path, is_events=True)
    with pytest.raises(ZeroDivisionError), opened:
        raise ZeroDivisionError
    assert (path.read_text(), list(tmp_path.iterdir())) == ("before", [path])


def test_lines_go_to_stdout_without_a_file(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    with ndjson_writer(None) as writer:
        writer.write([{"a": 1}, {"b": "ü"}])
    assert [orjson.loads(line) for line in capfdbinary.readouterr().out.splitlines()] == [{"a": 1}, {"b": "ü"}]


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        (None, None),
        ("30d", NOON - timedelta(days=30)),
        ("0", NOON),
        (" 2026-11-01 ", datetime(2026, 11, 1, tzinfo=UTC)),
        ("2026-11-01T01:00:00+01:00", datetime(2026, 11, 1, tzinfo=UTC)),
    ],
)
def test_a_time_is_a_date_or_a_duration_before_now(text: str | None, moment: datetime | None) -> None:
    assert parse_moment(text, NOON) == moment


@pytest.mark.parametrize("text", ["soon", "999999d x", "2026-13-01"])
def test_any_other_text_is_no_time(text: str) -> None:
    with pytest.raises(ValueError, match="is not a time: write a date such as 2026-11-30, or 30d"):
        parse_moment(text, NOON)


def test_a_duration_longer_than_time_itself_is_refused() -> None:
    with pytest.raises(ValueError, match="'999999d' is not a time"):
        parse_moment("999999d", NOON)


def test_a_period_ends_after_it_begins() -> None:
    assert parse_period("2d", "1d", NOON) == (NOON - timedelta(days=2), NOON - timedelta(days=1))
    assert parse_period(None, "1d", NOON) == (None, NOON - timedelta(days=1))
    assert parse_period("1d", None, NOON) == (NOON - timedelta(days=1), None)
    for since, until in (("1d", "2d"), ("1d", "1d")):
        with pytest.raises(ValueError, match="--since has to be before --until"):
            parse_period(since, until, NOON)
