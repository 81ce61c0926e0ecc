"""The steps of learned orders, and what they print, whole."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from typer.testing import CliRunner

from services.catalogue.learning.search_log import LoggedSearch
from services.catalogue.store.learned_orders import OrderNote, OrderVersion
from services.cli.learn import session as module
from services.cli.learn.commands import app
from services.cli.learn.display import show_note, show_orders, show_report
from services.cli.learn.session import LearnSession, NoGain, OrderRefused, Orders, searches_of

DAY = datetime(2026, 11, 30, 8, 5, tzinfo=UTC)


def interval(mean: float, low: float) -> dict[str, float]:
    return {"mean": mean, "low": low, "high": 2 * mean}


def version(name: str, low: float = 0.01) -> OrderVersion:
    comparison: dict[str, Any] = {"searches": 1009, "clicked": 1005, "gain": interval(0.02, low)}
    comparison |= {"plain": interval(0.1, 0.09), "learned": interval(0.2, 0.19), "plain_clicks": interval(0.3, 0.29)}
    comparison |= {"learned_clicks": interval(0.4, 0.39), "clicks_gain": interval(0.5, 0.49)}
    days = {"first_day": "2026-11-01", "last_day": "2026-11-29", "held_out_from": "2026-11-24"}
    bias = [1 / position for position in range(1, 13)]
    report = {"comparison": comparison, "searches": 1234, "clicked": 1099, "propensities": bias, **days}
    return OrderVersion(name, DAY, report)


class Store:
    """Versions and their note; `lost`: how often another process is faster."""

    def __init__(self, note: OrderNote, *versions: OrderVersion) -> None:
        self.current, self.versions, self.lost, self.writes = note, versions, 0, 0

    async def list(self) -> list[OrderVersion]:
        return [*self.versions]

    async def note(self) -> OrderNote:
        return self.current

    async def replace_note(self, old: OrderNote, new: OrderNote) -> bool:
        self.writes += 1
        if self.lost:
            self.lost -= 1
            return False
        self.current = new
        return True


def session(store: Store) -> LearnSession:
    return LearnSession(store)  # type: ignore[arg-type]


@pytest.mark.parametrize(("low", "force", "is_refused"), [(0.0, False, True), (1e-6, False, False), (0.0, True, False)])
async def test_a_version_is_promoted_if_the_whole_interval_is_above_zero(
    low: float, force: bool, is_refused: bool
) -> None:
    store = Store(OrderNote(), version("1", low))
    if is_refused:
        with pytest.raises(NoGain, match=r"version 1 is not known to be better .* is \+0\.0200, between \+0\.0000 and"):
            await session(store).promote(None, force=force)
        assert store.writes == 0
    else:
        chosen, note = await session(store).promote(None, force=force)
        assert (chosen.version, note, store.current) == ("1", OrderNote("1"), OrderNote("1"))


async def test_a_version_that_is_active_is_not_written_again() -> None:
    store = Store(OrderNote("1"), version("1"))
    assert (await session(store).promote("1", force=False))[1] == OrderNote("1")
    assert store.writes == 0


async def test_a_change_is_tried_five_times() -> None:
    store = Store(OrderNote(), version("1"))
    store.lost = 4
    assert (await session(store).promote("1", force=False))[1] == OrderNote("1")
    store.lost = 5
    with pytest.raises(OrderRefused, match="is being changed by other processes: try again"):
        await session(store).rollback()
    assert store.current == OrderNote("1")


def test_a_version_is_found_by_its_name_and_the_latest_without_one() -> None:
    orders = Orders(OrderNote(), [version("1"), version("2"), version("3")])
    assert [orders.named(name).version for name in ("1", "2", None)] == ["1", "2", "3"]
    with pytest.raises(OrderRefused, match=r"there is no version '4' of the learned order: there are 1, 2, 3$"):
        orders.named("4")


async def test_the_log_of_the_last_days_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[tuple[Any, datetime]] = []

    async def read(database: Any, since: datetime) -> list[LoggedSearch]:
        calls.append((database, since))
        return []

    monkeypatch.setattr(module, "read_searches", read)
    before = datetime.now(UTC)
    database: Any = object()
    assert await searches_of(database, 90.5) == []
    ((given, since),) = calls
    assert given is database
    assert before <= since + timedelta(days=90.5) <= datetime.now(UTC)


def printed(capsys: pytest.CaptureFixture[str]) -> list[str]:
    return [line.rstrip() for line in capsys.readouterr().out.splitlines()]


def test_a_report_in_words(capsys: pytest.CaptureFixture[str]) -> None:
    show_report(version("7"), as_json=False)
    assert printed(capsys) == [
        "version 7, learned from 1,234 searches of 2026-11-01 to 2026-11-29, 1,099 of them with a click",
        "held out: 1,009 searches from 2026-11-24 on, 1,005 of them with a click",
        "  NDCG@10, plain order             +0.1000, 95 % between +0.0900 and +0.2000",
        "  NDCG@10, learned order           +0.2000, 95 % between +0.1900 and +0.4000",
        "  gain                             +0.0200, 95 % between +0.0100 and +0.0400",
        "  clicks a search, plain order     +0.3000, 95 % between +0.2900 and +0.6000",
        "  clicks a search, learned order   +0.4000, 95 % between +0.3900 and +0.8000",
        "  gain                             +0.5000, 95 % between +0.4900 and +1.0000",
        "probability that shoppers look at positions 1 to 10, relative to the first: "
        "1.00 0.50 0.33 0.25 0.20 0.17 0.14 0.12 0.11 0.10",
    ]


def test_the_table_of_versions(capsys: pytest.CaptureFixture[str]) -> None:
    show_orders(Orders(OrderNote("3", "2"), [version("1"), version("2"), version("3")]), as_json=False)
    gain = "+0.0200, 95 % between +0.0100 and +0.0400"
    assert printed(capsys) == [
        "searches use version 3 of the learned order",
        "version  role      learned on        searches  gain in NDCG@10",
        f"1                  2026-11-30 08:05  1,234     {gain}",
        f"2        previous  2026-11-30 08:05  1,234     {gain}",
        f"3        active    2026-11-30 08:05  1,234     {gain}",
    ]


def test_before_the_first_version_there_is_no_table(capsys: pytest.CaptureFixture[str]) -> None:
    show_orders(Orders(OrderNote()), as_json=False)
    captured = capsys.readouterr()
    assert captured.out == "searches use the plain order\n"
    assert captured.err == "nothing has been learned yet: run lookalike learn train\n"


@pytest.mark.parametrize(
    ("as_json", "out"),
    [
        (False, "searches use the plain order, in each gateway within GATEWAY_LEARNED_REFRESH_S seconds\n"),
        (True, '{\n  "active": null,\n  "previous": "1"\n}\n'),
    ],
)
def test_the_order_that_searches_use_from_now_on(as_json: bool, out: str, capsys: pytest.CaptureFixture[str]) -> None:
    show_note(OrderNote(None, "1"), as_json=as_json)
    assert capsys.readouterr().out == out


def test_without_a_command_the_commands_are_printed() -> None:
    output = CliRunner().invoke(app, []).output
    assert "Usage: " in output
    assert "Missing command" not in output
