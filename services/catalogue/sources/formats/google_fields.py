"""Google's product data specification: attribute names and the types of their values."""

import csv
import re
from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from services.catalogue.sources.formats.csv_feed import typed
from services.catalogue.sources.records.fields import FIELDS, RowBuilder
from services.catalogue.sources.records.mapping import FeedMapping
from services.catalogue.sources.records.rows import SourceRow
from services.catalogue.sources.records.visibility import HIDDEN, VISIBLE

RENAMED = {
    "link": "url",
    "image_link": "image_url",
    "additional_image_link": "images",
    "additional_image_url": "images",
    "image.url": "images",  # Meta's `image[0].url`
    "additional_image.url": "images",
}
# Other addresses than the product's: they are not for filters, and attributes take memory of the index.
ADDRESSES = frozenset(
    {
        "lifestyle_image_link",
        "mobile_link",
        "canonical_link",
        "ads_redirect",
        "link_template",
        "mobile_link_template",
        "checkout_link_template",
        "virtual_model_link",
        "video_link",
        "video.url",
    }
)
# Attributes are visible in search results.
PRIVATE = frozenset({"cost_of_goods_sold", "auto_pricing_min_price", "external_seller_id"})
NOT_KEPT = ADDRESSES | PRIVATE | {"body_html"}
# Attributes with several values, separated by commas in tables.
REPEATED = frozenset(
    {
        "product_type",
        "ads_labels",
        "promotion_id",
        "included_destination",
        "excluded_destination",
        "shopping_ads_excluded_country",
        "product_highlight",
        "product_detail",
        "certification",
        "loyalty_program",
        "shipping",
        "carrier_shipping",
        "free_shipping_threshold",
        "minimum_order_value",
        "shipping_handling_business_days",
        "shipping_transit_business_days",
        "handling_cutoff_time",
        "tax",
    }
)
ENUMERATED = frozenset({"gender", "age_group", "size_system", "size_type"})
NUMBERS = frozenset({"multipack", "min_handling_time", "max_handling_time", "loyalty_points"})
YES_OR_NO = {"yes": True, "true": True, "no": False, "false": False}
BOOLEANS = frozenset({"adult", "is_bundle", "identifier_exists"})
PATHS = ("category", "product_type", "product_category", "google_product_category", "fb_product_category")
# Names with a meaning: an attribute that a shop calls so gets another name.
RESERVED = frozenset(FIELDS) | VISIBLE | HIDDEN | {"currency", "item_group_id"}
PATH_SEPARATOR = re.compile(r"[>|»]")
INDEX = re.compile(r"\[\d+\]")  # in a list: `image[0].url`, `additional_image_link[1]`
IN_BRACKETS = re.compile(r".*\[([a-z0-9_]+)\]")


@lru_cache(maxsize=4096)  # a feed has a few dozen names in every item
def attribute_name(column: str) -> str:
    """Return the attribute of a column or element, for example `image_link` for `Image link` and `g:image_link`."""
    name = INDEX.sub("", column.strip().lower())
    bracketed = IN_BRACKETS.fullmatch(name)
    name = bracketed[1] if bracketed else name.split("(", 1)[0]
    return re.sub(r"[\s_-]+", "_", name.strip().removeprefix("g:").removeprefix("c:"))


class GoogleRows(RowBuilder):
    """Turns records with Google's attributes, as text or lists of text, into rows."""

    def __init__(self, mapping: FeedMapping, images_root: Path, *, splits: bool = False) -> None:
        """Create the builder of a feed; `splits`: the values of an attribute are separated by commas."""
        super().__init__(mapping, images_root)
        self._mapped = frozenset(mapping.columns.values())
        self._types = {self.name(column): kind for column, kind in mapping.types.items()}
        self._splits = splits

    def is_mapped(self, column: str) -> bool:
        """Return whether the mapping names or ignores a column, by its text or Google's name."""
        return super().is_mapped(column) or super().is_mapped(attribute_name(column))

    def _name(self, column: str) -> str | None:
        """Return the name of an attribute. A mapping may contain the column's text or Google's name."""
        google = attribute_name(column)
        if column in self._ignored or google in self._ignored:
            return None
        if column in self._columns:
            return self._columns[column]
        return self._columns.get(google) or RENAMED.get(google) or super()._name(google)

    def _row(self, line: int, record: Mapping[str, Any], extra_words: tuple[str, ...]) -> SourceRow:
        kept = {name: value for name, value in record.items() if name not in NOT_KEPT or name in self._mapped}
        clean = {name: self._value(name, value) for name, value in kept.items()}
        if not clean.get("title") and (structured := clean.pop("structured_title", None)):
            clean["title"] = str(structured).rpartition(":")[2]
        if isinstance(clean.get("category"), list):  # a mapping can turn a repeated attribute into the category
            clean["category"] = clean["category"][0]
        words = tuple(word for name in PATHS for path in _listed(clean.get(name)) for word in path_words(path))
        row = super()._row(line, clean, words + extra_words)
        dropped = tuple(name for name in record if name not in kept and record[name])
        return row if not dropped else _also_left_out(row, dropped)

    def _value(self, name: str, value: Any) -> Any:
        if self._splits and name in REPEATED:
            value = [part for text in _listed(value) for part in _split(text)]
        if isinstance(value, list):
            return value[0] if len(value) == 1 else value
        if not isinstance(value, str) or name in FIELDS:
            return value
        if (kind := self._types.get(name)) is not None or name in NUMBERS:
            return typed(value, name, kind)
        if name in BOOLEANS:
            return YES_OR_NO.get(value.strip().casefold(), value)
        return re.sub(r"\s+", "_", value.strip().casefold()) if name in ENUMERATED else value


def with_attributes(record: dict[str, Any], attributes: Mapping[str, list[str]]) -> dict[str, Any]:
    """Return a record with attributes whose names the shop chose: they replace no field and hide no product."""
    named = {
        f"attribute_{name}" if name in RESERVED or record.get(name) else name: value
        for name, value in attributes.items()
    }
    return record | {name: value[0] if len(value) == 1 else value for name, value in named.items() if value}


def path_words(path: str) -> tuple[str, ...]:
    """Return the category names of a path, the most specific first: the whole path, then its parts from the last."""
    parts = [part.strip() for part in PATH_SEPARATOR.split(path) if part.strip()]
    return (path.strip(), *reversed(parts)) if len(parts) > 1 else tuple(parts)


def _also_left_out(row: SourceRow, names: tuple[str, ...]) -> SourceRow:
    return replace(row, left_out=row.left_out + names)


def _listed(value: Any) -> list[str]:
    return [str(item) for item in value] if isinstance(value, list) else [str(value)] if value else []


def _split(text: str) -> list[str]:
    parts = next(csv.reader([text], skipinitialspace=True), [])
    return [part.strip() for part in parts if part.strip()]
