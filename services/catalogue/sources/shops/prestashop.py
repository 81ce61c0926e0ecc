"""PrestaShop's product CSV: the list of products, and the columns of its import, in several languages."""

import re
import unicodedata
from typing import Any

from services.catalogue.sources.formats.google_fields import attribute_name, with_attributes
from services.catalogue.sources.records.availability import google_word
from services.catalogue.sources.records.disk_table import DiskTable
from services.catalogue.sources.records.money import DecimalSeparator, MoneyError, read_money
from services.catalogue.sources.shops.shop_table import Cells, ShopFormat, ShopProduct, is_within, split_list


def _set(text: str) -> frozenset[str]:
    return frozenset(text.split())


# The headings in English, French, German, Spanish, Italian, Dutch, Portuguese and Polish: lower case, without accents,
# signs, and parentheses with their content.
HEADINGS = {
    "id": "id,product id,codice prodotto,id prodotto,id produit,id du produit,produkt id,id producto,id del producto,"
    "id produto,id produktu",
    "active": "active,actif,aktiv,activo,attivo,actief,ativo,aktywny,aktywne,status,statut,enabled",
    "state": "etat du produit,etat,estado,stato,stan",  # of a list: active or not; of the import: the condition
    "name": "name,nom,nombre,nome,naam,nazwa,product name",
    "categories": "categories,nomi delle categorie,categorie,category,kategorien,kategorie,categorias,categoria,"
    "categorieen,kategoria",
    "sku": "reference,referencia,artikelnummer,artikel nr,riferimento,referentie,referencja,indeks,kod produktu,"
    "reference n,reference no,reference n o,referencia n,referencia no,referencia n o",
    "brand": "manufacturer,brand,marque,fabricant,hersteller,marke,fabricante,marca,produttore,merk,fabrikant,"
    "producent,marka",
    "gtin": "ean13,ean 13,ean,ean13 ou jan,ean o jan,kod ean13",
    "upc": "upc,kod kreskowy upc",
    "mpn": "mpn",
    "quantity": "quantity,quantite,menge,anzahl,cantidad,quantita,hoeveelheid,quantidade,ilosc",
    "visibility": "visibility,visibilite,sichtbarkeit,visibilidad,visibilita,zichtbaarheid,visibilidade,widocznosc",
    "tags": "tags,mot cles,mots cles,tag,schlagworter,stichworte,etiquetas,parole chiave,labels,tagi",
    "condition": "condition,zustand,condicion,estado del producto,condizione,conditie,condicao,stan produktu",
    "features": "feature,features,caracteristique,caracteristiques,merkmal,funktion,caracteristica,caracteristicas,"
    "caratteristica,caratteristiche,kenmerk,cecha,cechy",
    "description": "description,beschreibung,descripcion,descrizione,omschrijving,descricao,opis",
}
COLUMNS = {heading: name for name, headings in HEADINGS.items() for heading in headings.split(",")}
FEATURE = re.compile(r"(?:feature|carac?teristi\w+|merkmal|kenmerk|cecha)\s*:\s*(.+)")  # `Feature:Height`
# The words of headings of prices: `Price tax excluded`, `Prix TTC`, `Preis (inkl. MwSt.)`, `Cena brutto`.
PRICES = _set("price prix preis precio prezzo prijs preco cena bruttopreis nettopreis endpreis")
GROSS = _set(
    "included incl including inclus incluses ttc inkl mit con incluidos incluido incluse inclusa inclusief com brutto "
    "zawiera final finale koncowa bruttopreis endpreis"
)
NET = _set(
    "excluded excl excluding exclus exclues ht hors zzgl ohne sin excluidos excluido escluse esclusa exclusief sem "
    "netto nie bez base basis nettopreis"
)
TAX = _set(
    "tax taxes taxe taxa mwst steuer iva impuestos imposto impostos tasse btw podatek podatku de di do del or ou oder "
    "o of lub"
)
# Those of pictures: `Image URLs (x,y,z...)`, `URL immagine di copertina`.
PICTURES = _set(
    "image images bild bilder imagen imagenes immagine immagini afbeelding afbeeldingen imagem imagens zdjecie zdjecia "
    "zdjec obraz obrazy photo photos"
)
ADDRESSES = _set("url urls s d l des de las los der die di delle van das do dos adres adresy cover copertina")
# `Discount amount`, `Rabatt in Prozent`, `Descuento desde (aaaa-mm-dd)`.
DISCOUNT = re.compile(r"discount|remise|reduction|rabat|descuento|sconto|korting|desconto")
DISCOUNT_PARTS = (
    ("discount_percent", re.compile(r"per ?cent|pro[zc]ent|porcent|pourcent")),
    ("discount", re.compile(r"amount|montant|betrag|valor|importe|cantidad|importo|bedrag|wartosc|kwota|montante")),
    ("discount_from", re.compile(r"partir")),
    ("discount_to", re.compile(r"\b(?:to|bis|hasta|al?|fino|tot|do|ate|au|jusqu)\b")),
    ("discount_from", re.compile(r"\b(?:from|von|ab|desde|d[aei]|dal|du|van|od)\b")),
)
# Headings that only PrestaShop writes: with the form of the value, or with the tax.
OWN = re.compile(r"\(\s*x\s*[,.]\s*y\s*[,.]\s*z\b|\(0\s*(?:/|lub)\s*1\)|\(0\s*=")
TAX_IN_BRACKETS = re.compile(r"\((?:tax|impuestos|ttc|ht|iva|tasse|btw|steuer|inkl|zzgl|brutto|netto)[^)]*\)")
LIST_COLUMNS = frozenset({"id", "images", "name", "sku", "quantity", "active"})  # those of the list of products
THUMBNAIL = re.compile(r"-[a-z]+_(?:default|mini)(?=\.\w+$)|(?<=\d)-[a-z]+(?=\.(?:jpe?g|png|webp)$)")
SEPARATORS = ",|"


def has_combinations(columns: list[str]) -> bool:
    """Return whether a table has the columns of PrestaShop's combinations, which are variants of products."""
    starts = ("attribute (", "attribut (", "atributo (", "attributo (", "attribuut (", "atrybut (")
    has_attribute = any(_plain(column).startswith(starts) for column in columns)
    return has_attribute and any("id" in _heading(column).split() for column in columns)


def _plain(column: str) -> str:
    """Return a heading in lower case without accents."""
    text = unicodedata.normalize("NFKD", column.strip().lower())
    return "".join(character for character in text if not unicodedata.combining(character)).replace("ł", "l")


def _price_column(heading: str) -> str | None:
    """Return `price` for the price with tax, `net_price` for another one of the product, None for other headings."""
    words = set(heading.split())
    if not words & PRICES or words - PRICES - GROSS - NET - TAX:
        return None
    return "price" if words & GROSS and not words & NET else "net_price"


def _discount_column(heading: str) -> str | None:
    if DISCOUNT.search(heading) is None:
        return None
    rest = DISCOUNT.sub(" ", heading)
    return next((name for name, pattern in DISCOUNT_PARTS if pattern.search(rest)), None)


def _heading(column: str) -> str:
    text = _plain(column)
    text = TAX_IN_BRACKETS.sub(lambda tax: tax[0].strip("()"), text)
    return " ".join(re.sub(r"[^a-z0-9]+", " ", re.sub(r"\([^)]*\)?", " ", text)).split())


class PrestaShop(ShopFormat):
    """The format of PrestaShop's tables."""

    kind = "PrestaShop products"
    needs = "ID, Name and Image URLs, with headings such as Active (0/1) or Categories (x,y,z...)"

    def is_format(self, columns: list[str]) -> bool:
        """Return whether a table has the columns of this format."""
        names = {self.name(column) for column in columns}
        is_own = sum(OWN.search(column.lower()) is not None for column in columns) >= 2
        is_list = names >= LIST_COLUMNS and bool({"price", "net_price"} & names)
        return {"name", "images"} <= names and bool({"id", "sku"} & names) and (is_own or is_list)

    def name(self, column: str) -> str | None:
        """Return the format's own name of a column, or None if it is ignored."""
        if (feature := FEATURE.fullmatch(_plain(column))) is not None and "(" not in column:
            return f"feature {feature[1]}"
        heading = _heading(column)
        if (words := set(heading.split())) & PICTURES and not words - PICTURES - ADDRESSES:
            return "images"
        return COLUMNS.get(heading) or _price_column(heading) or _discount_column(heading)

    def product(self, cells: Cells, facts: DiskTable, decimal_separator: DecimalSeparator | None) -> ShopProduct:
        """Return the product of a row. The price is the one with tax, if the table has it."""
        images = [THUMBNAIL.sub("", text) for text in split_list(cells.get("images", ""), SEPARATORS)]
        quantity = cells.get("quantity", "")
        is_number = re.fullmatch(r"-?\d+(?:[.,]\d+)?", quantity) is not None
        record: dict[str, Any] = {
            "title": cells.get("name"),
            "sku": cells.get("sku"),
            "gtin": cells.get("gtin") or cells.get("upc"),
            "mpn": cells.get("mpn"),
            "brand": cells.get("brand"),
            **_prices(cells, decimal_separator),
            "condition": cells.get("condition") or ("" if _is_status(cells) else cells.get("state")),
            "product_type": [text.replace("/", " > ") for text in split_list(cells.get("categories", ""), SEPARATORS)],
            "tags": split_list(cells.get("tags", ""), SEPARATORS),
            "image": images[0] if images else None,
            "additional_image_link": images[1:],
            "body_html": cells.get("description"),
        }
        if is_number:
            record["availability"] = "in_stock" if float(quantity.replace(",", ".")) > 0 else "out_of_stock"
        status = cells.get("active") or (cells.get("state", "") if _is_status(cells) else "")
        visibility = {"active": status, "visibility": cells.get("visibility", "")}
        key = cells.get("id") or cells.get("sku", "")
        return ShopProduct(key, with_attributes(record, _features(cells)), (visibility,))


def _is_status(cells: Cells) -> bool:
    """Return whether the column for both shows the status of the product, and not its condition."""
    return google_word("condition", cells.get("state", "")) is None


def _features(cells: Cells) -> dict[str, list[str]]:
    """Return the features in `Name:Value:Position:Customized`, separated by commas, and in columns of their own."""
    features: dict[str, list[str]] = {}
    for entry in split_list(cells.get("features", ""), SEPARATORS):
        name, _, rest = entry.partition(":")
        value = re.sub(r"(?::\d*){1,2}$", "", rest).strip()
        if attribute_name(name) and value:
            features.setdefault(attribute_name(name), []).append(value)
    for name, text in cells.items():
        if name.startswith("feature ") and text:
            features.setdefault(attribute_name(name.removeprefix("feature ")), []).append(text)
    return features


def _prices(cells: Cells, decimal_separator: DecimalSeparator | None) -> dict[str, str]:
    """Return the present price, and if it is reduced the regular one; a discount that cannot be read stays as text."""
    regular = cells.get("price") or cells.get("net_price", "")
    amount, percent = cells.get("discount", ""), cells.get("discount_percent", "").rstrip("% ")
    if not (amount or percent) or not is_within(cells.get("discount_from", ""), cells.get("discount_to", "")):
        return {"price": regular}
    try:
        price = read_money(regular, decimal_separator)
    except MoneyError:
        return {"price": regular}  # the reader of prices reports it
    try:
        share = read_money(percent).amount / 100 if percent else 0.0
        reduced = price.amount * (1 - share) - (read_money(amount, decimal_separator).amount if amount else 0.0)
    except MoneyError:
        return {"price": regular, "discount_price": amount or percent}
    if reduced >= price.amount:
        return {"price": regular}
    return {"price": f"{max(0.0, reduced):.2f} {price.currency or ''}".strip(), "regular_price": regular}
