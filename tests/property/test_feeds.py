"""Feeds of any bytes: every line is a product or a complaint, and what was written well is read back."""

import csv
import io
import string
from pathlib import Path
from tempfile import TemporaryDirectory

import orjson
from hypothesis import given, settings
from hypothesis import strategies as st

from services.catalogue.sources.open_source import open_source
from services.catalogue.sources.records.rows import RejectedRow, SourceError, SourceRow

ITEM = (
    "<item><g:id>{n}</g:id><g:title>Salt &amp; {n}</g:title><g:image_link>https://a.test/{n}.jpg</g:image_link></item>"
)
ITEMS = "\n".join(ITEM.format(n=n) for n in range(5))
WELL_WRITTEN = {
    "feed.xml": f'<rss xmlns:g="http://base.google.com/ns/1.0"><channel>\n{ITEMS}\n</channel></rss>',
    "feed.tsv": "id\timage link\ttitle\n" + "".join(f"{n}\thttps://a.test/{n}.jpg\tx\n" for n in range(5)),
    "shopify.csv": "Handle,Title,Image Src\n" + "".join(f'{n},"a\nb",https://a.test/{n}.jpg\n' for n in range(5)),
    "products.json": '{"products": ['
    + ",\n".join(f'{{"handle": "{n}", "images": [{{"src": "https://a.test/{n}.jpg"}}]}}' for n in range(5))
    + "]}",
}
TROUBLE = st.sampled_from(
    [b"", b"\0", b'"', b"<", b"&", b"]]>", b"\xff\xfe", b"\n", b"{", b"]", b"\\", b"&#xD800;", b"<!--"]
)

TITLES = st.text(alphabet=st.characters(codec="utf-8", exclude_characters="\x00\r"), max_size=30)
KEYS = st.text(alphabet=string.ascii_letters + string.digits + "-_./ü", min_size=1, max_size=12)
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


def written(rows: dict[str, str], delimiter: str) -> bytes:
    file = io.StringIO()
    writer = csv.writer(file, delimiter=delimiter, quoting=csv.QUOTE_ALL, lineterminator="\n")
    writer.writerow(["id", "title", "image"])
    writer.writerows([key, title, f"{number}.jpg"] for number, (key, title) in enumerate(rows.items()))
    return file.getvalue().encode()


def titles(rows: list[SourceRow | RejectedRow]) -> dict[str, str | None]:
    return {row.key: row.title for row in rows if isinstance(row, SourceRow)}


@given(rows=ROWS, delimiter=st.sampled_from(",;\t|"))
@settings(max_examples=100, deadline=None)
def test_a_csv_feed_written_well_is_read_back_whatever_its_fields_hold(rows: dict[str, str], delimiter: str) -> None:
    found = read(written(rows, delimiter), "feed.csv")
    assert titles(found) == {key: title.strip() or None for key, title in rows.items()}


@given(rows=ROWS)
@settings(max_examples=100, deadline=None)
def test_an_ndjson_feed_is_read_back(rows: dict[str, str]) -> None:
    data = b"\n".join(orjson.dumps({"id": key, "title": title, "image": "1.jpg"}) for key, title in rows.items())
    assert titles(read(data, "feed.ndjson")) == {key: title.strip() or None for key, title in rows.items()}


@given(data=st.binary(max_size=400), name=st.sampled_from(["feed.csv", "feed.tsv", "feed.ndjson"]))
@settings(max_examples=200, deadline=None)
def test_no_bytes_end_a_feed_with_anything_but_rows_and_complaints(data: bytes, name: str) -> None:
    try:
        found = read(data, name)
    except SourceError as error:
        assert str(error)
        return
    lines = [row.line for row in found if row.line is not None]
    assert lines == sorted(set(lines)), "each line is told of once, in order"
    assert len(found) <= data.count(b"\n") + 1
    assert all(row.reason for row in found if isinstance(row, RejectedRow))


@given(
    name=st.sampled_from(sorted(WELL_WRITTEN)),
    damage=st.lists(st.tuples(st.floats(0, 1), st.integers(0, 60), TROUBLE), min_size=1, max_size=4),
)
@settings(max_examples=300, deadline=None)
def test_no_damage_ends_a_shops_feed_with_anything_but_rows_and_complaints(
    name: str, damage: list[tuple[float, int, bytes]]
) -> None:
    data = WELL_WRITTEN[name].encode()
    for where, lost, put in damage:
        at = int(where * len(data))
        data = data[:at] + put + data[at + lost :]
    try:
        found = read(data, name)
    except SourceError as error:
        assert str(error)
        return
    assert len(found) <= 20
    assert all(row.reason and row.line for row in found if isinstance(row, RejectedRow))
    keys = [row.key for row in found if isinstance(row, SourceRow)]
    assert len(keys) == len(set(keys))


@given(broken=st.binary(min_size=1, max_size=60).filter(lambda data: b"\n" not in data), at=st.integers(0, 5))
@settings(max_examples=200, deadline=None)
def test_a_broken_line_never_takes_a_good_one_with_it(broken: bytes, at: int) -> None:
    lines = [f"k{number},title,{number}.jpg".encode() for number in range(6)]
    lines.insert(at, broken)
    found = read(b"id,title,image\n" + b"\n".join(lines) + b"\n", "feed.csv")
    good = {row.key for row in found if isinstance(row, SourceRow)}
    if not broken.startswith(b"k"):  # a broken line that is a good one of the same key comes first, and that is right
        assert good >= {f"k{number}" for number in range(6)}
