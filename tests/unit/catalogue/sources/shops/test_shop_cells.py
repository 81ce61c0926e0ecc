"""What single cells of the exports of Magento, PrestaShop, WooCommerce and Shopify mean."""

from pathlib import Path
from typing import Any

import pytest

from services.catalogue.sources.records.mapping import FeedMapping
from services.catalogue.sources.records.rows import SourceRow
from services.catalogue.sources.shops import shopify_csv
from tests.support.feeds.rows import csv_rows, outcomes, product, read_text

IMAGE = "https://a.test/1.jpg"
QUANTITY, TRACKER = "Variant Inventory Qty", "Variant Inventory Tracker"
FIRST = {
    "magento": {"sku": "1", "product_type": "simple", "name": "Shirt", "base_image": IMAGE, "price": "9"},
    "magento1": {"sku": "1", "_type": "simple", "_attribute_set": "x", "name": "Shirt", "image": IMAGE, "price": "9"},
    "prestashop": {
        **{"Product ID": "1", "Name": "Shirt", "Reference": "", "Active": "1", "Price (tax excl.)": "9"},
        **{"Quantity": "", "Image": IMAGE, "Category": ""},
    },
    "woocommerce": {
        **{"ID": "1", "Type": "simple", "SKU": "", "Name": "Shirt", "Published": "1", "Regular price": "9"},
        **{"Categories": "", "Images": IMAGE, "Parent": ""},
    },
    "shopify": {"Handle": "1", "Title": "Shirt", "Image Src": IMAGE, "Variant Price": "9"},
}


def table(shop: str, *rows: dict[str, str]) -> str:
    """Return an export; each row has the cells of the shop's first row unless it names others."""
    columns = list(dict.fromkeys([*FIRST[shop], *(name for row in rows for name in row)]))
    cells = [[(FIRST[shop] | row).get(name, "") for name in columns] for row in rows]
    return "\n".join(";".join(f'"{cell}"' for cell in line) for line in [columns, *cells]) + "\n"


def rows(folder: Path, shop: str, *cells: dict[str, str]) -> list[SourceRow]:
    return [product(row) for row in csv_rows(folder, table(shop, *cells))]


@pytest.mark.parametrize(
    ("shop", "cells", "expected"),
    [
        ("magento", {"qty": "1"}, {"availability": "in_stock"}),
        ("magento", {"qty": "0.5"}, {"availability": "in_stock"}),
        ("magento", {"qty": "0"}, {"availability": "out_of_stock"}),
        ("magento", {"qty": "-1.0"}, {"availability": "out_of_stock"}),
        ("magento", {"qty": "many"}, {}),
        ("magento", {"qty": "5", "is_in_stock": "0"}, {"availability": "out_of_stock"}),
        ("magento", {"special_price": "7"}, {"price": 7, "regular_price": 9, "special_price": 7}),
        ("magento", {"special_price": "7", "special_price_to_date": "2020-01-01"}, {"price": 9, "regular_price": 9}),
        ("magento", {"special_price": "7", "special_price_from_date": "2999-01-01"}, {"price": 9, "regular_price": 9}),
        ("magento", {"additional_attributes": "fit=slim,eu=1|2,gift_wrap=1,x"}, {"fit": "slim", "eu": ["1", "2"]}),
        ("magento", {"categories": "Men,Default Category,Default Category/A/B"}, {"product_type": ["Men", "A > B"]}),
        ("magento1", {"qty": "1"}, {"availability": "in_stock"}),
        ("magento1", {"fit": "slim", "gift_wrap": "1"}, {"fit": "slim"}),
        ("prestashop", {"Quantity": "1"}, {"availability": "in_stock"}),
        ("prestashop", {"Quantity": "0,5"}, {"availability": "in_stock"}),
        ("prestashop", {"Quantity": "0"}, {"availability": "out_of_stock"}),
        ("prestashop", {"Quantity": "many"}, {}),
        ("prestashop", {"Price (tax incl.)": "10"}, {"price": 10}),
        ("prestashop", {"Price (tax incl.)": ""}, {"price": 9}),
        ("prestashop", {"Price (tax incl.)": "10", "Price": "5"}, {"price": 10}),
        ("prestashop", {"Tax (incl.)": "5"}, {}),
        ("prestashop", {"Price of shipping": "5"}, {}),
        ("prestashop", {"Discount amount": "2"}, {"price": 7, "regular_price": 9}),
        ("prestashop", {"Discount percent": "50%"}, {"price": 4.5, "regular_price": 9}),
        ("prestashop", {"Discount percent": "50", "Discount amount": "1"}, {"price": 3.5, "regular_price": 9}),
        ("prestashop", {"Discount amount": "10"}, {"price": 0, "regular_price": 9}),
        ("prestashop", {"Discount amount": "0"}, {"price": 9}),
        ("prestashop", {"Category": "A/B,C"}, {"product_type": ["A > B", "C"]}),
        ("prestashop", {"UPC": "036000291452"}, {"gtin": "036000291452"}),
        ("prestashop", {"UPC": "2", "EAN13": "1"}, {"gtin": "1"}),
        ("woocommerce", {"Sale price": "7"}, {"price": 7, "regular_price": 9, "sale_price": 7}),
        ("woocommerce", {"In stock?": "0"}, {"availability": "out_of_stock"}),
        (
            "woocommerce",
            {"Attribute 1 name": "Colour", "Attribute 1 value(s)": "Red | Blue, Green"},
            {"color": ["Red", "Blue", "Green"]},
        ),
        ("woocommerce", {"Attribute 1 name": "Fit", "Attribute 1 value(s)": ""}, {}),
        ("shopify", {QUANTITY: "1"}, {"availability": "in_stock"}),
        ("shopify", {QUANTITY: "0"}, {"availability": "out_of_stock"}),
        ("shopify", {QUANTITY: "-2", "Variant Inventory Policy": "Continue"}, {"availability": "in_stock"}),
        ("shopify", {QUANTITY: "0", TRACKER: ""}, {"availability": "in_stock"}),
        ("shopify", {QUANTITY: "0", TRACKER: "shopify"}, {"availability": "out_of_stock"}),
        ("shopify", {QUANTITY: "some"}, {}),
        ("shopify", {"Option1 Name": "Fit", "Option1 Value": "slim"}, {"fit": "slim"}),
        ("shopify", {"Option1 Name": "Title", "Option1 Value": "Default Title"}, {}),
        ("shopify", {"Variant SKU": "'007", "Variant Barcode": "'12"}, {"sku": "007", "gtin": "12"}),
        ("shopify", {"Tags": "a, ,b"}, {"tags": ["a", "b"]}),
        ("shopify", {"Google Shopping / Gender": "Men", "Google: Fit": "slim"}, {"gender": "men", "fit": "slim"}),
        ("shopify", {"Variant Grams": "5", "SEO Title": "x", "Gift Card": "false"}, {}),
        ("shopify", {"Variant Price": "9", "Variant Compare At Price": "12"}, {"price": 9, "compare_at_price": 12}),
    ],
)  # fmt: skip
def test_a_cell_gives_attributes(tmp_path: Path, shop: str, cells: dict[str, str], expected: dict[str, Any]) -> None:
    (row,) = rows(tmp_path, shop, cells)
    defaults: dict[str, Any] = {"price": 9} | (
        {"regular_price": 9} if shop in ("woocommerce", "magento", "magento1") else {}
    )
    defaults |= {"sku": "1"} if shop.startswith("magento") else {}
    assert row.attributes == defaults | expected
    assert row.problems == ()
    assert (row.key, row.title, row.image, row.images) == ("1", "Shirt", IMAGE, ())


def test_a_configurable_product_without_a_picture_has_that_of_its_first_variation(tmp_path: Path) -> None:
    red, blue = ({"sku": sku, "base_image": f"https://a.test/{sku}.jpg"} for sku in ("R", "B"))
    style = {"sku": "S", "base_image": "no_selection", "configurable_variations": "sku=R,color=Red|sku=B,color=Blue"}
    row = rows(tmp_path, "magento", style, red, blue)[0]
    assert (row.image, row.images, row.group) == ("https://a.test/R.jpg", (), "S")
    assert row.attributes["color"] == ["Red", "Blue"]


@pytest.mark.parametrize(
    ("positions", "images"),
    [(("", "", ""), "123"), (("3", "1", "2"), "231"), (("2", "", "1"), "312"), (("x", "1", ""), "123")],
)
def test_the_images_of_a_handle_are_in_the_order_of_their_positions(
    tmp_path: Path, positions: tuple[str, ...], images: str
) -> None:
    cells = [
        {"Image Src": f"https://a.test/{number}.jpg", "Image Position": position}
        for number, position in enumerate(positions, start=1)
    ]
    (row,) = rows(tmp_path, "shopify", *cells)
    assert [row.image, *(image.name for image in row.images)] == [f"https://a.test/{number}.jpg" for number in images]


def test_a_handle_has_a_limit_of_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shopify_csv, "MAX_ROWS", 2)
    near, far = {"Handle": "near", "Title": ""}, {"Handle": "far", "Title": ""}
    feed = csv_rows(tmp_path, table("shopify", near, near, near, far, {"Handle": "other"}, far, far))
    reason = "the handle has more than 2 rows"
    expected = [(4, "near", reason), (2, "near", ""), (6, "other", ""), (8, "far", reason), (5, "far", "")]
    assert outcomes(feed) == expected


def test_a_broken_row_names_its_handle_only_if_this_is_its_first_cell(tmp_path: Path) -> None:
    for header, key in [("Handle,Title,Image Src", "a"), ("Title,Handle,Image Src", None)]:
        assert outcomes(read_text(tmp_path, "shop.csv", f"{header}\na,b,c,d\n"))[0][:2] == (2, key)
    rest = "Name,Images,ID,Published,Regular price,Categories"
    for header, key in [(f"Code,{rest}", "a"), (f"Name,Code,{rest[5:]}", None)]:
        mapping = FeedMapping(columns={"Code": "id"})
        feed = read_text(tmp_path, "shop.csv", f"{header}\na,b,c,d,e,f,g,h\n", mapping=mapping)
        assert outcomes(feed)[0][:2] == (2, key)
    for header, key in [("ID,Name,Images", "a"), ("Name,ID,Images", None)]:
        text = f"{header},Type,Published,Regular price,Categories\na,b,c,d,e,f,g,h\n"
        assert outcomes(read_text(tmp_path, "shop.csv", text))[0][:2] == (2, key)


@pytest.mark.parametrize("title", ["x" * 10, "x" * 400])
def test_a_row_of_a_handle_with_another_title_is_rejected_with_a_short_reason(tmp_path: Path, title: str) -> None:
    first, other = {"Handle": "a", "Title": title}, {"Handle": "a", "Title": "other"}
    feed = csv_rows(tmp_path, table("shopify", first, {"Handle": "b"}, other, {"Handle": "a", "Title": ""}))
    assert [(line, key) for line, key, reason in outcomes(feed) if not reason] == [(3, "b"), (2, "a")]
    ((line, key, reason),) = [row for row in outcomes(feed) if row[2]]
    assert (line, key) == (4, "a")
    assert reason == f"the handle a is on line 2 with another title: {title!r}"[:300]
