"""Every shared case of feeds against its right value: the table of cases, as one test."""

import re
from dataclasses import dataclass
from typing import Any

import pytest

from services.catalogue.sources.open_source import open_source
from services.catalogue.sources.records.money import read_money
from services.catalogue.sources.records.rows import RejectedRow, SourceRow, notes_of
from services.contracts.domain.manifest import InputSize
from services.contracts.images.preparation import prepare_image
from tests.support.values.cases import CASES, needs_cases

PICTURES = "http://images.test/"
SAMPLE = PICTURES + "sample-{}.jpg"


@dataclass(frozen=True)
class Right:
    """The right value of a case: its products by id, the ids of hidden and rejected rows, and a word of its note."""

    products: dict[str, dict[str, Any]]
    hidden: tuple[str, ...] = ()
    rejected: tuple[str, ...] = ()
    note: str | None = None


EURO = {"price": 29.9, "currency": "EUR"}
IN_STOCK = {"availability": "in_stock"}
HOODIES = "Clothing > Hoodies"
IN, OUT, BACK = "in_stock", "out_of_stock", "backorder"
AVAILABILITY = (IN, IN, IN, IN, IN, IN, OUT, OUT, OUT, BACK, IN, IN, IN, IN, IN)
RIGHT = {
    "01-xml-blank-first-line.xml": Right({"c01-a": {"title": "Linen shirt", **EURO, **IN_STOCK}}, note="white space"),
    "02-html-entities.xml": Right(
        {
            "c02-a": {"title": "Café jacket – slim", "price": 59},
            "c02-b": {"description": "Soft\xa0cotton"},
            "c02-c": {"title": "Good one"},
        }
    ),
    "04-double-encoded.xml": Right(
        {
            "c04-a": {
                "title": "Men’s tee & cap",
                "url": "https://shop.example/p/1?utm_source=g&utm_medium=cpc",
                "image": f"{PICTURES}needs-query/sample-topwear-014.jpg?w=300&h=400",
                "product_type": "Men > Shirts",
                "color": "Navy & White",
            }
        }
    ),
    "06-namespaces.xml": Right({"c06-a": {"title": "Undeclared", **EURO}, "c06-b": {"price": 19.9}}),
    "06-namespaces-b.xml": Right({"c06-c": {"title": "Google title", "image": SAMPLE.format("bags-012"), **EURO}}),
    "06-namespaces-c.xml": Right({"c06-d": {"title": "Other root", "image": SAMPLE.format("bags-013"), **EURO}}),
    "06-namespaces-d.xml": Right({"c06-e": {"title": "Größe Süß"}}),
    "07-many-image-links.xml": Right(
        {
            "c07-a": {
                "image": SAMPLE.format("topwear-022"),
                "images": [SAMPLE.format("topwear-023"), SAMPLE.format("topwear-024")],
                "shipping": "Standard",
                "price": 3599,
                **IN_STOCK,
            }
        }
    ),
    "08-sep-line.csv": Right({"c08-a": {"title": "Hemd", "price": 29.9}}),
    "09-cp1252.csv": Right(
        {
            "c09-a": {"farbe": "blau"},
            "c09-b": {"title": "Röckchen grün", "farbe": "grün"},
            "c09-c": {"title": "Weste – 20 € Rabatt", "price": 49.9, "currency": "EUR"},
        },
        note="Windows-1252",
    ),
    "10-shopify-handle-once.csv": Right(
        {
            "wool-coat": {
                "price": 119,
                "image": SAMPLE.format("topwear-031"),
                "images": [SAMPLE.format("topwear-032")],
                "size": ["S", "M"],
                "group": "wool-coat",
            }
        }
    ),
    "11-woocommerce.csv": Right(
        {
            "101": {
                "title": "Hoodie",
                "images": [SAMPLE.format("topwear-002")],
                "category": HOODIES,
                "group": "HOODIE",
            },
            "102": {"title": "Hoodie - Blue", "gtin": "4006381333931", "price": 39.9, "group": "HOODIE"},
            "104": {"title": "Cap", "price": 12.5, "images": [SAMPLE.format("bags-003")], "category": "Accessories"},
        },
        hidden=("103",),
    ),
    "12-repeated-columns-a.tsv": Right(
        {
            "c12-a": {
                "product_type": ["Men > Shirts", "Sale"],
                "shipping": ["DE:::4.90 EUR", "AT:::9.90 EUR"],
                "images": [SAMPLE.format("topwear-005"), SAMPLE.format("topwear-006")],
            }
        }
    ),
    "13-ragged.tsv": Right({"c13-a": {"price": 19.9}, "c13-b": {"sale_price": 15}, "c13-c": {"price": 19.9}}),
    "14-cr-only.csv": Right({"c14-a": {"price": 19.9}, "c14-b": {"price": 29.9}}),
    "15-json-array-a.json": Right({"1501": {"title": "Backpack", "price": 109.95, "image": SAMPLE.format("bags-004")}}),
    "15-json-array-b.json": Right(
        {"1502": {"image": SAMPLE.format("shoes-004"), "images": [SAMPLE.format("shoes-005")], **IN_STOCK}}
    ),
    "15-json-array-c.ndjson": Right({"1503": {"price": 109.95}, "1504": {"title": "Backpack 2"}}),
    "25-ndjson.ndjson": Right(
        {
            "25001": EURO,
            "c25-b": {"images": [SAMPLE.format("bags-027")], **EURO},
            "c25-c": EURO | IN_STOCK,
            "c25-d": EURO,
            "c25-e": {"price": 19.99},
            "c25-f": {"left_out": ("price",)},
            "c25-g": {"price": 29.9, "title": None},
        }
    ),
    "26-shopify-json.json": Right(
        {
            "groessen-tee": {
                "größe": ["S", "M"],
                "farbe": ["Rot", "Blau"],
                "price": 17.9,
                "image": SAMPLE.format("topwear-014"),
                **IN_STOCK,
            }
        }
    ),
    "28-availability.tsv": Right({f"c28-{number}": {"availability": word} for number, word in enumerate(AVAILABILITY)}),
    "29-packing-a.xml": Right({"c29-a": {"image": SAMPLE.format("eyewear-020")}}),
    "30-meta-template.csv": Right({"c30-a": {"price": 49.9, "images": [SAMPLE.format("topwear-016")], **IN_STOCK}}),
    "30-meta-template-b.csv": Right({"c30-b": {"price": 49.9, "images": [SAMPLE.format("topwear-016")]}}),
    "31-tsv-quotes.tsv": Right(
        {
            "c31-a": {"title": '"Emily" dress'},
            "c31-b": {"title": '"Ella maxi dress'},
            "c31-c": {"title": "Plain"},
            "c31-d": {"title": 'Jeans 32" long'},
        }
    ),
    "32-magento.xml": Right(
        {
            "SKU 12/4": {"title": "Wide   trousers", "price": 49.95, "color": ["Blue/Navy", "White"], **IN_STOCK},
            "c32-ok": {"url": "/p/4"},
        },
        rejected=("c32-ctl", "c32-ctl2"),
    ),
}
# The prices in the table of the cases' README, with amount and currency.
PRICES = {
    "12,34 €": (12.34, "EUR"),
    "€ 1.299,00": (1299, "EUR"),
    "$3,999": (3999, None),
    "1 299,00 PLN": (1299, "PLN"),
    "1'299.00 CHF": (1299, "CHF"),
    "29.90 eur": (29.9, "EUR"),
    "£49.99": (49.99, "GBP"),
    "49,- EUR": (49, "EUR"),
    "1.234.567 IDR": (1234567, "IDR"),
    "R$ 199,90": (199.9, "BRL"),
    "1.299 EUR": (1299, "EUR"),
}
FEEDS = sorted(path.name for path in CASES.glob("*") if path.suffix != ".jpg") if CASES.is_dir() else sorted(RIGHT)


def _values(row: SourceRow) -> dict[str, Any]:
    facts = {name: getattr(row, name) for name in ("title", "url", "image", "group", "left_out")}
    words = row.category_words[0] if row.category_words else None
    return facts | {"category": words} | row.attributes | {"images": [image.name for image in row.images]}


@needs_cases
@pytest.mark.parametrize("name", FEEDS)
def test_every_case_has_its_right_value(name: str) -> None:
    right = RIGHT[name]
    source = open_source(CASES / name)
    rows = list(source.rows())
    notes = notes_of(source)
    source.close()
    products = {row.key: row for row in rows if isinstance(row, SourceRow) and not row.hidden}
    assert list(products) == list(right.products)
    assert tuple(row.key for row in rows if isinstance(row, SourceRow) and row.hidden) == right.hidden
    assert tuple(row.key for row in rows if isinstance(row, RejectedRow)) == right.rejected
    assert all(row.line for row in rows)
    assert len(notes) == (right.note is not None)
    assert right.note is None or right.note in notes[0]
    for key, expected in right.products.items():
        values = _values(products[key])
        assert {field: values.get(field) for field in expected} == expected
        assert not any(problem.column == "price" for problem in products[key].problems)


@needs_cases
def test_every_picture_among_the_cases_is_read() -> None:
    pictures = sorted(path for path in CASES.glob("*") if path.suffix == ".jpg")
    assert [path.name for path in pictures] == ["17-no-end-marker.jpg"]
    for path in pictures:
        assert prepare_image(path.read_bytes(), InputSize(height=8, width=8))[1].format == "JPEG"


@pytest.mark.parametrize("text", PRICES)
def test_every_price_among_the_cases_has_its_right_value(text: str) -> None:
    money = read_money(text)
    assert (money.amount, money.currency) == PRICES[text]


@needs_cases
def test_the_table_has_every_price_of_the_readme() -> None:
    readme = (CASES.parent / "README.md").read_text(encoding="utf-8").split("Prices, each with the right value")[1]
    shown = re.findall(r"`([^`]*\d[^`]*)`", readme)
    assert sorted(set(shown) - set(PRICES)) == []
