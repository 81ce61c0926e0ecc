"""The row of a record: what each field may be, and what becomes of other values."""

from pathlib import Path
from typing import Any

import pytest

from services.catalogue.sources.records.fields import RowBuilder
from services.catalogue.sources.records.mapping import FeedMapping
from services.catalogue.sources.records.rows import RejectedRow, RowError, SourceRow, ValueProblem, value_rows

ADDRESS = "https://a.test/1.jpg"


def row(folder: Path, **fields: Any) -> SourceRow:
    return RowBuilder(FeedMapping(), folder).row(7, {"id": "1", "image": ADDRESS} | fields)


@pytest.mark.parametrize(
    ("value", "key"),
    [("A", "A"), (" A ", "A"), (7, "7"), (7.0, "7"), (-1, "-1"), ("x" * 256, "x" * 256), ("...", "...")],
)
def test_an_id_is_text_or_a_whole_number(tmp_path: Path, value: Any, key: str) -> None:
    assert (row(tmp_path, id=value).key, row(tmp_path, id=value).line) == (key, 7)


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (None, "the id is missing"),
        ("", "the id is missing"),
        (" ", "the id is missing"),
        (7.5, "the id is neither text nor a whole number"),
        (True, "the id is neither text nor a whole number"),
        ([1], "the id is neither text nor a whole number"),
        ("x" * 257, "the id has 257 characters: at most 256 are accepted"),
        ("..", "the id cannot be '..': browsers and proxies remove it from addresses"),
        ("a\nb", "the id has characters that cannot be printed"),
    ],
)
def test_another_id_is_refused(tmp_path: Path, value: Any, reason: str) -> None:
    with pytest.raises(RowError) as raised:
        row(tmp_path, id=value)
    assert str(raised.value) == reason


@pytest.mark.parametrize(
    ("value", "title"),
    [
        (" Shirt ", "Shirt"),
        (5, "5"),
        (1.5, "1.5"),
        (None, None),
        ("  ", None),
        ("x" * 1000, "x" * 1000),
        ("x" * 1001, "x" * 1000),
    ],
)
def test_a_title_is_text_of_at_most_1000_characters(tmp_path: Path, value: Any, title: str | None) -> None:
    assert row(tmp_path, title=value).title == title


@pytest.mark.parametrize("name", ["title", "category", "url", "image", "image_url"])
@pytest.mark.parametrize("value", [True, ["a"]])
def test_a_field_that_is_no_text_is_named(tmp_path: Path, name: str, value: Any) -> None:
    with pytest.raises(RowError, match=f"^{name} is neither text nor a number$"):
        row(tmp_path, **{name: value})


@pytest.mark.parametrize(
    ("value", "attributes", "words"),
    [
        ("Shirts", {"category": "Shirts"}, ("Shirts",)),
        ("x" * 256, {"category": "x" * 256}, ("x" * 256,)),
        ("x" * 257, {}, ("x" * 257,)),
        (5, {"category": "5"}, ("5",)),
        ("", {}, ()),
    ],
)
def test_a_category_is_a_word_and_an_attribute_unless_it_is_too_long(
    tmp_path: Path, value: Any, attributes: dict[str, Any], words: tuple[str, ...]
) -> None:
    product = row(tmp_path, category=value)
    assert (product.attributes, product.category_words) == (attributes, words)
    builder = RowBuilder(FeedMapping(), tmp_path)
    assert builder.row(1, {"id": "1", "image": ADDRESS, "category": value}, ("more",)).category_words == (
        *words,
        "more",
    )


@pytest.mark.parametrize(
    ("fields", "group", "left_out"),
    [
        ({}, None, ()),
        ({"group": "G"}, "G", ()),
        ({"group": " G ", "item_group_id": "H"}, "G", ()),
        ({"group": "", "item_group_id": "H"}, "H", ()),
        ({"group": [], "item_group_id": 12}, "12", ()),
        ({"group": None}, None, ()),
        ({"group": 12.0}, "12", ()),
        ({"group": ["G"]}, "G", ()),
        ({"group": ["G", "H"]}, None, ("group",)),
        ({"group": 1.5}, None, ("group",)),
        ({"group": True}, None, ("group",)),
        ({"group": " "}, None, ()),
        ({"group": "x" * 256}, "x" * 256, ()),
        ({"group": "x" * 257}, None, ("group",)),
        ({"group": "x"}, "x", ()),
    ],
)
def test_a_group_is_one_text_or_whole_number(
    tmp_path: Path, fields: dict[str, Any], group: str | None, left_out: tuple[str, ...]
) -> None:
    product = row(tmp_path, **fields)
    assert (product.group, product.left_out) == (group, left_out)


def test_what_is_left_out_is_named_in_the_order_attributes_images_group(tmp_path: Path) -> None:
    images = [f"https://a.test/{number}.jpg" for number in range(2, 23)]
    assert row(tmp_path, nested={}, images=images, group=True).left_out == ("nested", "images", "group")
    assert row(tmp_path, images=images[:19], group="G").left_out == ()


@pytest.mark.parametrize(
    ("fields", "image", "image_url"),
    [
        ({"image": ADDRESS}, ADDRESS, ADDRESS),
        ({"image": " //a.test/1.jpg "}, ADDRESS, ADDRESS),
        ({"image": None, "image_url": ADDRESS}, ADDRESS, ADDRESS),
        ({"image": ADDRESS, "image_url": "https://b.test/2.jpg"}, ADDRESS, "https://b.test/2.jpg"),
        ({"image": "1.jpg"}, None, None),
        ({"image": "1.jpg", "image_url": ADDRESS}, None, ADDRESS),
        ({"image": "", "images": ["1.jpg"]}, None, None),
        ({"image": "", "images": [ADDRESS]}, ADDRESS, ADDRESS),
    ],
)
def test_the_main_image_is_an_address_or_a_file(
    tmp_path: Path, fields: dict[str, Any], image: str | None, image_url: str | None
) -> None:
    (tmp_path / "1.jpg").write_bytes(b"picture")
    product = row(tmp_path, **fields)
    assert product.image_url == image_url
    assert product.images == ()
    assert product.image == image if isinstance(product.image, str) else product.image() == b"picture"


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"image": None}, "there is no image: neither a path nor a URL"),
        ({"image": "", "images": []}, "there is no image: neither a path nor a URL"),
        ({"image": "a\0b.jpg"}, "the image's path has a NUL character"),
        ({"image_url": "shop"}, "image_url is not a web address: it "),
        ({"url": "javascript:alert(1)"}, "url is not a web address: it "),
        ({"url": "/" + "\0"}, "url is not a web address: it "),
        ({"url": "https://a.test/" + "x" * 2034}, "url is not a web address of at most 2048 characters"),
    ],
)
def test_a_product_without_a_usable_address_is_refused(tmp_path: Path, fields: dict[str, Any], reason: str) -> None:
    with pytest.raises(RowError) as raised:
        row(tmp_path, **fields)
    assert str(raised.value).startswith(reason)


def test_an_address_has_at_most_2048_characters(tmp_path: Path) -> None:
    longest = "https://a.test/" + "x" * 2033
    assert row(tmp_path, url=longest, image_url=longest).url == longest


def test_a_product_that_the_shop_hides_has_its_key_and_line_only(tmp_path: Path) -> None:
    product = row(tmp_path, visible=False, title="Shirt", image=None)
    assert product == SourceRow(key="1", image="", line=7, category_required=True, hidden=True)


@pytest.mark.parametrize(
    ("column", "name"),
    [
        ("ID", "id"),
        (" Image_URL ", "image_url"),
        ("image-url", "image_url"),
        ("image_urls", "images"),
        ("image.src", "images"),
        ("images[0].url", "images"),
        ("image_1", "images"),
        ("Picture 12", "images"),
        ("additional_image_2", "images"),
        ("img_url_3", "images"),
        ("photo3link", "photo3link"),
        ("image_123", "image_123"),
        ("a.b", "a_b"),
        ("$$set", "set"),
        ("a\0b", "a_b"),
        ("Farbe ", "Farbe"),
        (" ", None),
        ("$", None),
        ("n" * 128, "n" * 128),
        ("n" * 129, "n" * 128),
    ],
)
def test_a_column_has_the_name_of_its_field_or_of_an_attribute(tmp_path: Path, column: str, name: str | None) -> None:
    builder = RowBuilder(FeedMapping(), tmp_path)
    assert [builder.name(column), builder.name(column), builder.is_mapped(column)] == [name, name, False]


def test_a_mapping_names_and_ignores_columns(tmp_path: Path) -> None:
    builder = RowBuilder(FeedMapping(columns={"Bild": "image"}, ignore=("Farbe",)), tmp_path)
    assert [builder.name(column) for column in ("Bild", "Farbe", "bild")] == ["image", None, "bild"]
    assert [builder.is_mapped(column) for column in ("Bild", "Farbe", "bild")] == [True, True, False]


def test_the_base_address_is_that_of_every_path(tmp_path: Path) -> None:
    builder = RowBuilder(FeedMapping(image_base_url="https://a.test/media/"), tmp_path)
    record = {"id": "1", "image": "/a b.jpg", "image_url": "c.jpg", "images": ["d.jpg", "//b.test/e.jpg"]}
    product = builder.row(1, record)
    assert (product.image, product.image_url) == ("https://a.test/media/a%20b.jpg", "https://a.test/media/c.jpg")
    assert [image.name for image in product.images] == ["https://a.test/media/d.jpg", "https://b.test/e.jpg"]


@pytest.mark.parametrize(("size", "shown"), [(58, f"'{'x' * 58}'"), (59, f"'{'x' * 59}…")])
def test_a_value_that_is_not_understood_is_shown_up_to_60_characters(size: int, shown: str) -> None:
    problem = ValueProblem("price", "x" * size, "is no amount")
    assert str(problem) == f"price {shown} is no amount"
    row = SourceRow("A", "a.jpg", 7, problems=(problem,))
    assert value_rows(row) == [RejectedRow(7, "A", str(problem), None, "price")]
