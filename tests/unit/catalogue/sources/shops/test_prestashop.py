"""PrestaShop's tables: the columns of its import in several languages, and the list of products."""

from pathlib import Path

import pytest

from services.catalogue.sources.open_source import open_source
from services.catalogue.sources.records.mapping import FeedMapping
from services.catalogue.sources.records.rows import SourceError
from tests.support.feeds.rows import csv_rows, product

IMAGES = "https://shop.example/img/p/1/1.jpg,https://shop.example/img/p/2/2.jpg"
HEADINGS = {
    "English": "Product ID;Active (0/1);Name *;Categories (x,y,z...);Price tax excluded;Price tax included;Reference #;"
    "Manufacturer;EAN13;Quantity;Visibility;Image URLs (x,y,z...);Condition;Feature (Name:Value:Position:Customized)",
    "French": "ID;Actif (0/1);Nom *;Catégories (x,y,z...);Prix HT;Prix TTC;Référence n°;Marque;EAN-13;Quantité;"
    "Visibilité;URL des images (x,y,z, etc.);État;Caractéristique (Nom:Valeur:Position:Personnalisé)",
    "German": "ID;Aktiv (0/1);Name;Kategorien (x,y,z...);Preis (zzgl. MwSt.);Preis (inkl. MwSt.);Artikel-Nr.;"
    "Hersteller;EAN13;Menge;Sichtbarkeit;Bild-URLs (x,y,z...);Zustand;Merkmal (Name:Wert:Position:Angepasst)",
    "Spanish": "ID;Activo (0/1);Nombre *;Categorías (x,y,z...);Precio sin impuestos;Precio con impuestos;Referencia;"
    "Fabricante;EAN13;Cantidad;Visibilidad;URLs de imágenes (x,y,z...);Condición;"
    "Característica (Nombre:Valor:Posición:Personalizado)",
    "Italian": "ID;Attivo (0/1);Nome;Categorie (x,y,z...);Prezzo tasse escluse;Prezzo tasse incluse;Riferimento;Marca;"
    "EAN13;Quantità;Visibilità;URL immagini (x,y,z...);Condizione;"
    "Caratteristica (Nome:Valore:Posizione:Personalizzato)",
}
FEATURES = "Fabric:Cotton:1,Fit:Slim:2:0"
VALUES = f'4;1;Robe;"Women,Dresses/Summer";20;24,00;R-4;Acme;0400638133393;5;both;"{IMAGES}";new;"{FEATURES}"'


@pytest.mark.parametrize("language", HEADINGS)
def test_the_headings_of_the_import_are_known_in_several_languages(tmp_path: Path, language: str) -> None:
    (row,) = map(product, csv_rows(tmp_path, f"{HEADINGS[language]}\n{VALUES}\n"))
    assert (row.key, row.title, row.image) == ("4", "Robe", "https://shop.example/img/p/1/1.jpg")
    assert [image.name for image in row.images] == ["https://shop.example/img/p/2/2.jpg"]
    assert row.category_words == ("Women", "Dresses > Summer", "Summer", "Dresses")
    assert (
        row.attributes.items()
        >= {
            "price": 24,
            "sku": "R-4",
            "brand": "Acme",
            "gtin": "0400638133393",
            "availability": "in_stock",
            "condition": "new",
            "fabric": "Cotton",
            "fit": "Slim",
        }.items()
    )


@pytest.mark.parametrize(
    ("gross", "net"),
    [
        ("Price tax included", "Price tax excluded or Price tax included"),
        ("Prix TTC", "Prix hors taxe"),
        ("Precio impuestos INCLUIDOS", "Precio sin IVA"),
        ("Prezzo (Tasse Incluse)", "Prezzo (Tasse Escluse)"),
        ("Cena zawiera podatek. (brutto)", "Cena bez podatku. (netto)"),
        ("Preis (inkl. MwSt.)", "Nettopreis"),
    ],
)
def test_the_price_with_tax_counts_before_the_one_without_and_no_other_is_a_price(
    tmp_path: Path, gross: str, net: str
) -> None:
    head = f"ID;Active (0/1);Name;Image URLs (x,y,z...);Wholesale price;Prix unitaire;Koszt własny;{net}"
    values = "1;1;Shirt;https://shop.example/1.jpg;7;8;9"
    (with_tax,) = map(product, csv_rows(tmp_path, f"{head};{gross}\n{values};20;24\n"))
    (without,) = map(product, csv_rows(tmp_path, f"{head}\n{values};20\n"))
    assert (with_tax.attributes["price"], without.attributes["price"]) == (24, 20)


DISCOUNTS = {
    "English": "Discount amount;Discount percent;Discount from (yyyy-mm-dd);Discount to (yyyy-mm-dd)",
    "French": "Montant de la remise;Pourcentage de réduction;Réduction de (AAAA-MM-JJ);Réduction à (AAAA-MM-JJ)",
    "German": "Rabattbetrag;Rabatt in Prozent;Rabatt von (jjjj-mm-tt);Rabatt bis (jjjj-mm-tt)",
    "Spanish": "Valor del descuento;Porcentaje de descuento;Descuento desde (aaaa-mm-dd);Descuento hasta (aaaa-mm-dd)",
    "Italian": "Importo sconto;Percentuale sconto;Sconto dal (aaaa-mm-gg);Sconto al (aaaa-mm-gg)",
    "Polish": "Wartość rabatu;Procent rabatu;Rabat od dnia (rrrr-mm-dd);Rabat do dnia (rrrr-mm-dd)",
}


def discounted(folder: Path, cells: str, language: str = "English", price: str = "40,00 €") -> dict[str, object]:
    values = f"{VALUES}".replace("24,00", price)
    row = product(csv_rows(folder, f"{HEADINGS['English']};{DISCOUNTS[language]}\n{values};{cells}\n")[0])
    problems = {problem.column: problem.value for problem in row.problems}
    return {name: row.attributes[name] for name in ("price", "regular_price") if name in row.attributes} | problems


@pytest.mark.parametrize("language", DISCOUNTS)
def test_a_discount_gives_the_present_price_in_several_languages(tmp_path: Path, language: str) -> None:
    assert discounted(tmp_path, ";5,5;2013-06-01;2999-12-31", language) == {"price": 37.8, "regular_price": 40}
    assert discounted(tmp_path, "10;;;", language) == {"price": 30, "regular_price": 40}


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        (";20%;;", {"price": 32, "regular_price": 40}),
        ("5;10;0000-00-00;0000-00-00", {"price": 31, "regular_price": 40}),
        ("100;;;", {"price": 0, "regular_price": 40}),
        (";20;2013-06-01;2018-12-31", {"price": 40}),
        (";20;2998-06-01;2999-12-31", {"price": 40}),
        ("0;0;;", {"price": 40}),
        (";;;", {"price": 40}),
        ("half;;;", {"price": 40, "discount_price": "half"}),
    ],
)
def test_a_discount_counts_between_its_dates_and_is_named_if_it_cannot_be_read(
    tmp_path: Path, cells: str, expected: dict[str, object]
) -> None:
    assert discounted(tmp_path, cells) == expected


def test_a_discount_of_a_price_that_cannot_be_read_is_no_price(tmp_path: Path) -> None:
    assert discounted(tmp_path, "5;;;", price="on request") == {"price": "on request"}


@pytest.mark.parametrize(
    ("column", "value", "hidden", "condition"),
    [
        ("Stan", "new", False, "new"),
        ("Estado", "used", False, "used"),
        ("Estado", "0", True, None),
        ("État", "1", False, None),
    ],
)
def test_a_column_for_the_state_is_the_condition_or_the_status(
    tmp_path: Path, column: str, value: str, hidden: bool, condition: str | None
) -> None:
    text = f"ID;Name;Categories (x,y,z...);Image URLs (x,y,z...);{column}\n1;A;B;https://shop.example/1.jpg;{value}\n"
    row = product(csv_rows(tmp_path, text)[0])
    assert (row.hidden, row.attributes.get("condition")) == (hidden, condition)


def test_features_of_version_1_4_are_columns(tmp_path: Path) -> None:
    text = "id;Active (0/1);Name*;Image URLs (x,y,z);Feature:Fabric;Feature:Life\n1;1;A;https://a.test/1.jpg;Wool;\n"
    row = product(csv_rows(tmp_path, text)[0])
    assert row.attributes == {"fabric": "Wool"}


def test_combinations_without_their_products_are_an_error(tmp_path: Path) -> None:
    text = (
        "Product ID*;Attribute (Name:Type:Position)*;Value (Value:Position)*;Reference;Image URLs (x,y,z...)\n1;;;;\n"
    )
    with pytest.raises(SourceError, match="PrestaShop's combinations"):
        csv_rows(tmp_path, text)


@pytest.mark.parametrize(
    ("active", "visibility", "hidden"),
    [("1", "both", False), ("0", "both", True), ("1", "none", True), ("1", "catalog", False), ("1", "search", False)],
)
def test_inactive_and_invisible_products_are_hidden(tmp_path: Path, active: str, visibility: str, hidden: bool) -> None:
    values = VALUES.replace(";1;Robe", f";{active};Robe").replace(";both;", f";{visibility};")
    assert product(csv_rows(tmp_path, f"{HEADINGS['English']}\n{values}\n")[0]).hidden == hidden


def test_the_list_of_products_is_read_with_the_whole_picture_and_the_price_with_tax(tmp_path: Path) -> None:
    text = (
        '"Product ID";Image;Name;Reference;Category;"Price (tax excl.)";"Price (tax incl.)";Quantity;Status;Position\n'
        '1;https://shop.example/img/p/2/4/24-small_default.jpg;Shirt;demo_1;Men;"€19.12";"€22.94";0;1;1\n'
        '2;https://shop.example/25-home_default/pullover.jpg;Pullover;demo_2;Men;"€19.12";"€22.94";7;0;2\n'
    )
    shirt, pullover = map(product, csv_rows(tmp_path, text))
    assert shirt.image == "https://shop.example/img/p/2/4/24.jpg"
    assert shirt.attributes.items() >= {"price": 22.94, "currency": "EUR", "availability": "out_of_stock"}.items()
    assert pullover.hidden


def test_the_format_can_be_named_and_must_fit(tmp_path: Path) -> None:
    path = tmp_path / "export.dat"
    path.write_text("ID;Name;Image\n1;Shirt;https://shop.example/1.jpg\n")
    with pytest.raises(SourceError, match="cannot be imported"):
        open_source(path)
    with pytest.raises(
        SourceError, match="does not have the columns of the PrestaShop products: ID, Name and Image URLs"
    ):
        open_source(path, FeedMapping(format="prestashop"))
    source = open_source(path, FeedMapping(format="csv"))
    assert [row.key for row in source.rows()] == ["1"]
    source.close()
    with pytest.raises(SourceError, match="Shopify export"):
        open_source(path, FeedMapping(format="shopify"))
    path.write_text(f"{HEADINGS['English']}\n{VALUES}\n")
    source = open_source(path, FeedMapping(format="prestashop"))
    assert [row.key for row in source.rows()] == ["4"]
    source.close()


@pytest.mark.parametrize(
    ("name", "text", "kind"),
    [
        ("feed", "<products><product><id>1</id></product></products>", "Google product feed"),
        ("feed", '\n[{"id": 1}]', "JSON feed"),
        ("feed.csv", "id,image_link\n", "Google product feed"),
    ],
)
def test_a_named_format_needs_no_suffix(tmp_path: Path, name: str, text: str, kind: str) -> None:
    (tmp_path / name).write_text(text)
    source = open_source(tmp_path / name, FeedMapping(format="google"))
    assert source.kind == kind
    source.close()
