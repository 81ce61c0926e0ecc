"""Magento's product CSV: additional attributes, configurable products, visibility, store views and picture paths."""

import csv
import io
from pathlib import Path

import pytest

from services.catalogue.sources.open_source import open_source
from services.catalogue.sources.records.mapping import FeedMapping
from services.catalogue.sources.records.rows import notes_of
from tests.support.feeds.rows import csv_rows, outcomes, product

COLUMNS = [
    "sku",
    "store_view_code",
    "attribute_set_code",
    "product_type",
    "categories",
    "name",
    "description",
    "product_online",
    "visibility",
    "price",
    "special_price",
    "special_price_from_date",
    "special_price_to_date",
    "url_key",
    "base_image",
    "additional_images",
    "additional_attributes",
    "qty",
    "is_in_stock",
    "configurable_variations",
]
SHIRT = {
    "sku": "S-1",
    "product_type": "simple",
    "name": "Shirt",
    "categories": "Default Category/Men/Tops,Default Category/New",
    "product_online": "1",
    "visibility": "Catalog, Search",
    "price": "25.0000",
    "base_image": "/s/h/shirt.jpg",
    "additional_images": "/s/h/back.jpg,/s/h/shirt.jpg",
    "additional_attributes": "color=Blue,size=M",
    "qty": "3.0000",
    "is_in_stock": "1",
}
RED = SHIRT | {
    "sku": "S-R",
    "visibility": "Not Visible Individually",
    "additional_attributes": "color=Red",
    "price": "20",
}
STYLE = SHIRT | {
    "sku": "S",
    "product_type": "configurable",
    "price": "",
    "additional_attributes": "",
    "base_image": "no_selection",
    "additional_images": "",
    "configurable_variations": "sku=S-1,color=Blue,size=M|sku=S-R,color=Red,size=M",
}
MEDIA = FeedMapping(image_base_url="https://shop.example/media/catalog/product")


def table(*rows: dict[str, str]) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS)
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def test_a_simple_product_has_its_attributes_categories_prices_and_pictures(tmp_path: Path) -> None:
    (row,) = map(product, csv_rows(tmp_path, table(SHIRT), mapping=MEDIA))
    assert (row.key, row.title, row.group) == ("S-1", "Shirt", None)
    assert row.category_words == ("Men > Tops", "Tops", "Men", "New")
    assert row.image == "https://shop.example/media/catalog/product/s/h/shirt.jpg"
    assert [image.name for image in row.images] == ["https://shop.example/media/catalog/product/s/h/back.jpg"]
    assert row.attributes.items() >= {"color": "Blue", "size": "M", "price": 25, "availability": "in_stock"}.items()


def test_without_a_base_address_pictures_are_files_in_the_folder_of_images(tmp_path: Path) -> None:
    (tmp_path / "media" / "s" / "h").mkdir(parents=True)
    (tmp_path / "media" / "s" / "h" / "shirt.jpg").write_bytes(b"picture")
    (row,) = map(product, csv_rows(tmp_path, table(SHIRT), images_root=tmp_path / "media"))
    assert callable(row.image)
    assert row.image() == b"picture"


@pytest.mark.parametrize("order", [[STYLE, SHIRT, RED], [RED, SHIRT, STYLE]])
def test_a_configurable_product_is_the_group_of_its_variations(tmp_path: Path, order: list[dict[str, str]]) -> None:
    rows = {row.key: row for row in map(product, csv_rows(tmp_path, table(*order), mapping=MEDIA))}
    assert rows["S-R"].hidden
    assert (rows["S"].group, rows["S-1"].group) == ("S", "S")
    assert rows["S"].attributes.items() >= {"color": ["Blue", "Red"], "size": "M", "price": 20}.items()
    assert rows["S"].image == "https://shop.example/media/catalog/product/s/h/shirt.jpg"


@pytest.mark.parametrize(
    ("cells", "hidden"),
    [
        ({"visibility": "1"}, True),
        ({"visibility": "2"}, False),
        ({"visibility": "3"}, False),
        ({"visibility": "4"}, False),
        ({"visibility": "Catalog"}, False),
        ({"visibility": "Search"}, False),
        ({"visibility": "Not Visible Individually"}, True),
        ({"product_online": "2"}, True),
        ({"product_online": "0"}, True),
    ],
)
def test_visibility_is_a_number_or_words(tmp_path: Path, cells: dict[str, str], hidden: bool) -> None:
    assert product(csv_rows(tmp_path, table(SHIRT | cells))[0]).hidden == hidden


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("material=Cotton|Wool,size=M", {"material": ["Cotton", "Wool"], "size": "M"}),
        ("material=Cotton, washed,size=M", {"material": "Cotton, washed", "size": "M"}),
        ('"material=Cotton, washed","size=M"', {"material": "Cotton, washed", "size": "M"}),
        ('material="Cotton",size=M', {"material": "Cotton", "size": "M"}),
        ("note=a=b", {"note": "a=b"}),
        ("has_options=1,required_options=0,gift_message_available=1,size=M", {"size": "M"}),
        ("nonsense", {}),
        ("", {}),
    ],
)
def test_additional_attributes_are_pairs(tmp_path: Path, text: str, expected: dict[str, object]) -> None:
    attributes = product(csv_rows(tmp_path, table(SHIRT | {"additional_attributes": text}))[0]).attributes
    names = ("color", "size", "material", "note", "has_options", "gift_message_available", "nonsense")
    assert {name: attributes[name] for name in names if name in attributes} == expected


def test_a_special_price_counts_between_its_dates(tmp_path: Path) -> None:
    dates = [("", "", 19), ("1/23/2016", "", 19), ("1/23/16, 7:45 PM", "1/23/2999", 19), ("", "1/23/2016", 25)]
    for begin, end, price in dates:
        cells = {"special_price": "19", "special_price_from_date": begin, "special_price_to_date": end}
        assert product(csv_rows(tmp_path, table(SHIRT | cells))[0]).attributes["price"] == price


def test_rows_of_other_store_views_are_left_out_and_noted(tmp_path: Path) -> None:
    path = tmp_path / "export.csv"
    german = {"sku": "S-1", "store_view_code": "de", "name": "Hemd"}
    only = SHIRT | {"sku": "S-2", "store_view_code": "nl", "name": "Overhemd"}
    path.write_text(table(SHIRT, german, only, only | {"store_view_code": "fr"}))
    source = open_source(path)
    assert [(row.key, product(row).title) for row in source.rows()] == [("S-1", "Shirt"), ("S-2", "Overhemd")]
    assert notes_of(source) == ("2 rows repeat a product for another store view: left out",)
    source.close()


def test_stock_is_the_flag_or_the_quantity(tmp_path: Path) -> None:
    cells = [{"is_in_stock": "0"}, {"is_in_stock": "", "qty": "0.0000"}, {"is_in_stock": "", "qty": "2"}]
    availabilities = [product(csv_rows(tmp_path, table(SHIRT | cell))[0]).attributes["availability"] for cell in cells]
    assert availabilities == ["out_of_stock", "out_of_stock", "in_stock"]


def test_rows_without_sku_or_picture_and_duplicates_are_rejected(tmp_path: Path) -> None:
    rows = csv_rows(
        tmp_path,
        table(SHIRT, SHIRT, SHIRT | {"sku": ""}, SHIRT | {"sku": "x", "base_image": "", "additional_images": ""}),
    )
    assert outcomes(rows) == [
        (2, "S-1", ""),
        (3, "S-1", "the id S-1 is already on line 2"),
        (4, None, "the id is missing"),
        (5, "x", "there is no image: neither a path nor a URL"),
    ]
