"""The figures of the benchmarks: how runs are kept, and how they come into the documentation."""

from pathlib import Path

import pytest

from tests.benchmarks import report
from tests.benchmarks.results import Run, keep, latest, runs
from tests.benchmarks.spread import Spread

COST = {"processor ms": {"median": 12.345, "low": 11.0, "high": 14.0}, "memory, MB": {"gateway": 72}}


def run(time: str, **figures: dict[str, object]) -> Run:
    return Run(time, "abc1234", "a machine", figures)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "var" / "bench.json"


def test_every_run_is_kept(file: Path) -> None:
    first, second = run("2026-11-01", cost=COST), run("2026-11-02", index={"ms": 1})
    keep(first, file)
    keep(second, file)
    assert runs(file) == [first, second]


def test_the_latest_figures_of_a_benchmark_may_be_of_an_earlier_run(file: Path) -> None:
    first, second = run("2026-11-01", cost=COST), run("2026-11-02", index={"ms": 1})
    assert latest("cost", [first, second]) == (first, COST)
    assert latest("load", [first, second]) is None


def test_a_median_stands_between_the_quarters() -> None:
    assert Spread.of([5, 1, 3, 2, 4]) == Spread(3, 2, 4)


def test_the_document_gets_the_latest_figures_and_keeps_its_text(
    tmp_path: Path, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    document, page = tmp_path / "performance.md", tmp_path / "bench.html"
    block = "<!-- figures: {} -->\nbefore\n<!-- end of figures -->\n"
    document.write_text("# Title\n" + block.format("cost") + "text\n" + block.format("load"))
    every = [run("2026-11-01T10:00:00+00:00", cost=COST)]
    for name, value in {"DOCUMENTS": (document,), "PAGE": page, "runs": lambda: every}.items():
        monkeypatch.setattr(report, name, value)
    assert report.main() == 0
    text = document.read_text()
    assert "| processor ms | 12.3 | 11 to 14 |" in text
    assert "| memory, MB: gateway | 72 | |" in text
    assert "2026-11-01, commit abc1234, a machine." in text
    assert text.count("before") == 1  # in the block without figures
    assert "processor ms: <b>12.3</b>" in page.read_text()


def test_numbers_are_found_however_deep_they_are() -> None:
    figures = {"a": {"median": 2, "low": 1, "high": 3}, "b": {"c": {"d": 4, "left out": "it ended"}}, "e": float("nan")}
    rows = {"rows": [{"products": 1000, "ms": 0.5}, {"products": 10_000, "ms": None}]}
    assert dict(report.points(figures)) == {"a": (2, 1, 3), "b: c: d": (4, 4, 4)}
    assert dict(report.points(rows)) == {"products 1,000: ms": (0.5, 0.5, 0.5)}


def test_without_figures_nothing_is_written(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(report, "runs", list)
    assert report.main() == 1


def test_engines_that_were_left_out_are_listed_with_the_others() -> None:
    figures: dict[str, dict[str, dict[str, object]]] = {
        "15,000 vectors": {"faiss": {"p50 ms": 0.08, "recall": 1.0}, "other": {"left out": "it ended"}}
    }
    table = report._peers(figures)
    assert "| faiss | 0.08 | 1 |" in table
    assert "| other | left out |" in table


def test_engines_are_compared_for_each_number_of_products() -> None:
    def of(time: str, products: int, flat: float) -> Run:
        table = {"search, p50, ms": {"faiss": 0.5, "flat": flat, "flat to faiss": flat / 0.5}, "load, s": {"faiss": 9}}
        return run(time, milvus={"products": products, "table": table})

    every = [of("2026-11-01", 1_000_000, 7), of("2026-11-02", 2000, 3), of("2026-11-03", 1_000_000, 4)]
    block = report._block("milvus", every)
    assert block is not None
    first, second = block.split("| 2,000 products |")
    assert "| 1,000,000 products | FAISS |" in first
    assert "| search, p50, ms | 0.5 | 4 | 8 |  |  |" in first
    assert "| load, s | 9 |  |  |  |  |" in first
    assert "| search, p50, ms | 0.5 | 3 | 6 |  |  |" in second
    assert report._block("milvus", [run("2026-11-01", cost=COST)]) is None
