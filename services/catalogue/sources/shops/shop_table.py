"""The product export of a shop system as a table: a product or a variant on each row.

Variants name their parent, or parents their variants, and neither need come first. The file is therefore read twice:
what a row needs of others is remembered on disk.
"""

import re
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from services.catalogue.sources.formats.google_fields import GoogleRows
from services.catalogue.sources.parsing.table import BrokenRecord
from services.catalogue.sources.parsing.table_file import TableFile
from services.catalogue.sources.records.disk_table import DiskTable
from services.catalogue.sources.records.fields import key_of
from services.catalogue.sources.records.images import split_images
from services.catalogue.sources.records.key_registry import KeyRegistry
from services.catalogue.sources.records.mapping import FeedMapping
from services.catalogue.sources.records.money import DecimalSeparator, MoneyError, read_money
from services.catalogue.sources.records.rows import (
    RejectedRow,
    RowError,
    SourceError,
    SourceRow,
    checked_key,
    hidden_row,
)
from services.catalogue.sources.records.visibility import is_visible

MAX_ROWS = 5000  # per product
MAX_LINES = 500  # per row: descriptions are HTML with many lines
Cells = dict[str, str]
# Days as spreadsheets, Magento and WooCommerce write them; ISO 8601 is tried first. Magento writes the month first.
DATES = ("%Y-%m-%d", "%Y/%m/%d", "%m/%d/%y", "%m/%d/%Y", "%d/%m/%Y", "%d.%m.%Y", "%d-%m-%Y", "%b %d, %Y", "%B %d, %Y")
TIME_OF_DAY = re.compile(r"[ T,]+\d{1,2}:\d{2}.*$")
TIMESTAMP = re.compile(r"\d{9,11}")  # seconds since 1970


@dataclass(frozen=True, slots=True)
class ShopProduct:
    """A product of a shop system.

    Attributes:
        key: its id.
        record: its fields and attributes, in the names of Google's specification.
        visibility: the columns that say whether the shop shows it: its own and those of its parent.
    """

    key: str
    record: dict[str, Any]
    visibility: tuple[Mapping[str, Any], ...] = ()


class ShopFormat(ABC):
    """The columns of a shop system, and what they mean."""

    kind: str
    needs: str  # the columns that the format is recognised by, for an error

    @abstractmethod
    def is_format(self, columns: list[str]) -> bool:
        """Return whether a table has the columns of this format."""

    @abstractmethod
    def name(self, column: str) -> str | None:
        """Return the format's own name of a column, or None if it is ignored."""

    def continued(self, product: Cells, row: Cells) -> Cells | None:
        """Return a product with the values of the next row, or None if this row is another product."""
        return None

    def remember(self, cells: Cells, facts: DiskTable) -> None:  # noqa: B027  # nothing, without variants
        """Remember what other products need of this one."""

    @abstractmethod
    def product(self, cells: Cells, facts: DiskTable, decimal_separator: DecimalSeparator | None) -> ShopProduct | None:
        """Return the product of a row, or None for a row that is another form of an earlier product."""


class ShopTable:
    """An export of a shop system."""

    def __init__(self, path: Path, mapping: FeedMapping, images_root: Path, shop_formats: Sequence[ShopFormat]) -> None:
        """Open the file and read its header; `shop_formats` are the forms that the shop's exports have.

        Raises:
            SourceError: it cannot be read, or has not the columns of one of the formats.
        """
        self._table = TableFile(path, MAX_LINES)
        columns = self._table.columns
        shop_format = next((form for form in shop_formats if form.is_format(columns)), None)
        if shop_format is None:
            self._table.close()
            needs = "; or ".join(form.needs for form in shop_formats)
            raise SourceError(f"{path} does not have the columns of the {shop_formats[0].kind}: {needs}")
        self._format = shop_format
        self._mapped = [mapping.columns.get(column) for column in columns]
        self._names = [None if column in mapping.ignore else shop_format.name(column) for column in columns]
        self._builder = GoogleRows(mapping, images_root)
        self._decimal_separator = mapping.decimal_separator
        self._keys = KeyRegistry()
        self._facts = DiskTable()
        self._other_forms = 0

    @property
    def kind(self) -> str:
        """The name of the format."""
        return self._format.kind

    @property
    def notes(self) -> tuple[str, ...]:
        """The number of rows that are other forms of products; it is complete at the end."""
        if not self._other_forms:
            return ()
        rows = "1 row repeats" if self._other_forms == 1 else f"{self._other_forms:,} rows repeat"
        return (f"{rows} a product for another store view: left out",)

    def rows(self) -> Iterator[SourceRow | RejectedRow]:
        """Yield every product, variants too, and every rejected row."""
        for _, cells, _ in self._products():
            if not isinstance(cells, BrokenRecord):
                self._format.remember(cells, self._facts)
        for line, cells, mapped in self._products():
            if isinstance(cells, BrokenRecord):
                yield RejectedRow(line, self._first_id(cells), cells.reason)
            elif (row := self._row(line, cells, mapped)) is not None:
                yield row

    def progress(self) -> tuple[int, int]:
        """Return the bytes read and the size in bytes."""
        return self._table.progress()

    def close(self) -> None:
        """Close the file."""
        self._table.close()
        self._keys.close()
        self._facts.close()

    def _products(self) -> Iterator[tuple[int, Cells | BrokenRecord, dict[str, Any]]]:
        """Yield the line and the cells of each product, with those that the mapping names, and the broken records."""
        product: tuple[int, Cells, dict[str, Any]] | None = None
        rows = 0
        for line, fields in self._table.records():
            if isinstance(fields, BrokenRecord):  # the next rows may belong to it
                if product is not None:
                    yield product
                yield line, fields, {}
                product = None
                continue
            cells, mapped = self._cells(fields)
            more = None if product is None or rows == MAX_ROWS else self._format.continued(product[1], cells)
            if product is not None and more is not None:
                product, rows = (product[0], more, mapped | product[2]), rows + 1
                continue
            if product is not None:
                yield product
            product, rows = (line, cells, mapped), 1
        if product is not None:
            yield product

    def _first_id(self, record: BrokenRecord) -> str | None:
        """Return the id of a broken record if this is its first cell: an error may move the later cells."""
        return key_of({"id": record.first_cell}) if "id" in (self._names[0], self._mapped[0]) else None

    def _cells(self, fields: list[str]) -> tuple[Cells, dict[str, Any]]:
        """Return the cells of a record by the format's names, and those that the mapping names."""
        cells: Cells = {}
        mapped: dict[str, Any] = {}
        fields = fields + [""] * (len(self._names) - len(fields))
        for name, target, cell in zip(self._names, self._mapped, fields, strict=True):
            text = cell.strip()
            if text[:1] == "'" and text[1:2] in ("=", "+", "-", "@"):  # written so that no spreadsheet calculates
                text = text[1:]
            if target is not None and text:
                mapped[target] = [*mapped.get(target, []), *split_images(text)] if target == "images" else text
            if name is not None and (text or name not in cells):
                cells[name] = text
        return cells, mapped

    def _row(self, line: int, cells: Cells, mapped: dict[str, Any]) -> SourceRow | RejectedRow | None:
        key: str | None = None
        try:
            product = self._format.product(cells, self._facts, self._decimal_separator)
            if product is None:
                self._other_forms += 1
                return None
            key = checked_key(mapped.get("id") or product.key)
            first = self._keys.first(key, line)
            if first != line:
                return RejectedRow(line, key, f"the id {key} is already on line {first}")
            if not all(is_visible(columns) for columns in product.visibility):
                return hidden_row(key, line)
            return self._builder.row(line, self._record(product) | mapped | {"id": key})
        except RowError as error:
            return RejectedRow(line, key, str(error))

    def _record(self, product: ShopProduct) -> dict[str, Any]:
        named = ((self._builder.name(name), value) for name, value in product.record.items())
        return {name: value for name, value in named if name is not None and value not in ("", None, [])}


def lowest(texts: Iterable[str], decimal_separator: DecimalSeparator | None) -> str | None:
    """Return the lowest of several prices as text, or None if none is an amount of money."""
    amounts: dict[str, float] = {}
    for text in filter(None, texts):
        try:
            amounts[text] = read_money(text, decimal_separator).amount
        except MoneyError:
            continue
    return min(amounts, key=lambda text: amounts[text], default=None)


def present_prices(
    own: Cells, variations: Sequence[Cells], reduced: str, decimal_separator: DecimalSeparator | None
) -> Cells:
    """Return `price`, the present one, `regular_price` and the reduced price.

    Args:
        own: the product's `regular_price` and reduced price. If both are empty, those of the cheapest variation count.
        variations: both prices of each variation.
        reduced: the name of the reduced price, such as `sale_price`.
        decimal_separator: of the feed, if it is known.
    """

    def present(prices: Cells) -> str:
        return prices[reduced] or prices["regular_price"]

    prices = own
    if not any(own.values()):
        cheapest = lowest(map(present, variations), decimal_separator)
        prices = next((value for value in variations if present(value) == cheapest), own)
    return {"price": present(prices), "regular_price": prices["regular_price"], reduced: prices[reduced]}


def is_within(begin: str, end: str) -> bool:
    """Return whether the present moment is between two dates as text; one that is empty or unreadable is no bound."""
    now = datetime.now()
    first, last = _date(begin), _date(end)
    if last is not None and (last.hour, last.minute) == (0, 0):
        last = last.replace(hour=23, minute=59)  # a day without a time is meant to its end
    return (first is None or first <= now) and (last is None or now <= last)


def _date(text: str) -> datetime | None:
    if TIMESTAMP.fullmatch(text):
        return datetime.fromtimestamp(int(text))
    try:
        return datetime.fromisoformat(text).replace(tzinfo=None)
    except ValueError:
        pass
    day = TIME_OF_DAY.sub("", text)
    for form in DATES:
        try:
            return datetime.strptime(day, form)
        except ValueError:
            continue
    return None


def split_list(text: str, separators: str = ",") -> list[str]:
    """Return the entries of a list in text; a separator after a backslash belongs to its entry."""
    entries, entry, escaped = [], "", False
    for character in text:
        if escaped:
            entry += character if character in separators else f"\\{character}"
        elif character in separators:
            entries.append(entry)
            entry = ""
        elif character != "\\":
            entry += character
        escaped = character == "\\" and not escaped
    entries.append(entry + ("\\" if escaped else ""))
    return [stripped for entry in entries if (stripped := entry.strip())]
