"""Google Merchant Center product feeds: RSS 2.0 and Atom 1.0 with `g:` elements, and tables with Google's columns."""

from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

from services.catalogue.sources.formats.csv_feed import CsvFeed
from services.catalogue.sources.formats.google_fields import GoogleRows, attribute_name
from services.catalogue.sources.parsing.xml_items import Node, XmlItem, XmlItems
from services.catalogue.sources.records.fields import key_of
from services.catalogue.sources.records.images import split_images
from services.catalogue.sources.records.key_registry import KeyRegistry
from services.catalogue.sources.records.mapping import FeedMapping
from services.catalogue.sources.records.rows import RejectedRow, RowError, SourceRow

GOOGLE = ("http://base.google.com/ns/1.0", "http://base.google.com/cns/1.0")
# The fields of RSS and Atom that are not attributes of a product.
SYNDICATION = frozenset(
    {"guid", "pubDate", "updated", "modified", "issued", "published", "author", "source", "comments"}
)


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
        self._items = XmlItems(path)
        self._builder = GoogleRows(mapping, images_root)
        self._name_of = lru_cache(maxsize=4096)(self._builder.name)
        self._keys = KeyRegistry()

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
        for is_google in (True, False):
            elements: dict[str, list[str]] = {}
            for node in item.children:
                if (node.namespace in GOOGLE) == is_google and node.name not in SYNDICATION and (text := _text(node)):
                    elements.setdefault(_name(node), []).append(text)
            for element, values in elements.items():
                name = self._name_of(element)
                if name == "images":
                    record[name] = [*record.get(name, []), *(image for text in values for image in split_images(text))]
                elif name is not None and name not in record:
                    is_single = len(values) == 1 or name in ("id", "title", "url", "image_url")
                    record[name] = values[0] if is_single else values
        return record


def _name(node: Node) -> str:
    name = attribute_name(node.name)
    return "description" if name == "summary" and node.namespace not in GOOGLE else name


def _text(node: Node) -> str:
    """Return the value of an element; sub-attributes have the form of tables: `DE:Standard:4.90 EUR`."""
    if node.children:
        return ":".join(child.text for child in node.children)
    return node.text or node.href or ""
