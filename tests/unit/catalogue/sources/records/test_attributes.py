"""How many attributes a record gives a product: fields leave room for prices, and both for the shop's category."""

from typing import Any

import pytest

from services.catalogue.product import MAX_ATTRIBUTES
from services.catalogue.sources.records.attributes import AttributeReader
from services.catalogue.sources.records.mapping import FeedMapping

FIELDS = {f"field{number}": number for number in range(MAX_ATTRIBUTES)}


def prices(unit: str) -> dict[str, str]:
    return {f"price{number}": f"{number + 1}.50{unit}" for number in range(MAX_ATTRIBUTES)}


@pytest.mark.parametrize(
    ("record", "fields", "prices", "currency"),
    [
        (FIELDS, 90, 0, False),
        (prices(""), 0, 98, False),
        (prices(" EUR"), 0, 97, True),
        (FIELDS | prices(""), 90, 8, False),
        (prices(" EUR") | FIELDS, 90, 7, True),
    ],
    ids=["fields", "prices", "prices in a currency", "fields and prices", "fields and prices in a currency"],
)
def test_fields_and_prices_over_their_number_are_left_out_and_named(
    record: dict[str, Any], fields: int, prices: int, currency: bool
) -> None:
    result = AttributeReader(FeedMapping()).read(record.items())
    kept = {
        *list(FIELDS)[:fields],
        *(f"price{number}" for number in range(prices)),
        *(["currency"] if currency else []),
    }
    assert set(result.attributes) == kept
    assert set(result.left_out) == record.keys() - kept
    assert result.problems == []
