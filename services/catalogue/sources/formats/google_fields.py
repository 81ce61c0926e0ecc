"""Google's product data specification in our terms: the names of its attributes, and how their values are read."""

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

RENAMED = {"link": "url", "image_link": "image_url", "additional_image_link": "images"}
# Addresses beside the product's own: nothing to filter by, and attributes live in the index's memory.
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
    }
)
# Attributes are shown to whoever searches.
PRIVATE = frozenset({"cost_of_goods_sold", "auto_pricing_min_price", "external_seller_id"})
NOT_KEPT = ADDRESSES | PRIVATE | {"body_html"}
# Attributes that may hold several values, which a table separates by commas.
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
ENUMERATED = frozenset({"availability", "condition", "gender", "age_group", "size_system", "size_type"})
NUMBERS = frozenset({"multipack", "min_handling_time", "max_handling_time", "loyalty_points"})
YES_OR_NO = {"yes": True, "true": True, "no": False, "false": False}
BOOLEANS = frozenset({"adult", "is_bundle", "identifier_exists"})
PATHS = ("category", "product_type", "product_category", "google_product_category")
IN_BRACKETS = re.compile(r".*\[([a-z0-9_]+)\]")


@lru_cache(maxsize=4096)  # a feed has a few dozen names, and each in every item
def attribute_name(column: str) -> str:
    """Return the attribute a column or element is: `Image link`, `g:image_link` and `ID [id]` are `image_link` and `id`."""
    name = column.strip().casefold()
    bracketed = IN_BRACKETS.fullmatch(name)
    name = bracketed[1] if bracketed else name.split("(", 1)[0]
    return re.sub(r"[\s_-]+", "_", name.strip().removeprefix("g:").removeprefix("c:"))


class GoogleRows(RowBuilder):
    """Makes rows of records whose fields are Google's attributes, as texts or lists of texts."""

    def __init__(self, mapping: FeedMapping, images_root: Path, *, splits: bool = False) -> None:
        """Remember how the feed names things; `splits`: several values of an attribute are separated by commas."""
        super().__init__(mapping, images_root)
        self._asked_for = frozenset(mapping.columns.values())
        self._types = {self.name(column): kind for column, kind in mapping.types.items()}
        self._splits = splits

    def name(self, column: str) -> str | None:
        """Return what an attribute is to us; a mapping may give the column as it stands, or Google's name."""
        google = attribute_name(column)
        if column in self._ignored or google in self._ignored:
            return None
        if column in self._ours:
            return self._ours[column]
        return self._ours.get(google) or RENAMED.get(google) or super().name(google)

    def row(self, line: int, record: Mapping[str, Any], more_words: tuple[str, ...] = ()) -> SourceRow:
        """Return the product that a record describes.

        Raises:
            RowError: it describes none.
        """
        wanted = {name: value for name, value in record.items() if name not in NOT_KEPT or name in self._asked_for}
        clean = {name: self._value(name, value) for name, value in wanted.items()}
        if not clean.get("title") and (structured := clean.pop("structured_title", None)):
            clean["title"] = str(structured).rpartition(":")[2]
        if isinstance(clean.get("category"), list):  # a mapping made one of an attribute with several values
            clean["category"] = clean["category"][0]
        words = tuple(word for name in PATHS for path in _listed(clean.get(name)) for word in path_words(path))
        row = super().row(line, clean, words + more_words)
        dropped = tuple(name for name in record if name not in wanted and record[name])
        return row if not dropped else _also_left_out(row, dropped)

    def _value(self, name: str, value: Any) -> Any:
        if isinstance(value, str) and self._splits and name in REPEATED:
            value = _split(value)
        if isinstance(value, list):
            return value[0] if len(value) == 1 else value
        if not isinstance(value, str) or name in FIELDS:
            return value
        if (kind := self._types.get(name)) is not None or name in NUMBERS:
            return typed(value, name, kind)
        if name in BOOLEANS:
            return YES_OR_NO.get(value.strip().casefold(), value)
        return re.sub(r"\s+", "_", value.strip().casefold()) if name in ENUMERATED else value


def path_words(path: str) -> tuple[str, ...]:
    """Return a category path's words, the most telling first: the whole path, then its parts from the last to the first."""
    parts = [part.strip() for part in path.split(">") if part.strip()]
    return (path.strip(), *reversed(parts)) if len(parts) > 1 else tuple(parts)


def _also_left_out(row: SourceRow, names: tuple[str, ...]) -> SourceRow:
    return replace(row, left_out=row.left_out + names)


def _listed(value: Any) -> list[str]:
    return [str(item) for item in value] if isinstance(value, list) else [str(value)] if value else []


def _split(text: str) -> list[str]:
    parts = next(csv.reader([text], skipinitialspace=True), [])
    return [part.strip() for part in parts if part.strip()]
