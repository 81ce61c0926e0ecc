"""WooCommerce's product CSV: variations and parents, prices, pictures, hidden products, and translated headings."""

import csv
import io
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.catalogue.sources.open_source import open_source
from services.catalogue.sources.records.mapping import FeedMapping
from services.catalogue.sources.records.rows import RejectedRow, SourceRow
from tests.support.feeds.rows import Rows, csv_rows, keys, outcomes, product, read
from tests.support.values.cases import CASES, needs_cases

ENGLISH = [
    "ID",
    "Type",
    "SKU",
    "GTIN",
    "Name",
    "Published",
    "Visibility in catalog",
    "Description",
    "Date sale price starts",
    "Date sale price ends",
    "In stock?",
    "Sale price",
    "Regular price",
    "Categories",
    "Tags",
    "Images",
    "Parent",
    "Brands",
    "Attribute 1 name",
    "Attribute 1 value(s)",
    "Attribute 1 visible",
    "Attribute 2 name",
    "Attribute 2 value(s)",
]
ENGLISH[3] = "GTIN, UPC, EAN, or ISBN"
IMAGE = "https://shop.example/i/{}.jpg"
PARENT = {
    "ID": "10",
    "Type": "variable",
    "SKU": "TEE",
    "Name": "Tee",
    "Published": "1",
    "Visibility in catalog": "visible",
    "In stock?": "1",
    "Categories": "Clothing > Shirts, Sale",
    "Tags": "summer, cotton",
    "Images": IMAGE.format("tee"),
    "Brands": "Acme",
    "Attribute 1 name": "Colour",
    "Attribute 1 value(s)": "Red, Blue",
    "Attribute 2 name": "Fit",
    "Attribute 2 value(s)": "Slim",
}
RED = {
    "ID": "11",
    "Type": "variation",
    "SKU": "TEE-R",
    "Name": "Tee - Red",
    "Published": "1",
    "In stock?": "0",
    "Regular price": "20",
    "Images": IMAGE.format("red"),
    "Parent": "TEE",
    "Attribute 1 name": "Colour",
    "Attribute 1 value(s)": "Red",
    "GTIN, UPC, EAN, or ISBN": "0400638133393",
}
BLUE = RED | {
    "ID": "12",
    "SKU": "TEE-B",
    "Name": "",
    "Sale price": "15,50",
    "Images": "",
    "Attribute 1 value(s)": "Blue",
}


def table(*rows: dict[str, str], columns: list[str] | None = None, delimiter: str = ",") -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, columns or ENGLISH, delimiter=delimiter)
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def woo_rows(folder: Path, *rows: dict[str, str], mapping: FeedMapping | None = None) -> dict[str, SourceRow]:
    return {row.key: row for row in map(product, csv_rows(folder, table(*rows), mapping=mapping))}


def test_variations_are_products_that_share_the_group_of_their_parent(tmp_path: Path) -> None:
    rows = woo_rows(tmp_path, PARENT, RED, BLUE)
    assert [(key, row.title, row.group) for key, row in rows.items()] == [
        ("10", "Tee", "TEE"),
        ("11", "Tee - Red", "TEE"),
        ("12", "Tee", "TEE"),
    ]
    assert [row.image for row in rows.values()] == [IMAGE.format("tee"), IMAGE.format("red"), IMAGE.format("tee")]
    assert [row.attributes["color"] for row in rows.values()] == [["Red", "Blue"], "Red", "Blue"]
    assert all(row.attributes["fit"] == "Slim" for row in rows.values())
    assert all(row.attributes["brand"] == "Acme" for row in rows.values())
    assert all(row.category_words == ("Clothing > Shirts", "Shirts", "Clothing", "Sale") for row in rows.values())
    assert rows["11"].attributes["gtin"] == "0400638133393"
    assert [row.attributes["availability"] for row in rows.values()] == ["in_stock", "out_of_stock", "out_of_stock"]


def test_the_price_is_the_present_one_and_that_of_a_parent_its_cheapest_variation(tmp_path: Path) -> None:
    rows = woo_rows(tmp_path, PARENT, RED, BLUE)
    prices = [[row.attributes.get(name) for name in ("price", "regular_price", "sale_price")] for row in rows.values()]
    assert prices == [[15.5, 20, 15.5], [20, 20, None], [15.5, 20, 15.5]]


@pytest.mark.parametrize(
    ("starts", "ends", "price"),
    [
        ("", "", 15.5),
        ("2020-01-01", "", 15.5),
        ("2020-01-01 00:00:00", "2999-12-31", 15.5),
        ("", "2020-01-01", 20),
        ("2999-01-01", "", 20),
        ("soon", "later", 15.5),
    ],
)
def test_a_sale_price_counts_between_its_dates(tmp_path: Path, starts: str, ends: str, price: float) -> None:
    dates = {"Date sale price starts": starts, "Date sale price ends": ends}
    assert woo_rows(tmp_path, PARENT, BLUE | dates)["12"].attributes["price"] == price


@pytest.mark.parametrize(
    "ends",
    ["2017-01-31 0:00:00", "Jul 8, 2023", "July 8, 2023", "2023/07/13", "13/07/2023", "13.07.2023", "1689239400"],
)
def test_the_end_of_a_sale_is_read_in_the_forms_of_spreadsheets(tmp_path: Path, ends: str) -> None:
    sale = RED | {"Sale price": "15", "Date sale price ends": ends}
    assert woo_rows(tmp_path, PARENT, sale)["11"].attributes["price"] == 20


def test_an_attribute_with_the_name_of_a_field_or_of_a_visibility_hides_and_replaces_nothing(tmp_path: Path) -> None:
    names = {"Attribute 1 name": "Visibility", "Attribute 1 value(s)": "High", "Attribute 2 name": "Title"}
    row = woo_rows(tmp_path, PARENT | names)["10"]
    assert (row.title, row.hidden) == ("Tee", False)
    assert row.attributes.items() >= {"attribute_visibility": "High", "attribute_title": "Slim"}.items()


@pytest.mark.parametrize("parent", ["TEE", "id:10", "id: 10"])
@pytest.mark.parametrize("order", ["parent first", "parent last"])
def test_the_parent_is_named_by_sku_or_id_and_stands_anywhere(tmp_path: Path, parent: str, order: str) -> None:
    rows = [PARENT, RED | {"Parent": parent}]
    groups = [row.group for row in woo_rows(tmp_path, *(rows if order == "parent first" else rows[::-1])).values()]
    assert groups == ["TEE", "TEE"]


def test_a_variation_of_any_value_has_all_of_its_parents(tmp_path: Path) -> None:
    any_fit = {"Attribute 2 name": "Fit", "Attribute 2 value(s)": ""}
    parent = PARENT | {"Attribute 2 value(s)": "Slim, Wide"}
    assert woo_rows(tmp_path, parent, RED | any_fit)["11"].attributes["fit"] == ["Slim", "Wide"]


def test_types_have_several_words(tmp_path: Path) -> None:
    cells = {"Type": "simple, downloadable, virtual"}
    assert woo_rows(tmp_path, PARENT | cells)["10"].group is None
    assert woo_rows(tmp_path, PARENT | {"Type": "variable-subscription"})["10"].group == "TEE"


def test_a_parent_without_sku_gives_its_id_and_a_missing_parent_its_name(tmp_path: Path) -> None:
    rows = woo_rows(
        tmp_path, PARENT | {"SKU": ""}, RED | {"Parent": "id:10"}, BLUE | {"Parent": "GONE", "Images": "x.jpg"}
    )
    assert [row.group for row in rows.values()] == ["10", "10", "GONE"]


@pytest.mark.parametrize(
    "cells",
    [
        {"Published": "0"},
        {"Published": "-1"},
        {"Published": "'-1"},
        {"Published": "FALSCH"},
        {"Visibility in catalog": "hidden"},
    ],
)
def test_a_hidden_parent_hides_its_variations(tmp_path: Path, cells: dict[str, str]) -> None:
    rows = woo_rows(tmp_path, PARENT | cells, RED)
    assert [row.hidden for row in rows.values()] == [True, True]


def test_a_hidden_variation_gives_its_parent_no_price_and_an_unknown_word_rejects_the_row(tmp_path: Path) -> None:
    rows = csv_rows(
        tmp_path, table(PARENT, RED, BLUE | {"Published": "0"}, BLUE | {"ID": "13", "Published": "perhaps"})
    )
    assert product(rows[0]).attributes["price"] == 20
    assert product(rows[2]).hidden
    assert isinstance(rows[3], RejectedRow)
    assert rows[3].key == "13"
    assert "published is 'perhaps'" in rows[3].reason


def test_pictures_are_a_list_with_commas_and_a_parent_without_has_those_of_a_variation(tmp_path: Path) -> None:
    images = f"{IMAGE.format('a')}, {IMAGE.format('b')},{IMAGE.format('c')}"
    rows = woo_rows(tmp_path, PARENT | {"Images": images}, RED)
    assert [rows["10"].image, *(image.name for image in rows["10"].images)] == [IMAGE.format(n) for n in "abc"]
    assert woo_rows(tmp_path, PARENT | {"Images": ""}, RED)["10"].image == IMAGE.format("red")


def test_names_of_pictures_are_files_or_belong_to_a_web_address(tmp_path: Path) -> None:
    (tmp_path / "tee front.jpg").write_bytes(b"picture")
    row = woo_rows(tmp_path, PARENT | {"Images": "tee front.jpg, b.jpg"})["10"]
    assert callable(row.image)
    assert row.image() == b"picture"
    mapping = FeedMapping(image_base_url="https://shop.example/uploads/")
    row = woo_rows(tmp_path, PARENT | {"Images": "tee front.jpg, /2024/b.jpg"}, mapping=mapping)["10"]
    assert row.image == "https://shop.example/uploads/tee%20front.jpg"
    assert [image.name for image in row.images] == ["https://shop.example/uploads/2024/b.jpg"]


def test_commas_after_a_backslash_belong_to_the_value(tmp_path: Path) -> None:
    cells = {"Categories": r"Shirts\, tops > Long", "Attribute 1 value(s)": r"Red\, light, Blue | Green"}
    row = woo_rows(tmp_path, PARENT | cells)["10"]
    assert row.category_words[0] == "Shirts, tops > Long"
    assert row.attributes["color"] == ["Red, light", "Blue", "Green"]


TRANSLATED = {
    "German": "ID;Typ;Artikelnummer;GTIN, UPC, EAN oder ISBN;Name;Veröffentlicht;Sichtbarkeit im Katalog;Vorrätig?;"
    "Angebotspreis;Regulärer Preis;Kategorien;Bilder;Übergeordnetes Produkt;Marken;Attribut 1 Name;Attribut 1 Wert(e);"
    "Attribut 1 Sichtbar",
    "French": "ID;Type;UGS;GTIN, UPC, EAN ou ISBN;Nom;Publié;Visibilité dans le catalogue;En stock ?;Tarif promo;"
    "Tarif régulier;Catégories;Images;Parent;Marques;Nom de l’attribut 1;Valeur(s) de l’attribut 1 ;Attribut 1 visible",
    "Spanish": "ID;Tipo;SKU;GTIN, UPC, EAN o ISBN;Nombre;Publicado;Visibilidad en el catálogo;¿Existencias?;"
    "Precio rebajado;Precio normal;Categorías;Imágenes;Superior;Marcas;Nombre del atributo 1;Valor(es) del atributo 1;"
    "Atributo visible 1",
    "Italian": "ID;Tipo;SKU;GTIN, UPC, EAN, o ISBN;Nome;Pubblicato;Visibilità nel catalogo;In stock?;Prezzo in offerta;"
    "Prezzo di listino;Categorie;Immagine;Genitore;Marchi;Nome dell'attributo 1;Valore dell'attributo 1;"
    "Attributo 1 visibile",
}
VALUES = [
    "7",
    "simple",
    "S-7",
    "4006381333931",
    "Hemd",
    "1",
    "visible",
    "1",
    "",
    "1.299,00",
    "A > B",
    IMAGE.format("7"),
    "",
    "Acme",
    "Farbe",
    "Rot",
    "1",
]


@pytest.mark.parametrize("language", TRANSLATED)
def test_translated_headings_are_known(tmp_path: Path, language: str) -> None:
    columns = TRANSLATED[language].split(";")
    rows = csv_rows(tmp_path, table(dict(zip(columns, VALUES, strict=True)), columns=columns, delimiter=";"))
    (row,) = map(product, rows)
    assert (row.key, row.title, row.image, row.category_words[0]) == ("7", "Hemd", IMAGE.format("7"), "A > B")
    assert (
        row.attributes.items()
        >= {
            "sku": "S-7",
            "gtin": "4006381333931",
            "price": 1299,
            "brand": "Acme",
            "farbe": "Rot",
            "availability": "in_stock",
        }.items()
    )
    hidden = dict(zip(columns, VALUES, strict=True)) | {columns[5]: "0"}
    assert product(csv_rows(tmp_path, table(hidden, columns=columns, delimiter=";"))[0]).hidden


def test_a_mapping_names_the_id_and_ignored_and_other_columns(tmp_path: Path) -> None:
    mapping = FeedMapping(columns={"SKU": "id", "Description": "text"}, ignore=("Tags", "brand"))
    row = woo_rows(tmp_path, PARENT | {"Description": "Soft"}, mapping=mapping)["TEE"]
    assert row.attributes["text"] == "Soft"
    assert not {"tags", "brand"} & row.attributes.keys()


def test_duplicate_ids_and_rows_without_id_or_picture_are_rejected(tmp_path: Path) -> None:
    rows = csv_rows(tmp_path, table(PARENT, PARENT, PARENT | {"ID": "", "SKU": ""}, PARENT | {"ID": "5", "Images": ""}))
    assert outcomes(rows) == [
        (2, "10", ""),
        (3, "10", "the id 10 is already on line 2"),
        (4, None, "the id is missing"),
        (5, "5", "there is no image: neither a path nor a URL"),
    ]


def test_other_tables_with_names_and_images_are_not_woocommerces(tmp_path: Path) -> None:
    (tmp_path / "feed.csv").write_text("id,name,images,type\n1,x,https://a.test/1.jpg,shirt\n")
    source = open_source(tmp_path / "feed.csv")
    assert source.kind == "CSV feed"
    source.close()


@needs_cases
def test_the_shared_case_of_woocommerce() -> None:
    rows: Rows = read(CASES / "11-woocommerce.csv")
    assert keys(rows) == ["101", "102", "103", "104"]
    hoodie, blue, belt, cap = map(product, rows)
    assert (hoodie.title, blue.title, cap.title) == ("Hoodie", "Hoodie - Blue", "Cap")
    assert (hoodie.group, blue.group, cap.group) == ("HOODIE", "HOODIE", None)
    assert belt.hidden
    assert [row.attributes["price"] for row in (hoodie, blue, cap)] == [39.9, 39.9, 12.5]
    assert (blue.attributes["regular_price"], blue.attributes["gtin"]) == (45, "4006381333931")
    assert [len(row.images) for row in (hoodie, blue, cap)] == [1, 0, 1]
    assert hoodie.category_words[0] == "Clothing > Hoodies"


@settings(max_examples=40, deadline=None)
@given(st.permutations([PARENT, RED, BLUE, PARENT | {"ID": "20", "SKU": "CAP", "Type": "simple"}]))
def test_the_order_of_rows_changes_no_product(order: list[dict[str, str]]) -> None:
    with TemporaryDirectory() as first, TemporaryDirectory() as second:
        actual = woo_rows(Path(first), *order)
        expected = woo_rows(Path(second), *sorted(order, key=lambda row: row["ID"]))
    assert {key: (row.group, row.title, row.image, row.attributes) for key, row in actual.items()} == {
        key: (row.group, row.title, row.image, row.attributes) for key, row in expected.items()
    }
