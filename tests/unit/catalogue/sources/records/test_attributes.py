"""How many attributes a record gives a product: fields leave room for prices, and both for the shop's category."""

from typing import Any

import pytest

from services.catalogue.product import MAX_ATTRIBUTES
from services.catalogue.sources.records.attributes import AttributeReader, ReadAttributes
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


def read(record: dict[str, Any], **mapping: Any) -> ReadAttributes:
    return AttributeReader(FeedMapping(**mapping)).read(record.items())


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (" red ", "red"),
        ("x" * 256, "x" * 256),
        ("x" * 257, None),
        (["S", 38, True], ["S", 38, True]),
        ([*range(50)], [*range(50)]),
        ([*range(51)], None),
        (["S", {"a": 1}], None),
        (["S", " "], None),
        ({"a": 1}, None),
        (True, True),
        (1.5, 1.5),
        (2**63 - 1, 2**63 - 1),
        (2**63, float(2**63)),
        (-(2**63), -(2**63)),
        (-(2**63) - 1, -float(2**63)),
    ],
)
def test_a_value_is_an_attribute_or_left_out_by_name(value: Any, expected: Any) -> None:
    result = read({"first": 1, "field": value, "last": 2})
    assert result.attributes.get("field") == expected
    assert type(result.attributes.get("field")) is type(expected)
    assert result.left_out == ([] if "field" in result.attributes else ["field"])
    assert (result.attributes["first"], result.attributes["last"]) == (1, 2)
    assert result.problems == []


@pytest.mark.parametrize("value", [None, [], "", " \t"])
@pytest.mark.parametrize("name", ["field", "price", "currency", "availability"])
def test_an_empty_value_says_nothing(name: str, value: Any) -> None:
    assert read({name: value, "size": 0}) == ReadAttributes({"size": 0})


@pytest.mark.parametrize(
    ("record", "expected", "problems"),
    [
        ({"availability": "In Stock"}, "in_stock", []),
        ({"availability": ["in stock", "InStock"]}, "in_stock", []),
        ({"availability": ["in stock", "sold out"]}, ["in_stock", "out_of_stock"], []),
        ({"availability": ["in stock", "soon?"]}, ["in_stock", "soon?"], ["availability 'soon?'"]),
        ({"availability": "soon?"}, "soon?", ["availability 'soon?'"]),
        ({"Availability": 0}, "out_of_stock", []),
        ({"availability": "0.0"}, "out_of_stock", []),
        ({"availability": "-0.5"}, "out_of_stock", []),
        ({"availability": "0.5"}, "in_stock", []),
    ],
)
def test_words_of_stock_become_googles_and_others_are_kept_and_named(
    record: dict[str, Any], expected: Any, problems: list[str]
) -> None:
    result = read(record)
    assert result.attributes == dict.fromkeys(record, expected)
    assert [
        str(problem).split(" is not a known availability; it is kept as it is")[0] for problem in result.problems
    ] == (problems)


@pytest.mark.parametrize(
    ("record", "mapping", "expected", "left"),
    [
        ({"price": "5 EUR"}, None, {"price": 5.0, "currency": "EUR"}, []),
        ({"price": 5}, None, {"price": 5}, []),
        ({"price": "5"}, None, {"price": 5.0}, []),
        ({"price": 5}, "PLN", {"price": 5, "currency": "PLN"}, []),
        ({"price": "5 EUR"}, "PLN", {"price": 5.0, "currency": "EUR"}, []),
        ({"price_eur": "5"}, None, {"price_eur": 5.0, "currency": "EUR"}, []),
        ({"price_eur": "5 USD"}, None, {"price_eur": 5.0, "currency": "USD"}, []),
        ({"price": "5 €", "Currency": "eur"}, None, {"price": 5.0, "currency": "EUR"}, []),
        ({"currency": "gold"}, None, {"currency": "gold"}, []),
        ({"currency": 5, "price": "4 EUR"}, None, {"currency": 5, "price": 4.0}, []),
        ({"price": ["5 EUR"]}, None, {"price": 5.0, "currency": "EUR"}, []),
        ({"price": [5, 5.0]}, None, {"price": 5}, []),
        ({"price": [5.0, 5]}, None, {"price": 5.0}, []),
        ({"price": 2**63 - 1}, None, {"price": 2**63 - 1}, []),
        ({"price": 2**63}, None, {"price": float(2**63)}, []),
        ({"price": {"net": 5}}, None, {}, ["price"]),
        ({"price": "5 EUR", "uvp": "6"}, None, {"price": 5.0, "uvp": 6.0, "currency": "EUR"}, []),
    ],
)
def test_prices_are_amounts_in_the_currency_of_the_record(
    record: dict[str, Any], mapping: str | None, expected: dict[str, Any], left: list[str]
) -> None:
    result = read(record, currency=mapping)
    assert result.attributes == expected
    assert {name: type(value) for name, value in result.attributes.items()} == {
        name: type(value) for name, value in expected.items()
    }
    assert (result.left_out, result.problems) == (left, [])


@pytest.mark.parametrize(
    ("record", "expected", "problems"),
    [
        ({"price": ["5", "6"]}, {}, ["price ['5', '6'] {}: it has several amounts; {}"]),
        ({"price": True}, {}, ["price True {}: it is neither text nor a number; {}"]),
        (
            {"price": "5 EUR", "sale_price": "4 USD", "regular_price": "6 EUR"},
            {"price": 5.0, "regular_price": 6.0, "currency": "EUR"},
            ["sale_price '4 USD' is in USD, the record in EUR; {}"],
        ),
        (
            {"price": "5 USD", "currency": "EUR", "sale_price": 4},
            {"currency": "EUR", "sale_price": 4},
            ["price '5 USD' is in USD, the record in EUR; {}"],
        ),
    ],
)
def test_a_price_that_is_not_understood_is_left_out_with_the_reason(
    record: dict[str, Any], expected: dict[str, Any], problems: list[str]
) -> None:
    result = read(record)
    assert result.attributes == expected
    expected_problems = [text.replace("{}", "is not an amount of money", text.count("{}") - 1) for text in problems]
    assert list(map(str, result.problems)) == [text.replace("{}", "it is left out") for text in expected_problems]
    assert result.left_out == []
