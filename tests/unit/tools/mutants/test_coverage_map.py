"""Which tests are run for a mutant."""

import json
from pathlib import Path

import pytest

from tools.mutants.coverage_map import CoverageMap, FileCoverage
from tools.mutants.mutant import Mutant

SOURCE = "services/shop/prices.py"


@pytest.fixture
def coverage(tmp_path: Path) -> CoverageMap:
    made = CoverageMap(tmp_path, tmp_path / "coverage.json")
    made.update([], 1)
    lines = {"tests/unit/test_a.py::test_first": [10, 11], "tests/unit/test_a.py::test_second": [10, 11, 12]}
    made.files = {
        "tests/unit/test_a.py": FileCoverage("", 2.0, [], {}, {SOURCE: lines}),
        "tests/unit/test_prices.py": FileCoverage("", 3.0, [], {}, {SOURCE: {"tests/unit/test_prices.py::test": [10]}}),
        "tests/unit/test_b.py": FileCoverage("", 1.0, [], {}, {"services/shop/other.py": {"x": [12]}}),
    }
    made._imports = {name: set() for name in made.files}
    return made


def mutant(line: int, function: tuple[int, int] | None, path: str = SOURCE) -> Mutant:
    return Mutant(path, line, "constant", 0, 1, "2", (line, line), function)


def test_the_tests_of_the_line_come_before_those_of_its_function(coverage: CoverageMap) -> None:
    first, second = "tests/unit/test_a.py::test_first", "tests/unit/test_a.py::test_second"
    assert coverage.tests_of(mutant(12, (10, 14))) == [second, "tests/unit/test_prices.py::test", first]
    assert coverage.tests_of(mutant(14, (10, 14))) == ["tests/unit/test_prices.py::test", first, second]


def test_code_that_no_test_runs_belongs_to_the_files_that_run_the_module(coverage: CoverageMap) -> None:
    files = ["tests/unit/test_prices.py", "tests/unit/test_a.py"]
    assert coverage.tests_of(mutant(30, (29, 31))) == files
    assert coverage.tests_of(mutant(10, None)) == files
    assert coverage.tests_of(mutant(3, None, "services/shop/unknown.py")) == []


def test_a_cache_that_cannot_be_read_is_measured_again(tmp_path: Path) -> None:
    cache = tmp_path / "coverage.json"
    cache.write_text(json.dumps({})[:-1])
    assert CoverageMap(tmp_path, cache).update([], 1) == 0
