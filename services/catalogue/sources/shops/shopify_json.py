"""`products.json` of a Shopify shop, from its public address or from the Admin API."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson

from services.catalogue.sources.formats.json_fields import no_object
from services.catalogue.sources.parsing.json_items import JsonItems
from services.catalogue.sources.parsing.json_layout import json_layout
from services.catalogue.sources.records.mapping import FeedMapping
from services.catalogue.sources.records.rows import RejectedRow, SourceRow
from services.catalogue.sources.shops.shopify_fields import ShopifyProduct, ShopifyRows, Variant, image_address, tags


class ShopifyJson:
    """A file of products. It may contain several pages, one after the other."""

    kind = "Shopify products"

    def __init__(self, path: Path, mapping: FeedMapping, images_root: Path) -> None:
        """Open the file.

        Raises:
            SourceError: it cannot be read.
        """
        self._items = JsonItems(path, json_layout(path).names)
        self._rows = ShopifyRows(mapping, images_root)

    def rows(self) -> Iterator[SourceRow | RejectedRow]:
        """Yield every product."""
        for line, data in self._items:
            yield self._row(line, data) if data.startswith(b"{") else no_object(line, data)

    def progress(self) -> tuple[int, int]:
        """Return the bytes read and the size in bytes."""
        return self._items.position, self._items.size

    def close(self) -> None:
        """Close the file."""
        self._items.close()
        self._rows.close()

    def _row(self, line: int, data: bytes) -> SourceRow | RejectedRow:
        try:
            return self._rows.row(_product(line, orjson.loads(data)))
        except orjson.JSONDecodeError as error:
            return RejectedRow(line, None, f"not JSON: {error.msg}")


def _product(line: int, document: dict[str, Any]) -> ShopifyProduct:
    options = [_text(option, "name") for option in _objects(document, "options")]
    images = [*_objects(document, "images"), *_objects({"image": [document.get("image")]}, "image")]
    addresses = (image_address(_text(image, "src")) for image in sorted(images, key=_position))
    return ShopifyProduct(
        handle=_text(document, "handle"),
        line=line,
        facts={
            "title": _text(document, "title"),
            "body_html": _text(document, "body_html"),
            "brand": _text(document, "vendor"),
            "product_type": _text(document, "product_type"),
            "tags": tags(document.get("tags")),
        },
        visibility=_visibility(document),
        variants=[_variant(variant, options) for variant in _objects(document, "variants")],
        images=list(dict.fromkeys(filter(None, addresses))),
    )


def _visibility(document: dict[str, Any]) -> dict[str, Any]:
    """Return the fields of visibility: a product without a date of publication, null, is not published."""
    fields: dict[str, Any] = {name: document.get(name, "") for name in ("status", "published_at", "published")}
    if fields["published_at"] is None:
        fields["published_at"] = False
    return fields


def _variant(variant: dict[str, Any], options: list[str]) -> Variant:
    values = ((name, _text(variant, f"option{number}")) for number, name in enumerate(options, start=1))
    return Variant(
        price=_text(variant, "price"),
        compare_at_price=_text(variant, "compare_at_price"),
        sku=_text(variant, "sku"),
        gtin=_text(variant, "barcode"),
        available=_available(variant),
        options=tuple((name, value) for name, value in values if value),
    )


def _available(variant: dict[str, Any]) -> bool | None:
    """Whether a variant is in stock: the public page has the flag, the Admin API the quantity."""
    flag, quantity = variant.get("available"), variant.get("inventory_quantity")
    if isinstance(flag, bool):
        return flag
    if "inventory_management" in variant and variant["inventory_management"] is None:
        return True
    if not isinstance(quantity, int):
        return None
    return quantity > 0 or variant.get("inventory_policy") == "continue"


def _objects(document: dict[str, Any], name: str) -> list[dict[str, Any]]:
    value = document.get(name)
    return [entry for entry in value if isinstance(entry, dict)] if isinstance(value, list) else []


def _position(image: dict[str, Any]) -> int:
    position = image.get("position")
    return position if isinstance(position, int) else 0


def _text(document: dict[str, Any], name: str) -> str:
    value = document.get(name)
    return str(value).strip() if isinstance(value, str | int | float) and not isinstance(value, bool) else ""
