"""PrestaShop's product CSV: the list of products, and the columns of its import, in several languages."""

import re
import unicodedata
from typing import Any

from services.catalogue.sources.formats.google_fields import attribute_name
from services.catalogue.sources.formats.shop_table import Cells, ShopProduct, split_list, with_attributes
from services.catalogue.sources.records.disk_table import DiskTable
from services.catalogue.sources.records.money import DecimalSeparator

# The headings in English, French, German, Spanish, Italian, Dutch, Portuguese and Polish: lower case, without accents,
# signs, and parentheses with their content.
HEADINGS = {
    "id": "id,product id,id produit,id du produit,produkt id,id producto,id del producto,id prodotto,id produto,"
    "id produktu",
    "active": "active,actif,aktiv,activo,attivo,actief,ativo,aktywny,aktywne,status,etat du produit,estado,stato,stan,"
    "statut,enabled",
    "name": "name,nom,nombre,nome,naam,nazwa,product name",
    "categories": "categories,categorie,category,kategorien,kategorie,categorias,categoria,categorieen,kategoria",
    "price": "price tax included,price tax incl,final price,price incl tax,prix ttc,prix final,preis inkl mwst,"
    "bruttopreis,preis mit steuer,endpreis,precio con impuestos,precio final,precio impuestos incluidos,"
    "prezzo tasse incluse,prezzo iva inclusa,prezzo finale,prijs incl btw,prijs inclusief btw,preco com imposto,"
    "preco final,cena brutto,cena zawiera podatek,cena koncowa",
    "net_price": "price tax excluded,price tax excl,base price,price,prix ht,prix hors taxe,prix de base,prix,"
    "preis ohne steuer,nettopreis,preis zzgl mwst,preis,precio sin impuestos,precio base,precio,"
    "precio impuestos excluidos,"
    "prezzo tasse escluse,prezzo iva esclusa,prezzo base,prezzo,prijs excl btw,prijs exclusief btw,prijs,"
    "preco sem imposto,preco base,preco,cena netto,cena nie zawiera podatku,cena",
    "sku": "reference,referencia,artikelnummer,artikel nr,riferimento,referentie,referencja,indeks,kod produktu,"
    "reference n",
    "brand": "manufacturer,brand,marque,fabricant,hersteller,marke,fabricante,marca,produttore,merk,fabrikant,"
    "producent,marka",
    "gtin": "ean13,ean 13,ean,ean13 ou jan,ean o jan",
    "upc": "upc",
    "mpn": "mpn",
    "quantity": "quantity,quantite,menge,anzahl,cantidad,quantita,hoeveelheid,quantidade,ilosc",
    "visibility": "visibility,visibilite,sichtbarkeit,visibilidad,visibilita,zichtbaarheid,visibilidade,widocznosc",
    "tags": "tags,mot cles,mots cles,tag,schlagworter,stichworte,etiquetas,parole chiave,labels,tagi",
    "condition": "condition,etat,zustand,condicion,estado del producto,condizione,conditie,condicao,stan produktu",
    "features": "feature,features,caracteristique,caracteristiques,merkmal,funktion,caracteristica,caracteristicas,"
    "caratteristica,caratteristiche,kenmerk,cecha,cechy",
    "images": "image urls,image url,images,image,url des images,urls des images,url d images,url image,bild urls,"
    "bilder urls,url der bilder,bild,bilder,url de las imagenes,urls de las imagenes,urls de imagenes,"
    "url de imagenes,imagen,imagenes,url immagini,url delle immagini,immagine,immagini,afbeelding urls,afbeelding,"
    "url s van afbeeldingen,urls das imagens,url das imagens,imagem,imagens,adresy url zdjec,url zdjec,zdjecie,obraz",
    "description": "description,beschreibung,descripcion,descrizione,omschrijving,descricao,opis",
}
COLUMNS = {heading: name for name, headings in HEADINGS.items() for heading in headings.split(",")}
# Headings that only PrestaShop writes: with the form of the value, or with the tax.
OWN = re.compile(r"\(\s*x\s*[,.]\s*y\s*[,.]\s*z\b|\(0\s*/\s*1\)|\(0\s*=")
TAX = re.compile(r"\((?:tax|impuestos|ttc|ht|iva|tasse|btw|steuer)[^)]*\)")
LIST_COLUMNS = frozenset({"id", "images", "name", "sku", "quantity", "active"})  # those of the list of products
THUMBNAIL = re.compile(r"-[a-z]+_(?:default|mini)(?=\.\w+$)|(?<=\d)-[a-z]+(?=\.(?:jpe?g|png|webp)$)")
SEPARATORS = ",|"


def _heading(column: str) -> str:
    text = unicodedata.normalize("NFKD", column.strip().lower())
    text = "".join(character for character in text if not unicodedata.combining(character)).replace("ł", "l")
    text = TAX.sub(lambda tax: tax[0].strip("()"), text)
    return " ".join(re.sub(r"[^a-z0-9]+", " ", re.sub(r"\([^)]*\)?", " ", text)).split())


class PrestaShop:
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
        return COLUMNS.get(_heading(column))

    def remember(self, cells: Cells, facts: DiskTable) -> None:
        """Remember nothing: each row is a product."""

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
            "price": cells.get("price") or cells.get("net_price"),
            "condition": cells.get("condition"),
            "product_type": [text.replace("/", " > ") for text in split_list(cells.get("categories", ""), SEPARATORS)],
            "tags": split_list(cells.get("tags", ""), SEPARATORS),
            "image": images[0] if images else None,
            "additional_image_link": images[1:],
            "body_html": cells.get("description"),
        }
        if is_number:
            record["availability"] = "in_stock" if float(quantity.replace(",", ".")) > 0 else "out_of_stock"
        visibility = {"active": cells.get("active", ""), "visibility": cells.get("visibility", "")}
        key = cells.get("id") or cells.get("sku", "")
        return ShopProduct(key, with_attributes(record, _features(cells.get("features", ""))), (visibility,))


def _features(text: str) -> dict[str, list[str]]:
    """Return the features in `Name:Value:Position:Customized`, separated by commas."""
    features: dict[str, list[str]] = {}
    for entry in split_list(text, SEPARATORS):
        name, _, rest = entry.partition(":")
        value = re.sub(r"(?::\d*){1,2}$", "", rest).strip()
        if attribute_name(name) and value:
            features.setdefault(attribute_name(name), []).append(value)
    return features
