"""`make mutants` on a tiny project."""

import json
from pathlib import Path

import pytest

from tools.mutants import __main__ as program
from tools.mutants import coverage_map
from tools.mutants.coverage_map import CoverageError, CoverageMap
from tools.mutants.rules import mutants_of
from tools.mutants.workspace import MutantOutcome, Workspace

SOURCE = '''
"""Prices."""

LIMIT = 3


def is_cheap(price: int) -> bool:
    return price < LIMIT


def is_free(price: int) -> bool:
    return price == 0


def unused(price: int) -> int:
    return price
'''
LOOP = """
def wait(times: int) -> int:
    while times > 0:
        times -= 1
    return times
"""
TESTS = """
from services.shop.prices import is_cheap, is_free


def test_a_price_at_the_limit_is_not_cheap():
    assert is_cheap(2) and not is_cheap(3)


def test_blind():
    is_free(1)


def test_that_fails():
    assert is_free(1)
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Return a repository of one module and one test file."""
    for folder in ("services/shop", "tests/unit", "tests/property", "tests/contract", "training", "tools"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "services/shop/prices.py").write_text(SOURCE)
    (tmp_path / "services/shop/untested.py").write_text("def untested() -> int:\n    return 7\n")
    (tmp_path / "tests/unit/test_prices.py").write_text(TESTS)
    (tmp_path / "pyproject.toml").write_text('[tool.pytest.ini_options]\npythonpath = ["."]\n')
    (tmp_path / "tools/mutants").symlink_to(
        program.ROOT / "tools/mutants"
    )  # pytest imports the plugin from the project
    return tmp_path


def test_survivors_are_printed_and_the_files_stay_as_they_were(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert program.main(["--seed", "1", "--count", "100"], project) == 0
    printed = capsys.readouterr().out
    assert "fails without a mutant and is left out: tests/unit/test_prices.py::test_that_fails" in printed
    assert "no test runs this line\n@@" in printed
    for line, outcome in {
        "    return price < LIMIT": "caught",
        "    return price == 0": "survived",
        "    return price": "survived",
    }.items():
        number = 1 + SOURCE.splitlines().index(line)
        assert f"{outcome:9} services/shop/prices.py:{number} " in printed
    assert (project / "services/shop/prices.py").read_text() == SOURCE
    survivors = json.loads((project / "var/mutants/survivors.json").read_text())
    assert ["services/shop/prices.py", "return price", "return None"] in survivors
    assert program.main(["--survivors"], project) == 0
    assert f" {len(survivors)} of " in capsys.readouterr().out.splitlines()[0]


def test_tests_that_do_not_end_are_ended_and_the_file_is_restored(project: Path) -> None:
    path, test = "services/shop/loop.py", "tests/unit/test_loop.py"
    (project / path).write_text(LOOP)
    (project / test).write_text("from services.shop.loop import wait\n\n\ndef test_wait():\n    assert wait(2) == 0\n")
    mutant = next(mutant for mutant in mutants_of(path, LOOP) if "        pass\n" in mutant.apply(LOOP))
    with Workspace(project) as workspace:
        copy = workspace.path / path
        outcome, _ = workspace.try_mutant(mutant, [test], [], limit_s=lambda _: 3)
        assert outcome is MutantOutcome.TIMED_OUT
        assert copy.read_text() == LOOP
    assert not workspace.path.exists()


def test_tests_that_start_processes_meet_what_survives_the_others(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = "from services.shop.prices import unused; raise SystemExit(unused(4) != 4)"
    test = project / "tests/integration/processes/test_unused.py"
    test.parent.mkdir(parents=True)
    test.write_text(
        "import subprocess, sys\n\n\n"
        f"def test_unused():\n    assert subprocess.call([sys.executable, '-c', {command!r}]) == 0\n"
    )
    assert program.main(["--seed", "1", "--count", "100", "--processes"], project) == 0
    printed = capsys.readouterr().out
    number = 1 + SOURCE.splitlines().index("    return price")
    assert f"caught    services/shop/prices.py:{number} (returned value) {test.relative_to(project)}" in printed
    assert f"survived  services/shop/prices.py:{1 + SOURCE.splitlines().index('    return price == 0')} " in printed


def test_only_changed_test_files_are_measured_again(project: Path) -> None:
    other = project / "tests/unit/test_other.py"
    other.write_text("def test_nothing():\n    assert True\n")
    (project / "tests/unit/test_prices.py").write_text(TESTS.replace("def test_that_fails", "def fails"))
    tests = program.test_files(project)
    cache = project / "var/coverage.json"
    assert CoverageMap(project, cache).update(tests, 1) == 2
    assert CoverageMap(project, cache).update(tests, 1) == 0
    other.write_text("def test_something():\n    assert True\n")
    assert CoverageMap(project, cache).update(tests, 1) == 1
    (project / "services/shop/prices.py").write_text(SOURCE + "\n")
    assert CoverageMap(project, cache).update(tests, 1) == 1


def test_what_is_measured_stays_if_the_rest_cannot_be(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(coverage_map, "GROUP", 1)
    (project / "tests/unit/test_prices.py").write_text(TESTS.replace("def test_that_fails", "def fails"))
    broken = project / "tests/unit/test_z.py"
    broken.write_text("import nothing_of_this_name\n")
    cache = project / "var/coverage.json"
    with pytest.raises(CoverageError):
        CoverageMap(project, cache).update(program.test_files(project), 1)
    broken.write_text("def test_nothing():\n    assert True\n")
    assert CoverageMap(project, cache).update(program.test_files(project), 1) == 1


def test_tests_that_cannot_be_collected_are_an_error_that_names_the_log(project: Path) -> None:
    (project / "tests/unit/test_broken.py").write_text("import nothing_of_this_name\n")
    with pytest.raises(CoverageError, match=r"exit code 2, see .*coverage\.0\.log"):
        program.main(["--count", "1"], project)
