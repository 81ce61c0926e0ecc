"""Filters over attributes, by column."""

from typing import Any

import numpy as np
import pytest

from services.contracts.domain.filtering.facets import MAX_VALUES
from services.contracts.domain.filtering.filters import EVERYTHING
from services.contracts.wire.filter_json import parse_filter
from services.engine import attribute_columns
from services.engine.packed.rows import PackedRows
from services.engine.payload import pack
from services.engine.segment import Tail, merge_segments
from tests.support.values.products import make_product

ATTRIBUTES: list[dict[str, Any]] = [
    {"colour": "blue", "price": 10, "new": True, "since": "2026-05-01"},
    {"colour": ["blue", "red"], "price": 20.5, "sizes": [38, 40, 42], "since": "2026-05-01T02:00:00+02:00"},
    {"colour": "Blue", "price": "10", "new": 1, "since": "2026-04-30T23:59:59.9"},
    {"since": [20260501, "20260501", "soon"]},
    {"colour": [], "price": 30, "new": False, "since": ["soon", "2026-05-01 00:01"]},
]


def segment() -> Tail:
    products = [make_product(str(row), 0, np.ones(2, np.float32), attributes=a) for row, a in enumerate(ATTRIBUTES)]
    rows = Tail()
    for product in products:
        rows.append(product.key, pack(product))
    return rows


@pytest.mark.parametrize(
    ("conditions", "rows"),
    [
        ({}, [0, 1, 2, 3, 4]),
        ({"colour": "blue"}, [0, 1]),
        ({"colour": ["red", "Blue"]}, [1, 2]),
        ({"colour": []}, []),
        ({"colour": "green"}, []),
        ({"material": "wool"}, []),
        ({"price": 10}, [0]),
        ({"price": 10.0}, [0]),
        ({"price": "10"}, [2]),
        ({"new": True}, [0]),
        ({"new": 1}, [2]),
        ({"new": False}, [4]),
        ({"sizes": 40}, [1]),
        ({"price": {"gte": 10, "lte": 20.5}}, [0, 1]),
        ({"price": {"gt": 10, "lt": 30}}, [1]),
        ({"price": {}}, [0, 1, 4]),
        ({"new": {"gte": 0}}, [2]),
        ({"sizes": {"gt": 41}}, [1]),
        ({"colour": {"gte": 0}}, []),
        ({"colour": "blue", "price": {"lt": 20}}, [0]),
        ({"colour": "blue", "material": "wool"}, []),
        ({"$or": [{"colour": "red"}, {"price": {"gte": 30}}]}, [1, 4]),
        ({"$and": [{"colour": "blue"}, {"colour": "red"}]}, [1]),
        ({"$not": {"colour": "blue"}}, [2, 3, 4]),
        ({"$not": {}}, []),
        ({"$not": {"material": "wool"}}, [0, 1, 2, 3, 4]),
        ({"$not": {"$or": [{"new": True}, {"sizes": 38}]}, "price": {}}, [4]),
        ({"since": {"gte": "2026-05-01"}}, [0, 1, 4]),
        ({"since": {"gt": "2026-05-01T00:00:00Z"}}, [4]),
        ({"since": {"lt": "2026-05-01"}}, [2]),
        ({"since": {"gte": 0}}, [3]),
        ({"since": "2026-05-01"}, [0]),
        ({"colour": {"gte": "2026-05-01"}}, []),
    ],
)
def test_a_filter_finds_the_rows_that_meet_all_its_conditions(conditions: dict[str, Any], rows: list[int]) -> None:
    assert np.flatnonzero(segment().matching(parse_filter(conditions), len(ATTRIBUTES))).tolist() == rows


def test_a_column_grows_with_the_rows_and_a_reader_sees_those_it_knows_of() -> None:
    rows = segment()
    condition = parse_filter({"colour": "blue"})
    assert rows.matching(condition, 1).tolist() == [True]
    rows.append("5", pack(make_product("5", 0, np.ones(2, np.float32), attributes={"colour": "blue"})))
    assert np.flatnonzero(rows.matching(condition, 6)).tolist() == [0, 1, 5]
    assert rows.matching(condition, 2).tolist() == [True, True]


def test_dates_are_read_when_they_are_first_asked_for_and_as_rows_come() -> None:
    rows = segment()
    may = parse_filter({"since": {"gte": "2026-05-01"}})
    assert rows.matching(parse_filter({"since": "soon"}), 5).tolist() == [False, False, False, True, True]
    assert rows.matching(may, 5).tolist() == [True, True, False, False, True]
    rows.append("5", pack(make_product("5", 0, np.ones(2, np.float32), attributes={"since": "2027-01-01"})))
    assert rows.matching(may, 6).tolist() == [True, True, False, False, True, True]


def test_merged_rows_keep_their_dates() -> None:
    base, tail = segment(), segment()
    may = parse_filter({"since": {"gte": "2026-05-01"}})
    base.matching(may, 5)  # of the tail nobody has asked
    new_rows = np.array([0, -1, 1, 2, 3, 4, 5, -1, -1, -1])
    keys = [f"k{row}" for row in range(6)]
    payloads = [*base.payloads[:1], *base.payloads[2:], *tail.payloads[:2]]
    rows = PackedRows.of(keys, payloads, np.zeros(6, np.uint8))
    assert merge_segments(base, tail, new_rows, rows).matching(may, 6).tolist() == [
        True,
        False,
        False,
        True,
        True,
        True,
    ]


def test_a_column_of_very_many_texts_is_kept_only_if_a_filter_names_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Otherwise it would only take memory."""
    monkeypatch.setattr(attribute_columns, "MAX_KEPT_TEXTS", MAX_VALUES + 5)
    rows = Tail()
    for number in range(MAX_VALUES + 10):
        brand = f"B{min(number, MAX_VALUES)}"
        attributes = {"sku": f"A{number}", "ean": f"E{number}", "colour": "ab"[number % 2], "brand": brand}
        rows.append(str(number), pack(make_product(str(number), 0, np.ones(2, np.float32), attributes=attributes)))
    rows.matching(parse_filter({"ean": "E1"}), 1)
    everything = np.ones(MAX_VALUES + 10, np.bool_)
    assert list(rows.count_values(EVERYTHING, everything)) == ["colour"]
    assert sorted(rows.columns.kept) == ["brand", "colour", "ean"]
