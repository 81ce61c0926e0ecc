"""The record of a JSON document: its fields in the forms of shops' APIs, schema.org and MongoDB."""

from pathlib import Path
from typing import Any

import pytest

from services.catalogue.sources.formats.json_fields import id_at_start, no_object, parsed, record_of
from services.catalogue.sources.formats.json_values import plain
from services.catalogue.sources.records.fields import RowBuilder
from services.catalogue.sources.records.mapping import FeedMapping
from services.catalogue.sources.records.rows import RowError

BUILDER = RowBuilder(FeedMapping(ignore=("secret",)), Path())


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (5, 5),
        ({"$oid": "5f1e"}, "5f1e"),
        ({"$numberInt": "5"}, 5),
        ({"$numberLong": "-5"}, -5),
        ({"$numberDouble": "1.5"}, 1.5),
        ({"$numberDecimal": "19.99"}, 19.99),
        ({"$numberDouble": "-Infinity"}, {}),
        ({"$numberDecimal": "NaN"}, {}),
        ({"$numberInt": "five"}, {}),
        ({"$numberInt": None}, {}),
        ({"$date": "2026-03-05T00:00:00Z"}, "2026-03-05T00:00:00Z"),
        ({"$date": {"$numberLong": "1500"}}, "1970-01-01T00:00:01.500000+00:00"),
        ({"$date": 86400000}, "1970-01-02T00:00:00+00:00"),
        ({"$date": 10**18}, {}),
        ({"$date": {"a": 1, "b": 2}}, {}),
        ({"other": 1}, {"other": 1}),
        ({"$oid": "1", "more": 2}, {"$oid": "1", "more": 2}),
        ({"@type": "Brand", "name": "Acme"}, "Acme"),
        ({"@type": "Brand", "name": 5}, {"@type": "Brand", "name": 5}),
        ({"id": 1, "name": "Acme"}, {"id": 1, "name": "Acme"}),
        ([{"$oid": "1"}, 2], ["1", 2]),
    ],
)
def test_wrapped_values_are_unwrapped(value: Any, expected: Any) -> None:
    assert plain(value) == expected
    assert type(plain(value)) is type(expected)


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ('{"id": "A-1", "x', "A-1"),
        (' {"id" : 12}', "12"),
        ('{"id":-3,', "-3"),
        ('{"id": 1.5,', None),
        ('{"id": "",', None),
        ('{"id": "a\\u0041",', None),
        ('{"id": "caf\ufffd",', None),
        ('{"x": 1, "id": "2"}', None),
        ('{"id": "A"', None),
    ],
)
def test_the_id_of_a_broken_object_is_its_first_field(text: str, key: str | None) -> None:
    assert id_at_start(text) == key


def test_an_entry_that_is_no_object_is_shown_with_its_first_60_bytes() -> None:
    assert no_object(3, b"x" * 60).reason == f"the entry {'x' * 60} is not a JSON object"
    rejected = no_object(3, b"x" * 61)
    assert (rejected.line, rejected.key) == (3, None)
    assert rejected.reason == f"the entry {'x' * 60}… is not a JSON object"


def test_numbers_that_json_does_not_have_are_unreadable_and_other_errors_have_their_place() -> None:
    assert parsed('{"a": NaN, "b": "NaN", "c": [-Infinity]}') == {"a": {}, "b": "NaN", "c": [{}]}
    assert parsed(b'{"a": Infinity}') == {"a": {}}
    for text in ('{"a": x}', b'{"a": x, "b": NaN}'):
        with pytest.raises(RowError, match=r"^not JSON: .* at column \d+$"):
            parsed(text)
    with pytest.raises(RowError, match="the line is not a JSON object"):
        parsed("[1]")


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        ({"node": {"id": 1}}, {"id": 1}),
        ({"product": {"id": 1}, "cursor": "x"}, {"id": 1}),
        ({"node": {"a": 1}, "id": 2}, {"node": {"a": 1}, "id": 2}),
        ({"item": {"a": 1}, "title": "T"}, {"item": {"a": 1}, "title": "T"}),
        ({"item": "text"}, {"item": "text"}),
        ({"a": 1, "secret": 2}, {"a": 1}),
        ({"attributes": {"a": 1}, "b": 2}, {"a": 1, "b": 2}),
        ({"attributes": []}, {}),
        (
            {"attributes": [{"name": "Color", "value": "Red"}, {"code": "Size", "options": ["S", "M"]}]},
            {"Color": "Red", "Size": ["S", "M"]},
        ),
        ({"attributes": [{"name": "Size", "options": ["S"]}]}, {"Size": "S"}),
        ({"attributes": [{"name": "Color"}]}, {"attributes": [{"name": "Color"}]}),
        ({"attributes": [{"value": "Red"}]}, {"attributes": [{"value": "Red"}]}),
        ({"attributes": [{"name": "a", "value": 1}, 5]}, {"attributes": [{"name": "a", "value": 1}, 5]}),
        (
            {"label": "X", "custom_attributes": [{"code": "label", "value": "Y"}, {"code": "fit", "value": "slim"}]},
            {"label": "X", "fit": "slim"},
        ),
        ({"@type": "Product", "@context": "https://schema.org", "a": 1}, {"@type": {}, "@context": {}, "a": 1}),
        ({"visibility": 1, "type_id": "simple"}, {"visibility": False, "type_id": "simple"}),
        ({"visibility": 2, "type_id": "simple"}, {"visibility": 2, "type_id": "simple"}),
        ({"visibility": 1}, {"visibility": 1}),
        ({"id": "gid://shopify/Product/9", "handle": "tee"}, {"id": "tee", "handle": "tee"}),
        ({"id": "gid://shopify/Product/9"}, {"id": "gid://shopify/Product/9"}),
        ({"id": "9", "handle": "tee"}, {"id": "9", "handle": "tee"}),
        ({"id": 7, "_id": {"$oid": "5f"}}, {"id": 7, "_id": {}}),
        ({"_id": {"$oid": "5f"}}, {"id": "5f"}),
        ({"sku": "S"}, {"id": "S", "sku": "S"}),
        ({"productID": "P", "sku": "S"}, {"id": "P", "sku": "S"}),
        ({"productID": "", "sku": "S"}, {"productID": "", "id": "S", "sku": "S"}),
        ({"title": "", "name": "N"}, {"title": "N"}),
        ({"title": "T", "name": "N"}, {"title": "T", "name": "N"}),
    ],
)
def test_a_document_has_the_fields_of_its_record(document: dict[str, Any], expected: dict[str, Any]) -> None:
    assert record_of(document, BUILDER) == expected


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        ({"images": ["a"], "image_urls": "b"}, {"images": ["a", "b"]}),
        ({"image": ["a", "b"]}, {"image": "a", "images": ["b"]}),
        ({"image": ["a"], "images": ["c"]}, {"image": "a", "images": ["c"]}),
        ({"image": {"url": "a"}}, {"image": "a"}),
        ({"image": []}, {"image": None}),
        ({"image_url": [{"src": "a"}, "b"], "image": "c"}, {"image_url": "a", "image": "c", "images": ["b"]}),
        ({"image": "a", "thumbnail": "t", "gallery": ["g"], "photos": "p"}, {"image": "a", "images": ["g", "p", "t"]}),
        ({"image": "a", "media": 5}, {"image": "a", "media": 5}),
        ({"picture": "p"}, {"image": "p"}),
        ({"picture": "p", "images": []}, {"image": "p", "images": []}),
        ({"picture": "p", "images": ["a"]}, {"picture": "p", "images": ["a"]}),
        ({"picture": "p", "image_url": "u"}, {"picture": "p", "image_url": "u"}),
        ({"categories": [{"name": "A"}, {"name": "B"}]}, {"categories": ["A", "B"], "category": "A"}),
        ({"categories": ["A"], "category": ""}, {"categories": ["A"], "category": "A"}),
        ({"categories": ["A"], "category": "C"}, {"categories": ["A"], "category": "C"}),
        ({"categories": [{"id": 1}, "A"]}, {"categories": [{"id": 1}, "A"]}),
        ({"categories": "Shirts"}, {"categories": "Shirts"}),
        ({"categories": []}, {"categories": []}),
    ],
)
def test_images_and_categories_may_be_lists_of_objects(document: dict[str, Any], expected: dict[str, Any]) -> None:
    assert record_of(document, BUILDER) == expected


OFFERS = [{"price": "9"}, {"price": "7", "priceCurrency": "EUR", "availability": "A", "url": "/p"}, {"sku": "x"}]


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        ({"offers": OFFERS}, {"price": "7", "currency": "EUR", "availability": "A", "url": "/p"}),
        ({"offers": OFFERS[0], "availability": "B"}, {"price": "9", "availability": "B"}),
        ({"offers": OFFERS[1], "price": 3, "url": "/q"}, {"price": 3, "availability": "A", "url": "/q"}),
        ({"offers": {"lowPrice": 5, "availability": 1}}, {"price": 5}),
        ({"offers": "text"}, {"offers": "text"}),
        ({"offers": []}, {"offers": []}),
        (
            {"priceRange": {"minVariantPrice": {"amount": "1", "currencyCode": "EUR"}}},
            {"price": "1", "currency": "EUR"},
        ),
        ({"price": 2, "prices": {"price": 1}}, {"price": 2, "prices": {"price": 1}}),
        ({"price": "", "prices": {"price": 1}}, {"price": 1}),
        ({"pricing": {"x": 1}}, {"pricing": {"x": 1}}),
        ({"price": {"price": "1999", "currency_minor_unit": 2}}, {"price": 19.99}),
        ({"price": {"price": 1999, "currency_minor_unit": 0}}, {"price": 1999}),
        ({"price": {"price": "19.99", "currency_minor_unit": 2}}, {"price": "19.99"}),
        ({"price": {"price": "1999", "currency_minor_unit": "2"}}, {"price": "1999"}),
        ({"price": {"amount": 1, "currency": "EUR"}, "currency": ""}, {"price": 1, "currency": "EUR"}),
        ({"price": {"amount": 1, "currency": "€"}, "currency": "EUR"}, {"price": 1, "currency": "EUR"}),
        (
            {"price": {"amount": 1, "currency": "EUR"}, "currency": "USD"},
            {"price": {"amount": 1, "currency": "EUR"}, "currency": "USD"},
        ),
        ({"price": {"amount": 1, "currency": "EUR"}, "currency": 5}, {"price": 1, "currency": 5}),
        ({"price": [{"gross": {"amount": 1}, "net": 2}]}, {"price": 1}),
        ({"price": []}, {"price": []}),
        ({"price": ["5", "6"]}, {"price": ["5", "6"]}),
        ({"price": {"x": 1}}, {"price": {"x": 1}}),
        ({"other": {"amount": 1}}, {"other": {"amount": 1}}),
    ],
)
def test_prices_may_be_objects_ranges_and_offers(document: dict[str, Any], expected: dict[str, Any]) -> None:
    assert record_of(document, BUILDER) == expected


@pytest.mark.parametrize(
    "document", [{"Title": "A", "title": "B"}, {"a": 1, "attributes": [{"name": "a", "value": 2}]}]
)
def test_two_fields_of_one_name_are_an_error(document: dict[str, Any]) -> None:
    with pytest.raises(RowError, match=r"two fields are '(title|a)': rename one"):
        record_of(document, BUILDER)
