"""`lookalike learn`: what the commands print, and the status they end with."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import orjson
import pytest
from typer.testing import CliRunner, Result

from services.catalogue.learning.lightgbm_training import LearningUnavailable
from services.catalogue.learning.search_log import LoggedSearch
from services.catalogue.store import database as module
from services.catalogue.store.learned_orders import OrderNote, OrderVersion
from services.cli.learn import session
from services.cli.main import app
from services.contracts.domain.errors import CatalogueUnavailable
from tests.support.values.learning import search

LOG = [search(["a", "b", "c"], ["b"], day=739_000 + number % 20) for number in range(2400)]


class Store:
    """Versions in a list, in place of the database. `lost`: how often another process is faster."""

    def __init__(self) -> None:
        self.versions: list[OrderVersion] = []
        self.current = OrderNote()
        self.lost = 0
        self.trouble: CatalogueUnavailable | None = None

    async def add(self, data: bytes, report: Mapping[str, Any]) -> OrderVersion:
        version = OrderVersion(str(len(self.versions) + 1), datetime(2026, 11, 30, tzinfo=UTC), report)
        self.versions.append(version)
        return version

    async def list(self) -> list[OrderVersion]:
        if self.trouble is not None:
            raise self.trouble
        return [*self.versions]

    async def note(self) -> OrderNote:
        return self.current

    async def replace_note(self, old: OrderNote, new: OrderNote) -> bool:
        if self.lost:
            self.lost -= 1
            return False
        self.current = new
        return True


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch) -> Store:
    store = Store()

    class Database:
        def __init__(self, *addresses: str, catalogue: str) -> None:
            self.learned_orders = store

        async def __aenter__(self) -> "Database":
            return self

        async def __aexit__(self, *_: object) -> None: ...

    async def searches_of(_: object, days: float) -> list[LoggedSearch]:
        return LOG[: int(days * len(LOG))]

    monkeypatch.setattr(module, "CatalogueDatabase", Database)
    monkeypatch.setattr(session, "searches_of", searches_of)
    return store


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["learn", *arguments])


def with_gain(store: Store, *lows: float) -> None:
    """Add versions whose gain has these lower ends."""
    interval = {"mean": 0.02, "low": 0.0, "high": 0.04}
    names = ("plain", "learned", "gain", "plain_clicks", "learned_clicks", "clicks_gain")
    for low in lows:
        comparison = dict.fromkeys(names, interval) | {"gain": interval | {"low": low}, "searches": 9, "clicked": 5}
        days = {"first_day": "2026-11-01", "last_day": "2026-11-30", "held_out_from": "2026-11-24"}
        report = {"comparison": comparison, "searches": 1234, "clicked": 99, "propensities": [1, 0.5], **days}
        number = str(len(store.versions) + 1)
        store.versions.append(OrderVersion(number, datetime(2026, 11, 30, tzinfo=UTC), report))


def test_training_stores_a_version_that_searches_do_not_use_yet(store: Store) -> None:
    result = run("train", "--json")
    assert result.exit_code == 0, result.output
    printed = orjson.loads(result.stdout)
    assert printed["version"] == "1"
    assert printed["report"]["searches"] == len(LOG)
    assert printed["report"]["comparison"]["gain"]["low"] > 0
    assert "lookalike learn promote 1" in result.stderr
    assert store.current == OrderNote()


def test_a_report_in_words_has_both_orders_and_the_gain(store: Store) -> None:
    with_gain(store, 0.01)
    printed = run("report").stdout
    assert "version 1, learned from 1,234 searches of 2026-11-01 to 2026-11-30" in printed
    assert "gain                             +0.0200, 95 % between +0.0100 and +0.0400" in printed
    assert printed.endswith("relative to the first: 1.00 0.50\n")


def test_too_few_clicks_end_the_training_with_a_sentence(store: Store) -> None:
    result = run("train", "--held-out-days", "30")
    assert result.exit_code == 1
    assert "searches with a click before the held-out days" in result.stderr
    assert store.versions == []


def test_without_lightgbm_the_command_says_what_to_install(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    def unavailable(*_: object) -> None:
        raise LearningUnavailable("LightGBM cannot be used: install it with pip install 'lookalike[learn]'")

    monkeypatch.setattr(session, "learn", unavailable)
    result = run("train")
    assert (result.exit_code, "lookalike[learn]" in result.stderr) == (1, True)


def test_a_version_with_a_gain_is_promoted_and_rolled_back(store: Store) -> None:
    with_gain(store, 0.01, 0.02)
    assert run("promote", "1").exit_code == 0
    assert run("promote").exit_code == 0
    assert store.current == OrderNote("2", "1")
    assert "version 1 of the learned order" in run("rollback").stdout
    assert "the plain order" in run("rollback").stdout
    assert store.current == OrderNote()
    assert "no learned order is active" in run("rollback").stderr


def test_a_version_without_a_sure_gain_is_promoted_by_force_only(store: Store) -> None:
    with_gain(store, -0.001)
    refused = run("promote")
    assert refused.exit_code == 3
    assert "between -0.0010 and +0.0400" in refused.stderr
    assert store.current == OrderNote()
    assert run("promote", "--force").exit_code == 0
    assert store.current == OrderNote("1")


def test_a_version_is_promoted_once(store: Store) -> None:
    with_gain(store, 0.01)
    for _ in range(2):
        assert run("promote").exit_code == 0
    assert store.current == OrderNote("1", None)


@pytest.mark.parametrize("command", [("promote",), ("report",)])
def test_without_a_version_the_command_names_the_first_step(store: Store, command: tuple[str, ...]) -> None:
    result = run(*command)
    assert (result.exit_code, "run lookalike learn train first" in result.stderr) == (1, True)


def test_an_unknown_version_is_refused_with_those_that_there_are(store: Store) -> None:
    with_gain(store, 0.01, 0.01)
    result = run("report", "7")
    assert result.exit_code == 1
    assert "there is no version '7' of the learned order: there are 1, 2" in result.stderr


def test_a_change_is_made_again_if_another_process_was_faster(store: Store) -> None:
    with_gain(store, 0.01)
    store.lost = 2
    assert run("promote").exit_code == 0
    assert store.current == OrderNote("1")
    store.lost = 100
    assert "changed by other processes" in run("rollback").stderr


def test_the_status_lists_the_versions_with_their_roles(store: Store) -> None:
    assert "the plain order" in run("status").stdout
    with_gain(store, 0.01, 0.02)
    store.current = OrderNote("2", "1")
    printed = run("status").stdout
    assert "searches use version 2 of the learned order" in printed
    assert "previous" in printed
    assert orjson.loads(run("status", "--json").stdout)["active"] == "2"


def test_an_unavailable_database_ends_the_command_with_a_sentence(store: Store) -> None:
    store.trouble = CatalogueUnavailable("the catalogue's database is unavailable")
    result = run("status")
    assert (result.exit_code, "database is unavailable" in result.stderr) == (1, True)


def test_an_order_that_cannot_be_stored_ends_the_training_with_a_sentence(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def refuse(*_: object) -> None:
        raise ValueError("the order takes more than a document may have")

    monkeypatch.setattr(store, "add", refuse)
    result = run("train")
    assert (result.exit_code, result.stderr.splitlines()[-1]) == (
        1,
        "lookalike: the order takes more than a document may have",
    )
