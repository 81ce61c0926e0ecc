"""Magento's and Adobe Commerce's product CSV (System → Export → Products)."""

import re
from typing import Any

from services.catalogue.sources.formats.google_fields import attribute_name, with_attributes
from services.catalogue.sources.records.disk_table import DiskTable
from services.catalogue.sources.records.money import DecimalSeparator
from services.catalogue.sources.shops.shop_table import (
    Cells,
    ShopFormat,
    ShopProduct,
    is_within,
    present_prices,
    split_list,
)

COLUMNS = frozenset(
    {
        "sku",
        "store_view_code",
        "product_type",
        "categories",
        "name",
        "description",
        "product_online",
        "visibility",
        "price",
        "special_price",
        "special_price_from_date",
        "special_price_to_date",
        "msrp_price",
        "base_image",
        "additional_images",
        "additional_attributes",
        "configurable_variations",
        "qty",
        "is_in_stock",
    }
)
NO_IMAGE = "no_selection"
ROOT = "Default Category"
HIDDEN_NUMBER = "1"  # of the visibilities 1 to 4: not visible individually
VISIBLE_ALONE = "not visible individually"
# Attributes of the shop system, which say nothing about the garment.
TECHNICAL = re.compile(
    r"(?:has|required)_options|gift_.*|.*_container|.*custom_(?:design|layout).*|page_layout|tax_class.*|msrp_.*|"
    r"swatch_image.*|.*_image(?:_label)?|ts_.*|is_returnable|quantity_and_stock_status|category_ids|links_.*|"
    r"shipment_type|price_(?:type|view)|(?:sku|weight)_type|url_path|mst_.*"
)
NEXT_ATTRIBUTE = re.compile(r""",(?=\s*"?[A-Za-z][\w.-]*\s*=)""")


class Magento(ShopFormat):
    """The format of Magento's export. Configurable products are the group of their simple products."""

    kind = "Magento products"
    needs = "sku, name, product_type, and base_image or additional_attributes"

    def is_format(self, columns: list[str]) -> bool:
        """Return whether a table has the columns of this format."""
        names = {self.name(column) for column in columns}
        return {"id", "name", "product_type"} <= names and bool({"base_image", "additional_attributes"} & names)

    def name(self, column: str) -> str | None:
        """Return the format's own name of a column, or None if it is ignored."""
        name = column.strip().lower()
        return "id" if name == "sku" else name if name in COLUMNS else None

    def remember(self, cells: Cells, facts: DiskTable) -> None:
        """Remember which rows are of the default view, the prices by SKU, and the parents of variations."""
        key = cells.get("id", "")
        if not key or cells.get("store_view_code"):
            return
        facts.put(f"price {key}", _own_prices(cells) | {"image": _image(cells.get("base_image", ""))})
        for variation in _variations(cells):
            facts.put(f"parent {variation['sku']}", key)

    def product(self, cells: Cells, facts: DiskTable, decimal_separator: DecimalSeparator | None) -> ShopProduct | None:
        """Return the product of a row. Rows of other store views repeat products, and are left out."""
        key = cells.get("id", "")
        if cells.get("store_view_code") and key:
            if facts.get(f"price {key}") is not None or facts.get(f"view {key}") is not None:
                return None
            facts.put(f"view {key}", True)
        variations = _variations(cells)
        others = [value for variation in variations if (value := facts.get(f"price {variation['sku']}")) is not None]
        additional = split_list(cells.get("additional_images", ""))
        images = list(dict.fromkeys(filter(None, map(_image, (cells.get("base_image", ""), *additional)))))
        images = images or [value["image"] for value in others if value["image"]][:1]
        record: dict[str, Any] = {
            "title": cells.get("name"),
            "sku": key,
            **present_prices(_own_prices(cells), others, "special_price", decimal_separator),
            "availability": _availability(cells),
            "brand": cells.get("brand"),
            "product_type": [path for text in split_list(cells.get("categories", "")) if (path := _path(text))],
            "image": images[0] if images else None,
            "additional_image_link": images[1:],
            "body_html": cells.get("description"),
            "group": facts.get(f"parent {key}") or (key if variations else None),
        }
        attributes = self.attributes(cells)
        for variation in variations:
            for name, value in variation.items():
                if name != "sku" and value not in attributes.setdefault(attribute_name(name), []):
                    attributes[attribute_name(name)].append(value)
        visibility = cells.get("visibility", "")
        columns = {
            "product_online": cells.get("product_online", ""),
            "visibility": VISIBLE_ALONE if visibility == HIDDEN_NUMBER else visibility,
        }
        return ShopProduct(key, with_attributes(record, attributes), (columns,))

    def attributes(self, cells: Cells) -> dict[str, list[str]]:
        """Return the attributes of a row by name."""
        attributes: dict[str, list[str]] = {}
        for name, value in _pairs(cells.get("additional_attributes", "")).items():
            values = [stripped for part in value.split("|") if (stripped := part.strip())]
            if values and TECHNICAL.fullmatch(name.lower()) is None:
                attributes[attribute_name(name)] = values
        return attributes


def _variations(cells: Cells) -> list[dict[str, str]]:
    """Return the variations of a configurable product: each with its SKU and the values of its attributes."""
    variations = (_pairs(text) for text in cells.get("configurable_variations", "").split("|"))
    return [variation for variation in variations if variation.get("sku")]


def _pairs(text: str) -> dict[str, str]:
    """Return the names and values of `size=S,color=Blue`. Values may have commas, and quotes around the whole pair."""
    pairs: dict[str, str] = {}
    for part in NEXT_ATTRIBUTE.split(text):
        name, equals, value = part.strip().strip('"').partition("=")
        if equals and name.strip():
            pairs[name.strip()] = value.strip().strip('"').replace('""', '"')
    return pairs


def _path(text: str) -> str:
    """Return a path of categories as in Google's feeds, without its root: `Default Category/Men` is `Men`."""
    parts = [part.strip() for part in text.split("/") if part.strip()]
    return " > ".join(parts[1:] if len(parts) > 1 or parts == [ROOT] else parts)


def _image(text: str) -> str:
    """Return an image: a path in the shop's media folder, or a web address."""
    return "" if text == NO_IMAGE else text if text.startswith("//") else text.lstrip("/")


def _availability(cells: Cells) -> str:
    quantity = cells.get("qty", "")
    in_stock = cells.get("is_in_stock", "")
    if in_stock or not re.fullmatch(r"-?\d+(?:\.\d+)?", quantity):
        return in_stock
    return "in_stock" if float(quantity) > 0 else "out_of_stock"


def _own_prices(cells: Cells) -> dict[str, str]:
    is_now = is_within(cells.get("special_price_from_date", ""), cells.get("special_price_to_date", ""))
    special = cells.get("special_price", "") if is_now else ""
    return {"regular_price": cells.get("price", ""), "special_price": special}
