"""The model agrees with what was measured, within a factor that the docs state."""

from pathlib import Path

import pytest

from tests.support.values.settings import ROOT
from tools.capacity import __main__ as program
from tools.capacity.check import checked_figures, latency
from tools.capacity.costs import MEASURED, CostsError

FACTOR = 2.0


def test_the_model_agrees_with_the_measured_tables() -> None:
    result = checked_figures(MEASURED)
    assert len(result) > 10
    assert [each for each in result if not 1 / FACTOR <= each.ratio <= FACTOR] == []
    assert f"within a factor of {FACTOR:g}" in (ROOT / "docs/scale.md").read_text()


def test_tables_without_a_figure_are_refused(tmp_path: Path) -> None:
    for name in ("performance.md", "operations.md"):
        (tmp_path / name).write_text("# Nothing")
    with pytest.raises(CostsError, match="searches a second: 8 clients"):
        checked_figures(MEASURED, tmp_path)


def test_the_program_prints_the_comparison(capsys: pytest.CaptureFixture[str]) -> None:
    assert program.main(["--check"]) == 0
    assert "| 1,000,000 products: memory, MiB | " in capsys.readouterr().out


def test_searches_at_intervals_that_the_machine_keeps_wait_for_nothing() -> None:
    p50, p99 = latency(80, 10.0, 1, 0.01)
    assert p50 == pytest.approx(10, abs=0.1)
    assert p99 == pytest.approx(10, abs=0.3)


def test_searches_at_intervals_that_are_too_short_wait_longer_and_longer() -> None:
    p50, p99 = latency(125, 10.0, 1, 0.01)
    assert p99 > p50 > 1000
