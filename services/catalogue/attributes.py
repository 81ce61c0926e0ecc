"""The attributes of products by which results are put in order: as feeds name them, and as the Kaggle archive does."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

TYPE = ("articleType", "product_type", "product_category", "type")
COLOUR = ("baseColour", "color", "colour")
GENDER = ("gender",)
BRAND = ("brand",)
SIZE = ("size",)
IN_STOCK, OUT_OF_STOCK = frozenset({"in_stock", "preorder", "backorder"}), frozenset({"out_of_stock"})


def words(attributes: Mapping[str, Any], names: Sequence[str]) -> frozenset[str]:
    """Return the values of the first of these attributes that a product has, in lower case."""
    for name in names:
        value = attributes.get(name)
        if value is not None and value != []:
            return frozenset(str(part).strip().lower() for part in (value if isinstance(value, list) else [value]))
    return frozenset()


def price_of(attributes: Mapping[str, Any]) -> float:
    """Return a product's price, NaN if it has none above 0."""
    value = attributes.get("price")
    if isinstance(value, bool) or not isinstance(value, int | float):
        return math.nan
    return float(value) if math.isfinite(value) and value > 0 else math.nan


def available(attributes: Mapping[str, Any]) -> float:
    """Return 1 for a product that can be bought, 0 for one that cannot, NaN if the shop does not say."""
    value = attributes.get("availability", attributes.get("in_stock"))
    if isinstance(value, bool):
        return float(value)
    if value in IN_STOCK:
        return 1.0
    return 0.0 if value in OUT_OF_STOCK else math.nan
