"""Feeds with any content: each line is a product or a rejected row, and valid feeds are read completely."""

import csv
import io
import string
from pathlib import Path
from tempfile import TemporaryDirectory

import orjson
from hypothesis import example, given, settings
from hypothesis import strategies as st

from services.catalogue.sources.open_source import open_source
from services.catalogue.sources.records.rows import RejectedRow, SourceError, SourceRow

ITEM = (
    "<item><g:id>{n}</g:id><g:title>Salt &amp; {n}</g:title><g:image_link>https://a.test/{n}.jpg</g:image_link></item>"
)
ITEMS = "\n".join(ITEM.format(n=n) for n in range(5))
VALID_FEEDS = {
    "feed.xml": f'<rss xmlns:g="http://base.google.com/ns/1.0"><channel>\n{ITEMS}\n</channel></rss>',
    "feed.tsv": "id\timage link\ttitle\n" + "".join(f"{n}\thttps://a.test/{n}.jpg\tx\n" for n in range(5)),
    "shopify.csv": "Handle,Title,Image Src\n" + "".join(f'{n},"a\nb",https://a.test/{n}.jpg\n' for n in range(5)),
    "products.json": '{"products": ['
    + ",\n".join(f'{{"handle": "{n}", "images": [{{"src": "https://a.test/{n}.jpg"}}]}}' for n in range(5))
    + "]}",
}
DAMAGE = st.sampled_from(
    [b"", b"\0", b'"', b"<", b"&", b"]]>", b"\xff\xfe", b"\n", b"{", b"]", b"\\", b"&#xD800;", b"<!--"]
)

TITLES = st.text(
    alphabet=st.characters(codec="utf-8", exclude_categories=["Cc"], include_characters="\t\n", exclude_characters="&"),
    max_size=30,
)
KEYS = st.text(string.ascii_letters + string.digits + "-_./ü", min_size=1, max_size=12).filter(
    lambda key: key not in (".", "..")  # in an address, these name folders: the rows are rejected
)
ROWS = st.dictionaries(KEYS, TITLES, min_size=1, max_size=12)


def read(data: bytes, name: str) -> list[SourceRow | RejectedRow]:
    with TemporaryDirectory() as folder:
        path = Path(folder) / name
        path.write_bytes(data)
        source = open_source(path)
        try:
            return list(source.rows())
        finally:
            source.close()


def csv_feed(rows: dict[str, str], delimiter: str) -> bytes:
    file = io.StringIO()
    writer = csv.writer(file, delimiter=delimiter, quoting=csv.QUOTE_ALL, lineterminator="\n")
    writer.writerow(["id", "title", "image"])
    writer.writerows([key, title, f"{number}.jpg"] for number, (key, title) in enumerate(rows.items()))
    return file.getvalue().encode()


def titles(rows: list[SourceRow | RejectedRow]) -> dict[str, str | None]:
    return {row.key: row.title for row in rows if isinstance(row, SourceRow)}


@given(rows=ROWS, delimiter=st.sampled_from(",;\t|"))
@settings(max_examples=100, deadline=None)
def test_a_valid_csv_feed_is_read_completely(rows: dict[str, str], delimiter: str) -> None:
    rows_read = read(csv_feed(rows, delimiter), "feed.csv")
    assert titles(rows_read) == {key: title.strip() or None for key, title in rows.items()}


@given(rows=ROWS)
@settings(max_examples=100, deadline=None)
def test_a_valid_ndjson_feed_is_read_completely(rows: dict[str, str]) -> None:
    data = b"\n".join(orjson.dumps({"id": key, "title": title, "image": "1.jpg"}) for key, title in rows.items())
    assert titles(read(data, "feed.ndjson")) == {key: title.strip() or None for key, title in rows.items()}


@example(data=b"[\0][\0]", name="feed.ndjson")
@given(data=st.binary(max_size=400), name=st.sampled_from(["feed.csv", "feed.tsv", "feed.ndjson"]))
@settings(max_examples=200, deadline=None)
def test_any_bytes_are_rows_or_a_source_error(data: bytes, name: str) -> None:
    try:
        rows = read(data, name)
    except SourceError as error:
        assert str(error)
        return
    lines = [row.line for row in rows if row.line is not None]
    assert lines == sorted(lines), f"lines are reported in order: {data!r} {name} {rows}"
    if name != "feed.ndjson" or b"[" not in data:  # a list may have several entries on a line
        assert lines == sorted(set(lines)), f"each line is reported once: {data!r} {name} {rows}"
        assert len(rows) <= len(data.splitlines()) + 1
    assert all(row.reason for row in rows if isinstance(row, RejectedRow))


@given(
    name=st.sampled_from(sorted(VALID_FEEDS)),
    damage=st.lists(st.tuples(st.floats(0, 1), st.integers(0, 60), DAMAGE), min_size=1, max_size=4),
)
@settings(max_examples=300, deadline=None)
def test_a_damaged_feed_is_rows_or_a_source_error(name: str, damage: list[tuple[float, int, bytes]]) -> None:
    data = VALID_FEEDS[name].encode()
    for position, removed, inserted in damage:
        at = int(position * len(data))
        data = data[:at] + inserted + data[at + removed :]
    try:
        rows = read(data, name)
    except SourceError as error:
        assert str(error)
        return
    assert len(rows) <= 20
    assert all(row.reason and row.line for row in rows if isinstance(row, RejectedRow))
    keys = [row.key for row in rows if isinstance(row, SourceRow)]
    assert len(keys) == len(set(keys))


@given(
    broken=st.binary(min_size=1, max_size=60).filter(lambda data: not set(data) & set(b"\r\n")), at=st.integers(0, 5)
)
@settings(max_examples=200, deadline=None)
def test_a_broken_line_does_not_affect_valid_lines(broken: bytes, at: int) -> None:
    lines = [f"k{number},title,{number}.jpg".encode() for number in range(6)]
    lines.insert(at, broken)
    rows = read(b"id,title,image\n" + b"\n".join(lines) + b"\n", "feed.csv")
    valid = {row.key for row in rows if isinstance(row, SourceRow)}
    if not broken.startswith(b"k"):  # it may be a valid line with the same key
        assert valid >= {f"k{number}" for number in range(6)}
