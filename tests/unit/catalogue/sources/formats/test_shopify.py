"""Shopify's product CSV, as it was exported before 2025 and as it is since, and `products.json`."""

import csv
import io
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.catalogue.importing.description import Placer
from services.catalogue.sources.formats.shopify_csv import ShopifyCsv
from services.catalogue.sources.formats.shopify_json import ShopifyJson
from services.catalogue.sources.open_source import open_source
from services.catalogue.sources.records.mapping import FeedMapping
from services.catalogue.sources.records.rows import RejectedRow, SourceError, SourceRow

OLD_HEADER = (
    "Handle,Title,Body (HTML),Vendor,Product Category,Type,Tags,Published,Option1 Name,Option1 Value,Option1 Linked To,"
    "Option2 Name,Option2 Value,Option2 Linked To,Option3 Name,Option3 Value,Option3 Linked To,Variant SKU,"
    "Variant Grams,Variant Inventory Tracker,Variant Inventory Qty,Variant Inventory Policy,"
    "Variant Fulfillment Service,"
    "Variant Price,Variant Compare At Price,Variant Requires Shipping,Variant Taxable,Unit Price Total Measure,"
    "Unit Price Total Measure Unit,Unit Price Base Measure,Unit Price Base Measure Unit,Variant Barcode,Image Src,"
    "Image Position,Image Alt Text,Gift Card,SEO Title,SEO Description,Google Shopping / Google Product Category,"
    "Google Shopping / Gender,Google Shopping / Age Group,Google Shopping / MPN,Google Shopping / Condition,"
    "Google Shopping / Custom Product,Google Shopping / Custom Label 0,Google Shopping / Custom Label 1,"
    "Google Shopping / Custom Label 2,Google Shopping / Custom Label 3,Google Shopping / Custom Label 4,"
    "Fabric (product.metafields.shopify.fabric),Variant Image,Variant Weight Unit,Variant Tax Code,Cost per item,"
    "Included / Germany,Price / Germany,Compare At Price / Germany,Status"
)
NEW_HEADER = (
    "Title,URL handle,Description,Vendor,Product category,Type,Tags,Published on online store,Status,SKU,Barcode,"
    "Option1 name,Option1 value,Option1 Linked To,Option2 name,Option2 value,Option2 Linked To,Option3 name,"
    "Option3 value,Option3 Linked To,Price,Compare-at price,Cost per item,Charge tax,Tax code,Unit price total measure,"
    "Unit price total measure unit,Unit price base measure,Unit price base measure unit,Inventory tracker,"
    "Inventory quantity,Continue selling when out of stock,Weight value (grams),Weight unit for display,"
    "Requires shipping,Fulfillment service,Product image URL,Image position,Image alt text,"
    "Variant image URL,Gift card,SEO title,"
    "SEO description,Fabric (product.metafields.shopify.fabric),Google Shopping / Google product category,"
    "Google Shopping / Gender,Google Shopping / Age group,Google Shopping / Manufacturer part number (MPN),"
    "Google Shopping / Condition,Google Shopping / Custom product,Google Shopping / Custom label 0,"
    "Google Shopping / Custom label 1,Google Shopping / Custom label 2,Google Shopping / Custom label 3,"
    "Google Shopping / Custom label 4"
)
OLD, NEW = OLD_HEADER.split(","), NEW_HEADER.split(",")
CDN = "https://cdn.shopify.com/s/files/1/0001/products"
SHIRT: dict[str, str] = {
    "Handle": "linen-shirt",
    "Title": "Linen shirt",
    "Body (HTML)": '<p>A shirt of "linen".</p>\n<p>Cool, light</p>',
    "Vendor": "Acme",
    "Product Category": "Apparel & Accessories > Clothing > Clothing Tops > Shirts",
    "Type": "Shirts",
    "Tags": "summer, linen",
    "Published": "TRUE",
    "Option1 Name": "Colour",
    "Option1 Value": "White",
    "Option1 Linked To": "product.metafields.shopify.color-pattern",
    "Option2 Name": "Size",
    "Option2 Value": "M",
    "Option2 Linked To": "product.metafields.shopify.size",
    "Option3 Name": "Sleeve length",
    "Option3 Value": "Long",
    "Option3 Linked To": "product.metafields.shopify.sleeve-length-type",
    "Variant SKU": "'0041-W-M",
    "Variant Grams": "200",
    "Variant Inventory Tracker": "shopify",
    "Variant Inventory Qty": "0",
    "Variant Inventory Policy": "deny",
    "Variant Fulfillment Service": "manual",
    "Variant Price": "49.90",
    "Variant Compare At Price": "69.90",
    "Variant Requires Shipping": "true",
    "Variant Taxable": "true",
    "Unit Price Total Measure": "1",
    "Unit Price Total Measure Unit": "item",
    "Unit Price Base Measure": "1",
    "Unit Price Base Measure Unit": "item",
    "Variant Barcode": "04006381333931",
    "Image Src": f"{CDN}/front.jpg?v=1",
    "Image Position": "1",
    "Image Alt Text": "Front",
    "Gift Card": "false",
    "SEO Title": "Linen shirt | Acme",
    "SEO Description": "Buy it",
    "Google Shopping / Google Product Category": "212",
    "Google Shopping / Gender": "Male",
    "Google Shopping / Age Group": "Adult",
    "Google Shopping / MPN": "0815",
    "Google Shopping / Condition": "new",
    "Google Shopping / Custom Product": "FALSE",
    "Google Shopping / Custom Label 0": "summer",
    "Google Shopping / Custom Label 1": "2026",
    "Google Shopping / Custom Label 2": "a",
    "Google Shopping / Custom Label 3": "b",
    "Google Shopping / Custom Label 4": "c",
    "Fabric (product.metafields.shopify.fabric)": "linen; cotton",
    "Variant Image": f"{CDN}/white.jpg",
    "Variant Weight Unit": "kg",
    "Variant Tax Code": "PC040000",
    "Cost per item": "11.00",
    "Included / Germany": "true",
    "Price / Germany": "54.90",
    "Compare At Price / Germany": "74.90",
    "Status": "active",
}
SECOND = {
    "Handle": "linen-shirt",
    "Option1 Value": "Navy",
    "Option2 Value": "M",
    "Option3 Value": "Long",
    "Variant SKU": "0041-N-M",
    "Variant Inventory Tracker": "shopify",
    "Variant Inventory Qty": "4",
    "Variant Inventory Policy": "deny",
    "Variant Price": "44.90",
    "Image Src": f"{CDN}/back.jpg",
    "Image Position": "2",
}
ONLY_IMAGE = {"Handle": "linen-shirt", "Image Src": f"{CDN}/side.jpg", "Image Position": "3"}
RENAMED = {
    "Handle": "URL handle",
    "Body (HTML)": "Description",
    "Product Category": "Product category",
    "Published": "Published on online store",
    "Option1 Name": "Option1 name",
    "Option1 Value": "Option1 value",
    "Option2 Name": "Option2 name",
    "Option2 Value": "Option2 value",
    "Option3 Name": "Option3 name",
    "Option3 Value": "Option3 value",
    "Variant SKU": "SKU",
    "Variant Grams": "Weight value (grams)",
    "Variant Weight Unit": "Weight unit for display",
    "Variant Fulfillment Service": "Fulfillment service",
    "Variant Requires Shipping": "Requires shipping",
    "Variant Taxable": "Charge tax",
    "Variant Tax Code": "Tax code",
    "Unit Price Total Measure": "Unit price total measure",
    "Unit Price Total Measure Unit": "Unit price total measure unit",
    "Unit Price Base Measure": "Unit price base measure",
    "Unit Price Base Measure Unit": "Unit price base measure unit",
    "Image Alt Text": "Image alt text",
    "Gift Card": "Gift card",
    "SEO Title": "SEO title",
    "SEO Description": "SEO description",
    "Variant Inventory Tracker": "Inventory tracker",
    "Variant Inventory Qty": "Inventory quantity",
    "Variant Inventory Policy": "Continue selling when out of stock",
    "Variant Price": "Price",
    "Variant Compare At Price": "Compare-at price",
    "Variant Barcode": "Barcode",
    "Image Src": "Product image URL",
    "Image Position": "Image position",
    "Variant Image": "Variant image URL",
    "Google Shopping / Google Product Category": "Google Shopping / Google product category",
    "Google Shopping / Age Group": "Google Shopping / Age group",
    "Google Shopping / MPN": "Google Shopping / Manufacturer part number (MPN)",
    "Google Shopping / Custom Product": "Google Shopping / Custom product",
    **{f"Google Shopping / Custom Label {n}": f"Google Shopping / Custom label {n}" for n in range(5)},
}
OF_EVERY_COUNTRY = {"Included / Germany", "Price / Germany", "Compare At Price / Germany"}  # in the old export only
ATTRIBUTES: dict[str, Any] = {
    "brand": "Acme",
    "product_category": "Apparel & Accessories > Clothing > Clothing Tops > Shirts",
    "product_type": "Shirts",
    "tags": ["summer", "linen"],
    "color": ["White", "Navy"],
    "size": "M",
    "sleeve_length": "Long",
    "sku": ["0041-W-M", "0041-N-M"],
    "gtin": "04006381333931",
    "price": 44.9,
    "compare_at_price": 69.9,
    "availability": "in_stock",
}
GOOGLE: dict[str, Any] = {
    "google_product_category": "212",
    "gender": "male",
    "age_group": "adult",
    "mpn": "0815",
    "condition": "new",
    "custom_product": "FALSE",
    "custom_label_0": "summer",
    "custom_label_1": "2026",
    "custom_label_2": "a",
    "custom_label_3": "b",
    "custom_label_4": "c",
    "fabric": "linen; cotton",
}


def table(*rows: dict[str, str], columns: list[str] | None = None) -> str:
    file = io.StringIO()
    writer = csv.DictWriter(file, columns or OLD, restval="", extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return file.getvalue()


def renamed(row: dict[str, str]) -> dict[str, str]:
    return {RENAMED.get(name, name): value for name, value in row.items()}


def read(
    folder: Path, content: str | bytes, name: str = "products.csv", **options: Any
) -> list[SourceRow | RejectedRow]:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    source = open_source(path, **options)
    try:
        return list(source.rows())
    finally:
        source.close()


def product(row: SourceRow | RejectedRow) -> SourceRow:
    assert isinstance(row, SourceRow), row
    return row


def outcomes(rows: list[SourceRow | RejectedRow]) -> list[tuple[int | None, str | None, str]]:
    return [(row.line, row.key, row.reason if isinstance(row, RejectedRow) else "") for row in rows]


@pytest.mark.parametrize(
    "text",
    [
        table(SHIRT, SECOND, ONLY_IMAGE),
        table(*map(renamed, (SHIRT, SECOND, ONLY_IMAGE)), columns=NEW),
    ],
    ids=["before 2025", "since 2025"],
)
def test_the_rows_of_one_handle_are_one_product(tmp_path: Path, text: str) -> None:
    (row,) = read(tmp_path, text)
    found = product(row)
    assert (found.key, found.title, found.line) == ("linen-shirt", "Linen shirt", 2)
    assert found.image == found.image_url == f"{CDN}/front.jpg?v=1"
    assert found.attributes == ATTRIBUTES | GOOGLE
    assert [image.name for image in found.images] == [f"{CDN}/back.jpg", f"{CDN}/side.jpg"]
    assert set(found.left_out) == {"body_html", "cost_of_goods_sold"}
    assert found.category_words[:3] == ("Shirts", "Apparel & Accessories > Clothing > Clothing Tops > Shirts", "Shirts")
    assert not found.category_required


def test_the_tests_have_all_columns_of_both_exports() -> None:
    assert len(OLD) == len(set(OLD)) == 58
    assert len(NEW) == len(set(NEW)) == 55
    assert set(SHIRT) == set(OLD)
    assert set(renamed(SHIRT)) - OF_EVERY_COUNTRY == set(NEW)
    assert all(SHIRT.values())


def test_the_main_image_is_the_first_by_position_or_that_of_a_variant(
    tmp_path: Path,
) -> None:
    swapped = [
        SHIRT | {"Image Position": "2"},
        SECOND | {"Image Position": "1", "Image Src": "//cdn.shopify.com/b.jpg"},
    ]
    assert product(read(tmp_path, table(*swapped))[0]).image_url == "https://cdn.shopify.com/b.jpg"
    assert product(read(tmp_path, table(SHIRT | {"Image Src": ""}))[0]).image_url == f"{CDN}/white.jpg"
    ignoring = FeedMapping(ignore=("additional_image_link",))
    assert product(read(tmp_path, table(SHIRT, SECOND, ONLY_IMAGE), mapping=ignoring)[0]).images == ()


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        ({"Variant Inventory Qty": "0"}, "out_of_stock"),
        ({"Variant Inventory Qty": "-2", "Variant Inventory Policy": "continue"}, "in_stock"),
        ({"Variant Inventory Tracker": "", "Variant Inventory Qty": ""}, "in_stock"),
        ({"Variant Inventory Qty": "3"}, "in_stock"),
        ({"Variant Inventory Qty": ""}, None),
    ],
)
def test_availability_depends_on_the_stock(tmp_path: Path, cells: dict[str, str], expected: str | None) -> None:
    assert product(read(tmp_path, table(SHIRT | cells))[0]).attributes.get("availability") == expected


@pytest.mark.parametrize("cells", [{"Status": "draft"}, {"Status": "archived"}, {"Published": "FALSE"}])
def test_a_product_that_is_not_visible_in_the_shop_is_skipped(tmp_path: Path, cells: dict[str, str]) -> None:
    (row,) = read(tmp_path, table(SHIRT | cells, SECOND))
    assert Placer(("Topwear", "Shirts"), FeedMapping()).place(product(row)) is None


def test_a_product_without_options_has_no_option_attributes(tmp_path: Path) -> None:
    plain = SHIRT | {"Option1 Name": "Title", "Option1 Value": "Default Title", "Option2 Name": "", "Option2 Value": ""}
    found = product(read(tmp_path, table(plain))[0]).attributes
    assert not {"title", "color", "size"} & set(found)


def test_broken_rows_and_duplicate_handles_are_rejected_with_their_lines_and_the_others_are_read(
    tmp_path: Path,
) -> None:
    good = {"Title": "x", "Image Src": f"{CDN}/a.jpg"}
    text = table(
        {"Handle": "a"} | good, {"Handle": "b"} | good, {"Handle": "a"} | good, {"Handle": ""} | good, {"Handle": "c"}
    )
    lines = text.encode().split(b"\n")
    lines[2:2] = [b"a,too,few", b'a,"open', b"a,Caf\xe9"]
    assert sorted(outcomes(read(tmp_path, b"\n".join(lines))), key=lambda entry: entry[0] or 0) == [
        (2, "a", ""),
        (3, None, "the row has 3 fields instead of 58"),
        (4, None, "a quote on this line is not closed"),
        (5, None, "not UTF-8 at byte 6 of the line"),
        (6, "b", ""),
        (7, "a", "the handle a is already on line 2"),
        (8, None, "the handle is missing"),
        (9, "c", "there is no image: neither a path nor a URL"),
    ]


def test_a_description_with_many_lines_is_one_field(tmp_path: Path) -> None:
    long = SHIRT | {"Body (HTML)": '<p class="a">\n' * 300}
    rows = read(tmp_path, table(long, SECOND, {"Handle": "next", "Image Src": f"{CDN}/n.jpg"}))
    assert [row.key for row in rows] == ["linen-shirt", "next"]


STOREFRONT: dict[str, Any] = {
    "id": 632910392,
    "title": "Linen shirt",
    "handle": "linen-shirt",
    "body_html": '<p>A {shirt} of "linen" [sic]</p>',
    "published_at": "2026-11-01T10:00:00+01:00",
    "created_at": "2026-11-01T09:00:00+01:00",
    "updated_at": "2026-11-02T09:00:00+01:00",
    "vendor": "Acme",
    "product_type": "Shirts",
    "tags": ["summer", "linen"],
    "variants": [
        {
            "id": 1,
            "title": "White / M",
            "option1": "White",
            "option2": "M",
            "option3": "Long",
            "sku": "0041-W-M",
            "requires_shipping": True,
            "taxable": True,
            "featured_image": None,
            "available": False,
            "price": "49.90",
            "grams": 200,
            "compare_at_price": "69.90",
            "position": 1,
            "product_id": 632910392,
            "barcode": "04006381333931",
        },
        {
            "id": 2,
            "option1": "Navy",
            "option2": "M",
            "option3": "Long",
            "sku": "0041-N-M",
            "available": True,
            "price": "44.90",
        },
    ],
    "images": [
        {"id": 12, "position": 2, "src": f"{CDN}/back.jpg", "variant_ids": [], "width": 800, "height": 1000},
        {"id": 11, "position": 1, "src": f"{CDN}/front.jpg?v=1", "variant_ids": [1], "width": 800, "height": 1000},
    ],
    "options": [
        {"name": "Colour", "position": 1, "values": ["White", "Navy"]},
        {"name": "Size", "position": 2, "values": ["M"]},
        {"name": "Sleeve length", "position": 3, "values": ["Long"]},
    ],
}
ADMIN = STOREFRONT | {
    "tags": "summer, linen",
    "status": "active",
    "published_scope": "global",
    "template_suffix": None,
    "admin_graphql_api_id": "gid://shopify/Product/632910392",
    "image": {"id": 11, "position": 1, "src": f"{CDN}/front.jpg?v=1"},
    "variants": [
        {key: value for key, value in variant.items() if key != "available"}
        | {"inventory_quantity": 4 * n, "inventory_policy": "deny", "inventory_management": "shopify"}
        for n, variant in enumerate(STOREFRONT["variants"])
    ],
}


def page(*products: Any) -> bytes:
    return orjson.dumps({"products": products})


@pytest.mark.parametrize("document", [STOREFRONT, ADMIN], ids=["storefront", "Admin API"])
def test_products_json_has_the_same_product_as_the_csv(tmp_path: Path, document: dict[str, Any]) -> None:
    found = product(read(tmp_path, page(document), "products.json")[0])
    csv_row = product(read(tmp_path, table(SHIRT, SECOND))[0])
    assert (found.key, found.title, found.image_url) == (csv_row.key, csv_row.title, csv_row.image_url)
    assert found.attributes == {name: value for name, value in ATTRIBUTES.items() if name != "product_category"}
    assert found.category_words == ("Shirts",)
    assert [image.name for image in found.images] == [f"{CDN}/back.jpg"]
    assert set(found.left_out) == {"body_html"}


def test_a_draft_and_an_unpublished_product_are_skipped(tmp_path: Path) -> None:
    rows = read(tmp_path, page(ADMIN | {"status": "draft"}, ADMIN | {"handle": "b", "published_at": None}), "p.json")
    assert [Placer(("Shirts",), FeedMapping()).place(product(row)) for row in rows] == [None, None]


def test_a_file_can_have_several_pages(tmp_path: Path) -> None:
    other = [STOREFRONT | {"handle": name} for name in ("a", "b", "a", "")]
    text = (
        b'{"x": [{"handle": "no"}], "products" : [' + orjson.dumps(other[0]) + b",\n" + orjson.dumps(other[1]) + b"]}\n"
    )
    rows = outcomes(read(tmp_path, text + page(STOREFRONT, *other[2:]), "products.json"))
    assert rows == [
        (1, "a", ""),
        (2, "b", ""),
        (3, "linen-shirt", ""),
        (3, "a", "the handle a is already on line 1"),
        (3, None, "the id is missing"),
    ]


def test_an_object_that_is_not_json_is_rejected_and_the_others_are_read(tmp_path: Path) -> None:
    text = b'{"products": [\n{"handle": nonsense},\n' + orjson.dumps(STOREFRONT) + b"\n]}"
    rows = outcomes(read(tmp_path, text, "products.json"))
    assert [(line, key) for line, key, _ in rows] == [(2, None), (3, "linen-shirt")]
    assert rows[0][2].startswith("not JSON: ")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (b"{}", 'has no list "products"'),
        (b'[{"handle": "a"}]', 'has no list "products"'),
        (b'{"products": ' + b"[" * 2000, "nested more than 1000 levels deep"),
        (page(STOREFRONT)[:-40], "is truncated at line 1"),
        (page(STOREFRONT)[:-2], "is truncated at line 1"),
    ],
)
def test_a_file_without_products_and_a_truncated_file_are_errors(tmp_path: Path, text: bytes, reason: str) -> None:
    with pytest.raises(SourceError, match=reason):
        read(tmp_path, text, "products.json")


@given(
    titles=st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=20), max_size=6),
    size=st.integers(1, 40),
)
def test_objects_do_not_depend_on_the_chunks_of_the_file(
    tmp_path_factory: pytest.TempPathFactory, titles: list[str], size: int
) -> None:
    folder = tmp_path_factory.mktemp("chunks")
    image = {"src": f"{CDN}/a.jpg", "note": '\\"{['}
    products = [{"handle": f"p{n}", "title": title, "images": [image]} for n, title in enumerate(titles)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("services.catalogue.sources.parsing.json_items.CHUNK", size)
        rows = [product(row) for row in read(folder, page(*products), "products.json")]
    assert [(row.key, row.title) for row in rows] == [(f"p{n}", t.strip() or None) for n, t in enumerate(titles)]


def test_the_format_is_recognised_by_the_columns_and_the_suffix(tmp_path: Path) -> None:
    for name, text, kind in [("a.csv", table(SHIRT), ShopifyCsv), ("b.json", "{}", ShopifyJson)]:
        (tmp_path / name).write_text(text)
        source = open_source(tmp_path / name)
        assert type(source) is kind
        assert source.progress()[1] == len(text.encode())
        source.close()
