"""Google feeds: attributes, categories and columns."""

from pathlib import Path

import pytest

from services.catalogue.sources.formats.google_feed import GoogleTable, GoogleXmlFeed
from services.catalogue.sources.formats.google_fields import NOT_KEPT, attribute_name, path_words
from services.catalogue.sources.open_source import open_source
from services.catalogue.sources.records.mapping import FeedMapping
from tests.support.feeds.google_specification import END, EVERY, KEPT, RSS, SIMPLE, atom_file, rss_file, table_file
from tests.support.feeds.rows import csv_rows, outcomes, product, xml_rows


@pytest.mark.parametrize(
    ("text", "name"),
    [
        (rss_file(), "rss.xml"),
        (atom_file(), "atom.xml"),
        (table_file(), "feed.tsv"),
        (table_file(spaces=True), "feed.txt"),
    ],
)
def test_every_attribute_of_the_specification_is_the_same_in_every_format(tmp_path: Path, text: str, name: str) -> None:
    (row,) = xml_rows(tmp_path, text, name)
    item = product(row)
    assert (item.key, item.title, item.url) == (EVERY["id"], EVERY["title"], EVERY["link"])
    assert item.image == item.image_url == EVERY["image_link"]
    assert [(image.name, image.load) for image in item.images] == [
        (url, None) for url in EVERY["additional_image_link"]
    ]
    assert item.attributes == KEPT
    assert set(item.left_out) == NOT_KEPT & set(EVERY)
    assert item.category_words == (
        "Women > Dresses > Summer Dresses",
        "Summer Dresses",
        "Dresses",
        "Women",
        "Sale > Dresses",
        "Dresses",
        "Sale",
        "Apparel & Accessories > Clothing > Dresses",
        "Dresses",
        "Clothing",
        "Apparel & Accessories",
    )


def test_private_attributes_are_not_imported_unless_a_mapping_names_them(tmp_path: Path) -> None:
    mapping = FeedMapping(columns={"cost_of_goods_sold": "cost", "additional_image_link": "more"}, ignore=("pattern",))
    item = product(xml_rows(tmp_path, rss_file(), mapping=mapping)[0])
    assert item.attributes["cost"] == "11.00 EUR"
    assert item.attributes["more"] == EVERY["additional_image_link"]
    assert "pattern" not in item.attributes
    assert item.images == ()
    assert "cost" not in product(xml_rows(tmp_path, rss_file())[0]).attributes


def test_the_first_additional_image_replaces_a_missing_main_image(tmp_path: Path) -> None:
    text = "<item><g:id>1</g:id><g:additional_image_link>https://a.test/2.jpg</g:additional_image_link>"
    more = "<g:lifestyle_image_link>https://a.test/beach.jpg</g:lifestyle_image_link></item>"
    mapping = FeedMapping(columns={"lifestyle_image_link": "images"})
    item = product(xml_rows(tmp_path, RSS + text + more + END, mapping=mapping)[0])
    assert item.image == item.image_url == "https://a.test/2.jpg"
    assert [image.name for image in item.images] == ["https://a.test/beach.jpg"]


def test_a_mapping_can_make_an_attribute_the_category_or_set_its_type(tmp_path: Path) -> None:
    mapping = FeedMapping(
        columns={"product_type": "category", "custom_label_1": "year"}, types={"custom_label_1": "number"}
    )
    item = product(xml_rows(tmp_path, rss_file(), mapping=mapping)[0])
    assert item.attributes["year"] == 2026
    assert item.attributes["category"] == item.category_words[0] == "Women > Dresses > Summer Dresses"


def test_googles_elements_take_precedence_over_those_of_rss(tmp_path: Path) -> None:
    both = "<item><title>Plain</title><g:title>Google's</g:title><g:id>1</g:id><image_link>https://a.test/1.jpg</image_link></item>"
    bare = "<item><id>2</id><image_link>https://a.test/2.jpg</image_link><price>EUR 1.299,00</price></item>"
    first, second = (product(row) for row in xml_rows(tmp_path, RSS + both + bare + END))
    assert (first.key, first.title) == ("1", "Google's")
    assert (second.key, second.attributes) == ("2", {"price": 1299.0, "currency": "EUR"})


def test_a_structured_title_is_used_without_a_title(tmp_path: Path) -> None:
    item = SIMPLE.format(id="1", title="").replace(
        "<g:title></g:title>",
        "<g:structured_title><g:digital_source_type>trained_algorithmic_media</g:digital_source_type>"
        "<g:content>Red dress</g:content></g:structured_title>",
    )
    assert product(xml_rows(tmp_path, RSS + item + END)[0]).title == "Red dress"


def test_the_format_is_recognised_by_the_columns(tmp_path: Path) -> None:
    for name, text, kind in [
        ("a.csv", "id,image link,title\n", GoogleTable),
        ("b.tsv", "ID [id]\tImage link [image_link]\n", GoogleTable),
        ("c.xml", "<rss/>", GoogleXmlFeed),
    ]:
        (tmp_path / name).write_text(text)
        source = open_source(tmp_path / name)
        assert type(source) is kind
        assert source.kind == "Google product feed"
        source.close()


def test_a_broken_row_of_a_table_is_rejected_with_its_line(tmp_path: Path) -> None:
    text = 'id\timage_link\ttitle\n1\thttps://a.test/1.jpg\tFine\n2\thttps://a.test/2.jpg\n3\tftp://a.test/3.jpg\tx\n1\thttps://a.test/1.jpg\t"a\n'
    assert [(line, key) for line, key, reason in outcomes(xml_rows(tmp_path, text, "feed.tsv")) if reason] == [
        (4, "3"),
        (5, "1"),
    ]


@pytest.mark.parametrize(
    "column", ["image_link", "Image Link", "g:image_link", "image-link", "Image link [image_link]"]
)
def test_an_attribute_has_one_name_for_all_forms(column: str) -> None:
    assert attribute_name(column) == "image_link"


@pytest.mark.parametrize(("column", "name"), [("Größe", "größe"), ("g:Maßangabe", "maßangabe"), ("SIZE", "size")])
def test_a_name_is_stored_in_lower_case_with_its_letters(tmp_path: Path, column: str, name: str) -> None:
    assert attribute_name(column) == name
    text = f"id\timage_link\t{column}\n1\thttps://a.test/1.jpg\tS\n"
    assert product(xml_rows(tmp_path, text, "feed.tsv")[0]).attributes == {name: "S"}


def test_numbered_columns_are_one_attribute(tmp_path: Path) -> None:
    assert attribute_name("additional_image_link[1]") == "additional_image_link"
    columns = ("id", "image_link", "image[0].url", "additional_image_link[0]", "product_type", "product_type")
    cells = ("1", "https://a.test/1.jpg", "https://a.test/2.jpg", "https://a.test/3.jpg", "Men > Shirts, New", "Sale")
    (row,) = xml_rows(tmp_path, "\t".join(columns) + "\n" + "\t".join(cells), "feed.tsv")
    item = product(row)
    assert [image.name for image in item.images] == ["https://a.test/2.jpg", "https://a.test/3.jpg"]
    assert item.attributes["product_type"] == ["Men > Shirts", "New", "Sale"]


def test_the_words_of_a_category_path_are_the_path_and_its_parts_from_the_last() -> None:
    assert path_words("Apparel > Clothing >Socks ") == ("Apparel > Clothing >Socks", "Socks", "Clothing", "Apparel")
    assert path_words("Shoes") == ("Shoes",)
    assert path_words("") == ()


def test_a_catalogue_of_meta_may_have_its_pictures_in_numbered_columns_only(tmp_path: Path) -> None:
    comment = (
        "# Required | Your own id,# Required | A title,# Required | A link,# Optional | a,# Optional | b,# c,# d,# e"
    )
    header = "id,title,link,image[0].url,image[1].url,fb_product_category,item_group_id,status"
    rows = [
        "m1,Dress,https://a.test/p/1,https://a.test/1.jpg,https://a.test/2.jpg,clothing > dresses,STYLE,active",
        "m2,Dress,https://a.test/p/2,https://a.test/1.jpg,,clothing > dresses,STYLE,archived",
    ]
    first, second = map(product, csv_rows(tmp_path, "\n".join([comment, header, *rows])))
    assert (first.url, first.image, first.group) == ("https://a.test/p/1", "https://a.test/1.jpg", "STYLE")
    assert [image.name for image in first.images] == ["https://a.test/2.jpg"]
    assert first.category_words == ("clothing > dresses", "dresses", "clothing")
    assert second.hidden


@pytest.mark.parametrize(
    ("item", "expected"),
    [
        ('<product sku="A-1" name="Shirt" url="/p" image="https://a.test/1.jpg" price="12,50" currency="EUR"/>', 12.5),
        ('<product id="A-1"><sku>9</sku><name>Shirt</name><picture url="https://a.test/1.jpg"/><link href="/p"/>'
         '<price currency="EUR">12,50</price></product>', 12.5),
        ('<product><entity_id>A-1</entity_id><sku>9</sku><name>Shirt</name><images><img src="https://a.test/1.jpg"/></images>'
         '<product_url>/p</product_url><price><value>12.50</value><currency>EUR</currency></price></product>', 12.5),
        ('<product><code>A-1</code><display-name>Shirt</display-name><enclosure url="https://a.test/1.jpg"/><url>/p</url>'
         '<price><amount>12.5</amount><currencyCode>eur</currencyCode></price></product>', 12.5),
    ],
)  # fmt: skip
def test_products_of_other_xml_feeds_have_attributes_and_other_names(
    tmp_path: Path, item: str, expected: float
) -> None:
    row = product(xml_rows(tmp_path, f"<products>{item}</products>")[0])
    assert (row.key, row.title, row.url, row.image) == ("A-1", "Shirt", "/p", "https://a.test/1.jpg")
    assert (row.attributes["price"], row.attributes["currency"]) == (expected, "EUR")


@pytest.mark.parametrize(
    "parameters",
    [
        '<param name="Größe">M</param><param name="Größe">L</param><param name="Status">top</param>',
        "<PARAM><PARAM_NAME>Größe</PARAM_NAME><VAL>M</VAL></PARAM><PARAM><PARAM_NAME>Größe</PARAM_NAME><VAL>L</VAL></PARAM>"
        "<PARAM><PARAM_NAME>Status</PARAM_NAME><VAL>top</VAL></PARAM>",
        '<custom-attribute attribute-id="Größe"><value>M</value><value>L</value></custom-attribute>'
        "<property><name>Status</name><value>top</value></property>",
    ],
)
def test_parameters_are_attributes_of_the_names_that_the_shop_chose(tmp_path: Path, parameters: str) -> None:
    item = f'<item id="1"><image>https://a.test/1.jpg</image>{parameters}</item>'
    row = product(xml_rows(tmp_path, f"<items>{item}</items>")[0])
    assert row.attributes == {"größe": ["M", "L"], "attribute_status": "top"}
    assert not row.hidden


def test_an_offer_of_yandex_has_its_category_path_its_currency_and_its_title_in_parts(tmp_path: Path) -> None:
    text = """<yml_catalog date="2026-03-05 00:00"><shop><currencies><currency id="RUR" rate="1"/></currencies>
<categories><category id="1">Одежда</category><category id="7" parentId="1">Платья</category></categories><offers>
<offer id="A&amp;1" type="vendor.model" available="false" group_id="G"><typePrefix>Платье</typePrefix>
<vendor>Acme</vendor><model>X-1</model><price>999</price><oldprice>1299</oldprice><currencyId>RUR</currencyId>
<categoryId>7</categoryId><picture>https://a.test/1.jpg</picture><picture>https://a.test/2.jpg</picture></offer>
<offer id="2" available="true"><name>A & B</name></offer>
<offer id="3" available="true"><name>Юбка</name><categoryId>7</categoryId><picture>https://a.test/3.jpg</picture></offer>
</offers></shop></yml_catalog>"""
    first, broken, last = xml_rows(tmp_path, text)
    dress = product(first)
    assert (dress.key, dress.title, dress.group) == ("A&1", "Платье Acme X-1", "G")
    assert dress.category_words == ("Одежда > Платья", "Платья", "Одежда")
    assert [image.name for image in dress.images] == ["https://a.test/2.jpg"]
    assert (
        dress.attributes.items()
        >= {
            "price": 999,
            "oldprice": 1299,
            "currency": "RUB",
            "availability": "out_of_stock",
            "brand": "Acme",
        }.items()
    )
    assert outcomes([broken]) == [(6, "2", "not XML at line 6: not well-formed (invalid token)")]
    assert product(last).category_words == ("Одежда > Платья", "Платья", "Одежда")


def test_a_category_that_is_its_own_parent_has_a_path_of_its_names(tmp_path: Path) -> None:
    categories = '<category id="1" parentId="2">A</category><category id="2" parentId="1">B</category>'
    item = "<item><id>1</id><image>https://a.test/1.jpg</image><categoryId>1</categoryId></item>"
    row = product(xml_rows(tmp_path, f"<items><categories>{categories}</categories>{item}</items>")[0])
    assert row.category_words == ("B > A", "A", "B")


def test_the_path_of_heureka_has_bars(tmp_path: Path) -> None:
    path = "<CATEGORYTEXT>Heureka.cz | Móda | Trička</CATEGORYTEXT>"
    item = f"<ITEM_ID>1</ITEM_ID><IMGURL>https://a.test/1.jpg</IMGURL>{path}"
    row = product(xml_rows(tmp_path, f"<SHOP><SHOPITEM>{item}</SHOPITEM></SHOP>")[0])
    assert row.category_words == ("Heureka.cz | Móda | Trička", "Trička", "Móda", "Heureka.cz")


def test_elements_with_equal_children_are_lists_and_values_may_be_deeper(tmp_path: Path) -> None:
    item = (
        "<id>1</id><images><image><url>https://a.test/1.jpg</url></image><image><url>https://a.test/2.jpg</url></image>"
        '</images><categories><category>Shirts</category><category>Sale</category></categories><Price Currency="EUR">9'
        "</Price><content:encoded>long</content:encoded>"
    )
    row = product(xml_rows(tmp_path, f"<products><product>{item}</product></products>")[0])
    assert (row.image, [image.name for image in row.images]) == ("https://a.test/1.jpg", ["https://a.test/2.jpg"])
    assert row.attributes == {"product_type": ["Shirts", "Sale"], "price": 9, "currency": "EUR"}


def test_the_picture_of_media_rss_is_the_main_one_without_another(tmp_path: Path) -> None:
    item = '<g:id>1</g:id><media:content url="https://a.test/1.jpg"/>'
    row = product(xml_rows(tmp_path, f"<rss><channel><item>{item}</item></channel></rss>")[0])
    assert (row.image, row.attributes) == ("https://a.test/1.jpg", {})
