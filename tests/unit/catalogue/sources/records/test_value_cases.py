"""The feeds in `../shared/cases`, or in the folder that CASES names, with the right values of their rows."""

import os
import shutil
from pathlib import Path

import pytest

from tests.support.feeds.rows import keys, product, read

FEEDS = Path(os.environ.get("CASES", Path(__file__).parents[6] / "shared" / "cases")) / "feeds"
pytestmark = pytest.mark.skipif(not FEEDS.is_dir(), reason=f"the cases are not in {FEEDS}: set CASES")


def test_double_encoded_text_is_decoded() -> None:
    item = product(read(FEEDS / "04-double-encoded.xml")[0])
    assert (item.title, item.url) == ("Men’s tee & cap", "https://shop.example/p/1?utm_source=g&utm_medium=cpc")
    assert item.image_url == "http://images.test/needs-query/sample-topwear-014.jpg?w=300&h=400"
    assert item.category_words[0] == item.attributes["product_type"] == "Men > Shirts"
    assert item.attributes["color"] == "Navy & White"


def test_an_unpublished_product_of_woocommerce_is_skipped() -> None:
    rows = {row.key: product(row) for row in read(FEEDS / "11-woocommerce.csv")}
    assert [key for key, row in rows.items() if row.category_required] == ["103"]


def test_options_of_shopify_are_attributes_in_lower_case(tmp_path: Path) -> None:
    shutil.copy(FEEDS / "26-shopify-json.json", tmp_path / "products.json")
    attributes = product(read(tmp_path / "products.json")[0]).attributes
    assert (attributes["größe"], attributes["farbe"], attributes["price"]) == (["S", "M"], ["Rot", "Blau"], 17.9)


def test_the_spellings_of_availability_are_googles_words() -> None:
    rows = read(FEEDS / "28-availability.tsv")
    out, back = {"c28-6", "c28-7", "c28-8"}, {"c28-9"}
    expected = {key: "out_of_stock" if key in out else "backorder" if key in back else "in_stock" for key in keys(rows)}
    assert {row.key: product(row).attributes["availability"] for row in rows} == expected
    assert len(expected) == 15
    assert not any(product(row).problems for row in rows)


def test_padded_values_and_four_decimals_are_read() -> None:
    item = product(read(FEEDS / "32-magento.xml")[0])
    assert (item.key, item.attributes["price"], item.attributes["currency"]) == ("SKU 12/4", 49.95, "EUR")
    assert item.attributes["availability"] == "in_stock"
