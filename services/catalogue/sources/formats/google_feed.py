"""Google Merchant Center product feeds: RSS 2.0 and Atom 1.0 with `g:` elements, and tables with Google's columns."""

import re
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

from services.catalogue.sources.formats.csv_feed import CsvFeed
from services.catalogue.sources.formats.google_fields import GoogleRows, attribute_name, with_attributes
from services.catalogue.sources.parsing.xml_items import XmlItem, XmlItems
from services.catalogue.sources.parsing.xml_nodes import WELL_KNOWN, Node
from services.catalogue.sources.records.fields import key_of
from services.catalogue.sources.records.images import split_images
from services.catalogue.sources.records.key_registry import KeyRegistry
from services.catalogue.sources.records.mapping import FeedMapping
from services.catalogue.sources.records.money import is_money
from services.catalogue.sources.records.other_names import is_kept, other_names
from services.catalogue.sources.records.rows import RejectedRow, RowError, SourceRow

GOOGLE = re.compile(r"https?://(?:www\.)?base\.google\.com/c?ns/1\.0/?", re.IGNORECASE)
# Google's attributes, and their names in other XML feeds such as those of Heureka (SHOPITEM) and Yandex (yml_catalog).
ATTRIBUTES = {
    "additional_image_link": ("imgurl_alternative", "pictures", "additional_image_links", "additional_images"),
    "price": ("price_vat",),
    "availability": ("available",),
    "product_type": ("categorytext", "categoryname", "category_name", "category_path", "categories"),
    "brand": ("manufacturer", "vendor", "producer"),
    "gtin": ("ean", "barcode"),
    "mpn": ("vendorcode", "productno"),
    "item_group_id": ("itemgroup_id", "group_id"),
}
MODEL = ("typeprefix", "vendor", "model")  # Yandex: together the title of an offer without a name
# Elements with the name and the value of an attribute: `<param name="Size">M</param>`, Heureka's PARAM_NAME and VAL.
PARAMETERS = frozenset({"param", "parameter", "attribute", "property", "feature", "custom_attribute"})
PARAMETER_NAMES = ("name", "attribute-id", "title")
PARAMETER_PARTS = frozenset({"param_name", "name", "key"})
MAIN_IMAGE = frozenset({"image", "image_url"})
ADDRESSES = ("href", "url", "src")  # attributes of an element without text
AMOUNTS, CURRENCIES = ("value", "amount", "price"), ("currency", "currency_code", "currencycode")
# The fields of RSS and Atom that are not attributes of a product.
SYNDICATION = frozenset({"guid", "encoded", "pubDate", "updated", "modified", "issued", "author", "source", "comments"})
PUBLISHED = "published"  # a date in Atom; in other feeds it says whether the shop shows the product
DATE = re.compile(r"\d{4}-?\d\d|\d{1,2}[./ ]\w+[./ ]\d{2,4}")


class GoogleTable(CsvFeed):
    """A product feed as a table, with tabs or another delimiter of CSV feeds."""

    kind = "Google product feed"

    def __init__(self, path: Path, mapping: FeedMapping, images_root: Path) -> None:
        """Open the feed and read its header.

        Raises:
            SourceError: it cannot be read, or a required column is missing.
        """
        super().__init__(path, mapping, images_root, GoogleRows(mapping, images_root, splits=True))

    def _value(self, column: str, name: str, text: str) -> str:
        return text


class GoogleXmlFeed:
    """A product feed as XML."""

    kind = "Google product feed"

    def __init__(self, path: Path, mapping: FeedMapping, images_root: Path) -> None:
        """Open the feed.

        Raises:
            SourceError: it cannot be read.
        """
        self._items = XmlItems(path, mapping.encoding)
        self._builder = GoogleRows(mapping, images_root)
        self._name_of = lru_cache(maxsize=4096)(self._builder.name)
        self._keys = KeyRegistry()
        self._mapped = mapping.columns.keys() | set(mapping.ignore)

    @property
    def notes(self) -> tuple[str, ...]:
        """The oddities of the file that did no harm, as sentences."""
        return self._items.notes

    def rows(self) -> Iterator[SourceRow | RejectedRow]:
        """Yield every item, as a product or as a rejected row."""
        for item in self._items:
            yield self._row(item)

    def progress(self) -> tuple[int, int]:
        """Return the bytes read and the size in bytes."""
        return self._items.position, self._items.size

    def close(self) -> None:
        """Close the file."""
        self._items.close()
        self._keys.close()

    def _row(self, item: XmlItem) -> SourceRow | RejectedRow:
        record = self._record(item.node)
        if item.fault is not None:
            return RejectedRow(item.line, key_of(record), item.fault)
        try:
            row = self._builder.row(item.line, record)
        except RowError as error:
            return RejectedRow(item.line, key_of(record), str(error))
        first = self._keys.earlier(row.key, item.line)  # all items may be on one line
        if first is not None:
            return RejectedRow(item.line, row.key, f"the id {row.key} is already on line {first}")
        return row

    def _record(self, item: Node) -> dict[str, Any]:
        """Return the values of an item by name. Google's elements take precedence over those of RSS and Atom."""
        record: dict[str, Any] = {}
        pictures: list[str] = []  # the main image's elements after the first
        parameters = _parameters(item)
        for is_google in (True, False):
            elements = _elements(item, is_google=is_google)
            for element, values in (elements if is_google else self._renamed(elements, record)).items():
                name = self._name_of(element)
                if name in MAIN_IMAGE:
                    has_main = not record.keys().isdisjoint(MAIN_IMAGE)
                    if not has_main:
                        record[name] = values[0]
                    pictures += values if has_main else values[1:]
                elif name == "images":
                    record[name] = [*record.get(name, []), *(image for text in values for image in split_images(text))]
                elif name is not None and name not in record:
                    is_single = len(values) == 1 or name in ("id", "title", "url")
                    record[name] = values[0] if is_single else values
        if pictures:
            record["images"] = [*pictures, *record.get("images", [])]
        named = {name: values for column, values in parameters.items() if (name := self._name_of(column)) is not None}
        return with_attributes(record, named)

    def _renamed(self, elements: dict[str, list[str]], record: dict[str, Any]) -> dict[str, list[str]]:
        """Return elements with Google's names for those of other feeds that have none of these and are not mapped."""
        renamed = dict(elements)
        if "name" not in renamed and "model" in renamed:
            renamed["name"] = [" ".join(renamed[part][0] for part in MODEL if part in renamed)]
        if (path := self._items.categories.path(*renamed.get("categoryid", ("",))[:1])) is not None:
            renamed.setdefault("product_type", [path])
        free = tuple(name for name in renamed if name not in self._mapped)
        present = tuple((google, tuple(name for name in names if name in free)) for google, names in ATTRIBUTES.items())
        for field, others in (*other_names(free), *present):
            other = next((name for name in others if name in renamed), None)
            if other is not None and field not in renamed and self._name_of(field) not in record:
                renamed[field] = renamed[other] if is_kept(other) else renamed.pop(other)
        return renamed


def _elements(item: Node, *, is_google: bool) -> dict[str, list[str]]:
    """Return the values of the item's elements in Google's namespace, or of the others, by attribute name."""
    elements: dict[str, list[str]] = {}
    for node in item.children:
        if _is_parameter(node):
            continue
        if (GOOGLE.fullmatch(node.namespace.strip()) is not None) == is_google and not _is_syndication(node):
            values = elements.setdefault(_name(node, is_google=is_google), [])
            values.extend(filter(None, _texts(node)))
    return {name: values for name, values in elements.items() if values}


def _is_syndication(node: Node) -> bool:
    return node.name in SYNDICATION or (node.name == PUBLISHED and DATE.search(node.text) is not None)


def _name(node: Node, *, is_google: bool) -> str:
    name = attribute_name(node.name)
    if node.namespace == WELL_KNOWN["media"] and name in ("content", "thumbnail"):
        return "enclosure"
    return "description" if name == "summary" and not is_google else name


def _texts(node: Node) -> list[str]:
    """Return the values of an element; sub-attributes have the form of tables: `DE:Standard:4.90 EUR`."""
    if is_money(attribute_name(node.name)):
        return [_price(node)]
    texts = [text for child in node.children if (text := _text(child))]
    if len({child.name for child in node.children}) == 1:
        return texts  # a list: `<pictures><picture>…</picture><picture>…</picture></pictures>`
    return [":".join(texts) if node.children else _text(node)]


def _text(node: Node) -> str:
    """Return the text of an element, the address in its attributes, or the text of its first child."""
    address = next(filter(None, map(node.attributes.get, ADDRESSES)), "")
    return node.text or address or next(filter(None, map(_text, node.children)), "")


def _price(node: Node) -> str:
    """Return an amount with its currency, which may be an attribute or an element of its own."""
    parts = {attribute_name(child.name): child.text for child in node.children}
    amount = next((parts[name] for name in AMOUNTS if parts.get(name)), node.text)
    currency = next((parts[name] for name in CURRENCIES if parts.get(name)), None)
    currency = currency or next((node.attributes[name] for name in CURRENCIES if node.attributes.get(name)), "")
    has_currency = any(character.isalpha() for character in amount)
    return amount if has_currency or not amount else f"{amount} {currency}".strip()


def _is_parameter(node: Node) -> bool:
    """Return whether an element has the name and the value of an attribute that the shop chose."""
    if attribute_name(node.name) not in PARAMETERS:
        return False
    return bool(_parameter_name(node))


def _parameter_name(node: Node) -> str:
    own = next((node.attributes[name] for name in PARAMETER_NAMES if node.attributes.get(name)), "")
    return own or next((child.text for child in node.children if attribute_name(child.name) in PARAMETER_PARTS), "")


def _parameters(item: Node) -> dict[str, list[str]]:
    """Return the attributes whose names the shop chose."""
    parameters: dict[str, list[str]] = {}
    for node in filter(_is_parameter, item.children):
        children = [child.text for child in node.children if attribute_name(child.name) not in PARAMETER_PARTS]
        values = list(filter(None, children if node.children else [node.text]))
        if name := attribute_name(_parameter_name(node)):
            parameters.setdefault(name, []).extend(values)
    return parameters
