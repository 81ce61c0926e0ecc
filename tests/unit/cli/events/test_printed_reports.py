"""What `lookalike demand` and `lookalike events status` print for people, whole."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from services.catalogue.demand import examination
from services.catalogue.demand.report import Cluster, DayCount, DemandReport, NearestProduct
from services.catalogue.store import database as module
from services.catalogue.store.events.event_log import LogSize
from services.cli.events import commands
from services.cli.events.demand import DEFAULT_DAYS
from services.cli.events.demand import demand as command

NOON = datetime(2026, 11, 30, 12, tzinfo=UTC)
NEAREST = (NearestProduct("p1", "A [red] dress", 3, 0.5), NearestProduct("p2", None, 1, None))
DRESSES = Cluster("Topwear", "Dress", "Red", 1200, 7, 1100, 100, 0.25, 0.254, NEAREST, ((date(2026, 11, 30), 4),))
UNKNOWN = Cluster("Shoes", None, None, 1, 0, 1, 0, None, None, (), ((date(2026, 11, 30), 1),))
REPORT = DemandReport(
    since=datetime(2026, 10, 31, tzinfo=UTC),
    until=NOON,
    searches=5000,
    unmet=1201,
    is_cut=False,
    knows_clicks=True,
    grouped_by="attributes",
    days=(DayCount(date(2026, 11, 30), "Topwear", 5000, 3000, 1100, 600, 300, 101),),
    clusters=(DRESSES, UNKNOWN),
    clusters_left_out=0,
)


class Database:
    """A database of one catalogue, whose log the examination does not read."""

    def __init__(self, *addresses: str) -> None:
        self.events, self.products = self, "the products"

    def of(self, catalogue: str) -> "Database":
        self.events = f"the log of {catalogue}"  # type: ignore[assignment]
        return self

    async def size(self) -> LogSize:
        return SIZE

    async def __aenter__(self) -> "Database":
        return self

    async def __aexit__(self, *_: object) -> None: ...


SIZE = LogSize(1500, 2500, datetime(2026, 11, 1, 8, 5, tzinfo=UTC), None)


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, ...]]:
    made: list[tuple[Any, ...]] = []

    async def examine(*arguments: Any, **options: Any) -> DemandReport:
        made.append((*arguments, options))
        return REPORT

    monkeypatch.setattr(examination, "examine", examine)
    monkeypatch.setattr(module, "CatalogueDatabase", Database)
    return made


APP = typer.Typer()
APP.command("demand")(command)
APP.command("status")(commands.status)


def demand(*arguments: str) -> tuple[list[str], str]:
    done = CliRunner().invoke(APP, ["demand", *arguments], env={"CATALOGUES": "shoes"})
    assert done.exit_code == 0, done.output
    return [" ".join(line.split()) for line in done.stdout.splitlines()], done.stderr


def test_clusters_are_a_table(calls: list[tuple[Any, ...]]) -> None:
    lines, summary = demand()
    assert lines == [
        "searches no match no click category type colour gap nearest products",
        "1200 1100 100 Topwear Dress Red 0.25 A [red] dress, p2",
        "1 1 0 Shoes – – – –",
    ]
    assert summary == "2026-10-31 to 2026-11-30: 5,000 searches, 1,201 of them unmet\n"


def test_days_are_a_table(calls: list[tuple[Any, ...]]) -> None:
    lines, _ = demand("--by", "day")
    assert lines == [
        "day category searches ok no match other clothing no clothing no click",
        "2026-11-30 Topwear 5000 3000 1100 600 300 101",
    ]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"is_cut": True}, "the log has more searches in this time: these are the latest"),
        ({"knows_clicks": False}, "no clicks are known: send events (docs/events.md)"),
        ({"clusters_left_out": 1200}, "1,200 smaller clusters are left out: --limit shows more"),
    ],
)
def test_what_a_report_lacks_is_said(
    calls: list[tuple[Any, ...]], changes: dict[str, Any], words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, before = demand()
    assert words not in before

    async def examine(*_: Any, **__: Any) -> DemandReport:
        return replace(REPORT, **changes)

    monkeypatch.setattr(examination, "examine", examine)
    assert words in demand()[1].replace("\n", " ")


def test_without_searches_nothing_is_said_of_clicks(
    calls: list[tuple[Any, ...]], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def examine(*_: Any, **__: Any) -> DemandReport:
        return replace(REPORT, searches=0, knows_clicks=False)

    monkeypatch.setattr(examination, "examine", examine)
    assert "no clicks" not in demand()[1]


def test_the_last_days_are_examined_up_to_now(calls: list[tuple[Any, ...]]) -> None:
    before = datetime.now(UTC)
    demand()
    demand("--catalogue", "shoes", "--category", "Bags", "--limit", "3", "--since", "2026-11-01", "--until", "1d")
    (log, products, since, until, options), (other, _, start, end, given) = calls
    assert (log, products, options) == ("the log of default", "the products", {"category": None, "limit": 20})
    assert before < until <= datetime.now(UTC) + timedelta(seconds=1)
    assert until - since == timedelta(days=DEFAULT_DAYS, seconds=1)
    assert (other, start, given) == (
        "the log of shoes",
        datetime(2026, 11, 1, tzinfo=UTC),
        {"category": "Bags", "limit": 3},
    )
    assert before - timedelta(days=1) <= end <= datetime.now(UTC) - timedelta(days=1)


def test_the_size_of_the_log_is_a_table(calls: list[tuple[Any, ...]], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Database, "of", lambda self, _: self)
    done = CliRunner().invoke(APP, ["status"], env={"CATALOGUES": ""})
    assert [" ".join(line.split()) for line in done.stdout.splitlines()] == [
        "catalogue events searches first last",
        "default 1,500 2,500 2026-11-01 08:05 –",
    ]


def test_without_a_command_the_commands_are_printed() -> None:
    output = CliRunner().invoke(commands.app, []).output
    assert "Usage: " in output
    assert "Missing command" not in output
