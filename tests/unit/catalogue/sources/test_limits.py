"""The limits of feeds: what is read at the limit, and what becomes of more."""

from pathlib import Path
from typing import Any

import pytest

from services.catalogue.sources.open_source import open_source
from services.catalogue.sources.parsing.encoding import encoding_of
from services.catalogue.sources.parsing.json_items import JsonItems
from services.catalogue.sources.parsing.lines import Line, LineQueue, LineReader
from services.catalogue.sources.parsing.table import BrokenRecord, Records
from services.catalogue.sources.parsing.xml_document import XmlDocument
from services.catalogue.sources.parsing.xml_items import XmlItems
from services.catalogue.sources.records.mapping import FeedMapping
from services.catalogue.sources.records.money import MoneyError, read_money
from services.catalogue.sources.records.rows import SourceError, notes_of
from tests.support.feeds.rows import csv_rows, outcomes, product

IMAGE = "https://a.test/1.jpg"


def json_entries(path: Path, data: bytes) -> list[tuple[int, bytes]]:
    path.write_bytes(data)
    items = JsonItems(path, ())
    try:
        return list(items)
    finally:
        items.close()


def xml_found(path: Path, text: str) -> list[Any]:
    path.write_text(text)
    items = XmlItems(path)
    try:
        return list(items)
    finally:
        items.close()


@pytest.mark.parametrize(("blanks", "kind"), [(1023, "NDJSON feed"), (1024, None)])
def test_the_start_of_a_file_without_a_suffix_is_searched_in_its_first_1024_bytes(
    tmp_path: Path, blanks: int, kind: str | None
) -> None:
    (tmp_path / "feed").write_text(" " * blanks + '{"id": "1", "image": "1.jpg"}')
    if kind is None:
        with pytest.raises(SourceError, match="has no column id"):
            open_source(tmp_path / "feed", FeedMapping(format="csv"))
        return
    source = open_source(tmp_path / "feed", FeedMapping(format="csv"))
    assert source.kind == kind
    source.close()


def test_an_object_of_json_has_about_four_megabytes_at_most(tmp_path: Path) -> None:
    text = b"x" * (1 << 22)
    assert len(json_entries(tmp_path / "feed.json", b'[{"a": "' + text[:-100] + b'"}]')) == 1
    with pytest.raises(SourceError, match="an object in it has more than 4,194,304 bytes"):
        json_entries(tmp_path / "feed.json", b'[{"a": "' + text + text[: 1 << 17] + b'"}]')


def test_of_an_entry_that_is_no_object_64_kib_are_kept(tmp_path: Path) -> None:
    ((_, entry),) = json_entries(tmp_path / "feed.json", b'["' + b"x" * 70_000 + b'"]')
    assert len(entry) == 65_536


def test_of_a_line_that_is_not_utf8_1024_bytes_are_kept(tmp_path: Path) -> None:
    (tmp_path / "feed").write_bytes(b"x" * 2000 + b"\xff\n")
    reader = LineReader(tmp_path / "feed")
    assert [len(line.text) for line in reader] == [1024]
    reader.close()


@pytest.mark.parametrize(("count", "is_one"), [(100, True), (101, False)])
def test_a_record_has_at_most_100_lines(count: int, is_one: bool) -> None:
    texts = ['"a\n', *["b\n"] * (count - 2), 'c",d\n']
    records = list(Records(LineQueue(Line(n, text) for n, text in enumerate(texts, start=1)), ",", 2))
    assert (len(records) == 1) is is_one
    assert isinstance(records[0][1], BrokenRecord) is not is_one


@pytest.mark.parametrize(("size", "is_read"), [(131_072, True), (131_073, False)])
def test_a_field_has_at_most_128_kib(size: int, is_read: bool) -> None:
    ((_, record),) = Records(LineQueue([Line(1, f'"{"x" * size}",b\n')]), ",", 2)
    assert isinstance(record, list) is is_read


@pytest.mark.parametrize(("count", "is_read"), [(500, True), (501, False)])
@pytest.mark.parametrize(
    ("header", "row"),
    [("sku,_type,_attribute_set,name,image,note", 'A,s,x,N,{},"{}"'), ("Handle,Title,Image Src,Note", 'A,N,{},"{}"')],
)
def test_a_row_of_a_shop_has_at_most_500_lines(
    tmp_path: Path, header: str, row: str, count: int, is_read: bool
) -> None:
    rows = csv_rows(tmp_path, f"{header}\n{row.format(IMAGE, chr(10).join(['x'] * count))}\n")
    assert ("A", "") in [(key, reason) for _, key, reason in outcomes(rows)] or not is_read
    assert (len(rows) == 1) is is_read


@pytest.mark.parametrize(
    ("header", "first", "more", "fault"),
    [
        ("sku,_type,_attribute_set,name,image,note", f"A,s,x,N,{IMAGE},x", ",,,,,x", (None, "the id is missing")),
        ("Handle,Title,Image Src,Note", f"A,N,{IMAGE},x", "A,,,x", ("A", "the handle has more than 5,000 rows")),
    ],
)
def test_a_product_of_a_shop_has_at_most_5000_rows(
    tmp_path: Path, header: str, first: str, more: str, fault: tuple[str | None, str]
) -> None:
    assert [row.key for row in csv_rows(tmp_path, "\n".join([header, first, *[more] * 4999]))] == ["A"]
    rows = outcomes(csv_rows(tmp_path, "\n".join([header, first, *[more] * 5000])))
    assert sorted(rows, key=str) == sorted([(2, "A", ""), (5002, *fault)], key=str)


@pytest.mark.parametrize(("size", "is_read"), [(1 << 20, True), ((1 << 20) + 1, False)])
def test_an_item_of_xml_has_at_most_a_million_characters(tmp_path: Path, size: int, is_read: bool) -> None:
    (item,) = xml_found(tmp_path / "feed.xml", f"<rss><item>{'x' * size}</item></rss>")
    assert item.fault == (None if is_read else "not XML at line 1: it has more than 1,048,576 characters")


@pytest.mark.parametrize(("size", "names"), [(64_000, ["id"]), (67_000, [])])
def test_elements_after_a_fault_are_searched_in_64_kib(tmp_path: Path, size: int, names: list[str]) -> None:
    (item,) = xml_found(tmp_path / "feed.xml", f"<rss><item>& {'x' * size}<id>1</id></item></rss>")
    assert [node.name for node in item.node.children] == names


@pytest.mark.parametrize(("size", "is_found"), [(16_384 - 5, True), (16_384 - 4, False)])
def test_the_first_element_is_searched_in_16_kib(tmp_path: Path, size: int, is_found: bool) -> None:
    (tmp_path / "feed.xml").write_text("x" * size + "<rss></rss>")
    document = XmlDocument(tmp_path / "feed.xml")
    assert document.start == (size if is_found else 0)
    document.close()


@pytest.mark.parametrize(("after", "shown"), [("w" * 130, "w" * 120), ("<b>" * 341 + "yz", "y")])
def test_of_the_text_after_a_document_120_characters_are_shown(tmp_path: Path, after: str, shown: str) -> None:
    (tmp_path / "feed.xml").write_text(f"<rss><item/></rss>{after}")
    items = XmlItems(tmp_path / "feed.xml")
    assert len(list(items)) == 1
    assert notes_of(items) == (f'text after the end of the document was ignored: "{shown}"',)
    items.close()


def test_an_amount_has_at_most_64_characters() -> None:
    assert read_money("1" + "0" * 63).amount == 1e63
    with pytest.raises(MoneyError, match="it is not one amount with one currency"):
        read_money("1" + "0" * 64)


@pytest.mark.parametrize(
    ("sign", "codec"), [(b"\x7f", "iso8859-15"), (b"\x80", "cp1252"), (b"\x9f", "cp1252"), (b"\xa0", "iso8859-15")]
)
def test_the_control_characters_of_one_encoding_are_signs_of_the_other(tmp_path: Path, sign: bytes, codec: str) -> None:
    (tmp_path / "feed").write_bytes(b"R\xf6ckchen gr\xfcn 20 \xa4 " + sign + b" Hose mit G\xfcrtel\n")
    assert encoding_of(tmp_path / "feed").codec == codec


def test_an_image_of_the_last_row_counts_as_well(tmp_path: Path) -> None:
    rows = csv_rows(tmp_path, f"Handle,Title,Image Src\nA,N,{IMAGE}\nA,,https://a.test/2.jpg\n")
    assert [image.name for image in product(rows[0]).images] == ["https://a.test/2.jpg"]
