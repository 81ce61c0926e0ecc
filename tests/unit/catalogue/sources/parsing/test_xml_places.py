"""Where items of an XML feed begin, what is read of those with a fault, and what is not read."""

from pathlib import Path

import pytest

from services.catalogue.sources.parsing import xml_items
from services.catalogue.sources.parsing.xml_document import XmlDocument
from services.catalogue.sources.parsing.xml_items import XmlItems
from services.catalogue.sources.parsing.xml_nodes import GOOGLE_ADDRESS, Categories, Node, node_of, scope
from services.catalogue.sources.records.rows import SourceError

OTHER_ROOT = "it is not an RSS or Atom feed: its first element is"
UNENDED = "not XML at line {}: <item> has no end before the next one"
TOKEN = "not well-formed (invalid token)"
A_IN_LINE_2 = (2, {"a": "1"}, None)
CHUNKS = pytest.mark.parametrize("chunk", [1, 13, xml_items.CHUNK])
Found = tuple[int, dict[str, str], str | None]


def read(path: Path, text: str) -> list[Found]:
    path.write_text(text, encoding="utf-8")
    items = XmlItems(path)
    try:
        assert items.position == 0
        found = [(item.line, {node.name: node.text for node in item.node.children}, item.fault) for item in items]
        assert items.notes or any(fault for _, _, fault in found) or items.position == items.size
        return found
    finally:
        items.close()


@CHUNKS
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("<rss/>", []),
        ("<rss>\n<item><a>1</a></item>\n\n<item>\n<b> 2 </b></item></rss>", [A_IN_LINE_2, (4, {"b": "2"}, None)]),
        ('<x><offer id="7" b="" xmlns:q="z"><a/></offer></x>', [(1, {"id": "7", "a": ""}, None)]),
        ("<feed><entry><a>1</a></entry><item><a>2</a></item></feed>", [(1, {"a": "1"}, None)]),
        ("<x><g:item><a>1</a></g:item>\n<item/><g:item/></x>", [(1, {"a": "1"}, None), (2, {}, None)]),
        ("<x><item><entry>1</entry></item></x>", [(1, {"entry": "1"}, None)]),
        (
            "<x>\n<item><a>1</a>\n<b>&</b><c>3</c></item>\n<item><d>4</d></item></x>",
            [(2, {"a": "1", "b": "", "c": "3"}, f"not XML at line 3: {TOKEN}"), (4, {"d": "4"}, None)],
        ),
        (
            "<x>\n<item><a>1</a></item>\n&\n<item><d>4</d></item>\n<item/></x>",
            [(2, {"a": "1"}, None), (3, {}, f"not XML at line 3: {TOKEN}"), (4, {"d": "4"}, None), (5, {}, None)],
        ),
        (
            "<x><item>\n<a>1</a>\n<item><b>2</b></item>\n<item/></x>",
            [(1, {"a": "1"}, UNENDED.format(3)), (3, {"b": "2"}, None), (4, {}, None)],
        ),
        (
            "<x><item>\n<a></b></item>\n<item><c>3</c></item></x>",
            [(1, {"a": ""}, "not XML at line 2: mismatched tag"), (3, {"c": "3"}, None)],
        ),
        (
            "<x>\n<item>&lbrace;<a>&nbsp;1</a></item>\n<item><b>&rbrace;</b></item></x>",
            [(2, {"a": "1"}, None), (3, {"b": "}"}, None)],
        ),
        (
            "<x><t>&lbrace;</t>\n<item/>\n<t>&rbrace;</t>\n<item><b>&rbrace;</b></item></x>",
            [(2, {}, None), (4, {"b": "}"}, None)],
        ),
        (
            "<x><item/>\n<item>&none;<a>1</a></item>\n<item/></x>",
            [(1, {}, None), (2, {"a": "1"}, "not XML at line 2: undefined entity"), (3, {}, None)],
        ),
        ("<x><item/></x>\n<x><item/></x>", [(1, {}, None), (2, {}, None)]),
        ("<x><item/></x> rest", [(1, {}, None)]),
    ],
)  # fmt: skip
def test_an_item_has_its_line_its_elements_and_its_fault(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, chunk: int, text: str, expected: list[Found]
) -> None:
    monkeypatch.setattr(xml_items, "CHUNK", chunk)
    assert read(tmp_path / "feed.xml", text) == expected


@CHUNKS
@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("<x><item/>\n<item><a>", "it is truncated at line 2"),
        ("<x><item/>\n", "it is truncated at line 2"),
        ("<x>", "it is not XML: no element found at line 1"),
        ("<x>\n\n&</x>", "it is not XML: not well-formed (invalid token) at line 3"),
        ("<HTML><item/></HTML>", f"{OTHER_ROOT} <HTML>"),
        ("<x><y/></x>", f"{OTHER_ROOT} <x>, and it has no element <article>, <entry>,"),
        ("<rss>" + "<a>" * 100, "its elements are nested more than 100 levels deep"),
    ],
)  # fmt: skip
def test_a_document_without_items_or_its_end_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, chunk: int, text: str, message: str
) -> None:
    monkeypatch.setattr(xml_items, "CHUNK", chunk)
    with pytest.raises(SourceError) as raised:
        read(tmp_path / "feed.xml", text)
    assert str(raised.value).startswith(f"{tmp_path / 'feed.xml'} cannot be imported: {message}")


def test_elements_have_a_limit_of_levels_and_items_one_of_characters(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert read(tmp_path / "feed.xml", "<rss>" + "<a>" * 99 + "</a>" * 99 + "</rss>") == []
    monkeypatch.setattr(xml_items, "MAX_ITEM_CHARS", 100)
    items = "".join(f"<item>{'x' * size}<a>1</a><b>2</b></item>\n" for size in (0, 35, 36))
    item = "<item>{}<a>" + "x" * 30 + "</a></item>\n"
    found = read(
        tmp_path / "feed.xml", "<rss>" + item.format("y" * 6) + item.format("y" * 7) + item.format("") + "</rss>"
    )
    assert [(line, fault) for line, _, fault in found] == [
        (1, None),
        (2, "not XML at line 2: it has more than 100 characters"),
        (3, None),
    ]
    assert [fault is None for _, _, fault in read(tmp_path / "feed.xml", f"<rss>{items}</rss>")] == [False] * 3


def test_what_follows_a_fault_is_read_up_to_a_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = "<rss><item>&<a>1</a><b>caf&#xfffd;</b><c><![CDATA[ 3 ]]></c><d>&lt;</d><e>5</e></item></rss>"
    (first,) = read(tmp_path / "feed.xml", text)
    assert first[1] == {"a": "1", "c": "3", "d": "<", "e": "5"}
    monkeypatch.setattr(xml_items, "MAX_SALVAGED_BYTES", 10)
    (first,) = read(tmp_path / "feed.xml", text)
    assert first[1] == {"a": "1"}


@pytest.mark.parametrize(
    ("text", "start", "lines", "notes"),
    [
        ("<rss/>", 0, 0, ()),
        ('<?xml version="1.0"?>\n<!-- <rss> -->\n<rss/>', 37, 2, ()),
        ('<?xml version="1.0"?><!DOCTYPE rss>\n<?style x?><other/>', 47, 1, ()),
        ("\n<other/>", 1, 1, ()),
        ('\n<?xml version="1.0"?><rss/>', 22, 1, ("white space before the XML declaration was ignored",)),
        ("x\ny<rss/>", 3, 1, ('text before the document was ignored: "x y"',)),
        ("<br/><rss/>", 5, 0, ('text before the document was ignored: ""',)),
        ("w" * 130 + "<g:Products a=''/>", 130, 0, (f'text before the document was ignored: "{"w" * 120}"',)),
    ],
)
def test_a_document_starts_with_its_first_element(
    tmp_path: Path, text: str, start: int, lines: int, notes: tuple[str, ...]
) -> None:
    path = tmp_path / "feed.xml"
    path.write_text(text)
    document = XmlDocument(path)
    assert (document.start, document.lines, document.size, document.notes) == (start, lines, len(text), notes)
    document.close()


def test_the_path_of_a_category_ends_at_a_circle_and_at_its_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.catalogue.sources.parsing.xml_nodes.MAX_CATEGORIES", 4)
    categories = Categories()
    for key, parent, name in [("1", "", "A"), ("2", "1", "B"), ("3", "4", "C"), ("4", "3", ""), ("5", "", "E")]:
        categories.add(Node("", "category", {"id": key, "parentid": parent}, [name]))
    categories.add(Node("", "category", {}, ["no id"]))
    assert [categories.path(key) for key in ("1", "2", "3", "4", "5", "")] == ["A", "A > B", "C", "C", None, None]
    long = Categories()
    long.add(Node("", "category", {"id": "1", "parent_id": "2"}, ["x" * 257]))
    assert long.path("1") == "x" * 256


def test_an_element_has_the_address_of_its_prefix() -> None:
    outer = scope({}, {"xmlns": "default", "xmlns:q": "own", "a": "1"})
    assert (outer, scope(outer, {"a": "1"}), scope(outer, {"xmlns": ""})) == (
        {"": "default", "q": "own"},
        outer,
        {"": "", "q": "own"},
    )
    tags = ("g:id", "q:id", "dc:id", "z:id", "id")
    names = [node_of(tag, {}, outer).namespace for tag in tags]
    assert names == [GOOGLE_ADDRESS, "own", "http://purl.org/dc/elements/1.1/", "", "default"]
    assert node_of("a", {"Href": " x ", "q:b": "1", "xmlns": "y"}, {}).attributes == {"href": "x"}


@pytest.mark.parametrize(("rel", "href"), [(None, "x"), ("alternate", "x"), ("self", None)])
def test_of_links_only_that_of_the_page_has_its_address(rel: str | None, href: str | None) -> None:
    attributes = {"href": "x"} | ({"rel": rel} if rel else {})
    assert node_of("atom:link", attributes, {}).attributes.get("href") == href
    assert node_of("enclosure", attributes, {}).attributes["href"] == "x"
