"""The figures of a fuzz run."""

from tests.fuzz.operations import figures_of

REPORT = """
API Operations:
  Selected: 21/21
  Tested: 21

Test cases:
  1360 generated, 1358 passed, 2 failed
"""


def test_figures_are_read_from_the_report() -> None:
    assert figures_of(REPORT, 1000) == {
        "operations; generated requests of each": "21; 1,000",
        "requests in all phases": "1,360 generated, 1358 passed, 2 failed",
    }


def test_a_report_without_figures_says_so() -> None:
    assert figures_of("schemathesis: command not found", 1)["requests in all phases"] == "none"
