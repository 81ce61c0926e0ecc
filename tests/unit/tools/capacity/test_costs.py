"""Costs are read out of the file of make bench; what is wrong with it is one sentence."""

import json
from pathlib import Path
from typing import Any

import pytest

from services.engine.flat_search import TWO_STAGE_ROWS
from tools.capacity import __main__ as program
from tools.capacity.costs import TWO_STAGE_PRODUCTS, CostsError, Point, measured_points, read


def spread(median: float) -> dict[str, float]:
    return {"median": median, "low": median, "high": median}


COST = {
    f"processor ms: {name}": spread(ms) for name, ms in {"gateway": 3, "embedding": 5, "tfs": 8, "index": 2}.items()
}
MILLION = {
    "products": 500_000,
    "one category: bare FAISS, ms, median": 10,
    "one category: no filter, ms, median": 5,
    "memory a product, bytes": 600,
}
RATES = [
    {"planned a second": 10, "answered a second": 10.2, "p50 ms": 20, "p99 ms": 60},
    {"planned a second": 200, "answered a second": 90, "p50 ms": 900, "p99 ms": 2000},
]


def written(folder: Path, *figures: dict[str, Any]) -> Path:
    path = folder / "bench.json"
    runs = [{"time": "2026-11-30T03:00", "machine": "a machine; Python", "figures": each} for each in figures]
    path.write_text(json.dumps({"runs": runs}))
    return path


def test_categories_are_scanned_in_two_stages_from_the_size_of_the_index_on() -> None:
    assert TWO_STAGE_PRODUCTS == TWO_STAGE_ROWS


def test_costs_are_those_of_the_last_runs(tmp_path: Path) -> None:
    path = written(
        tmp_path, {"cost": COST | {"processor ms: gateway": spread(99)}}, {"million": MILLION}, {"cost": COST}
    )
    costs = read(path)
    assert (costs.gateway_ms, costs.embedding_ms, costs.network_ms, costs.photo_ms) == (3, 5, 8, 16)
    assert (costs.flat_ms, costs.codes_ms, costs.product_bytes) == (20, 10, 600)
    assert costs.index_ms == pytest.approx(2 - 0.015 * 20)
    assert costs.source == f"{path}: 2026-11-30, a machine"


def test_rates_that_the_stack_kept_are_points(tmp_path: Path) -> None:
    assert measured_points(written(tmp_path, {"load": {"rates": RATES}})) == [Point(10, 20, 60)]
    assert measured_points(written(tmp_path)) == []


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (None, "No such file or directory; measure with make bench"),
        ("{", "is no JSON"),
        ("[]", 'has no list "runs"'),
        ('{"runs": []}', "has no figures of cost"),
        (json.dumps({"runs": [{"figures": {"cost": {}, "million": MILLION}}]}), "lacks a figure"),
    ],
)
def test_a_file_without_costs_is_refused(tmp_path: Path, text: str | None, reason: str) -> None:
    path = tmp_path / "bench.json"
    if text is not None:
        path.write_text(text)
    with pytest.raises(CostsError) as error:
        read(path)
    assert reason in str(error.value)


def test_the_program_prints_a_table_and_its_check(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = written(tmp_path, {"cost": COST, "million": MILLION, "load": {"rates": RATES}})
    assert program.main(["--costs", str(path), "--products", "1,000,000", "1e9", "--rate", "10"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith(f"costs of {path}: 2026-11-30, a machine, in ms of a processor: gateway_ms 3.0")
    assert lines[3].startswith("| 1,000,000 | 10 | 1 × 2 | 0.6 | 2 | 0.2 |")
    assert lines[4].startswith("| 1,000,000,000 | 10 | Milvus, 59 × 2 |")
    assert lines[-1].startswith("| 10 | 20 | ")


def test_the_program_prints_the_pods_of_each_size(capsys: pytest.CaptureFixture[str]) -> None:
    assert program.main(["--pods"]) == 0
    rows = [line for line in capsys.readouterr().out.splitlines() if line.startswith("| 1")]
    assert [row.split(" | ")[0] for row in rows] == ["| 1m", "| 10m", "| 100m", "| 1b"]


def test_a_missing_file_ends_the_program_with_a_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert program.main(["--costs", str(tmp_path / "none.json")]) == 2
    assert "No such file" in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments", [["--rate", "0"], ["--products", "many"], ["--utilisation", "2"], ["--cores", "1.5"]]
)
def test_a_wrong_option_is_refused(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        program.main(arguments)
    assert arguments[1] in capsys.readouterr().err
