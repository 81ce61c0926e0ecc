"""Shopify's product CSV."""

from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.catalogue.importing.description import Placer
from services.catalogue.sources.open_source import open_source
from services.catalogue.sources.records.mapping import FeedMapping
from services.catalogue.sources.shops.shopify_csv import ShopifyCsv
from services.catalogue.sources.shops.shopify_json import ShopifyJson
from tests.support.feeds.rows import outcomes, product, read, shopify_rows
from tests.support.feeds.shopify_exports import (
    ATTRIBUTES,
    CDN,
    GOOGLE,
    NEW_COLUMNS,
    OF_EVERY_COUNTRY,
    OLD_COLUMNS,
    ONLY_IMAGE,
    SECOND,
    SHIRT,
    renamed,
    table,
)
from tests.support.values.cases import CASES, needs_cases


@pytest.mark.parametrize(
    "text",
    [
        table(SHIRT, SECOND, ONLY_IMAGE),
        table(*map(renamed, (SHIRT, SECOND, ONLY_IMAGE)), columns=NEW_COLUMNS),
    ],
    ids=["before 2025", "since 2025"],
)
def test_the_rows_of_one_handle_are_one_product(tmp_path: Path, text: str) -> None:
    (row,) = shopify_rows(tmp_path, text)
    item = product(row)
    assert (item.key, item.title, item.line) == ("linen-shirt", "Linen shirt", 2)
    assert item.image == item.image_url == f"{CDN}/front.jpg?v=1"
    assert item.attributes == ATTRIBUTES | GOOGLE
    assert [image.name for image in item.images] == [f"{CDN}/back.jpg", f"{CDN}/side.jpg"]
    assert set(item.left_out) == {"body_html", "cost_of_goods_sold"}
    assert item.category_words[:3] == ("Shirts", "Apparel & Accessories > Clothing > Clothing Tops > Shirts", "Shirts")
    assert not item.category_required


def test_the_tests_have_all_columns_of_both_exports() -> None:
    assert len(OLD_COLUMNS) == len(set(OLD_COLUMNS)) == 58
    assert len(NEW_COLUMNS) == len(set(NEW_COLUMNS)) == 55
    assert set(SHIRT) == set(OLD_COLUMNS)
    assert set(renamed(SHIRT)) - OF_EVERY_COUNTRY == set(NEW_COLUMNS)
    assert all(SHIRT.values())


def test_the_main_image_is_the_first_by_position_or_that_of_a_variant(
    tmp_path: Path,
) -> None:
    swapped = [
        SHIRT | {"Image Position": "2"},
        SECOND | {"Image Position": "1", "Image Src": "//cdn.shopify.com/b.jpg"},
    ]
    assert product(shopify_rows(tmp_path, table(*swapped))[0]).image_url == "https://cdn.shopify.com/b.jpg"
    assert product(shopify_rows(tmp_path, table(SHIRT | {"Image Src": ""}))[0]).image_url == f"{CDN}/white.jpg"
    ignoring = FeedMapping(ignore=("additional_image_link",))
    assert product(shopify_rows(tmp_path, table(SHIRT, SECOND, ONLY_IMAGE), mapping=ignoring)[0]).images == ()


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        ({"Variant Inventory Qty": "0"}, "out_of_stock"),
        ({"Variant Inventory Qty": "-2", "Variant Inventory Policy": "continue"}, "in_stock"),
        ({"Variant Inventory Tracker": "", "Variant Inventory Qty": ""}, "in_stock"),
        ({"Variant Inventory Qty": "3"}, "in_stock"),
        ({"Variant Inventory Qty": ""}, None),
    ],
)
def test_availability_depends_on_the_stock(tmp_path: Path, cells: dict[str, str], expected: str | None) -> None:
    assert product(shopify_rows(tmp_path, table(SHIRT | cells))[0]).attributes.get("availability") == expected


@pytest.mark.parametrize("cells", [{"Status": "draft"}, {"Status": "archived"}, {"Published": "FALSE"}])
def test_a_product_that_is_not_visible_in_the_shop_is_skipped(tmp_path: Path, cells: dict[str, str]) -> None:
    (row,) = shopify_rows(tmp_path, table(SHIRT | cells, SECOND))
    assert Placer(("Topwear", "Shirts"), FeedMapping()).place(product(row)) is None


def test_a_product_without_options_has_no_option_attributes(tmp_path: Path) -> None:
    plain = SHIRT | {"Option1 Name": "Title", "Option1 Value": "Default Title", "Option2 Name": "", "Option2 Value": ""}
    item = product(shopify_rows(tmp_path, table(plain))[0]).attributes
    assert not {"title", "color", "size"} & set(item)


def test_broken_rows_and_handles_of_two_products_are_rejected_with_their_lines_and_the_others_are_read(
    tmp_path: Path,
) -> None:
    good = {"Title": "x", "Image Src": f"{CDN}/a.jpg"}
    text = table(
        {"Handle": "a"} | good,
        {"Handle": "b"} | good,
        {"Handle": "a"} | good | {"Title": "y"},
        {"Handle": ""} | good,
        {"Handle": "c"},
    )
    lines = text.encode().split(b"\n")
    lines[2:2] = [b"a,,few", b'a,"open', b"a,Caf\xe9 \xc3\xa9"]
    assert sorted(outcomes(shopify_rows(tmp_path, b"\n".join(lines))), key=lambda entry: entry[0] or 0) == [
        (2, "a", ""),
        (4, "a", "a quote on this line is not closed"),
        (5, "a", "not UTF-8 at byte 6 of the line"),
        (6, "b", ""),
        (7, "a", "the handle a is on line 2 with another title: 'x'"),
        (8, None, "the handle is missing"),
        (9, "c", "there is no image: neither a path nor a URL"),
    ]


def test_a_description_with_many_lines_is_one_field(tmp_path: Path) -> None:
    long = SHIRT | {"Body (HTML)": '<p class="a">\n' * 300}
    rows = shopify_rows(tmp_path, table(long, SECOND, {"Handle": "next", "Image Src": f"{CDN}/n.jpg"}))
    assert [row.key for row in rows] == ["linen-shirt", "next"]


def test_the_format_is_recognised_by_the_columns_and_the_suffix(tmp_path: Path) -> None:
    for name, text, kind in [
        ("a.csv", table(SHIRT), ShopifyCsv),
        ("b.json", '{"products": [{"handle": "a"}]}', ShopifyJson),
    ]:
        (tmp_path / name).write_text(text)
        source = open_source(tmp_path / name)
        assert type(source) is kind
        assert source.progress()[1] == len(text.encode())
        source.close()


def _texts(folder: Path, lines: list[str]) -> list[tuple[str, list[str], list[str]]]:
    rows = [product(row) for row in shopify_rows(folder, "\n".join(lines))]
    sizes = [row.attributes.get("size", []) for row in rows]
    images = [[str(row.image), *(image.name for image in row.images)] for row in rows]
    return sorted(
        (
            row.key,
            [size] if isinstance(size, str) else [str(each) for each in size] if isinstance(size, list) else [],
            urls,
        )
        for row, size, urls in zip(rows, sizes, images, strict=True)
    )


SHORT = "Handle,Title,Option1 Name,Option1 Value,Variant Price,Image Src"


def test_a_row_without_handle_and_title_belongs_to_the_product_above(tmp_path: Path) -> None:
    lines = [
        SHORT,
        f"coat,Coat,Size,S,129,{CDN}/1.jpg",
        f",,,M,119,{CDN}/2.jpg",
        f"hat,Hat,,,20,{CDN}/3.jpg",
        ",,,L,19,",
    ]
    assert _texts(tmp_path, lines) == [
        ("coat", ["S", "M"], [f"{CDN}/1.jpg", f"{CDN}/2.jpg"]),
        ("hat", [], [f"{CDN}/3.jpg"]),
    ]


def test_a_row_without_a_handle_below_a_broken_row_belongs_to_no_product(tmp_path: Path) -> None:
    lines = [SHORT, f"coat,Coat,Size,S,129,{CDN}/1.jpg", 'x,"open', f",,,M,119,{CDN}/2.jpg"]
    assert outcomes(shopify_rows(tmp_path, "\n".join(lines))) == [
        (3, "x", "a quote on this line is not closed"),
        (4, None, "the handle is missing"),
        (2, "coat", ""),
    ]


@needs_cases
def test_the_shared_case_of_a_handle_on_the_first_row_only() -> None:
    (row,) = read(CASES / "10-shopify-handle-once.csv")
    item = product(row)
    assert (item.key, item.group, item.attributes["price"], len(item.images)) == ("wool-coat", "wool-coat", 119, 1)


@settings(max_examples=50, deadline=None)
@given(st.permutations([f"{handle}-{size}" for handle in ("a", "b", "c") for size in ("S", "M", "L")]))
def test_the_order_of_rows_changes_no_product(order: list[str]) -> None:
    lines = [SHORT]
    for name in order:
        handle, size = name.split("-")
        lines.append(f"{handle},Title {handle},Size,{size},10,{CDN}/{name}.jpg")
    with TemporaryDirectory() as folder:
        texts = _texts(Path(folder), lines)
    assert [(key, sorted(sizes), sorted(urls)) for key, sizes, urls in texts] == [
        (handle, ["L", "M", "S"], [f"{CDN}/{handle}-{size}.jpg" for size in ("L", "M", "S")])
        for handle in ("a", "b", "c")
    ]
