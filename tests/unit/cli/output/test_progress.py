"""The progress of long commands if stderr is no terminal."""

from types import SimpleNamespace
from typing import Any

import pytest

from services.catalogue.importing.report import Tally
from services.catalogue.model_switch.reembedding_report import ReembedTally
from services.cli.imports.display import ImportProgress
from services.cli.models import reembed_display
from services.cli.models.reembed_display import ReembedProgress
from services.cli.progress import ProgressBar


def test_waiting_for_a_service_is_a_line_and_so_is_its_end(capsys: pytest.CaptureFixture[str]) -> None:
    with ProgressBar("feed") as progress:
        progress.show("1 product", 1, None)
        progress.waiting("MongoDB is unavailable")
        progress.waiting(None)
    assert capsys.readouterr().err == "waiting: MongoDB is unavailable\ncontinuing\n"


def test_a_run_of_reembed_prints_a_line_every_ten_seconds(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = [100.0]
    monkeypatch.setattr("time.monotonic", lambda: clock[0])
    tally = ReembedTally(found=1500, embedded=100, rejected=2, started=98.0)
    progress = ReembedProgress()
    for clock[0] in (100.0, 109.9, 110.0):
        progress.update(tally)
    lines = capsys.readouterr().err.splitlines()
    assert lines == [
        "102 of 1,500 products, 51/s, 2 rejected, 27 s left",
        "102 of 1,500 products, 8/s, 2 rejected, 2 min 44 s left",
    ]


@pytest.mark.parametrize(
    ("seconds", "text"), [(None, "an unknown time"), (59.4, "59 s"), (60, "1 min 0 s"), (7325, "2 h 2 min")]
)
def test_a_duration_is_in_two_units_at_most(seconds: float | None, text: str) -> None:
    assert reembed_display._duration(seconds) == text


@pytest.mark.parametrize(("total", "shown_total"), [(10, 10), (0, None)])
def test_the_progress_is_how_much_of_the_source_is_read(
    total: int, shown_total: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown: list[tuple[str, int, int | None]] = []
    source: Any = SimpleNamespace(kind="feed", progress=lambda: (5, total))
    progress = ImportProgress(source)
    monkeypatch.setattr(progress, "show", lambda *facts: shown.append(facts))
    tally = Tally(imported=1200, rejected=1300)
    now = tally.started + 2
    monkeypatch.setattr("time.monotonic", lambda: now)
    progress.update(tally)
    rate = f"{tally.products / 2:,.0f}"
    assert shown == [(f"{tally.products:,} products, {rate}/s, 1,300 rejected", 5, shown_total)]
    tally.started += 2
    tally.rejected = 0
    progress.update(tally)
    assert shown[-1][0] == f"{tally.products:,} products, 0/s"
