"""The shared cases of tables, JSON and packing."""

import pytest

from tests.support.feeds.rows import keys, product, read, reasons
from tests.support.values.cases import CASES, needs_cases

KEYS = {
    "08-sep-line.csv": ["c08-a"],
    "12-repeated-columns-a.tsv": ["c12-a"],
    "13-ragged.tsv": ["c13-a", "c13-b", "c13-c"],
    "14-cr-only.csv": ["c14-a", "c14-b"],
    "15-json-array-a.json": ["1501"],
    "15-json-array-b.json": ["1502"],
    "15-json-array-c.ndjson": ["1503", "1504"],
    "25-ndjson.ndjson": ["25001", *(f"c25-{letter}" for letter in "bcdefg")],
    "29-packing-a.xml": ["c29-a"],
    "30-meta-template.csv": ["c30-a"],
    "30-meta-template-b.csv": ["c30-b"],
    "31-tsv-quotes.tsv": ["c31-a", "c31-b", "c31-c", "c31-d"],
}
ADDITIONAL = {
    "12-repeated-columns-a.tsv": 2,
    "15-json-array-b.json": 1,
    "30-meta-template.csv": 1,
    "30-meta-template-b.csv": 1,
}


@needs_cases
@pytest.mark.parametrize("name", KEYS)
def test_each_row_of_a_shared_case_is_a_product(name: str) -> None:
    rows = read(CASES / name)
    assert (keys(rows), reasons(rows)) == (KEYS[name], [])
    assert len(product(rows[0]).images) == ADDITIONAL.get(name, 0)
