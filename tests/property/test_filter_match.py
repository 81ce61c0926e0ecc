"""The filter of a single product, against the meaning of its JSON."""

from typing import Any

from hypothesis import given

from services.contracts.domain.filtering.filter_match import matches
from services.contracts.wire.filter_json import parse_filter
from tests.support.values.filters import ATTRIBUTES, FILTERS, meets


@given(ATTRIBUTES, FILTERS)
def test_a_product_meets_a_filter_as_its_json_says(attributes: dict[str, Any], source: dict[str, Any]) -> None:
    assert matches(parse_filter(source), attributes) == meets(attributes, source)
