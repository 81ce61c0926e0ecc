"""Feeds of JSON objects: shapes, types and broken lines."""

import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.catalogue.sources.parsing import json_items
from services.catalogue.sources.records.mapping import FeedMapping
from services.catalogue.sources.records.rows import RejectedRow, SourceError, SourceRow
from tests.support.feeds.rows import json_rows, keys, product, read_text, reasons


def test_an_object_named_attributes_is_read_as_fields_of_the_line(tmp_path: Path) -> None:
    line = {"id": "1", "image": "a.png", "price": 5, "attributes": {"baseColour": "Red", "sizes": ["S", "M"]}}
    (row,) = json_rows(tmp_path, line)
    assert isinstance(row, SourceRow)
    assert row.attributes == {"price": 5, "baseColour": "Red", "sizes": ["S", "M"]}


def test_an_ndjson_line_keeps_the_types_of_its_values(tmp_path: Path) -> None:
    (row,) = json_rows(
        tmp_path,
        {
            "id": 7,
            "image": "7.jpg",
            "price": 5,
            "sizes": [38, "M"],
            "new": True,
            "size": "38",
            "note": None,
            "tags": [],
        },
    )
    item = product(row)
    assert item.key == "7"
    assert item.attributes == {"price": 5, "sizes": [38, "M"], "new": True, "size": "38"}


@pytest.mark.parametrize(
    ("line", "key", "reason"),
    [
        (b"{", None, "not JSON: "),
        (b'{"id": "1", "image": "1.jpg"', "1", "not JSON: "),
        (b"[1, 2]", None, "the line is not a JSON object"),
        (b'"text"', None, "the line is not a JSON object"),
        (b'{"id": NaN, "image": "1.jpg"}', None, "the id is neither text nor a whole number"),
        (b'{"id": 12, "image": None}', "12", "not JSON: "),
        (b'{"id": "1\\u0041", "image": None}', None, "not JSON: "),
        (b'{"id": "1", "title": "\xff\xc3\xa9"}', "1", "not UTF-8 at byte 23 of the line"),
        (b'{"image": "1.jpg"}', None, "the id is missing"),
        (b'{"id": true, "image": "1.jpg"}', None, "the id is neither text nor a whole number"),
        (b'{"id": 1.5, "image": "1.jpg"}', None, "the id is neither text nor a whole number"),
        (b'{"id": {"a": 1}, "image": "1.jpg"}', None, "the id is neither text nor a whole number"),
        (b'{"id": "1"}', "1", "there is no image: neither a path nor a URL"),
        (b'{"id": "1", "image": 1.5, "title": []}', "1", "title is neither text nor a number"),
        (b'{"id": "1", "image": "1.jpg", "title": {"en": "x"}}', "1", "title is neither text nor a number"),
        (b'{"id": "1", "image": "1.jpg", "url": "javascript:alert(1)"}', "1", "url is not a web address"),
        (b'{"id": "1", "image": "1.jpg", "url": "/\\\\evil.test/"}', "1", "url is not a web address"),
        (
            b'{"id": "1", "image": "1.jpg", "url": "/a\\u0000b"}',
            "1",
            "url is not a web address: it has a NUL character",
        ),
        (b'{"id": "1", "image": "1.jpg", "url": "page.html"}', "1", "url is not a web address"),
        (b'{"id": "1", "image_url": "1.jpg"}', "1", "image_url is not a web address"),
        (
            b'{"id": "1", "image_url": "http://a b/"}',
            "1",
            "image_url is not a web address: it has a space in its host 'a b'",
        ),
        (b'{"id": "1", "ID": "2", "image": "1.jpg"}', None, "two fields are 'id'"),
        (b'{"id": "1", "image": "1\\u0000.jpg"}', "1", "the image's path has a NUL character"),
        (b'{"id": "\xff\xc3\xa9"}', None, "not UTF-8 at byte 9 of the line"),
        (b'{"id": "\\ud800", "image": "1.jpg"}', None, "not JSON: "),
        (b'{"id": 1e999, "image": "1.jpg"}', None, "not JSON: "),
        (b'{"id": "1", "x": ' + b"[" * 100_000, "1", "not JSON: "),
        (b'{"id": "1", "image": "1.jpg"}{"id": "2", "image": "2.jpg"}', "1", "not JSON: "),
    ],
)
def test_a_broken_ndjson_line_is_rejected_with_its_number_and_the_others_are_read(
    tmp_path: Path, line: bytes, key: str | None, reason: str
) -> None:
    rows = json_rows(tmp_path, line, {"id": "9", "image": "9.jpg"})
    ((number, rejected_key, rejected_reason),) = reasons(rows)
    assert (number, rejected_key) == (1, key)
    assert rejected_reason.startswith(reason)
    assert keys(rows) == ["9"]


FIRST = {"id": 1, "title": "A", "image": "1.jpg"}
SECOND = {"id": "2", "title": "B", "image": "2.jpg", "data": [1], "nested": {"products": [{"id": "no"}]}}


def pretty(*documents: Any) -> bytes:
    return b"\n".join(orjson.dumps(document, option=orjson.OPT_INDENT_2) for document in documents)


@pytest.mark.parametrize("name", ["feed.json", "feed.ndjson", "feed.jsonl"])
@pytest.mark.parametrize(
    "data",
    [
        orjson.dumps([FIRST, SECOND]),
        pretty([FIRST, SECOND]),
        b"\xef\xbb\xbf\n [" + orjson.dumps(FIRST) + b",\r\n" + orjson.dumps(SECOND) + b"]",
        orjson.dumps({"products": [FIRST, SECOND], "total": 2}),
        orjson.dumps({"id": "feed", "title": "My shop", "filters": [{"items": [{"id": 9}]}], "items": [FIRST, SECOND]}),
        pretty({"data": {"paging": {"next": None}, "products": [FIRST, SECOND]}}),
        orjson.dumps({"data": {"products": {"edges": [{"node": FIRST}, {"node": SECOND}]}}}),
        orjson.dumps(
            {"@type": "ItemList", "itemListElement": [{"@type": "ListItem", "item": FIRST}, {"item": SECOND}]}
        ),
        orjson.dumps({"products": [FIRST]}) + b"\n" + orjson.dumps({"products": [SECOND]}),
        pretty(FIRST, SECOND),
        orjson.dumps(FIRST) + b"\n" + orjson.dumps(SECOND) + b"\n",
    ],
)
def test_products_are_read_from_a_list_of_any_name_and_from_objects(tmp_path: Path, name: str, data: bytes) -> None:
    rows = read_text(tmp_path, name, data)
    assert [(product(row).key, product(row).title) for row in rows] == [("1", "A"), ("2", "B")]


@pytest.mark.parametrize("data", [b"[]", b'{"products": []}', b'{"data": {"items": []}}'])
def test_a_list_may_be_empty(tmp_path: Path, data: bytes) -> None:
    assert read_text(tmp_path, "feed.json", data) == []


@pytest.mark.parametrize("data", [orjson.dumps([FIRST, SECOND]), orjson.dumps({"items": [FIRST, SECOND]})])
def test_a_truncated_list_yields_its_objects_and_then_an_error(tmp_path: Path, data: bytes) -> None:
    with pytest.raises(SourceError, match="cannot be read to its end: it is truncated at line 1"):
        read_text(tmp_path, "feed.json", data[:-9])


def test_a_broken_object_of_a_list_is_rejected_with_its_id_and_the_others_are_read(tmp_path: Path) -> None:
    rows = read_text(tmp_path, "feed.json", b'[\n{"id": "1", "image": oops},\n{"id": 1, "image": "1.jpg"},{"id": 1}]')
    assert [(line, key) for line, key, _ in reasons(rows)] == [(2, "1"), (3, "1")]
    assert keys(rows) == ["1"]


@pytest.mark.parametrize(
    ("document", "names"),
    [
        ({"image": "1.jpg"}, ["1.jpg"]),
        ({"image": ["1.jpg", "2.jpg"]}, ["1.jpg", "2.jpg"]),
        ({"image": {"url": "1.jpg"}}, ["1.jpg"]),
        ({"image": [{"src": "1.jpg"}, {"@type": "ImageObject", "contentUrl": "2.jpg"}]}, ["1.jpg", "2.jpg"]),
        ({"images": [{"href": "1.jpg"}, "2.jpg"], "thumbnail": "3.jpg"}, ["1.jpg", "2.jpg", "3.jpg"]),
        ({"image": [], "thumbnail": "1.jpg"}, ["1.jpg"]),
        ({"image_link": "https://a.test/1.jpg", "images": None}, ["https://a.test/1.jpg"]),
        ({"image": "1.jpg", "images": "2.jpg|3.jpg", "thumbnail": None}, ["1.jpg", "2.jpg", "3.jpg"]),
    ],
)
def test_images_are_read_from_text_lists_and_objects(
    tmp_path: Path, document: dict[str, Any], names: list[str]
) -> None:
    for name in names:
        if "/" not in name:
            (tmp_path / name).write_text(name)
    item = product(json_rows(tmp_path, {"id": "1"} | document)[0])
    main = item.image if isinstance(item.image, str) else item.image().decode()
    assert [main, *(image.name for image in item.images)] == names


@pytest.mark.parametrize(
    ("document", "attributes"),
    [
        ({"price": {"amount": "29.90", "currency": "EUR"}}, {"price": 29.9, "currency": "EUR"}),
        ({"list_price": {"value": "1.299,00", "currency": "eur"}}, {"list_price": 1299, "currency": "EUR"}),
        ({"sale_price": {"value": 5, "currencyCode": "USD"}}, {"sale_price": 5, "currency": "USD"}),
        ({"price": {"$numberDecimal": "19.99"}, "n": {"$numberLong": "7"}}, {"price": 19.99, "n": 7}),
        ({"made": {"$date": "2026-05-01T00:00:00Z"}}, {"made": "2026-05-01T00:00:00Z"}),
        ({"made": {"$date": {"$numberLong": "0"}}}, {"made": "1970-01-01T00:00:00+00:00"}),
        ({"ref": {"$oid": "5f1e"}, "brand": {"@type": "Brand", "name": "Acme"}}, {"ref": "5f1e", "brand": "Acme"}),
        (
            {"offers": [{"price": "30", "priceCurrency": "EUR"}, {"price": 20.5, "priceCurrency": "CHF"}]},
            {"price": 20.5, "currency": "CHF"},
        ),
        ({"offers": {"lowPrice": "9.90", "priceCurrency": "EUR"}}, {"price": 9.9, "currency": "EUR"}),
        ({"price": 5, "currency": "EUR", "offers": {"price": "9"}}, {"price": 5, "currency": "EUR"}),
        ({"attributes": [{"name": "Colour", "value": "Red"}]}, {"Colour": "Red"}),
        ({"sku": "S-1", "note": None, "tags": []}, {"sku": "S-1"}),
    ],
)
def test_values_of_other_systems_become_attributes(
    tmp_path: Path, document: dict[str, Any], attributes: dict[str, Any]
) -> None:
    item = product(json_rows(tmp_path, {"id": "1", "image": "1.jpg"} | document)[0])
    assert (item.attributes, item.left_out) == (attributes, ())


def test_a_price_object_in_another_currency_is_left_out(tmp_path: Path) -> None:
    prices = {"price": {"amount": 5, "currency": "EUR"}, "sale_price": {"amount": 4, "currency": "USD"}}
    item = product(json_rows(tmp_path, {"id": "1", "image": "1.jpg"} | prices)[0])
    assert (item.attributes, item.left_out) == ({"price": 5, "currency": "EUR"}, ("sale_price",))


def test_an_offer_has_the_availability_and_the_page(tmp_path: Path) -> None:
    offer = {"availability": "in_stock", "itemCondition": "new", "url": "https://shop.test/1"}
    item = product(json_rows(tmp_path, {"id": "1", "image": "1.jpg", "offers": offer})[0])
    assert (item.url, item.attributes["availability"], item.attributes["condition"]) == (
        offer["url"],
        "in_stock",
        "new",
    )


@pytest.mark.parametrize(
    "text",
    [
        b'{"id": "1", "image": "1.jpg", "title": "NaN \\" Infinity", "x": NaN}',
        b'{"id": "1", "image": "1.jpg", "title": "NaN \\" Infinity", "x": [1, -Infinity]}',
        b'{"id": "1", "image": "1.jpg", "title": "NaN \\" Infinity", "x": {"$numberDouble": "NaN"}}',
        b'{"id": "1", "image": "1.jpg", "title": "NaN \\" Infinity", "x": {"$date": "x", "y": 1}}',
    ],
)
def test_a_value_that_is_no_number_is_left_out_by_name(tmp_path: Path, text: bytes) -> None:
    item = product(json_rows(tmp_path, text)[0])
    assert (item.title, item.attributes, item.left_out) == ('NaN " Infinity', {}, ("x",))


@pytest.mark.parametrize(
    ("document", "key"),
    [
        ({"id": 7, "_id": {"$oid": "5f1e"}, "sku": "S"}, "7"),
        ({"_id": {"$oid": "5f1e"}, "sku": "S"}, "5f1e"),
        ({"productID": "P", "sku": "S"}, "P"),
        ({"sku": "S"}, "S"),
    ],
)
def test_the_id_may_have_another_name(tmp_path: Path, document: dict[str, Any], key: str) -> None:
    assert json_rows(tmp_path, document | {"image": "1.jpg"})[0].key == key


@pytest.mark.parametrize(
    "document",
    [
        {"productId": "1", "productName": "Hat", "imageUrl": "1.jpg", "productUrl": "/p"},
        {"SKU": "1", "Name": "Hat", "Picture": "1.jpg", "permalink": "/p"},
        {"item_id": 1, "display_name": "Hat", "main-image": {"src": "1.jpg"}, "deepLink": "/p"},
        {
            "id": "gid://shopify/Product/9",
            "handle": "1",
            "name": "Hat",
            "featuredImage": {"url": "1.jpg"},
            "link": "/p",
        },
    ],
)
def test_the_fields_may_have_other_names_in_any_case(tmp_path: Path, document: dict[str, Any]) -> None:
    item = product(json_rows(tmp_path, document)[0])
    assert (item.key, item.title, item.url, callable(item.image)) == ("1", "Hat", "/p", True)


@pytest.mark.parametrize(
    "document",
    [
        {"images": {"edges": [{"node": {"url": "1.jpg"}}, {"node": {"url": "2.jpg"}}]}},
        {"images": {"nodes": [{"url": "1.jpg"}, {"url": "2.jpg"}]}},
        {"cover": {"media": {"url": "1.jpg"}}, "media": [{"media": {"url": "1.jpg"}}, {"media": {"url": "2.jpg"}}]},
        {"image": "1.jpg", "media_gallery_entries": [{"file": "1.jpg"}, {"file": "2.jpg"}]},
        {"image1": "1.jpg", "image_2": "2.jpg"},
        {"image": "1.jpg", "photos": ["2.jpg"]},
    ],
)
def test_images_may_be_in_objects_galleries_and_numbered_fields(tmp_path: Path, document: dict[str, Any]) -> None:
    mapping = FeedMapping(image_base_url="https://a.test")
    item = product(json_rows(tmp_path, {"id": "1"} | document, mapping=mapping)[0])
    assert [item.image, *(image.name for image in item.images)] == ["https://a.test/1.jpg", "https://a.test/2.jpg"]


@pytest.mark.parametrize(
    "document",
    [
        {"price": [{"currencyId": "b7", "gross": 19.99, "net": 16.8}], "currency": "EUR"},
        {"price": {"gross": {"amount": "19,99", "currency": "EUR"}}},
        {"price": {"amount": {"$numberDecimal": "19.99"}, "currency": "EUR"}},
        {"priceRange": {"minVariantPrice": {"amount": "19.99", "currencyCode": "EUR"}}},
        {"pricing": {"priceRange": {"start": {"gross": {"amount": 19.99, "currency": "EUR"}}}}},
        {"prices": {"price": "1999", "currency_code": "EUR", "currency_minor_unit": 2}},
    ],
)
def test_prices_of_shops_apis_are_amounts(tmp_path: Path, document: dict[str, Any]) -> None:
    item = product(json_rows(tmp_path, {"id": "1", "image": "1.jpg"} | document)[0])
    assert (item.attributes["price"], item.attributes["currency"]) == (19.99, "EUR")


@pytest.mark.parametrize(("visibility", "hidden"), [(1, True), (2, False), (4, False)])
def test_products_of_magentos_api_have_their_attributes_and_visibility(
    tmp_path: Path, visibility: int, hidden: bool
) -> None:
    document = {
        "sku": "24-MB01",
        "name": "Bag",
        "type_id": "simple",
        "visibility": visibility,
        "custom_attributes": [
            {"attribute_code": "image", "value": "/m/b/mb01.jpg"},
            {"attribute_code": "name", "value": "another"},
            {"attribute_code": "material", "value": ["Leather"]},
        ],
    }
    item = product(json_rows(tmp_path, {"items": [document]}, mapping=FeedMapping(image_base_url="https://a.test"))[0])
    assert item.hidden == hidden
    if not hidden:
        assert (item.title, item.image) == ("Bag", "https://a.test/m/b/mb01.jpg")
        assert item.attributes["material"] == "Leather"


PRODUCTS = {
    "10": {"title": "A", "image": "1.jpg", "nested": {"image": "9.jpg", "name": "n"}},
    'a"b': {"name": "B", "images": [{"src": "2.jpg"}], "variants": [{"a": {"b": 1}}]},
    "12": {"id": "own", "title": "C", "image": "3.jpg"},
}


@pytest.mark.parametrize("indent", [None, 1])
@pytest.mark.parametrize(
    "document",
    [
        PRODUCTS,
        {"products": PRODUCTS},
        {"total": 3, "data": {"items": PRODUCTS}, "page": 1},
        {"products": PRODUCTS | {"count": 3}},
    ],
)
def test_products_may_be_in_an_object_under_their_ids(
    tmp_path: Path, document: dict[str, Any], indent: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(json_items, "CHUNK", 7)
    rows = read_text(tmp_path, "feed.json", json.dumps(document, indent=indent))
    assert [(row.key, product(row).title) for row in rows] == [("10", "A"), ('a"b', "B"), ("own", "C")]


@pytest.mark.parametrize(
    "document",
    [
        {"related": {"image": "9.jpg", "title": "n"}, "id": "1", "image": "1.jpg"},
        {"id": "1", "image": {"url": "1.jpg", "title": "n"}},
        {"product": {"id": "1", "title": "A", "image": "1.jpg"}},
    ],
)
def test_a_product_with_objects_is_no_object_of_products(tmp_path: Path, document: dict[str, Any]) -> None:
    assert [row.key for row in read_text(tmp_path, "feed.json", json.dumps(document))] == ["1"]
    lines = [document, document | {"id": "2"}] if "id" in document else [document]
    assert keys(json_rows(tmp_path, *lines)) == ["1", "2"][: len(lines)]


def test_objects_on_one_line_follow_each_other(tmp_path: Path) -> None:
    text = b'{"id": 1, "image": "1.jpg"}{"id": 2, "image": "2.jpg"} {"id": 3, "image": "3.jpg"}'
    assert [row.key for row in json_rows(tmp_path, text)] == ["1", "2", "3"]


GOOD = '{"id": "%s", "image": "1.jpg"}'


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('[%s, "x", null]', ["1", '"x"', "null"]),
        ('["x", %s]', ['"x"', "1"]),
        ('{"products": [5, %s, [{"id": "9"}], "a]{"]}', ["5", "1", '[{"id":"9"}]', '"a]{"']),
        ('{"data": {"items": [true]}}', ["true"]),
        ("[%s nonsense, {]", None),
        ("[1,\n2,\n%s]", ["1", "2", "1"]),
        ("[%s,,]", ["1"]),
        ("\x1e%s\n\x1e", ["1"]),
    ],
)
def test_each_entry_of_a_list_that_is_no_object_is_rejected_by_name(
    tmp_path: Path, text: str, expected: list[str] | None
) -> None:
    text = text.replace("%s", GOOD % 1)
    if expected is None:
        with pytest.raises(SourceError, match="truncated"):
            read_text(tmp_path, "feed.json", text)
        return
    rows = read_text(tmp_path, "feed.json", text)
    shown = [row.reason if isinstance(row, RejectedRow) else row.key for row in rows]
    assert [text.removeprefix("the entry ").removesuffix(" is not a JSON object") for text in shown] == expected


@given(st.lists(st.sampled_from(['{"id": "%d", "image": "1.jpg"}', "7", '"a, ]{b"', "null", "[1, {}]"]), max_size=30))
def test_no_entry_of_a_list_is_lost(entries: list[str]) -> None:
    lines = [entry.replace("%d", str(number)) for number, entry in enumerate(entries)]
    with TemporaryDirectory() as folder:
        rows = read_text(Path(folder), "feed.json", '{"products": [' + ",\n".join(lines) + "]}")
    assert len(rows) == len(entries)
    assert [row.key for row in rows] == [str(n) if "%d" in entry else None for n, entry in enumerate(entries)]


def test_a_product_of_woocommerces_api_is_read(tmp_path: Path) -> None:
    document = {
        "id": 799,
        "name": "Ship Your Idea",
        "permalink": "https://shop.example/product/ship-your-idea/",
        "status": "publish",
        "catalog_visibility": "visible",
        "price": "20",
        "regular_price": "25",
        "stock_status": "instock",
        "categories": [{"id": 9, "name": "Clothing", "slug": "clothing"}, {"id": 14, "name": "T-shirts"}],
        "images": [{"id": 1, "src": "https://shop.example/1.jpg"}, {"id": 2, "src": "https://shop.example/2.jpg"}],
        "attributes": [
            {"id": 6, "name": "Color", "options": ["Black", "Green"]},
            {"id": 0, "name": "Size", "options": ["S"]},
        ],
    }
    rows = [product(row) for row in json_rows(tmp_path, document, document | {"id": 800, "status": "draft"})]
    assert (rows[0].key, rows[0].title, rows[0].url) == ("799", "Ship Your Idea", document["permalink"])
    assert rows[0].category_words == ("Clothing",)
    expected = {"Color": ["Black", "Green"], "Size": "S", "price": 20, "availability": "in_stock"}
    assert rows[0].attributes.items() >= (expected | {"categories": ["Clothing", "T-shirts"]}).items()
    assert rows[1].hidden
