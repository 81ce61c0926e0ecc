"""The shared cases of feeds, with the right values of their rows."""

import shutil
from pathlib import Path

from tests.support.feeds.rows import keys, product, read
from tests.support.values.cases import CASES, needs_cases

pytestmark = needs_cases


def test_double_encoded_text_is_decoded() -> None:
    item = product(read(CASES / "04-double-encoded.xml")[0])
    assert (item.title, item.url) == ("Men’s tee & cap", "https://shop.example/p/1?utm_source=g&utm_medium=cpc")
    assert item.image_url == "http://images.test/needs-query/sample-topwear-014.jpg?w=300&h=400"
    assert item.category_words[0] == item.attributes["product_type"] == "Men > Shirts"
    assert item.attributes["color"] == "Navy & White"


def test_an_unpublished_product_of_woocommerce_is_hidden() -> None:
    rows = {row.key: product(row) for row in read(CASES / "11-woocommerce.csv")}
    assert [key for key, row in rows.items() if row.hidden] == ["103"]


def test_options_of_shopify_are_attributes_in_lower_case(tmp_path: Path) -> None:
    shutil.copy(CASES / "26-shopify-json.json", tmp_path / "products.json")
    attributes = product(read(tmp_path / "products.json")[0]).attributes
    assert (attributes["größe"], attributes["farbe"], attributes["price"]) == (["S", "M"], ["Rot", "Blau"], 17.9)


def test_the_spellings_of_availability_are_googles_words() -> None:
    rows = read(CASES / "28-availability.tsv")
    out, back = {"c28-6", "c28-7", "c28-8"}, {"c28-9"}
    expected = {key: "out_of_stock" if key in out else "backorder" if key in back else "in_stock" for key in keys(rows)}
    assert {row.key: product(row).attributes["availability"] for row in rows} == expected
    assert len(expected) == 15
    assert not any(product(row).problems for row in rows)


def test_padded_values_and_four_decimals_are_read() -> None:
    item = product(read(CASES / "32-magento.xml")[0])
    assert (item.key, item.attributes["price"], item.attributes["currency"]) == ("SKU 12/4", 49.95, "EUR")
    assert item.attributes["availability"] == "in_stock"


def test_the_prices_of_json_documents_are_numbers() -> None:
    rows = {row.key: product(row) for row in read(CASES / "25-ndjson.ndjson")}
    prices = {key: (row.attributes.get("price"), row.attributes.get("currency")) for key, row in rows.items()}
    assert prices == {
        "25001": (29.9, "EUR"),
        "c25-b": (29.9, "EUR"),
        "c25-c": (29.9, "EUR"),
        "c25-d": (29.9, "EUR"),
        "c25-e": (19.99, None),
        "c25-f": (None, None),
        "c25-g": (29.9, None),
    }
    assert rows["c25-c"].attributes["availability"] == "in_stock"
    assert rows["c25-f"].left_out == ("price",)
    assert not any(row.problems for row in rows.values())
