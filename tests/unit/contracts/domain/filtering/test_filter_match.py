"""Whether a product meets a filter, case by case; `tests/property/test_filter_match.py` draws others."""

from typing import Any

import pytest

from services.contracts.domain.filtering.filter_match import matches
from services.contracts.wire.filter_json import parse_filter

PRODUCT: dict[str, Any] = {
    "colour": "blue",
    "sizes": ["S", "M"],
    "price": 20,
    "sale": True,
    "code": "1",
    "released": "2026-05-01",
    "empty": [],
}


@pytest.mark.parametrize(
    ("source", "meets"),
    [
        ({}, True),
        ({"colour": "blue"}, True),
        ({"colour": "red"}, False),
        ({"colour": ["red", "blue"]}, True),
        ({"colour": []}, False),
        ({"sizes": "M"}, True),
        ({"sizes": "L"}, False),
        ({"sizes": ["L", "S"]}, True),
        ({"empty": "M"}, False),
        ({"other": "M"}, False),
        ({"price": 20.0}, True),
        ({"price": 21}, False),
        ({"price": "20"}, False),
        ({"sale": True}, True),
        ({"sale": 1}, False),
        ({"code": 1}, False),
        ({"code": "1"}, True),
        ({"colour": "blue", "price": 21}, False),
        ({"colour": "red", "price": 20}, False),
        ({"$and": [{"colour": "blue"}, {"price": 21}]}, False),
        ({"$or": [{"colour": "red"}, {"price": 20}]}, True),
        ({"$or": [{"colour": "red"}, {"price": 21}]}, False),
        ({"$not": {"colour": "red"}}, True),
        ({"$not": {"colour": "blue"}}, False),
        ({"$not": {"other": "M"}}, True),
        ({"price": {}}, True),
        ({"price": {"gte": 20}}, True),
        ({"price": {"gte": 21}}, False),
        ({"price": {"gt": 19}}, True),
        ({"price": {"gt": 20}}, False),
        ({"price": {"lte": 20}}, True),
        ({"price": {"lte": 19}}, False),
        ({"price": {"lt": 21}}, True),
        ({"price": {"lt": 20}}, False),
        ({"price": {"gte": 20, "lt": 20}}, False),
        ({"price": {"gt": 20, "lte": 20}}, False),
        ({"price": {"gte": 0, "lt": 0.5}}, False),
        ({"sale": {"gte": 0}}, False),
        ({"code": {"gte": 0}}, False),
        ({"released": {"gte": "2026-05-01", "lt": "2026-05-02"}}, True),
        ({"released": {"gt": "2026-05-01"}}, False),
        ({"released": {"gte": 0}}, False),
        ({"price": {"gte": "1970-01-01"}}, False),
        ({"colour": {"gte": "1970-01-01"}}, False),
        ({"sizes": {"gte": 0}}, False),
        ({"other": {"lt": 1}}, False),
    ],
)
def test_a_product_meets_a_filter_or_not(source: dict[str, Any], meets: bool) -> None:
    assert matches(parse_filter(source), PRODUCT) is meets


def test_a_range_holds_for_any_number_of_a_list() -> None:
    assert matches(parse_filter({"width": {"gte": 38, "lt": 39}}), {"width": ["wide", 40, 38.5]})
    assert not matches(parse_filter({"width": {"gte": 39, "lt": 40}}), {"width": ["wide", 40, 38.5]})


def test_a_bound_of_zero_is_a_bound() -> None:
    for bound, value in (("gte", -1), ("gt", 0), ("lte", 1), ("lt", 0)):
        assert not matches(parse_filter({"n": {bound: 0}}), {"n": value})
