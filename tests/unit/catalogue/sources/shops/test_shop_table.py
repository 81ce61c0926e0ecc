"""What the tables of all shop systems share: lists, prices, dates, and rows that continue a product."""

from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from services.catalogue.sources.open_source import open_source
from services.catalogue.sources.records.mapping import FeedMapping
from services.catalogue.sources.records.rows import notes_of
from services.catalogue.sources.shops import shop_table
from services.catalogue.sources.shops.shop_table import is_within, lowest, present_prices, split_list
from tests.support.feeds.rows import csv_rows, outcomes, product

WOO = "ID,Type,SKU,Name,Published,Regular price,Categories,Images"
MAGENTO1 = "sku,_type,_attribute_set,name,price,image,fit"


@pytest.mark.parametrize(
    ("text", "separators", "expected"),
    [
        ("", ",", []),
        ("a", ",", ["a"]),
        (" a , b ,, c", ",", ["a", "b", "c"]),
        ("a\\,b,c", ",", ["a,b", "c"]),
        ("a\\|b|c,d", ",|", ["a|b", "c", "d"]),
        ("a\\|b", ",", ["a\\|b"]),
        ("C:\\dir,d", ",", ["C:\\dir", "d"]),
        ("a\\\\,b", ",", ["a\\\\", "b"]),
        ("a\\", ",", ["a\\"]),
    ],
)
def test_a_separator_after_a_backslash_belongs_to_its_entry(text: str, separators: str, expected: list[str]) -> None:
    assert split_list(text, separators) == expected


@pytest.mark.parametrize(
    ("texts", "expected"),
    [([], None), (["", "x"], None), (["9.50", "x", "1.000,00", "", "8"], "8"), (["5 EUR"], "5 EUR")],
)
def test_the_lowest_price_is_that_of_the_amounts(texts: list[str], expected: str | None) -> None:
    assert lowest(texts, None) == expected


def prices(regular: str, sale: str) -> dict[str, str]:
    return {"regular_price": regular, "sale": sale}


@pytest.mark.parametrize(
    ("own", "variations", "expected"),
    [
        (prices("9", "7"), [prices("1", "")], {"price": "7", **prices("9", "7")}),
        (prices("9", ""), [prices("1", "")], {"price": "9", **prices("9", "")}),
        (prices("", "7"), [prices("1", "")], {"price": "7", **prices("", "7")}),
        (prices("", ""), [prices("9", "7"), prices("8", ""), prices("9", "6")], {"price": "6", **prices("9", "6")}),
        (prices("", ""), [prices("", ""), prices("x", "")], {"price": "", **prices("", "")}),
        (prices("", ""), [], {"price": "", **prices("", "")}),
    ],
)
def test_the_present_price_is_the_reduced_one_or_that_of_the_cheapest_variation(
    own: dict[str, str], variations: list[dict[str, str]], expected: dict[str, str]
) -> None:
    assert present_prices(own, variations, "sale", None) == expected


@pytest.fixture
def noon(monkeypatch: pytest.MonkeyPatch) -> type[datetime]:
    """Set the time to half past twelve on 5 March 2026."""
    return set_time(monkeypatch, datetime(2026, 3, 5, 12, 30, 30))


def set_time(monkeypatch: pytest.MonkeyPatch, moment: datetime) -> type[datetime]:
    class Clock(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> Any:
            return moment

    monkeypatch.setattr(shop_table, "datetime", Clock)
    return Clock


@pytest.mark.usefixtures("noon")
@pytest.mark.parametrize(
    ("yesterday", "today", "tomorrow"),
    [
        ("2026-03-04", "2026-03-05", "2026-03-06"),
        ("2026/03/04", "2026/03/05", "2026/03/06"),
        ("03/04/26", "03/05/26", "03/06/26"),
        ("03/04/2026", "03/05/2026", "03/06/2026"),
        ("04.03.2026", "05.03.2026", "06.03.2026"),
        ("04-03-2026", "05-03-2026", "06-03-2026"),
        ("Mar 4, 2026", "Mar 5, 2026", "Mar 6, 2026"),
        ("March 4, 2026", "March 5, 2026", "March 6, 2026"),
        ("4.3.2026, 10:00 Uhr", "5.3.2026, 10:00 Uhr", "6.3.2026, 10:00 Uhr"),
        ("2026-03-04 00:00:00", "2026-03-05 00:00:00", "2026-03-06 00:00:00"),
        ("2026-03-04T00:00:00+01:00", "2026-03-05T00:00:00Z", "2026-03-06T00:00:00-01:00"),
    ],
)
def test_a_day_is_written_in_several_ways_and_meant_from_its_begin_to_its_end(
    yesterday: str, today: str, tomorrow: str
) -> None:
    assert [is_within(begin, "") for begin in (yesterday, today, tomorrow)] == [True, True, False]
    assert [is_within("", end) for end in (yesterday, today, tomorrow)] == [False, True, True]


@pytest.mark.usefixtures("noon")
@pytest.mark.parametrize(
    ("begin", "end", "expected"),
    [
        ("", "", True),
        ("soon", "never", True),
        ("31/04/2026", "", True),
        ("25/12/2025", "31/12/2026", True),
        ("2026-03-05 12:30:30", "2026-03-05 12:30:30", True),
        ("2026-03-05 12:30:31", "", False),
        ("", "2026-03-05 12:30:29", False),
        ("", "2026-03-05 00:01", False),
        ("", "2026-03-05 01:00", False),
        ("2026-03-04", "2026-03-04", False),
        (str(int(datetime(2026, 3, 5, 12).timestamp())), str(int(datetime(2026, 3, 5, 13).timestamp())), True),
        (str(int(datetime(2026, 3, 5, 13).timestamp())), "", False),
        ("", "999999999", False),
        ("", "20260304", False),
    ],
)
def test_a_moment_is_between_two_dates(begin: str, end: str, expected: bool) -> None:
    assert is_within(begin, end) is expected


@pytest.mark.parametrize(("minute", "expected"), [(59, True), (58, True)])
def test_a_day_ends_at_midnight(monkeypatch: pytest.MonkeyPatch, minute: int, expected: bool) -> None:
    set_time(monkeypatch, datetime(2026, 3, 5, 23, minute))
    assert is_within("", "2026-03-05") is expected
    assert is_within("", "2026-03-04") is False


def test_a_product_has_a_limit_of_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shop_table, "MAX_ROWS", 3)
    first = "A,simple,x,Shirt,5,//a.test/1.jpg,one"
    second = "B,simple,x,Shirt,5,//a.test/1.jpg,one"
    rows = csv_rows(tmp_path, "\n".join([MAGENTO1, first, ",,,,,,two", ",,,,,,three", second, *[",,,,,,two"] * 3]))
    assert outcomes(rows) == [(2, "A", ""), (5, "B", ""), (8, None, "the id is missing")]
    assert [product(row).attributes["fit"] for row in rows[:2]] == [["one", "two", "three"], ["one", "two"]]


def test_the_mapped_cells_of_the_first_row_of_a_product_count(tmp_path: Path) -> None:
    mapping = FeedMapping(columns={"fit": "cut", "name": "label"}, ignore=("price",))
    text = f"{MAGENTO1}\nA,simple,x,Shirt,5,//a.test/1.jpg,one\n,,,Other,,,two\n"
    item = product(csv_rows(tmp_path, text, mapping=mapping)[0])
    assert (item.attributes["cut"], item.attributes["label"]) == ("one", "Shirt")
    assert "price" not in item.attributes


@pytest.mark.parametrize(
    ("cell", "title"),
    [("'=1+1", "=1+1"), ("'+x", "+x"), ("'-x", "-x"), ("'@x", "@x"), ("'x", "'x"), ("'", "'"), ("x'=", "x'=")],
)
def test_the_apostrophe_against_calculation_is_no_part_of_a_cell(tmp_path: Path, cell: str, title: str) -> None:
    item = product(csv_rows(tmp_path, f"{WOO}\n1,simple,S,{cell},1,5,A,//a.test/1.jpg\n")[0])
    assert item.title == title


@pytest.mark.parametrize(("second", "title"), [("", "Shirt"), ("Blouse", "Blouse")])
def test_of_two_columns_of_a_name_the_last_one_with_text_counts(tmp_path: Path, second: str, title: str) -> None:
    item = product(csv_rows(tmp_path, f"{WOO},Name\n1,simple,S,Shirt,1,5,A,//a.test/1.jpg,{second}\n")[0])
    assert item.title == title


def test_rows_of_other_store_views_are_counted_in_the_notes(tmp_path: Path) -> None:
    path = tmp_path / "magento.csv"
    row = "A,{},simple,Shirt,5,//a.test/1.jpg\n"
    for count, note in [(0, ()), (1, ("1 row repeats",)), (2, ("2 rows repeat",))]:
        header = "sku,store_view_code,product_type,name,price,base_image\n"
        path.write_text(header + row.format("") + row.format("de") * count)
        source = open_source(path)
        assert [item.key for item in source.rows()] == ["A"]
        assert notes_of(source) == tuple(f"{text} a product for another store view: left out" for text in note)
        source.close()


@pytest.mark.parametrize(
    ("columns", "kind"),
    [
        ({"ID": "id", "Images": "images"}, "CSV feed"),
        ({"ID": "id", "Images": "image"}, "CSV feed"),
        ({"ID": "id"}, "WooCommerce products"),
        ({"Images": "images"}, "WooCommerce products"),
        ({"Other": "id", "Images": "images"}, "WooCommerce products"),
    ],
)
def test_a_mapping_of_the_id_and_the_images_makes_a_plain_feed(
    tmp_path: Path, columns: dict[str, str], kind: str
) -> None:
    path = tmp_path / "feed.csv"
    path.write_text(f"{WOO}\n1,simple,S,Shirt,1,5,A,//a.test/1.jpg\n")
    source = open_source(path, FeedMapping(columns=columns))
    assert source.kind == kind
    source.close()


@pytest.mark.parametrize(
    ("header", "kind"),
    [
        ("ID,Name,Images,Published,Regular price,Categories", "WooCommerce products"),
        ("SKU,Name,Images,Published,Regular price,Parent", "WooCommerce products"),
        ("ID,Name,Images,Published,Regular price", "CSV feed"),
        ("id,name,image,Published,Regular price,Categories", "CSV feed"),
        ("sku,name,product_type,base_image", "Magento products"),
        ("sku,name,product_type,additional_attributes", "Magento products"),
        ("sku,name,image,_type,_attribute_set", "Magento products"),
        ("sku,name,image,type,attribute_set,visibility", "Magento products"),
        ("sku,name,image,type,attribute_set", "CSV feed"),
        ("sku,name,image,_type", "CSV feed"),
        ('ID,Name,"Image URLs (x,y,z...)",Active (0/1)', "PrestaShop products"),
        ('ID,Name,image,"Images (x,y,z...)",Active', "CSV feed"),
        ("Product ID,Image,Name,Reference,Quantity,Active,Price", "PrestaShop products"),
        ("Product ID,Image,Name,Reference,Quantity,Active", "CSV feed"),
        ("id,image_link", "Google product feed"),
        ("id,link,image[0].url", "Google product feed"),
        ("id,image[0].url", "CSV feed"),
        ("Handle,Title,Image Src", "Shopify products"),
        ("URL handle,Title,Product image URL", "Shopify products"),
    ],
)
def test_a_table_is_recognised_by_its_columns(tmp_path: Path, header: str, kind: str) -> None:
    path = tmp_path / "feed.csv"
    path.write_text(f"{header}\n")
    source = open_source(path)
    assert source.kind == kind
    source.close()
