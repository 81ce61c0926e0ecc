"""WooCommerce's product CSV (Products → Export), in the languages of WordPress."""

import re
from typing import Any

from services.catalogue.sources.formats.google_fields import attribute_name, with_attributes
from services.catalogue.sources.records.disk_table import DiskTable
from services.catalogue.sources.records.money import DecimalSeparator
from services.catalogue.sources.records.rows import RowError
from services.catalogue.sources.records.visibility import is_visible
from services.catalogue.sources.shops.shop_table import (
    Cells,
    ShopFormat,
    ShopProduct,
    is_within,
    present_prices,
    split_list,
)

# The headings of an export, in English and in the translations of WooCommerce, in lower case without question marks.
HEADINGS = {
    "id": "id",
    "type": "type,typ,tipo",
    "sku": "sku,ugs,artikelnummer,cod,ref,référence,art.-nr.",
    "name": "name,nom,nombre,nome,naam,nazwa,namn,navn,název,nimi",
    "published": "published,veröffentlicht,publié,publicado,pubblicato,gepubliceerd,opublikowano,opublikowany,"
    "publicerad,publiceret,publikováno",
    "visibility": "visibility in catalog,visibility in catalogue,sichtbarkeit im katalog,visibilité dans le catalogue,"
    "visibilidad en el catálogo,visibilità nel catalogo,zichtbaarheid in catalogus,visibilidade no catálogo,"
    "widoczność w katalogu,synlighet i katalog,synlighed i katalog",
    "description": "description,beschreibung,descripción,descrizione,beschrijving,descrição,opis,beskrivning,"
    "beskrivelse",
    "sale_starts": "date sale price starts,datum an dem angebotspreis beginnt,date de début de promo,"
    "día en que empieza el precio rebajado,data di inizio dell'offerta,datum begin actieprijs,"
    "data de início do preço promocional,data rozpoczęcia ceny promocyjnej",
    "sale_ends": "date sale price ends,datum an dem angebotspreis endet,date de fin de promo,"
    "día en que termina el precio rebajado,data in cui termina l'offerta,datum einde actieprijs,"
    "data do fim do preço promocional,data zakończenia ceny promocyjnej",
    "in_stock": "in stock,vorrätig,en stock,existencias,en inventario,op voorraad,em estoque,em stock,w magazynie,"
    "i lager,på lager",
    "regular_price": "regular price,regulärer preis,tarif régulier,precio normal,prezzo di listino,reguliere prijs,"
    "preço,preço normal,cena,cena regularna,ordinarie pris,normalpris",
    "sale_price": "sale price,angebotspreis,tarif promo,precio rebajado,prezzo in offerta,actieprijs,"
    "preço promocional,cena promocyjna,rabatterat pris,tilbudspris",
    "categories": "categories,kategorien,catégories,categorías,categorie,categorieën,categorias,kategorie,kategorier",
    "tags": "tags,schlagwörter,étiquettes,etiquetas,tag,tagi,etiketter",
    "images": "images,bilder,imágenes,immagini,immagine,afbeeldingen,imagens,obrazki,obrázky,billeder",
    "parent": "parent,übergeordnetes produkt,superior,genitore,hoofd,ascendente,nadrzędny,rodič,förälder,forælder",
    "brands": "brands,brand,marken,marques,marcas,marchi,merken,marki,varumärken",
}
COLUMNS = {heading: name for name, headings in HEADINGS.items() for heading in headings.split(",")}
GTIN = re.compile(r"gtin\b.*\b(?:upc|ean)\b.*", re.IGNORECASE)
ATTRIBUTE = re.compile(r"att?ribu|atryb|eigenschap|egenska")
NAME = re.compile(r"\b(?:name|nom|nombre|nome|naam|nazwa|namn|navn)\b")
VALUE = re.compile(r"\b(?:value|wert|valeur|valor|valores|valore|valori|waarde|wartoś\w*|värde|værdi)\b")
# An export has several of these; other tables with names, types and images do not.
DISTINCT = frozenset({"visibility", "regular_price", "sale_price", "published", "parent", "in_stock", "categories"})
LEAST_DISTINCT = 3
SHARED = ("name", "categories", "tags", "images", "brands")  # what variations have from their parent


def _heading(column: str) -> str:
    text = re.sub(r"[?¿,]", "", column.replace("’", "'").replace("\xa0", " ")).strip().lower()
    return re.sub(r"\s+", " ", text)


def _attribute_part(heading: str) -> str | None:
    """Return `attribute_name 1` or `attribute_value 1` for the heading of an attribute's name or values."""
    number = re.search(r"\d+", heading)
    if number is None or ATTRIBUTE.search(heading) is None or heading.startswith("meta:"):
        return None
    part = "value" if VALUE.search(heading) else "name" if NAME.search(heading) else None
    return None if part is None else f"attribute_{part} {number[0]}"


class WooCommerce(ShopFormat):
    """The format of WooCommerce's export. Variations are products; they share the group of their parent."""

    kind = "WooCommerce products"
    needs = "Name, Images, and some of Type, Published, Regular price, Categories"

    def is_format(self, columns: list[str]) -> bool:
        """Return whether a table has the columns of this format."""
        names = {self.name(column) for column in columns}
        return {"name", "images"} <= names and bool({"id", "sku"} & names) and len(DISTINCT & names) >= LEAST_DISTINCT

    def name(self, column: str) -> str | None:
        """Return the format's own name of a column, or None if it is ignored."""
        heading = _heading(column)
        return "gtin" if GTIN.fullmatch(heading) else COLUMNS.get(heading) or _attribute_part(heading)

    def remember(self, cells: Cells, facts: DiskTable) -> None:
        """Remember parents by id and SKU, and the prices and pictures of visible variations by their parent."""
        if parent := _parent(cells):
            if _is_shown(cells):
                facts.append(parent, _own_prices(cells) | {"images": cells.get("images", "")})
        elif "variable" in cells.get("type", "variable"):
            value = {name: cells.get(name, "") for name in SHARED} | {
                "group": _group(cells),
                "attributes": _attributes(cells),
                "visibility": _visibility(cells),
            }
            for reference in _references(cells):
                facts.put(reference, value)

    def product(self, cells: Cells, facts: DiskTable, decimal_separator: DecimalSeparator | None) -> ShopProduct:
        """Return the product of a row. Variations lack what their parent has, and parents have no price."""
        reference = _parent(cells)
        parent: dict[str, Any] = (facts.get(reference) if reference else None) or {}
        variations = [value for own in _references(cells) for value in facts.values(own)]
        own = {name: cells.get(name) or parent.get(name, "") for name in SHARED}
        pictures = own["images"] or next((value["images"] for value in variations if value["images"]), "")
        images = split_list(pictures)
        record: dict[str, Any] = {
            "title": own["name"],
            "sku": cells.get("sku"),
            "gtin": cells.get("gtin"),
            "brand": own["brands"],
            **present_prices(_own_prices(cells), variations, "sale_price", decimal_separator),
            "availability": cells.get("in_stock"),
            "product_type": split_list(own["categories"]),
            "tags": split_list(own["tags"]),
            "image": images[0] if images else None,
            "additional_image_link": images[1:],
            "body_html": cells.get("description"),
            "group": parent.get("group") or reference.partition(":")[2] or _own_group(cells, variations),
        }
        attributes = {**parent.get("attributes", {}), **_attributes(cells)}
        key = cells.get("id") or cells.get("sku", "")
        visibility = (_visibility(cells), parent.get("visibility", {}))
        return ShopProduct(key, with_attributes(record, attributes), visibility)


def _parent(cells: Cells) -> str:
    """Return the reference of a row's parent, `id:12` or `sku:SHIRT`, or an empty text."""
    parent = cells.get("parent", "")
    return parent.replace(" ", "") if re.fullmatch(r"id:\s*\d+", parent) else f"sku:{parent}" if parent else ""


def _references(cells: Cells) -> list[str]:
    """Return the references by which variations name a row."""
    return [f"{name}:{cells[name]}" for name in ("id", "sku") if cells.get(name)]


def _group(cells: Cells) -> str:
    return cells.get("sku") or cells.get("id", "")


def _own_group(cells: Cells, variations: list[dict[str, str]]) -> str | None:
    """Return the group of a product with variations."""
    return _group(cells) if variations or "variable" in cells.get("type", "") else None


def _visibility(cells: Cells) -> dict[str, str]:
    return {"published": cells.get("published", ""), "visibility in catalog": cells.get("visibility", "")}


def _is_shown(cells: Cells) -> bool:
    try:
        return is_visible(_visibility(cells))
    except RowError:
        return False


def _attributes(cells: Cells) -> dict[str, list[str]]:
    attributes: dict[str, list[str]] = {}
    for name, text in cells.items():
        if name.startswith("attribute_name ") and text:
            values = split_list(cells.get(f"attribute_value {name.removeprefix('attribute_name ')}", ""), ",|")
            label = attribute_name(text)
            if values and label:
                attributes["color" if label == "colour" else label] = values
    return attributes


def _own_prices(cells: Cells) -> dict[str, str]:
    """Return the regular price, and the sale price unless it is outside its dates."""
    is_now = is_within(cells.get("sale_starts", ""), cells.get("sale_ends", ""))
    return {
        "regular_price": cells.get("regular_price", ""),
        "sale_price": cells.get("sale_price", "") if is_now else "",
    }
