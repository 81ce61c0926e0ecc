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
