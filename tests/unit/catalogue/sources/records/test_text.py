"""Text of feeds: entities, double encoding, control characters."""

import html
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.catalogue.sources.records.text import clean_link, clean_text
from tests.support.feeds.rows import csv_rows, json_rows, product, shopify_rows, xml_rows

LETTERS = st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="&;"), max_size=30)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Caf&eacute; jacket &ndash; slim", "Café jacket – slim"),
        ("Men&#8217;s tee &amp; cap", "Men’s tee & cap"),
        ("Men &gt; Shirts", "Men > Shirts"),
        ("Navy &amp;amp; White", "Navy & White"),
        ("Caf&amp;eacute; &amp;#8217;", "Café ’"),
        ("&#x41;&#65;&#150;", "AA–"),
        ("Soft&nbsp;cotton&nbsp;", "Soft\u00a0cotton"),
        ("AT&T &copy 2026 &unknown; &amp;unknown; R&D;", "AT&T &copy 2026 &unknown; &unknown; R&D;"),
        ("A & B; C", "A & B; C"),
        ("Bad \x0b char\x00 &#11;here\x7f", "Bad   char here"),
        ("\n  Wide   trousers \n", "Wide   trousers"),
        ("two\nlines\tand a tab", "two\nlines\tand a tab"),
    ],
)
def test_text_is_decoded_once_or_as_often_as_it_is_encoded(text: str, expected: str) -> None:
    assert clean_text(text) == expected


@given(LETTERS)
def test_text_without_entities_does_not_change(text: str) -> None:
    assert clean_text(text) == text.strip()


@given(LETTERS, st.sampled_from(["é", "&", "<", "–", "’", "ß"]), st.integers(0, 2))
def test_text_that_is_encoded_up_to_twice_is_read(text: str, character: str, times: int) -> None:
    written = original = f"{text}{character} x"
    if times:
        names = {"é": "&eacute;", "–": "&ndash;", "’": "&#8217;", "ß": "&szlig;"}
        written = "".join(names.get(c, html.escape(c)) for c in original)
    if times == 2:
        written = html.escape(written, quote=False)
    assert clean_text(written) == original.strip()


@pytest.mark.parametrize(
    ("link", "expected"),
    [
        ("https://a.test/?a=1&amp;b=2", "https://a.test/?a=1&b=2"),
        ("https://a.test/?a=1&#038;b=2&#x26;c", "https://a.test/?a=1&b=2&c"),
        ("https://a.test/?a=1&amp;amp;b=2", "https://a.test/?a=1&b=2"),
        ("https://a.test/?a=1&copy=2&lt;=3", "https://a.test/?a=1&copy=2&lt;=3"),
    ],
)
def test_only_the_ampersands_of_a_link_are_decoded(link: str, expected: str) -> None:
    assert clean_link(link) == expected


def test_every_format_has_the_same_text(tmp_path: Path) -> None:
    title, kind, color = "Men&#8217;s tee &amp; cap", "Men &gt; Shirts", "Navy &amp;amp; White"
    page, image = "https://a.test/p?x=1&amp;y=2", "https://a.test/1.jpg?w=3&amp;h=4"
    more = "https://a.test/2.jpg?w=3&amp;h=4"
    names = ("id", "title", "link", "image_link", "additional_image_link", "product_type", "color")
    values = ("A&amp;1", title, page, image, more, kind, color)
    elements = "".join(f"<{n}><![CDATA[ {v} ]]></{n}>" for n, v in zip(names, values, strict=True))
    rows = [
        *xml_rows(tmp_path, f"<rss><channel><item>{elements}</item></channel></rss>"),
        *xml_rows(tmp_path, "\t".join(names) + "\n" + "\t".join(values) + "\n", "feed.tsv"),
        *csv_rows(tmp_path, f"id|title|url|image_url|images|product_type|color\n{'|'.join(values)}\n"),
        *json_rows(
            tmp_path,
            {"id": values[0], "title": title, "url": page, "image": image, "images": [{"src": more}]}
            | {"product_type": kind, "color": color},
        ),
    ]
    for item in map(product, rows):
        assert (item.key, item.title) == ("A&amp;1", "Men’s tee & cap")
        assert (item.url, item.image_url) == ("https://a.test/p?x=1&y=2", "https://a.test/1.jpg?w=3&h=4")
        assert [other.name for other in item.images] == ["https://a.test/2.jpg?w=3&h=4"]
        assert item.attributes == {"product_type": "Men > Shirts", "color": "Navy & White"}
    assert product(rows[0]).category_words == ("Men > Shirts", "Shirts", "Men")
    shop = f"Handle,Title,Image Src,Type\na,{title},{image},{kind}\n"
    (row,) = shopify_rows(tmp_path, shop)
    assert (product(row).title, product(row).image_url) == ("Men’s tee & cap", "https://a.test/1.jpg?w=3&h=4")


def test_the_name_of_an_image_file_does_not_change(tmp_path: Path) -> None:
    (tmp_path / "a&amp;b.jpg").write_bytes(b"picture")
    item = product(csv_rows(tmp_path, "id,image\n1,a&amp;b.jpg\n")[0])
    assert callable(item.image)
    assert item.image() == b"picture"
