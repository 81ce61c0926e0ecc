"""The forms of images in records, and the names that other systems have for fields."""

from typing import Any

import pytest

from services.catalogue.sources.records.images import (
    NO_FILES,
    image_name,
    listed_images,
    read_image,
    split_images,
    with_base,
)
from services.catalogue.sources.records.other_names import folded, has_image, is_kept, other_names
from services.catalogue.sources.records.rows import SourceImageError


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("a.jpg", "https://a.test/a.jpg"),
        ("/b c.jpg", "https://a.test/b%20c.jpg"),
        ("", ""),
        ("//b.test/x", "//b.test/x"),
        ("a.jpg|b.jpg", ["https://a.test/a.jpg", "https://a.test/b.jpg"]),
        (["a.jpg", {"src": "b.jpg"}, 5], ["https://a.test/a.jpg", "https://a.test/b.jpg", 5]),
        ({"alt": "x"}, {"alt": "x"}),
    ],
)
def test_paths_of_images_are_below_the_base_address(value: Any, expected: Any) -> None:
    assert with_base(value, "https://a.test") == expected


@pytest.mark.parametrize(
    ("entry", "name"),
    [
        (" a.jpg ", "a.jpg"),
        (" ", None),
        (5, None),
        (None, None),
        ({"url": "a"}, "a"),
        ({"url": "", "src": "b"}, "b"),
        ({"url": 5}, None),
        ({"node": {"media": {"image": {"href": "a"}}}}, "a"),
        ({"node": "a"}, "a"),
        ({"alt": "a"}, None),
    ],
)
def test_the_name_of_an_image_is_text_or_the_address_of_an_object(entry: Any, name: str | None) -> None:
    assert image_name(entry) == name


@pytest.mark.parametrize(
    ("value", "images"),
    [
        (None, []),
        ("a|b", ["a", "b"]),
        (["a"], ["a"]),
        ({"edges": [1, 2]}, [1, 2]),
        ({"nodes": [1]}, [1]),
        ({"edges": "x"}, [{"edges": "x"}]),
        (5, [5]),
    ],
)
def test_images_are_a_list_in_several_forms(value: Any, images: list[Any]) -> None:
    assert listed_images(value) == images


def test_images_in_text_are_separated_by_bars_lines_or_before_an_address() -> None:
    assert split_images(" a b.jpg | c,d.jpg\n\ne.jpg ") == ["a b.jpg", "c,d.jpg", "e.jpg"]
    assert split_images("https://a.test/1, 2.jpg; //a.test/3 HTTPS://a.test/4") == [
        *("https://a.test/1, 2.jpg", "//a.test/3", "HTTPS://a.test/4")
    ]


def test_other_names_are_in_the_order_in_which_they_count() -> None:
    assert other_names(("SKU", "Name", "product_id", "Product-ID")) == (
        ("id", ("product_id", "Product-ID", "SKU")),
        ("title", ("Name",)),
    )
    assert other_names(("id", "size")) == ()
    assert (folded("_id"), folded("Product-ID"), is_kept("S.K.U"), is_kept("name")) == ("_id", "productid", True, False)
    assert (has_image(["a", "images"]), has_image(["a"])) == (True, False)


def test_a_feed_that_may_have_web_addresses_only_reads_no_file() -> None:
    with pytest.raises(SourceImageError, match=r"1\.jpg is a path: this feed may only contain web addresses"):
        read_image(NO_FILES, "1.jpg")
