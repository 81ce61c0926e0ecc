"""The fields and attributes of a record."""

from pathlib import Path

import pytest

from services.catalogue.product import MAX_ATTRIBUTES
from services.catalogue.sources.records.mapping import FeedMapping
from tests.support.feeds.rows import csv_rows, json_rows, product, reasons


@pytest.mark.parametrize("url", ["/", "/p/A1?colour=red#size", "/p/A//B", "https://shop.test/p/A1"])
def test_a_page_is_a_web_address_or_a_path_of_the_shops_site(tmp_path: Path, url: str) -> None:
    (row,) = json_rows(tmp_path, {"id": "1", "image": "1.jpg", "url": url})
    assert product(row).url == url


@pytest.mark.parametrize("key", [".", ".."])
def test_a_step_in_a_path_is_no_id(tmp_path: Path, key: str) -> None:
    rows = json_rows(tmp_path, {"id": key, "image": "1.jpg"}, {"id": f"{key}.", "image": "1.jpg"})
    reason = f"the id cannot be {key!r}: browsers and proxies remove it from addresses"
    assert reasons(rows)[0] == (1, None, reason)
    assert len(reasons(rows)) == (2 if key == "." else 1)


def test_the_names_of_fields_are_recognised_in_any_case(tmp_path: Path) -> None:
    (row,) = csv_rows(tmp_path, "ID, Image ,Title\n1,1.jpg,Shirt\n")
    assert product(row).title == "Shirt"


def test_a_mapping_renames_the_columns(tmp_path: Path) -> None:
    mapping = FeedMapping.model_validate(
        {"columns": {"sku": "id", "Bild": "image", "Farbe": "baseColour"}, "ignore": ["id"], "types": {"code": "text"}}
    )
    (row,) = csv_rows(tmp_path, "id,sku,Bild,Farbe,code\nx,A1,1.jpg,rot,42\n", mapping=mapping)
    assert product(row).key == "A1"
    assert product(row).attributes == {"baseColour": "rot", "code": "42"}


def test_labels_of_digits_stay_text(tmp_path: Path) -> None:
    (row,) = csv_rows(tmp_path, "id,image,gtin,size\n1,1.jpg,4006381333931,38\n")
    assert product(row).attributes == {"gtin": "4006381333931", "size": "38"}


def test_values_that_cannot_be_attributes_are_left_out_and_named(tmp_path: Path) -> None:
    (row,) = json_rows(
        tmp_path, {"id": "1", "image": "1.jpg", "description": "x" * 257, "variants": [{"a": 1}], "nested": {"a": 1}}
    )
    assert product(row).attributes == {}
    assert product(row).left_out == ("description", "variants", "nested")


def test_attribute_names_are_valid_in_the_database(tmp_path: Path) -> None:
    (row,) = json_rows(tmp_path, {"id": "1", "image": "1.jpg", "$set": 1, "a.b": 2, "": 3, "n" * 200: 4})
    assert product(row).attributes == {"set": 1, "a_b": 2, "n" * 128: 4}


def test_an_integer_that_is_too_large_for_the_database_is_a_float(tmp_path: Path) -> None:
    (row,) = json_rows(tmp_path, b'{"id": "1", "image": "1.jpg", "big": 18446744073709551615}')
    assert product(row).attributes["big"] == 2.0**64


def test_a_product_of_a_feed_has_at_most_a_hundred_attributes(tmp_path: Path) -> None:
    names = {f"field{number}": number for number in range(500)}
    (row,) = json_rows(
        tmp_path, {"id": "1", "image": "1.jpg", "category": "Shirts", **names, "price": "29.90 EUR", "sale_price": "9"}
    )
    attributes = product(row).attributes
    assert len(attributes) <= MAX_ATTRIBUTES
    assert (attributes["price"], attributes["sale_price"], attributes["currency"]) == (29.9, 9, "EUR")
    assert (attributes["field0"], attributes["category"]) == (0, "Shirts")
    assert set(product(row).left_out) == names.keys() - attributes.keys()
