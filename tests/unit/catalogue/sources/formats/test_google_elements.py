"""Elements of XML feeds, and columns of Google's tables: which value each attribute gets."""

from pathlib import Path
from typing import Any

import pytest

from services.catalogue.sources.formats.google_fields import GoogleRows, attribute_name, with_attributes
from services.catalogue.sources.records.mapping import FeedMapping
from services.catalogue.sources.records.rows import SourceRow
from tests.support.feeds.rows import csv_rows, outcomes, product, xml_rows

HEAD = '<rss xmlns:g="http://base.google.com/ns/1.0" xmlns:media="http://search.yahoo.com/mrss/"><channel>'
IMAGE = "<image>https://a.test/1.jpg</image>"


def item(folder: Path, elements: str, before: str = "", **mapping: Any) -> SourceRow:
    text = f"{HEAD}{before}<item><id>1</id>{IMAGE}{elements}</item></channel></rss>"
    return product(xml_rows(folder, text, mapping=FeedMapping(**mapping))[0])


@pytest.mark.parametrize(
    ("elements", "expected"),
    [
        ("<price>9 EUR</price>", {"price": 9, "currency": "EUR"}),
        ('<price currency="EUR">9</price>', {"price": 9, "currency": "EUR"}),
        ('<price currency="USD">9 EUR</price>', {"price": 9, "currency": "EUR"}),
        ('<price currency="EUR"/>', {}),
        ("<price><currency>EUR</currency></price>", {}),
        ("<price>8<value>9</value><currencyCode>EUR</currencyCode></price>", {"price": 9, "currency": "EUR"}),
        ('<price currency="USD"><amount>9</amount><currency>EUR</currency></price>', {"price": 9, "currency": "EUR"}),
        ("<price_vat>9</price_vat>", {"price": 9}),
        ("<price>8</price><price_vat>9</price_vat>", {"price": 8, "price_vat": 9}),
        ("<g:price>8</g:price><price>9</price>", {"price": 8}),
        ("<vendor>Acme</vendor>", {"brand": "Acme"}),
        ("<brand>A</brand><vendor>B</vendor>", {"brand": "A", "vendor": "B"}),
        ("<g:brand>A</g:brand><vendor>B</vendor>", {"brand": "A", "vendor": "B"}),
        ("<manufacturer>A</manufacturer><vendor>B</vendor>", {"brand": "A", "vendor": "B"}),
        ("<fit>slim</fit><fit>long</fit>", {"fit": ["slim", "long"]}),
        ("<fit/><fit> </fit>", {}),
        ("<shipping><country>DE</country><price>4 EUR</price></shipping>", {"shipping": "DE:4 EUR"}),
        ("<labels><label>A</label><label>B</label></labels>", {"labels": ["A", "B"]}),
        ('<fit link="x" href="/y"/>', {"fit": "/y"}),
        ("<fit><a><b>deep</b></a></fit>", {"fit": "deep"}),
        ("<guid>g</guid><pubDate>x</pubDate><comments>c</comments>", {}),
        ("<published>2026-03-05T00:00:00Z</published>", {}),
        ('<param name="Fit">slim</param>', {"fit": "slim"}),
        ("<param>slim</param>", {"param": "slim"}),
        ('<param name="Fit"/>', {}),
        ('<param name="brand">B</param><brand>A</brand>', {"brand": "A", "attribute_brand": "B"}),
        ('<param name="brand">B</param>', {"brand": "B"}),
        ("<attribute><key>Fit</key><value>slim</value></attribute>", {"fit": "slim"}),
    ],
)
def test_an_element_is_an_attribute(tmp_path: Path, elements: str, expected: dict[str, Any]) -> None:
    row = item(tmp_path, elements)
    assert (row.attributes, row.problems, row.left_out) == (expected, (), ())


@pytest.mark.parametrize(
    ("elements", "title"),
    [
        ("<title>A</title><title>B</title>", "A"),
        ("<name>A</name>", "A"),
        ("<title>A</title><name>B</name>", "A"),
        ("<g:title>A</g:title><title>B</title>", "A"),
        ("<typePrefix>Dress</typePrefix><vendor>Acme</vendor><model>X</model>", "Dress Acme X"),
        ("<model>X</model>", "X"),
        ("<model>X</model><name>A</name>", "A"),
        ("<vendor>Acme</vendor>", None),
    ],
)
def test_the_title_is_the_first_of_its_elements(tmp_path: Path, elements: str, title: str | None) -> None:
    assert item(tmp_path, elements).title == title


@pytest.mark.parametrize(
    ("elements", "more"),
    [
        ("<image>https://a.test/2.jpg</image>", ["2"]),
        ("<g:image_link>https://a.test/0.jpg</g:image_link>", ["1"]),
        ("<images><i>https://a.test/3.jpg</i></images><image>https://a.test/2.jpg</image>", ["2", "3"]),
        ("<pictures><p>https://a.test/2.jpg</p><p>https://a.test/3.jpg</p></pictures>", ["2", "3"]),
        ("<g:additional_image_link>https://a.test/2.jpg,https://a.test/3.jpg</g:additional_image_link>", ["2", "3"]),
    ],
)  # fmt: skip
def test_images_after_the_first_are_additional(tmp_path: Path, elements: str, more: list[str]) -> None:
    assert [image.name for image in item(tmp_path, elements).images] == [f"https://a.test/{n}.jpg" for n in more]


@pytest.mark.parametrize(
    ("elements", "words"),
    [
        ("<categoryId>2</categoryId>", ("A > B", "B", "A")),
        ("<categoryId>2</categoryId><categoryId>1</categoryId>", ("A > B", "B", "A")),
        ("<categoryId>9</categoryId>", ()),
        ("<categoryId>2</categoryId><product_type>C</product_type>", ("C",)),
        ("<g:google_product_category>C | D</g:google_product_category>", ("C | D", "D", "C")),
        ("<product_type>C</product_type><product_type>D > E</product_type>", ("C", "D > E", "E", "D")),
    ],
)
def test_the_words_of_the_category_are_the_path_of_its_number_or_the_type(
    tmp_path: Path, elements: str, words: tuple[str, ...]
) -> None:
    before = '<category id="1">A</category><category id="2" parent_id="1">B</category><category>C</category>'
    assert item(tmp_path, elements, before).category_words == words


def test_elements_that_a_mapping_names_are_not_renamed(tmp_path: Path) -> None:
    row = item(tmp_path, "<vendor>B</vendor><name>N</name><fit>x</fit>", columns={"vendor": "shop"}, ignore=("fit",))
    assert (row.attributes, row.title) == ({"shop": "B"}, "N")
    row = item(tmp_path, "<name>N</name>", ignore=("name",))
    assert (row.attributes, row.title) == ({}, None)


def test_a_hidden_item_is_not_shown_and_a_date_of_publication_hides_nothing(tmp_path: Path) -> None:
    assert item(tmp_path, "<published>no</published>").hidden
    assert not item(tmp_path, "<published>yes</published>").hidden
    assert not item(tmp_path, "<published>5 March 2026</published>").hidden


@pytest.mark.parametrize(
    ("column", "name"),
    [
        ("Image  link", "image_link"),
        (" g:size-system ", "size_system"),
        ("c:fit", "fit"),
        ("Größe (EU)", "größe"),
        ("Label [custom_label_0]", "custom_label_0"),
        ("image[0].url", "image.url"),
        ("", ""),
    ],
)
def test_a_column_has_the_name_of_its_attribute(column: str, name: str) -> None:
    assert attribute_name(column) == name


def test_attributes_of_the_shops_choice_replace_nothing() -> None:
    record = {"id": "1", "fit": "slim", "empty": ""}
    named = {"fit": ["long"], "title": ["T"], "status": ["top"], "empty": ["E"], "sizes": ["S", "M"], "none": []}
    assert with_attributes(record, named) == {
        **{"id": "1", "fit": "slim", "empty": "E", "attribute_fit": "long"},
        **{"attribute_title": "T", "attribute_status": "top", "sizes": ["S", "M"]},
    }


@pytest.mark.parametrize("splits", [False, True])
@pytest.mark.parametrize(
    ("record", "expected"),
    [
        ({"gender": " Fe male "}, {"gender": "fe_male"}),
        ({"multipack": "5"}, {"multipack": 5}),
        ({"adult": "Yes"}, {"adult": True}),
        ({"is_bundle": "false"}, {"is_bundle": False}),
        ({"adult": "maybe"}, {"adult": "maybe"}),
        ({"size": "38"}, {"size": "38"}),
        ({"fit": ["slim"]}, {"fit": "slim"}),
        ({"fit": ["slim", "long"]}, {"fit": ["slim", "long"]}),
        ({"category": ["A", "B"]}, {"category": "A"}),
        ({"stock": "7"}, {"stock": 7}),
    ],
)
def test_values_have_the_types_of_the_specification(
    tmp_path: Path, splits: bool, record: dict[str, Any], expected: dict[str, Any]
) -> None:
    builder = GoogleRows(FeedMapping(types={"stock": "number"}), tmp_path, splits=splits)
    assert builder.row(1, {"id": "1", "image": "1.jpg"} | record).attributes == expected


@pytest.mark.parametrize(("splits", "labels"), [(False, 'A, "B, C"'), (True, ["A", "B, C"])])
def test_the_lists_of_tables_have_commas(tmp_path: Path, splits: bool, labels: object) -> None:
    builder = GoogleRows(FeedMapping(), tmp_path, splits=splits)
    record = {"id": "1", "image": "1.jpg", "ads_labels": 'A, "B, C"', "color": "Red, Blue", "tax": " , "}
    attributes = builder.row(1, record).attributes
    assert (attributes["ads_labels"], attributes["color"], "tax" in attributes) == (labels, "Red, Blue", not splits)


def test_what_is_not_kept_is_named_only_if_it_has_a_value(tmp_path: Path) -> None:
    record = {"id": "1", "image": "1.jpg", "mobile_link": "/m", "video_link": "", "structured_title": "ai:Red: dress"}
    row = GoogleRows(FeedMapping(), tmp_path).row(1, record)
    assert (row.left_out, row.title, row.attributes) == (("mobile_link",), "dress", {})
    row = GoogleRows(FeedMapping(), tmp_path).row(1, record | {"title": "T"})
    assert (row.title, row.attributes) == ("T", {"structured_title": "ai:Red: dress"})
    mapped = GoogleRows(FeedMapping(columns={"x": "mobile_link"}), tmp_path).row(1, record)
    assert (mapped.left_out, mapped.attributes) == ((), {"mobile_link": "/m"})


@pytest.mark.parametrize(
    ("text", "attributes", "images"),
    [
        ("id,image,image,image\n1,a.jpg,b.jpg,c.jpg\n", {}, ["b.jpg", "c.jpg"]),
        ("id,image,image\n1,,b.jpg\n", {}, []),
        ("id,image,images,images\n1,a.jpg,b.jpg|c.jpg,d.jpg\n", {}, ["b.jpg", "c.jpg", "d.jpg"]),
        ("id,image,fit,fit,fit\n1,a.jpg,x,,y\n", {"fit": ["x", "y"]}, []),
        ("id,image,fit,fit,fit\n1,a.jpg,x,y,z\n", {"fit": ["x", "y", "z"]}, []),
        ("id,image,fit,fit\n1,a.jpg,,y\n", {"fit": "y"}, []),
        ("id,image,availability,availability\n1,a.jpg,in stock,sold out\n", {"availability": "in_stock"}, []),
        ("id,image,price,price\n1,a.jpg,,6\n", {"price": 6}, []),
        ("sku,image,size\n1,a.jpg,38\n", {"sku": "1", "size": "38"}, []),
    ],
)
def test_columns_of_one_name_are_a_list_or_the_first_value(
    tmp_path: Path, text: str, attributes: dict[str, Any], images: list[str]
) -> None:
    row = product(csv_rows(tmp_path, text)[0])
    assert (row.attributes, [image.name for image in row.images]) == (attributes, images)


def test_the_id_of_a_damaged_item_is_that_of_its_elements_before_and_after_the_fault(tmp_path: Path) -> None:
    items = "<item><title>A & B</title><id>7</id></item>\n<item><id>8</id><title>A & B</title></item>"
    text = f"{HEAD}\n{items}</channel></rss>"
    assert [(line, key) for line, key, _ in outcomes(xml_rows(tmp_path, text))] == [(2, "7"), (3, "8")]
