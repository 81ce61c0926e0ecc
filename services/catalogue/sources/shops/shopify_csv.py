"""Shopify's product CSV: one row for each variant or image, one product for each handle.

The rows of a handle usually follow each other. Those that do not are gathered on disk.
"""

from collections.abc import Iterator
from pathlib import Path

from services.catalogue.sources.formats.google_fields import attribute_name
from services.catalogue.sources.parsing.table import BrokenRecord, Records
from services.catalogue.sources.parsing.table_file import TableFile
from services.catalogue.sources.records.disk_table import DiskTable
from services.catalogue.sources.records.fields import key_of
from services.catalogue.sources.records.mapping import FeedMapping
from services.catalogue.sources.records.rows import RejectedRow, SourceError, SourceRow
from services.catalogue.sources.shops.shopify_fields import ShopifyProduct, ShopifyRows, Variant, image_address, tags

MAX_LINES = 500  # per row: descriptions are HTML with many lines
ONE, MANY = 1, 2  # a handle whose rows follow each other, or do not
MAX_REASON = 300
MAX_ROWS = 5000  # per product; Shopify allows 2,048 variants and 250 images
GOOGLE_SHOPPING = "google shopping / "
# Shopify's columns, with their names until 2024 and since 2025.
COLUMNS = {
    "handle": "handle",
    "url handle": "handle",
    "title": "title",
    "body (html)": "body_html",
    "description": "body_html",
    "vendor": "brand",
    "product category": "product_category",
    "type": "product_type",
    "tags": "tags",
    "published": "published",
    "published on online store": "published",
    "status": "status",
    "variant sku": "sku",
    "sku": "sku",
    "variant barcode": "gtin",
    "barcode": "gtin",
    "variant price": "price",
    "price": "price",
    "variant compare at price": "compare_at_price",
    "compare-at price": "compare_at_price",
    "variant inventory tracker": "tracker",
    "inventory tracker": "tracker",
    "variant inventory qty": "quantity",
    "inventory quantity": "quantity",
    "variant inventory policy": "oversold",
    "continue selling when out of stock": "oversold",
    "image src": "image",
    "product image url": "image",
    "image position": "position",
    "variant image": "variant_image",
    "variant image url": "variant_image",
    "cost per item": "cost_of_goods_sold",
    "google shopping / manufacturer part number (mpn)": "mpn",
    **{f"option{n} {part}": f"option{n}_{part}" for n in (1, 2, 3) for part in ("name", "value")},
}
# Packing, taxes and advertising: not for filters.
IGNORED = (
    *(f"option{n} linked to" for n in (1, 2, 3)),
    "image alt text",
    "seo title",
    "seo description",
    "gift card",
    "charge tax",
    "tax code",
    "unit price ",
    "variant ",
    "weight ",
    "requires shipping",
    "fulfillment service",
    "included / ",
    "price / ",
    "compare at price / ",
    "compare-at price / ",
)
VARIANT_FIELDS = frozenset(COLUMNS.values()) - {
    "mpn",
    "title",
    "body_html",
    "brand",
    "product_category",
    "product_type",
    "cost_of_goods_sold",
}
YES = frozenset({"true", "yes", "continue"})


def is_shopify(columns: list[str]) -> bool:
    """Return whether a table has the columns of Shopify's export."""
    names = {COLUMNS.get(column.casefold()) for column in columns}
    return {"handle", "title", "image"} <= names


class ShopifyCsv:
    """A product export of a Shopify shop."""

    kind = "Shopify products"

    def __init__(self, path: Path, mapping: FeedMapping, images_root: Path) -> None:
        """Open the file and read its header.

        Raises:
            SourceError: it cannot be read, or a required column is missing.
        """
        self._table = TableFile(path, MAX_LINES)
        if not is_shopify(self._table.columns):
            self._table.close()
            raise SourceError(f"{path} does not have the columns of a Shopify export: Handle, Title, Image Src")
        self._names = [_name(column) for column in self._table.columns]
        self._rows = ShopifyRows(mapping, images_root)
        self._scattered = DiskTable()

    def rows(self) -> Iterator[SourceRow | RejectedRow]:
        """Yield every product after its last row, and every broken row. Products with scattered rows come last."""
        self._find_scattered()
        group: _HandleRows | None = None
        for line, cells in self._handled(self._table.records()):
            if isinstance(cells, RejectedRow):
                yield cells
                continue
            if group is not None and cells["handle"] != group.handle:
                yield self._rows.row(group.product())
                group = None
            if self._scattered.get(cells["handle"]) == MANY:
                self._scattered.append(cells["handle"], [line, cells])
                continue
            group = group or _HandleRows(cells["handle"], line)
            if not group.add(cells):
                yield RejectedRow(line, group.handle, f"the handle has more than {MAX_ROWS:,} rows")
        if group is not None:
            yield self._rows.row(group.product())
        for handle, values in self._scattered.lists():
            yield from self._gathered(handle, values)

    def _find_scattered(self) -> None:
        """Find the handles with rows that do not follow each other: they are read into a table on disk."""
        previous = ""
        for _, cells in self._handled(self._table.records()):
            handle = "" if isinstance(cells, RejectedRow) else cells["handle"]
            if handle not in ("", previous):
                is_known = self._scattered.get(handle) is not None
                self._scattered.put(handle, MANY if is_known else ONE)
            previous = handle or previous

    def _handled(self, records: Records) -> Iterator[tuple[int, dict[str, str] | RejectedRow]]:
        """Yield the cells of each row, with the handle of the product above if the row has neither handle nor title."""
        handle = ""
        for line, fields in records:
            cells = self._cells(fields)
            if isinstance(cells, str):
                handle = ""
                yield line, RejectedRow(line, self._handle(fields), cells)
                continue
            continues = not cells["handle"] and not cells["title"]
            cells["handle"] = handle = handle if continues else cells["handle"]
            yield line, cells if handle else RejectedRow(line, None, "the handle is missing")

    def _gathered(self, handle: str, values: Iterator[tuple[int, dict[str, str]]]) -> Iterator[SourceRow | RejectedRow]:
        """Yield the product of scattered rows. A row with another title belongs to another product."""
        group: _HandleRows | None = None
        for line, cells in values:
            group = group or _HandleRows(handle, line)
            if group.title not in (None, "") and cells["title"] not in ("", group.title):
                reason = f"the handle {handle} is on line {group.line} with another title: {group.title!r}"
                yield RejectedRow(line, handle, reason[:MAX_REASON])
            elif not group.add(cells):
                yield RejectedRow(line, handle, f"the handle has more than {MAX_ROWS:,} rows")
        if group is not None:
            yield self._rows.row(group.product())

    def progress(self) -> tuple[int, int]:
        """Return the bytes read and the size in bytes."""
        return self._table.progress()

    def close(self) -> None:
        """Close the file."""
        self._table.close()
        self._rows.close()
        self._scattered.close()

    def _handle(self, record: list[str] | BrokenRecord) -> str | None:
        """Return the handle of a broken record if this is its first cell: an error may move the later cells."""
        if not isinstance(record, BrokenRecord) or self._names[0] != "handle":
            return None
        return key_of({"id": record.first_cell})

    def _cells(self, fields: list[str] | BrokenRecord) -> dict[str, str] | str:
        if isinstance(fields, BrokenRecord):
            return fields.reason
        pairs = zip(self._names, fields + [""] * (len(self._names) - len(fields)), strict=True)
        cells: dict[str, str] = {}
        for name, text in pairs:
            if name is not None and (text.strip() or name not in cells):
                cells[name] = text.strip()
        return cells


class _HandleRows:
    """The rows of one handle."""

    def __init__(self, handle: str, line: int) -> None:
        self.handle = handle
        self.line = line
        self.title: str | None = None  # of the first row
        self._product = ShopifyProduct(handle, line)
        self._images: list[tuple[int, str]] = []
        self._variant_image = ""
        self._options: tuple[str, ...] = ()
        self._count = 0

    def add(self, cells: dict[str, str]) -> bool:
        """Add a row; return False if there are too many."""
        self._count += 1
        if self._count > MAX_ROWS:
            return False
        if self._count == 1:
            self._describe(cells)
        position = cells.get("position", "")
        if image := cells.get("image"):
            self._images.append((int(position) if position.isdecimal() else self._count, image_address(image)))
        self._variant_image = self._variant_image or cells.get("variant_image", "")
        if any(cells.get(name) for name in ("option1_value", "price", "sku")):
            self._product.variants.append(self._variant(cells))
        return True

    def product(self) -> ShopifyProduct:
        """Return the product of all added rows."""
        images = [image for _, image in sorted(self._images, key=lambda entry: entry[0])]
        self._product.images = list(dict.fromkeys(images or filter(None, [image_address(self._variant_image)])))
        return self._product

    def _describe(self, cells: dict[str, str]) -> None:
        product = self._product
        self.title = cells["title"]
        product.facts = {name: text for name, text in cells.items() if name not in VARIANT_FIELDS and text}
        product.facts["tags"] = tags(cells.get("tags"))
        product.visibility = {name: cells.get(name, "") for name in ("published", "status")}
        self._options = tuple(cells.get(f"option{n}_name", "") for n in (1, 2, 3))

    def _variant(self, cells: dict[str, str]) -> Variant:
        values = (cells.get(f"option{n}_value", "") for n in (1, 2, 3))
        return Variant(
            price=cells.get("price", ""),
            compare_at_price=cells.get("compare_at_price", ""),
            sku=cells.get("sku", "").removeprefix("'"),
            gtin=cells.get("gtin", "").removeprefix("'"),
            available=_available(cells),
            options=tuple(pair for pair in zip(self._options, values, strict=True) if pair[1]),
        )


def _available(cells: dict[str, str]) -> bool | None:
    """Whether a variant is in stock: true without inventory tracking, None if the quantity is unknown."""
    quantity = cells.get("quantity", "")
    if "tracker" in cells and not cells["tracker"]:
        return True
    if not quantity.removeprefix("-").isdecimal():
        return None
    return int(quantity) > 0 or cells.get("oversold", "").casefold() in YES


def _name(column: str) -> str | None:
    """Return the name of a column, or None if it is ignored."""
    folded = column.strip().lower()
    if folded in COLUMNS:
        return COLUMNS[folded]
    if folded.startswith(GOOGLE_SHOPPING):
        return attribute_name(folded.removeprefix(GOOGLE_SHOPPING))
    if folded.startswith(IGNORED) or not folded:
        return None
    return attribute_name(folded.removeprefix("google: ")) or None
