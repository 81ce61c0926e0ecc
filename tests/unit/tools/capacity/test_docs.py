"""The tables of the docs are those of the program, and its costs those of the measured tables."""

import re

import pytest

from tests.support.values.settings import ROOT
from tools.capacity import __main__ as program
from tools.capacity.costs import COST_PRODUCTS, MEASURED

FACTOR = 1.25  # the costs of two runs on the same machine differ less


@pytest.mark.parametrize(("arguments", "page"), [([], "scale"), (["--pods"], "kubernetes")])
def test_the_docs_show_what_the_program_prints(
    arguments: list[str], page: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert program.main(arguments) == 0
    table = capsys.readouterr().out.partition("\n")[2]
    assert table.startswith("| ")
    assert table in (ROOT / "docs" / f"{page}.md").read_text()


def test_the_costs_are_those_of_the_last_run_in_the_docs() -> None:
    text = (ROOT / "docs/performance.md").read_text()

    def measured(label: str) -> float:
        (value,) = re.findall(rf"^\| {re.escape(label)} \| ([\d.,]+) \|", text, re.MULTILINE)
        return float(value.replace(",", ""))

    flat_ms = measured("one category: bare FAISS, ms, median")
    costs = {
        "gateway_ms": measured("processor ms: gateway"),
        "embedding_ms": measured("processor ms: embedding"),
        "network_ms": measured("processor ms: tfs"),
        "index_ms": measured("processor ms: index") - COST_PRODUCTS / 1e6 * flat_ms,
        "flat_ms": flat_ms,
        "codes_ms": measured("one category: no filter, ms, median"),
        "product_bytes": measured("memory a product, bytes"),
    }
    differing = {
        name: (value, getattr(MEASURED, name))
        for name, value in costs.items()
        if not 1 / FACTOR <= value / getattr(MEASURED, name) <= FACTOR
    }
    assert differing == {}
