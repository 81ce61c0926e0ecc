"""The product CSV of Magento 1: products of several rows, categories, pictures, configurable products and stores."""

import csv
import io
from pathlib import Path

import pytest

from services.catalogue.sources.open_source import open_source
from services.catalogue.sources.records.mapping import FeedMapping
from services.catalogue.sources.records.rows import SourceError
from tests.support.feeds.rows import csv_rows, outcomes, product

EXPORT = (
    "sku,_store,_attribute_set,_type,_category,_root_category,_product_websites,color,cost,created_at,description,fit,"
    "gender,has_options,image,image_label,manufacturer,meta_title,msrp,name,price,size,small_image,special_from_date,"
    "special_price,special_to_date,status,tax_class_id,url_key,visibility,weight,qty,min_qty,use_config_min_qty,"
    "is_in_stock,_media_attribute_id,_media_image,_super_products_sku,_super_attribute_code,_super_attribute_option"
)
PROFILE = (
    "store,websites,attribute_set,type,category_ids,sku,has_options,name,image,url_path,price,status,visibility,"
    "tax_class_id,qty,is_in_stock,store_id,product_name,color"
)
RED = {
    "sku": "S-R",
    "_attribute_set": "Clothing",
    "_type": "simple",
    "_category": "Men/Tees, Knits and Polos",
    "_root_category": "Default Category",
    "color": "Red",
    "size": "M",
    "image": "/s/red.jpg",
    "manufacturer": "Acme",
    "name": "Shirt, red",
    "price": "25.0000",
    "special_price": "19.9900",
    "special_from_date": "2013-03-14 00:00:00",
    "status": "1",
    "visibility": "1",
    "weight": "1.0000",
    "qty": "3.0000",
    "is_in_stock": "1",
    "_media_image": "/s/red.jpg",
}
STYLE = RED | {
    "sku": "S",
    "_type": "configurable",
    "color": "",
    "size": "",
    "image": "/s/shirt.jpg",
    "name": "Shirt",
    "price": "",
    "special_price": "",
    "visibility": "4",
    "_media_image": "/s/shirt.jpg",
    "_super_products_sku": "S-R",
    "_super_attribute_code": "color",
    "_super_attribute_option": "Red",
}
MORE = [
    {"_category": "Sale", "_media_image": "/s/back,1.jpg", "fit": "Slim"},
    {"_super_products_sku": "S-R", "_super_attribute_code": "size", "_super_attribute_option": "M", "fit": "Long"},
    {"_super_products_sku": "S-B", "_super_attribute_code": "color", "_super_attribute_option": "Blue"},
    {"_store": "german", "name": "Hemd", "fit": "Eng"},
]
MEDIA = FeedMapping(image_base_url="https://shop.example/media")


def table(*rows: dict[str, str], columns: str = EXPORT) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, columns.split(","))
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


@pytest.mark.parametrize("order", [[STYLE, *MORE, RED], [RED, STYLE, *MORE]], ids=["parent first", "parent last"])
def test_the_rows_without_sku_belong_to_the_product_above(tmp_path: Path, order: list[dict[str, str]]) -> None:
    rows = {row.key: row for row in map(product, csv_rows(tmp_path, table(*order), mapping=MEDIA))}
    assert rows["S-R"].hidden
    shirt = rows["S"]
    assert (shirt.title, shirt.group, shirt.image) == ("Shirt", "S", "https://shop.example/media/s/shirt.jpg")
    assert [image.name for image in shirt.images] == ["https://shop.example/media/s/back,1.jpg"]
    assert shirt.category_words == ("Men > Tees, Knits and Polos", "Tees, Knits and Polos", "Men", "Sale")
    assert shirt.attributes == {
        "sku": "S",
        "brand": "Acme",
        "availability": "in_stock",
        "product_type": ["Men > Tees, Knits and Polos", "Sale"],
        "fit": ["Slim", "Long"],
        "color": ["Red", "Blue"],
        "size": "M",
        "price": 19.99,
        "regular_price": 25,
        "special_price": 19.99,
    }


@pytest.mark.parametrize(
    ("cells", "hidden"),
    [({"status": "2"}, True), ({"visibility": "1"}, True), ({"visibility": "2"}, False), ({"visibility": "4"}, False)],
)
def test_status_and_visibility_are_numbers(tmp_path: Path, cells: dict[str, str], hidden: bool) -> None:
    assert product(csv_rows(tmp_path, table(RED | {"visibility": "4"} | cells))[0]).hidden == hidden


def test_a_table_of_data_profiles_has_words_and_the_store_of_all_values(tmp_path: Path) -> None:
    shirt = {
        "store": "admin",
        "attribute_set": "Default",
        "type": "simple",
        "category_ids": "2,3",
        "sku": "1-4",
        "name": "Shirt",
        "image": "/s/1.jpg",
        "price": "1.0000",
        "status": "Enabled",
        "visibility": "Catalog, Search",
        "is_in_stock": "1",
        "color": "Green",
    }
    german, off = shirt | {"store": "german", "name": "Hemd"}, shirt | {"sku": "1-5", "status": "Disabled"}
    first, second = map(product, csv_rows(tmp_path, table(shirt, german, off, columns=PROFILE), mapping=MEDIA))
    assert (first.key, first.title, second.key, second.hidden) == ("1-4", "Shirt", "1-5", True)
    assert first.attributes == {
        "sku": "1-4",
        "availability": "in_stock",
        "color": "Green",
        "price": 1,
        "regular_price": 1,
    }


def test_rows_after_a_broken_row_belong_to_no_product_above(tmp_path: Path) -> None:
    text = table(RED | {"visibility": "4"}, STYLE, *MORE)
    lines = text.splitlines()
    lines[2] += ",surplus"
    rows = csv_rows(tmp_path, "\n".join(lines) + "\n", mapping=MEDIA)
    assert outcomes(rows) == [
        (2, "S-R", ""),
        (3, "S", "the row has 41 fields instead of 40"),
        (4, None, "the id is missing"),
    ]
    assert product(rows[0]).attributes.get("fit") is None


def test_the_format_magento_needs_the_columns_of_one_of_its_forms(tmp_path: Path) -> None:
    path = tmp_path / "export.csv"
    path.write_text("sku,name,image\n1,A,1.jpg\n")
    with pytest.raises(SourceError, match=r"product_type, and base_image .*; or sku, name, image, and _type"):
        open_source(path, FeedMapping(format="magento"))
