"""A Shopify product with its variants and images → one row."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from services.catalogue.sources.formats.google_fields import GoogleRows, attribute_name, with_attributes
from services.catalogue.sources.records.attributes import price_problem
from services.catalogue.sources.records.fields import RowBuilder
from services.catalogue.sources.records.key_registry import KeyRegistry
from services.catalogue.sources.records.mapping import FeedMapping
from services.catalogue.sources.records.money import DecimalSeparator, Money, MoneyError, read_money
from services.catalogue.sources.records.rows import (
    RejectedRow,
    RowError,
    SourceRow,
    ValueProblem,
    checked_key,
    hidden_row,
)
from services.catalogue.sources.records.visibility import is_visible

NO_OPTION = ("Title", "Default Title")  # the option of a product without options
PRICES = ("price", "compare_at_price")


@dataclass(slots=True)
class Variant:
    """The relevant fields of a variant; `available` is None if its stock is unknown."""

    price: str = ""
    compare_at_price: str = ""
    sku: str = ""
    gtin: str = ""
    available: bool | None = None
    options: tuple[tuple[str, str], ...] = ()


@dataclass(slots=True)
class ShopifyProduct:
    """A product: its fields, variants and images in order, and the columns that say whether the shop shows it."""

    handle: str
    line: int
    facts: dict[str, Any] = field(default_factory=dict)
    visibility: dict[str, Any] = field(default_factory=dict)
    variants: list[Variant] = field(default_factory=list)
    images: list[str] = field(default_factory=list)

    def record(self, decimal_separator: DecimalSeparator | None = None) -> dict[str, Any]:
        """Return one record: the lowest price of the variants, and all their sizes, colours and numbers."""
        record: dict[str, Any] = {
            "id": self.handle,
            "group": self.handle,
            "image_url": self.images[0] if self.images else None,
        }
        record |= {name: value for name, value in self.facts.items() if value not in ("", None, [])}
        record["additional_image_link"] = self.images[1:]
        for name in PRICES:
            amounts = {text: _amount(text, decimal_separator) for text in self._texts(name)}
            valid = {text: money.amount for text, money in amounts.items() if isinstance(money, Money)}
            record[name] = min(valid, key=lambda text: valid[text], default=None)
        record |= {name: _distinct(getattr(variant, name) for variant in self.variants) for name in ("sku", "gtin")}
        record = with_attributes(record, self._options())
        stock = [variant.available for variant in self.variants if variant.available is not None]
        if stock:
            record["availability"] = "in_stock" if any(stock) else "out_of_stock"
        return record

    def price_problems(self, decimal_separator: DecimalSeparator | None = None) -> list[ValueProblem]:
        """Return the prices of variants that are no amounts of money."""
        prices = ((name, text, _amount(text, decimal_separator)) for name in PRICES for text in self._texts(name))
        return [price_problem(name, text, amount) for name, text, amount in prices if isinstance(amount, MoneyError)]

    def _texts(self, name: str) -> list[str]:
        return list(dict.fromkeys(text for variant in self.variants if (text := getattr(variant, name).strip())))

    def _options(self) -> dict[str, list[str]]:
        values: dict[str, list[str]] = {}
        for option in (option for variant in self.variants for option in variant.options):
            if option != NO_OPTION and (name := attribute_name(option[0])):
                values.setdefault("color" if name == "colour" else name, []).append(option[1])
        return {name: _distinct(texts) for name, texts in values.items()}


def _distinct(texts: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(filter(None, map(str.strip, texts))))


def _amount(text: str, decimal_separator: DecimalSeparator | None) -> Money | MoneyError:
    try:
        return read_money(text, decimal_separator)
    except MoneyError as error:
        return error


class ShopifyRows:
    """Turns products into rows; a product that is not visible in the shop is skipped."""

    def __init__(self, mapping: FeedMapping, images_root: Path) -> None:
        """Create the builder of a feed."""
        self._builder: RowBuilder = GoogleRows(mapping, images_root)
        self._keys = KeyRegistry()
        self._decimal_separator = mapping.decimal_separator

    def row(self, product: ShopifyProduct) -> SourceRow | RejectedRow:
        """Return the row of a product, or the rejected row."""
        try:
            key = checked_key(product.handle)
        except RowError as error:
            return RejectedRow(product.line, None, str(error))
        first = self._keys.earlier(key, product.line)  # all products of products.json are on one line
        if first is not None:
            return RejectedRow(product.line, key, f"the handle {key} is already on line {first}")
        try:
            if not is_visible(product.visibility):
                return hidden_row(key, product.line)
            row = self._builder.row(product.line, self._renamed(product.record(self._decimal_separator)))
            return replace(row, problems=(*row.problems, *product.price_problems(self._decimal_separator)))
        except RowError as error:
            return RejectedRow(product.line, key, str(error))

    def close(self) -> None:
        """Remove the registered handles."""
        self._keys.close()

    def _renamed(self, record: dict[str, Any]) -> dict[str, Any]:
        named = ((self._builder.name(field), value) for field, value in record.items())
        return {name: value for name, value in named if name is not None}


def image_address(text: str) -> str:
    """Return the address of an image; Shopify sometimes omits the protocol."""
    return "https:" + text if text.startswith("//") else text


def tags(value: Any) -> list[str]:
    """Return the tags of a product from a list or from text with commas."""
    parts: Iterable[Any] = value if isinstance(value, list) else str(value or "").split(",")
    return [text for part in parts if (text := str(part).strip())]
