"""Availability and condition in Google's words."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.catalogue.sources.records.availability import TABLES, google_word
from tests.support.feeds.rows import csv_rows, json_rows, product, shopify_rows, xml_rows

IMAGE = "https://a.test/1.jpg"
WORDS: dict[str, list[Any]] = {
    "in_stock": [
        "in stock",
        "In Stock",
        "instock",
        "InStock",
        "in-stock",
        "in_stock",
        "https://schema.org/InStock",
        "http://schema.org/InStock/",
        "schema:OnlineOnly",
        "available for order",
        "auf Lager",
        "disponible",
        "en stock",
        "1",
        "true",
        "yes",
        "WAHR",
        1,
        True,
        " in  stock ",
        "In stock (5)",
        "3 in stock",
        "Only 3 left",
        "limited stock",
        "17",
        2.5,
    ],
    "out_of_stock": [
        "out of stock",
        "outofstock",
        "OutOfStock",
        "Out-Of-Stock",
        "sold out",
        "https://schema.org/SoldOut",
        "http://www.schema.org/Discontinued",
        "nicht auf Lager",
        "agotado",
        "esaurito",
        "rupture de stock",
        "0",
        0,
        False,
    ],
    "preorder": ["preorder", "Pre-Order", "PreOrder", "https://schema.org/PreSale", "Vorbestellung", "précommande"],
    "backorder": ["backorder", "back order", "BackOrder", "onbackorder", "https://schema.org/BackOrder"],
}
CONDITIONS = {
    "new": ["new", "New", "https://schema.org/NewCondition", "neu", "neuf", "nuevo", "nuovo", "nieuw"],
    "refurbished": [
        "refurbished",
        "Certified - Refurbished",
        "https://schema.org/RefurbishedCondition",
        "reconditionné",
    ],
    "used": ["used", "pre-owned", "UsedCondition", "gebraucht", "d'occasion", "segunda mano", "usato"],
}


@pytest.mark.parametrize(("word", "value"), [(word, value) for word, values in WORDS.items() for value in values])
def test_an_availability_is_one_of_googles_words(word: str, value: Any) -> None:
    assert google_word("availability", value) == word


@pytest.mark.parametrize(("word", "value"), [(word, value) for word, values in CONDITIONS.items() for value in values])
def test_a_condition_is_one_of_googles_words(word: str, value: Any) -> None:
    assert google_word("condition", value) == word


@given(
    st.sampled_from([(name, *entry) for name, table in TABLES.items() for entry in table.items()]),
    st.sampled_from(["", " ", "-", "_", "\u00a0"]),
    st.integers(0, 30),
    st.booleans(),
)
def test_spaces_hyphens_and_case_do_not_matter(entry: tuple[str, str, str], mark: str, at: int, title: bool) -> None:
    name, word, expected = entry
    spelling = f" {word[:at]}{mark}{word[at:]} "
    assert google_word(name, spelling.title() if title else spelling) == expected


@pytest.mark.parametrize("value", ["in 3 Tagen", "https://example.test/InStock", "", "ask", "5-7", None, {"a": 1}])
def test_another_value_is_not_known(value: Any) -> None:
    assert google_word("availability", value) is None
    assert google_word("condition", value) is None


@pytest.mark.parametrize(
    ("text", "expected"), [("https://schema.org/InStock", "in_stock"), ("1", "in_stock"), ("TRUE", "in_stock")]
)
def test_every_format_has_the_same_words(tmp_path: Path, text: str, expected: str) -> None:
    elements = f"<availability>\n {text} </availability><condition>Gebraucht</condition>"
    item = f"<item><id>1</id><image_link>{IMAGE}</image_link>{elements}</item>"
    rows = [
        *csv_rows(tmp_path, f"id,image,availability,condition\n1,{IMAGE},{text},Gebraucht\n"),
        *xml_rows(tmp_path, f"id\timage_link\tavailability\tcondition\n1\t{IMAGE}\t{text}\tGebraucht\n", "feed.tsv"),
        *xml_rows(tmp_path, f"<rss><channel>{item}</channel></rss>"),
        *json_rows(tmp_path, {"id": "1", "image": IMAGE, "availability": text, "condition": "Gebraucht"}),
    ]
    assert [product(row).attributes for row in rows] == [{"availability": expected, "condition": "used"}] * 4
    shopify = f"Handle,Title,Image Src,Google Shopping / Condition\n1,x,{IMAGE},Gebraucht\n"
    assert product(shopify_rows(tmp_path, shopify)[0]).attributes["condition"] == "used"


def test_a_value_that_is_not_known_is_kept_as_it_is_and_named(tmp_path: Path) -> None:
    item = product(csv_rows(tmp_path, "id,image,availability\n1,1.jpg,In 3 Tagen\n")[0])
    assert item.attributes == {"availability": "In 3 Tagen"}
    assert [str(problem) for problem in item.problems] == [
        "availability 'In 3 Tagen' is not a known availability; it is kept as it is"
    ]


def test_an_address_in_another_attribute_is_not_changed(tmp_path: Path) -> None:
    item = product(csv_rows(tmp_path, "id,image,state\n1,1.jpg,https://schema.org/InStock\n")[0])
    assert item.attributes == {"state": "https://schema.org/InStock"}
