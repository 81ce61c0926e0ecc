"""A product as Shopify has it, with its variants and images → one row."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from services.catalogue.sources.formats.google_fields import GoogleRows, attribute_name
from services.catalogue.sources.records.fields import RowBuilder
from services.catalogue.sources.records.key_registry import KeyRegistry
from services.catalogue.sources.records.mapping import FeedMapping
from services.catalogue.sources.records.rows import RejectedRow, RowError, SourceRow, checked_key

NO_OPTION = ("Title", "Default Title")  # what a product without options has for one
AMOUNT = re.compile(r"\d+(?:\.\d+)?")


@dataclass(slots=True)
class Variant:
    """What counts of a variant; `available` is None where nothing is said of its stock."""

    price: str = ""
    compare_at_price: str = ""
    sku: str = ""
    gtin: str = ""
    available: bool | None = None
    options: tuple[tuple[str, str], ...] = ()


@dataclass(slots=True)
class ShopifyProduct:
    """A product: facts by our names, images in their order, and whether the shop shows it."""

    handle: str
    line: int
    facts: dict[str, Any] = field(default_factory=dict)
    visible: bool = True
    variants: list[Variant] = field(default_factory=list)
    images: list[str] = field(default_factory=list)

    def record(self) -> dict[str, Any]:
        """Return the product as one record: over its variants, the lowest price and every size, colour and number."""
        record: dict[str, Any] = {"id": self.handle, "image_url": self.images[0] if self.images else None}
        record |= {name: value for name, value in self.facts.items() if value not in ("", None, [])}
        record["additional_image_link"] = self.images[1:]
        for name in ("price", "compare_at_price"):
            amounts = [float(text) for v in self.variants if AMOUNT.fullmatch(text := getattr(v, name).strip())]
            record[name] = min(amounts, default=None)
        record |= {name: values for name, values in self._variant_facts().items() if values}
        stock = [variant.available for variant in self.variants if variant.available is not None]
        if stock:
            record["availability"] = "in_stock" if any(stock) else "out_of_stock"
        return record

    def _variant_facts(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for variant in self.variants:
            for option in variant.options:
                if option != NO_OPTION and option[0]:
                    name = attribute_name(option[0])
                    found.setdefault("color" if name == "colour" else name, []).append(option[1])
            found.setdefault("sku", []).append(variant.sku)
            found.setdefault("gtin", []).append(variant.gtin)
        return {name: list(dict.fromkeys(filter(None, map(str.strip, values)))) for name, values in found.items()}


class ShopifyRows:
    """Makes rows of products; a product that the shop does not show is outside the catalogue."""

    def __init__(self, mapping: FeedMapping, images_root: Path) -> None:
        """Remember how the shop names things."""
        self._builder: RowBuilder = GoogleRows(mapping, images_root)
        self._seen = KeyRegistry()

    def row(self, product: ShopifyProduct) -> SourceRow | RejectedRow:
        """Return a product's row, or what is wrong with it."""
        try:
            key = checked_key(product.handle)
        except RowError as error:
            return RejectedRow(product.line, None, str(error))
        first = self._seen.earlier(key, product.line)  # products.json is one long line
        if first is not None:
            return RejectedRow(product.line, key, f"the handle {key} was already given on line {first}")
        if not product.visible:
            return SourceRow(key=key, image="", line=product.line, closed=True)
        try:
            return self._builder.row(product.line, self._renamed(product.record()))
        except RowError as error:
            return RejectedRow(product.line, key, str(error))

    def close(self) -> None:
        """Forget the handles."""
        self._seen.close()

    def _renamed(self, record: dict[str, Any]) -> dict[str, Any]:
        named = ((self._builder.name(theirs), value) for theirs, value in record.items())
        return {ours: value for ours, value in named if ours is not None}


def image_address(text: str) -> str:
    """Return an image's address; Shopify leaves the protocol out in places."""
    return "https:" + text if text.startswith("//") else text


def tags(value: Any) -> list[str]:
    """Return a product's tags, which come as a list or separated by commas."""
    parts: Iterable[Any] = value if isinstance(value, list) else str(value or "").split(",")
    return [text for part in parts if (text := str(part).strip())]
