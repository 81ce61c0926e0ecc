"""XML feeds as plugins write them: what precedes the document, its encoding, entities, namespaces and elements."""

import gzip
from pathlib import Path
from xml.sax.saxutils import escape

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.catalogue.importing.description import Placer
from services.catalogue.importing.dry_run import check
from services.catalogue.importing.removal import FeedKeys
from services.catalogue.importing.report import RejectedFile, Summary, Tally
from services.catalogue.sources.open_source import open_source
from services.catalogue.sources.records.mapping import FeedMapping
from services.catalogue.sources.records.rows import RejectedRow, SourceError, notes_of
from services.contracts.domain.manifest import InputSize
from tests.support.feeds.google_specification import END, RSS, SIMPLE
from tests.support.feeds.rows import outcomes, product, xml_rows
from tests.support.values.cases import CASES, needs_cases

NOTICE = "<br />\n<b>Notice</b>:  Undefined index: a in <b>/srv/feed.php</b> on line <b>12</b><br />\n"
DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>\n'
BARE = '<rss version="2.0"><channel>{}</channel></rss>'
ITEM = "<item><id>1</id><title>{}</title><image_link>https://a.test/1.jpg</image_link>{}</item>"


def _titles(folder: Path, text: str | bytes) -> list[str | None]:
    return [product(row).title for row in xml_rows(folder, text)]


def _notes(folder: Path, text: str | bytes) -> tuple[str, ...]:
    path = folder / "noted.xml"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    source = open_source(path)
    source.close()
    return notes_of(source)


@pytest.mark.parametrize(
    ("before", "note"),
    [
        ("\n", "white space before the XML declaration was ignored"),
        ("\ufeff\r\n \t", "white space before the XML declaration was ignored"),
        (NOTICE, 'text before the document was ignored: "Notice : Undefined index: a in /srv/feed.php on line 12"'),
        ("Warning: x\n", 'text before the document was ignored: "Warning: x"'),
    ],
)
def test_anything_before_the_declaration_is_ignored_and_noted_once(tmp_path: Path, before: str, note: str) -> None:
    text = before + DECLARATION + BARE.format(ITEM.format("Fine", ""))
    assert _titles(tmp_path, text) == ["Fine"]
    assert _notes(tmp_path, text) == (note,)


def test_the_note_of_a_packed_feed_is_in_the_summary_of_a_dry_run(tmp_path: Path) -> None:
    path = tmp_path / "feed.xml.gz"
    path.write_bytes(gzip.compress(("\n" + DECLARATION + BARE.format(ITEM.format("Fine", ""))).encode()))
    source = open_source(path)
    placer = Placer(("Topwear",), FeedMapping())
    feed = FeedKeys(source, placer)
    tally = Tally()
    check(feed, placer, InputSize(width=8, height=8), RejectedFile(None), tally)
    feed.close()
    source.close()
    assert tally.notes == ["white space before the XML declaration was ignored"]
    assert Summary(tally, "done", None, 1.0).document()["notes"] == tally.notes


def test_text_between_the_declaration_and_the_first_element_is_ignored(tmp_path: Path) -> None:
    assert _titles(tmp_path, DECLARATION + NOTICE + BARE.format(ITEM.format("Fine", ""))) == ["Fine"]
    assert _titles(tmp_path, NOTICE + BARE.format(ITEM.format("Fine", ""))) == ["Fine"]


@pytest.mark.parametrize(
    "before",
    [
        "",
        "\ufeff",
        DECLARATION,
        "\ufeff" + DECLARATION + "<!-- <rss> -->\n<?xml-stylesheet href='a.xsl'?><!DOCTYPE rss>",
    ],
)
def test_an_ordinary_document_has_no_note(tmp_path: Path, before: str) -> None:
    text = before + BARE.format(ITEM.format("Fine", ""))
    assert _titles(tmp_path, text) == ["Fine"]
    assert _notes(tmp_path, text) == ()


def test_lines_are_those_of_the_file_whatever_precedes_the_document(tmp_path: Path) -> None:
    text = "\n\n" + DECLARATION + BARE.format("\n" + ITEM.format("a & b", "") + "\n" + ITEM.format("c", ""))
    assert [line for line, _, _ in outcomes(xml_rows(tmp_path, text))] == [5, 6]


@pytest.mark.parametrize("declaration", ["", DECLARATION, "<!DOCTYPE rss>", '<?xml version="1.0" standalone="yes"?>'])
def test_named_entities_of_html_need_no_dtd(tmp_path: Path, declaration: str) -> None:
    title = "Caf&eacute; &ndash; &lt;A&amp;B&gt;&nbsp;&LT;&check;&NotEqualTilde;"
    url = '<link rel="self" href="https://a.test/"/><link href="https://a.test/&eacute;?a=1&amp;b=2"/>'
    (row,) = xml_rows(tmp_path, declaration + BARE.format("<title>&star;</title>" + ITEM.format(title, url)))
    assert product(row).title == "Café – <A&B>\xa0<✓≂̸"
    assert product(row).url == "https://a.test/%C3%A9?a=1&b=2"


def test_an_unknown_entity_costs_its_item_only(tmp_path: Path) -> None:
    items = (
        ITEM.format("Fine", "")
        + ITEM.format("&nothing;", "").replace("1", "2")
        + ITEM.format("x", "").replace("1", "3")
    )
    rows = outcomes(xml_rows(tmp_path, BARE.format(items)))
    assert [(key, reason) for _, key, reason in rows] == [
        ("1", ""),
        ("2", "not XML at line 1: undefined entity"),
        ("3", ""),
    ]


@pytest.mark.parametrize(
    ("declared", "encoding", "title"),
    [
        ("ISO-8859-1", "latin-1", "Größe Süß"),
        ("ISO-8859-1", "cp1252", "49 € – “Größe”"),
        ("windows-1251", "cp1251", "Куртка"),
        ("Shift_JIS", "shift_jis", "ジャケット"),
        ("GB2312", "gb2312", "夹克"),
        ("UTF-16", "utf-16", "Größe 夹克"),
        ("UTF-16", "utf-16-le", "Größe"),
        ("UTF-16", "utf-8", "Größe"),
        ("utf-8", "utf-8", "Größe 夹克"),
    ],
)
def test_a_document_is_read_in_the_encoding_it_declares_or_shows(
    tmp_path: Path, declared: str, encoding: str, title: str
) -> None:
    text = f'<?xml version="1.0" encoding="{declared}"?>\n<!DOCTYPE rss>\n' + BARE.format(ITEM.format(title, "") + "\n")
    assert _titles(tmp_path, text.encode(encoding)) == [title]


def test_a_byte_that_the_encoding_does_not_have_costs_its_item_only(tmp_path: Path) -> None:
    text = '<?xml version="1.0" encoding="Shift_JIS"?>\n' + BARE.format(ITEM.format("@", "") + ITEM.format("ジ", ""))
    rows = outcomes(xml_rows(tmp_path, text.encode("shift_jis").replace(b"@", b"\x81\x01")))
    assert [(key, bool(reason)) for _, key, reason in rows] == [("1", True), ("1", False)]


@pytest.mark.parametrize(
    "root",
    [
        '<rss xmlns:gg="https://base.google.com/ns/1.0/" xmlns="https://cyber.harvard.edu/rss/rss.html">',
        '<rss xmlns:gg="HTTP://BASE.GOOGLE.COM/ns/1.0">',
        '<feed xmlns="http://www.w3.org/2005/Atom" xmlns:gg=" http://base.google.com/cns/1.0 ">',
    ],
)
def test_googles_elements_are_recognised_by_any_form_of_their_address(tmp_path: Path, root: str) -> None:
    name = "entry" if "feed" in root else "item"
    item = f"<{name}><title>RSS</title><gg:title>Google</gg:title><gg:id>1</gg:id>"
    text = f"{root}{item}<gg:image_link>https://a.test/1.jpg</gg:image_link></{name}></{root[1:].split()[0]}>"
    assert _titles(tmp_path, text) == ["Google"]


def test_a_prefix_without_a_declaration_is_no_error(tmp_path: Path) -> None:
    more = "<g:title>Google</g:title><c:fit>slim</c:fit><dc:creator>A</dc:creator><shop:colour>red</shop:colour>"
    (row,) = xml_rows(tmp_path, BARE.format(ITEM.format("RSS", more)))
    assert product(row).title == "Google"
    assert product(row).attributes == {"fit": "slim", "creator": "A", "colour": "red"}


@pytest.mark.parametrize(
    ("root", "item"),
    [
        ("<products>", "product"),
        ("<Products>", "Product"),
        ("<items>", "item"),
        ("<SHOP>", "SHOPITEM"),
        ("<feed>", "entry"),
        ("<catalog><products>", "product"),
        ("<export>", "product"),
    ],
)
def test_items_have_other_names_in_other_feeds(tmp_path: Path, root: str, item: str) -> None:
    end = "".join(f"</{name}>" for name in reversed(root.strip("<>").split("><")))
    text = root + ITEM.format("Fine", "").replace("item>", f"{item}>") * 1 + end
    assert _titles(tmp_path, text) == ["Fine"]


def test_a_document_with_another_first_element_and_no_item_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="its first element is <orders>, and it has no element <article>, "):
        xml_rows(tmp_path, "<orders><order/></orders>")


def test_the_names_of_other_feeds_are_read_and_a_mapping_takes_precedence(tmp_path: Path) -> None:
    text = (
        "<SHOP><SHOPITEM><ITEM_ID>7</ITEM_ID><PRODUCTNAME>Shirt</PRODUCTNAME><URL>https://a.test/7</URL>"
        "<IMGURL>https://a.test/7.jpg</IMGURL><IMGURL_ALTERNATIVE>https://a.test/7b.jpg</IMGURL_ALTERNATIVE>"
        "<PRICE_VAT>12,50</PRICE_VAT></SHOPITEM></SHOP>"
    )
    row = product(xml_rows(tmp_path, text)[0])
    assert (row.key, row.title, row.url, row.image) == ("7", "Shirt", "https://a.test/7", "https://a.test/7.jpg")
    assert [image.name for image in row.images] == ["https://a.test/7b.jpg"]
    assert row.attributes == {"price": 12.5}


def test_the_first_of_several_image_links_is_the_main_image_and_the_others_are_additional(tmp_path: Path) -> None:
    def link(name: str, *numbers: int) -> str:
        return f"<g:{name}>{','.join(f'https://a.test/{number}.jpg' for number in numbers)}</g:{name}>"

    item = (
        "<item><g:id>1</g:id>" + link("additional_image_link", 4, 5) + "".join(link("image_link", n) for n in (1, 2, 3))
    )
    row = product(
        xml_rows(tmp_path, RSS + item + link("additional_image_link", 6) + link("image_link", 1) + "</item>" + END)[0]
    )
    assert row.image == row.image_url == "https://a.test/1.jpg"
    assert [image.name for image in row.images] == [f"https://a.test/{number}.jpg" for number in (2, 3, 4, 5, 6)]


def test_empty_parts_of_an_element_leave_no_separators(tmp_path: Path) -> None:
    shipping = "<g:country/><g:service>Standard</g:service><g:price> </g:price>"
    empty = f"<g:shipping>{shipping}</g:shipping><g:tax><g:rate/></g:tax>"
    item = SIMPLE.format(id="1", title="x").replace("</item>", empty + "</item>")
    assert product(xml_rows(tmp_path, RSS + item + END)[0]).attributes["shipping"] == "Standard"
    assert "tax" not in product(xml_rows(tmp_path, RSS + item + END)[0]).attributes


@pytest.mark.parametrize("bad", ["\x0b", "&#11;", "&#xFFFF;", "\ufffe", " & ", "<b>"])
def test_only_the_item_that_is_not_xml_is_rejected_with_its_id_wherever_that_is(tmp_path: Path, bad: str) -> None:
    item = (
        "<item><title>{}</title>\n<g:id><![CDATA[ {} ]]></g:id>\n<image_link>https://a.test/1.jpg</image_link></item>\n"
    )
    text = BARE.format(item.format("Fine", "A&1") + item.format(bad, "B&2") + item.format("Fine", "C"))
    rows = outcomes(xml_rows(tmp_path, text))
    assert [(line, key, bool(reason)) for line, key, reason in rows] == [
        (1, "A&1", False),
        (4, "B&2", True),
        (7, "C", False),
    ]


def test_entities_of_the_file_stay_refused_after_text_that_precedes_it(tmp_path: Path) -> None:
    for before in ("", "\n", NOTICE, "<!-- x -->"):
        with pytest.raises(SourceError, match="declares entities"):
            xml_rows(tmp_path, before + DECLARATION + '<!DOCTYPE rss [<!ENTITY a "<rss>">]><rss>&a;</rss>')
    with pytest.raises(SourceError, match="is not XML"):
        xml_rows(tmp_path, '<rss/><!DOCTYPE rss [<!ENTITY a "b">]>')


@given(
    before=st.text(st.sampled_from("\r\n \t"), max_size=5),
    mark=st.booleans(),
    titles=st.lists(st.text(st.characters(exclude_categories=("Cs", "Cc", "Cn"), codec="utf-16")), max_size=4),
    encoding=st.sampled_from(["utf-8", "utf-16"]),
)
def test_titles_do_not_depend_on_white_space_and_encoding(
    tmp_path_factory: pytest.TempPathFactory, before: str, mark: bool, titles: list[str], encoding: str
) -> None:
    start = "\ufeff" if mark and encoding == "utf-8" else ""
    items = "".join(ITEM.replace("<id>1<", f"<id>{n}<").format(escape(title), "") for n, title in enumerate(titles))
    text = start + before + f'<?xml version="1.0" encoding="{encoding}"?>' + BARE.format(items)
    expected = [title.strip()[:1000].strip() or None for title in titles]
    assert _titles(tmp_path_factory.mktemp("feed"), text.encode(encoding)) == expected


@needs_cases
@pytest.mark.parametrize(
    ("name", "titles"),
    [
        ("01-xml-blank-first-line.xml", ["Linen shirt"]),
        ("02-html-entities.xml", ["Café jacket – slim", "Plain tee", "Good one"]),
        ("06-namespaces.xml", ["Undeclared", "Undeclared 2"]),
        ("06-namespaces-b.xml", ["Google title"]),
        ("06-namespaces-c.xml", ["Other root"]),
        ("06-namespaces-d.xml", ["Größe Süß"]),
    ],
)
def test_the_reported_feeds_are_imported(name: str, titles: list[str]) -> None:
    source = open_source(CASES / name)
    assert [product(row).title for row in source.rows()] == titles
    assert len(notes_of(source)) == (name.startswith("01"))
    source.close()


@needs_cases
def test_the_reported_feed_with_several_image_links() -> None:
    source = open_source(CASES / "07-many-image-links.xml")
    (row,) = map(product, source.rows())
    source.close()
    pictures = [f"http://images.test/sample-topwear-0{number}.jpg" for number in (22, 23, 24)]
    assert [row.image, *(image.name for image in row.images)] == pictures
    assert row.attributes["shipping"] == "Standard"


@needs_cases
def test_the_reported_feed_of_magento() -> None:
    source = open_source(CASES / "32-magento.xml")
    rows = list(source.rows())
    source.close()
    first = product(rows[0])
    assert (first.key, first.title, first.url) == ("SKU 12/4", "Wide   trousers", "https://shop.example/p/1?x=1&y=2")
    assert (first.attributes["price"], first.attributes["currency"]) == (49.95, "EUR")
    assert first.attributes["color"] == ["Blue/Navy", "White"]
    assert first.attributes["shipping"] == ["DE:4.90 EUR", "AT:9.90 EUR"]
    assert [(row.key, row.line) for row in rows if isinstance(row, RejectedRow)] == [("c32-ctl", 9), ("c32-ctl2", 10)]
    assert product(rows[3]).key == "c32-ok"


@pytest.mark.parametrize("start", ["<!--", "<!DOCTYPE [", "<?a ", " ", "<", "x"])
def test_a_malicious_start_takes_little_time(tmp_path: Path, start: str) -> None:
    with pytest.raises(SourceError):
        xml_rows(tmp_path, start * 200_000)


@pytest.mark.parametrize(
    ("after", "shown"),
    [
        ("<!-- generated in 0.2 s", "<!-- generated in 0.2 s"),
        ("\nFatal error: x in /srv/feed.php on line 3", "Fatal error: x in /srv/feed.php on line 3"),
        ("<br />\n<b>Notice</b>: y", "Notice : y"),
        ("\x00\x00", ""),
        (" & ", "&"),
    ],
)
def test_text_after_the_end_of_the_document_is_a_note_and_no_rejected_row(
    tmp_path: Path, after: str, shown: str
) -> None:
    path = tmp_path / "after.xml"
    path.write_text(DECLARATION + BARE.format(ITEM.format("Fine", "")) + after)
    source = open_source(path)
    feed = FeedKeys(source, Placer(("Topwear",), FeedMapping()))
    tally = Tally()
    check(feed, Placer(("Topwear",), FeedMapping()), InputSize(width=8, height=8), RejectedFile(None), tally)
    assert (tally.checked, tally.rejected, feed.unreadable) == (1, 0, 0)
    assert tally.notes == [f'text after the end of the document was ignored: "{shown}"']
    feed.close()
    source.close()


def test_a_second_document_in_the_file_is_read_too(tmp_path: Path) -> None:
    documents = [DECLARATION + BARE.format(ITEM.format(f"Item {n}", "").replace(">1<", f">{n}<")) for n in (1, 2)]
    assert _titles(tmp_path, "\n".join(documents)) == ["Item 1", "Item 2"]


@pytest.mark.parametrize(
    ("published", "hidden"),
    [("0", True), ("FALSCH", True), ("no", True), ("1", False), ("yes", False), ("2024-05-01T10:00:00Z", False),
     ("Mon, 06 May 2024 10:00:00 GMT", False), ("06.05.2024", False)],
)  # fmt: skip
def test_the_element_published_hides_a_product_unless_it_is_a_date(
    tmp_path: Path, published: str, hidden: bool
) -> None:
    (row,) = xml_rows(tmp_path, BARE.format(ITEM.format("Fine", f"<published>{published}</published>")))
    assert product(row).hidden == hidden


def test_an_unknown_word_in_the_element_published_rejects_the_item(tmp_path: Path) -> None:
    (row,) = xml_rows(tmp_path, BARE.format(ITEM.format("Fine", "<published>perhaps</published>")))
    assert isinstance(row, RejectedRow)
    assert "published is 'perhaps'" in row.reason
