"""Google Merchant Center product feeds: RSS 2.0 and Atom 1.0 with `g:` elements, and tables with Google's column names."""

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
# What RSS and Atom say of an item beside Google's attributes: nothing that a product needs.
SYNDICATION = frozenset(
    {"guid", "pubDate", "updated", "modified", "issued", "published", "author", "source", "comments"}
)


class GoogleTable(CsvFeed):
    """A product feed as a table: tabs, or whatever else separates a CSV feed's fields."""

    kind = "Google product feed"

    def __init__(self, path: Path, mapping: FeedMapping, images_root: Path) -> None:
        """Open the feed and read its header.

        Raises:
            SourceError: it cannot be read, or its first line does not name what is needed.
        """
        super().__init__(path, mapping, images_root, GoogleRows(mapping, images_root, splits=True))

    def _value(self, theirs: str, ours: str, text: str) -> str:
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
        self._ours = lru_cache(maxsize=4096)(self._builder.name)
        self._seen = KeyRegistry()

    def rows(self) -> Iterator[SourceRow | RejectedRow]:
        """Yield every item, as a product or with what is wrong with it."""
        for item in self._items:
            yield self._row(item)

    def progress(self) -> tuple[int, int]:
        """Return the bytes read and the bytes there are."""
        return self._items.position, self._items.size

    def close(self) -> None:
        """Close the file."""
        self._items.close()
        self._seen.close()

    def _row(self, item: XmlItem) -> SourceRow | RejectedRow:
        record = self._record(item.node)
        if item.fault is not None:
            return RejectedRow(item.line, key_of(record), item.fault)
        try:
            row = self._builder.row(item.line, record)
        except RowError as error:
            return RejectedRow(item.line, key_of(record), str(error))
        first = self._seen.earlier(row.key, item.line)  # a feed may be one long line
        if first is not None:
            return RejectedRow(item.line, row.key, f"the id {row.key} was already given on line {first}")
        return row

    def _record(self, item: Node) -> dict[str, Any]:
        """Return an item's attributes by our names; Google's own elements go before those of RSS and Atom."""
        record: dict[str, Any] = {}
        for ours_only in (True, False):
            found: dict[str, list[str]] = {}
            for node in item.children:
                if (node.namespace in GOOGLE) == ours_only and node.name not in SYNDICATION and (text := _text(node)):
                    found.setdefault(_name(node), []).append(text)
            for theirs, values in found.items():
                ours = self._ours(theirs)
                if ours == "images":
                    record[ours] = [*record.get(ours, []), *(image for text in values for image in split_images(text))]
                elif ours is not None and ours not in record:
                    record[ours] = (
                        values[0] if len(values) == 1 or ours in ("id", "title", "url", "image_url") else values
                    )
        return record


def _name(node: Node) -> str:
    name = attribute_name(node.name)
    return "description" if name == "summary" and node.namespace not in GOOGLE else name


def _text(node: Node) -> str:
    """Return an element's value; sub-attributes as a table has them: `DE:Standard:4.90 EUR`."""
    if node.children:
        return ":".join(child.text for child in node.children)
    return node.text or node.href or ""
