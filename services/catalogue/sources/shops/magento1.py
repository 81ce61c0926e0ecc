"""The product CSV of Magento 1 and OpenMage: of System → Import/Export, and of the older data profiles.

A product has several rows: those after the first have no SKU, and more categories, pictures, variations or values.
Together they become a row of Magento 2 with the same meaning.
"""

import re

from services.catalogue.sources.formats.google_fields import attribute_name
from services.catalogue.sources.records.disk_table import DiskTable
from services.catalogue.sources.records.money import DecimalSeparator
from services.catalogue.sources.shops.magento import ROOT, Magento
from services.catalogue.sources.shops.shop_table import Cells, ShopProduct

COLUMNS = {
    "sku": "id",
    "_store": "store_view_code",
    "store": "store_view_code",
    "_category": "categories",
    "name": "name",
    "description": "description",
    "status": "product_online",
    "visibility": "visibility",
    "manufacturer": "brand",
    "price": "price",
    "special_price": "special_price",
    "special_from_date": "special_price_from_date",
    "special_to_date": "special_price_to_date",
    "image": "base_image",
    "_media_image": "additional_images",
    "_super_products_sku": "variation_sku",
    "_super_attribute_code": "variation_name",
    "_super_attribute_option": "variation_value",
    "qty": "qty",
    "is_in_stock": "is_in_stock",
}
EXPORT = frozenset({"_type", "_attribute_set"})
PROFILE = frozenset({"type", "attribute_set", "visibility"})
ADMIN = "admin"  # the store of the values that hold in every store
# Columns of the shop system, which say nothing about the garment; all others are attributes.
TECHNICAL = re.compile(
    r"_.*|.*_ids?|store|websites|type|attribute_set|(?:sku|weight|price|shipment)_(?:type|view)|links_.*|samples_.*|"
    r"cost|msrp.*|minimal_price|(?:group|tier)_price.*|gift_.*|gallery|media_gallery|meta_.*|(?:news|custom)_.*|"
    r"(?:small_image|thumbnail|image)(?:_label)?|options_container|page_layout|(?:has|required)_options|url_(?:key|path)|"
    r"(?:created|updated)_at|country_of_manufacture|enable_.*|is_(?:recurring|imported|returnable|qty_decimal|"
    r"decimal_divided)|recurring_profile|short_description|weight|tax_class.*|(?:min|max|notify_stock)_.*|use_config_.*|"
    r"backorders|manage_stock|stock_.*|low_stock_date|qty_increments|product_(?:name|type_id|status_changed|"
    r"changed_websites)|(?:related|upsell|crosssell)_.*"
)
ATTRIBUTE = "attribute "
LISTS = frozenset({"categories", "additional_images"})
MORE = "\n"  # between the values of several rows


class Magento1(Magento):
    """The format of the exports of Magento 1."""

    needs = "sku, name, image, and _type with _attribute_set, or type with attribute_set and visibility"

    def is_format(self, columns: list[str]) -> bool:
        """Return whether a table has the columns of this format."""
        names = {column.strip().lower() for column in columns}
        return {"sku", "name", "image"} <= names and (names >= EXPORT or names >= PROFILE)

    def name(self, column: str) -> str | None:
        """Return the format's own name of a column, or None if it is ignored."""
        name = column.strip().lower()
        return COLUMNS.get(name) or (None if TECHNICAL.fullmatch(name) else f"{ATTRIBUTE}{name}")

    def continued(self, product: Cells, row: Cells) -> Cells | None:
        """Return a product with the values of the next row, which has no SKU, or None if the row is another product."""
        if row.get("id"):
            return None
        is_of_store = bool(row.get("store_view_code"))
        names = {name for name in row if name in LISTS or (name.startswith(ATTRIBUTE) and not is_of_store)}
        more = {name: _added(product.get(name, ""), row[name]) for name in names if row[name]}
        return product | more | {"configurable_variations": "|".join(filter(None, map(_variations, (product, row))))}

    def remember(self, cells: Cells, facts: DiskTable) -> None:
        """Remember the prices by SKU, and the parents of variations."""
        super().remember(_converted(cells), facts)

    def product(self, cells: Cells, facts: DiskTable, decimal_separator: DecimalSeparator | None) -> ShopProduct | None:
        """Return the product of all rows of a SKU."""
        return super().product(_converted(cells), facts, decimal_separator)

    def attributes(self, cells: Cells) -> dict[str, list[str]]:
        """Return the attributes of a product by name."""
        return {
            attribute_name(name.removeprefix(ATTRIBUTE)): text.split(MORE)
            for name, text in cells.items()
            if name.startswith(ATTRIBUTE) and text
        }


def _added(text: str, value: str) -> str:
    values = text.split(MORE) if text else []
    return MORE.join(dict.fromkeys((*values, value)))


def _variations(cells: Cells) -> str:
    """Return the variations of a product as Magento 2 writes them: `sku=S-R,color=Red|sku=S-B,color=Blue`."""
    if "configurable_variations" in cells or not cells.get("variation_sku"):
        return cells.get("configurable_variations", "")
    name = cells.get("variation_name")
    return f"sku={cells['variation_sku']}" + (f",{name}={cells.get('variation_value', '')}" if name else "")


def _converted(cells: Cells) -> Cells:
    """Return the cells of a product as Magento 2 writes them."""
    store = cells.get("store_view_code", "")
    return cells | {
        "store_view_code": "" if store == ADMIN else store,
        "categories": ",".join(f"{ROOT}/{_escaped(path)}" for path in cells.get("categories", "").split(MORE) if path),
        "additional_images": ",".join(map(_escaped, cells.get("additional_images", "").split(MORE))),
        "configurable_variations": _variations(cells),
    }


def _escaped(text: str) -> str:
    return text.replace(",", "\\,")
