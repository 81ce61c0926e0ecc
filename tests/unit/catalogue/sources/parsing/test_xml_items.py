"""Items of XML feeds: malformed items, truncated and malicious files."""

import tracemalloc
from pathlib import Path
from xml.sax.saxutils import escape

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.catalogue.sources.open_source import open_source
from services.catalogue.sources.parsing.xml_items import MAX_ITEM_CHARS
from services.catalogue.sources.records.rows import SourceError, SourceRow
from tests.support.feeds.google_specification import END, RSS, SIMPLE
from tests.support.feeds.rows import outcomes, product, xml_rows


def test_cdata_entities_and_another_encoding_are_read(tmp_path: Path) -> None:
    item = SIMPLE.format(id="1", title="<![CDATA[Café & <Bar>]]>")
    text = (RSS + item + SIMPLE.format(id="2", title="A &amp; B &#233;") + END).replace(
        'version="1.0"?', 'version="1.0" encoding="ISO-8859-1"?', 1
    )
    first, second = xml_rows(tmp_path, text.encode("latin-1"))
    assert (product(first).title, product(second).title) == ("Café & <Bar>", "A & B é")
    assert [
        product(row).title
        for row in xml_rows(
            tmp_path,
            (RSS.replace('"1.0"?', '"1.0" encoding="UTF-16"?') + SIMPLE.format(id="1", title="é") + END).encode(
                "utf-16"
            ),
        )
    ] == ["é"]


def test_an_item_that_is_not_well_formed_is_rejected_with_its_line_and_the_others_are_read(tmp_path: Path) -> None:
    items = [SIMPLE.format(id=f"p{n}", title="Fine") for n in range(6)]
    items[1] = SIMPLE.format(id="p1", title="Salt & Pepper")
    items[3] = "<item>\n<g:id>p3</g:id><g:title>no end\n"
    text = (RSS + "".join(items) + END).encode()
    text = text.replace(b"<g:id>p5</g:id><g:title>Fine", b"<g:id>p5</g:id><g:title>Caf\xe9 \xc3\xa9")
    rows = outcomes(xml_rows(tmp_path, text))
    assert [(line, key) for line, key, _ in rows] == [
        (5, "p0"),
        (6, "p1"),
        (7, "p2"),
        (8, "p3"),
        (10, "p4"),
        (11, "p5"),
    ]
    assert [line for line, _, reason in rows if reason] == [6, 8, 11]
    assert "not XML at line 6: not well-formed" in rows[1][2]
    assert "<item> has no end before the next one" in rows[3][2]


def test_duplicate_ids_and_incomplete_items_are_rejected_with_their_lines(tmp_path: Path) -> None:
    once = SIMPLE.format(id="A", title="One")
    text = RSS + once + "<item>\n</item>\n" + once + "<item><g:id>B</g:id></item>\n<!-- " + once + " -->" + END
    assert outcomes(xml_rows(tmp_path, text)) == [
        (5, "A", ""),
        (6, None, "the id is missing"),
        (8, "A", "the id A is already on line 5"),
        (9, "B", "there is no image: neither a path nor a URL"),
    ]


def test_a_duplicate_id_is_rejected_in_a_feed_with_one_line(tmp_path: Path) -> None:
    items = "".join(SIMPLE.format(id=key, title="x") for key in "ABA")
    text = (RSS + items + END).replace("\n", "")
    assert [(key, reason) for _, key, reason in outcomes(xml_rows(tmp_path, text))] == [
        ("A", ""),
        ("B", ""),
        ("A", "the id A is already on line 1"),
    ]


def test_an_entry_in_an_item_is_an_element_of_the_item(tmp_path: Path) -> None:
    nested = SIMPLE.format(id="A", title="x").replace("</item>", "<entry><id>B</id></entry></item>")
    rows = xml_rows(tmp_path, RSS + nested + SIMPLE.format(id="C", title="x") + END)
    assert [(key, reason) for _, key, reason in outcomes(rows)] == [("A", ""), ("C", "")]


def test_a_truncated_feed_yields_its_items_and_then_an_error(tmp_path: Path) -> None:
    path = tmp_path / "feed.xml"
    path.write_text(RSS + SIMPLE.format(id="1", title="One") + "<item><g:id>2</g:id><g:ti")
    source = open_source(path)
    rows = source.rows()
    assert product(next(rows)).key == "1"
    with pytest.raises(SourceError, match=r"feed\.xml cannot be imported: it is truncated at line 6"):
        next(rows)
    source.close()


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("<html><body>Not found</body></html>", r"not an RSS or Atom feed: its first element is <html>"),
        ("", "is not XML: no element found"),
        ("<rss>" + "<a>" * 200, "nested more than 100 levels deep"),
        ("id,title", "is not XML: syntax error"),
        ('<?xml version="1.0" encoding="x-martian"?><rss/>', "unsupported encoding .*x-martian"),
        ('<?xml version="1.0" encoding="base64"?><rss/>', "unsupported encoding .*base64"),
        ('<!DOCTYPE rss [<!ENTITY a "b"><!ENTITY c "&a;&a;&a;">]><rss><channel/></rss>', "declares entities"),
        ('<!DOCTYPE rss [<!ENTITY a SYSTEM "file:///etc/passwd">]><rss>&a;</rss>', "declares entities"),
    ],
)
def test_a_file_that_is_not_a_feed_or_is_malicious_is_an_error(tmp_path: Path, text: str, reason: str) -> None:
    with pytest.raises(SourceError, match=reason):
        xml_rows(tmp_path, text)


def test_an_endless_and_an_unclosed_item_do_not_affect_the_next(tmp_path: Path) -> None:
    endless = SIMPLE.format(id="big", title="xy\n" * (MAX_ITEM_CHARS // 2))
    open_cdata = SIMPLE.format(id="cdata", title="<![CDATA[never closed\n")
    open_comment = SIMPLE.format(id="comment", title="<!-- never closed")
    rows = outcomes(
        xml_rows(tmp_path, RSS + endless + open_cdata + open_comment + SIMPLE.format(id="last", title="x") + END)
    )
    line = 5 + MAX_ITEM_CHARS // 2 + 1
    assert [(at, key, bool(reason)) for at, key, reason in rows] == [
        (5, "big", True),
        (line, "cdata", True),
        (line + 2, "comment", True),
        (line + 3, "last", False),
    ]


@pytest.mark.parametrize("token", ["<!-- {}", '<g:title a="{}'])
@pytest.mark.parametrize("in_item", [False, True])
def test_reading_stops_at_a_token_without_an_end_and_continues_with_the_next_item(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, token: str, in_item: bool
) -> None:
    monkeypatch.setattr("services.catalogue.sources.parsing.xml_items.MAX_TOKEN_BYTES", 1 << 17)
    start = "<item><g:id>open</g:id>" if in_item else ""
    endless = start + token.format("x" * (1 << 18)) + "\n"
    text = RSS + SIMPLE.format(id="first", title="x") + endless + SIMPLE.format(id="last", title="x") + END
    rows = outcomes(xml_rows(tmp_path, text))
    assert [(line, key) for line, key, reason in rows if not reason] == [(5, "first"), (7, "last")]
    ((line, key, reason),) = [row for row in rows if row[2]]
    assert (line, key) == (6, "open" if in_item else None)
    assert reason == "not XML at line 6: a tag or comment has no end"


def test_memory_does_not_grow_with_the_feed(tmp_path: Path) -> None:
    def peak(count: int) -> int:
        path = tmp_path / f"{count}.xml"
        with path.open("w") as file:
            file.write(RSS)
            file.writelines(SIMPLE.format(id=n, title="x" * 400) for n in range(count))
            file.write(END)
        source = open_source(path)
        tracemalloc.start()
        assert sum(isinstance(row, SourceRow) for row in source.rows()) == count
        peak_bytes = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        source.close()
        return peak_bytes

    assert peak(6000) < 1.5 * peak(1000)


@given(titles=st.lists(st.text(st.characters(exclude_categories=("Cs", "Cc"))), max_size=8), size=st.integers(1, 64))
def test_items_do_not_depend_on_the_chunks_of_the_file(
    tmp_path_factory: pytest.TempPathFactory, titles: list[str], size: int
) -> None:
    folder = tmp_path_factory.mktemp("chunks")
    text = RSS + "".join(SIMPLE.format(id=n, title=escape(title)) for n, title in enumerate(titles)) + END
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("services.catalogue.sources.parsing.xml_items.CHUNK", size)
        rows = [product(row) for row in xml_rows(folder, text)]
    assert [(row.key, row.title) for row in rows] == [(str(n), title.strip() or None) for n, title in enumerate(titles)]
