"""NDJSON feeds: types and broken lines."""

from pathlib import Path

import pytest

from services.catalogue.sources.records.rows import SourceRow
from tests.support.feeds.rows import json_rows, keys, product, reasons


def test_an_object_named_attributes_is_read_as_fields_of_the_line(tmp_path: Path) -> None:
    line = {"id": "1", "image": "a.png", "price": 5, "attributes": {"baseColour": "Red", "sizes": ["S", "M"]}}
    (row,) = json_rows(tmp_path, line)
    assert isinstance(row, SourceRow)
    assert row.attributes == {"price": 5, "baseColour": "Red", "sizes": ["S", "M"]}


def test_an_ndjson_line_keeps_the_types_of_its_values(tmp_path: Path) -> None:
    (row,) = json_rows(
        tmp_path,
        {
            "id": 7,
            "image": "7.jpg",
            "price": 5,
            "sizes": [38, "M"],
            "new": True,
            "size": "38",
            "note": None,
            "tags": [],
        },
    )
    item = product(row)
    assert item.key == "7"
    assert item.attributes == {"price": 5, "sizes": [38, "M"], "new": True, "size": "38"}


@pytest.mark.parametrize(
    ("line", "key", "reason"),
    [
        (b"{", None, "not JSON: "),
        (b'{"id": "1", "image": "1.jpg"', None, "not JSON: "),
        (b"[1, 2]", None, "the line is not a JSON object"),
        (b'"text"', None, "the line is not a JSON object"),
        (b'{"id": NaN}', None, "not JSON: "),
        (b'{"image": "1.jpg"}', None, "the id is missing"),
        (b'{"id": true, "image": "1.jpg"}', None, "the id is neither text nor a whole number"),
        (b'{"id": 1.5, "image": "1.jpg"}', None, "the id is neither text nor a whole number"),
        (b'{"id": {"a": 1}, "image": "1.jpg"}', None, "the id is neither text nor a whole number"),
        (b'{"id": "1"}', "1", "there is no image: neither a path nor a URL"),
        (b'{"id": "1", "image": ["1.jpg"]}', "1", "image is neither text nor a number"),
        (b'{"id": "1", "image": "1.jpg", "title": {"en": "x"}}', "1", "title is neither text nor a number"),
        (b'{"id": "1", "image": "1.jpg", "url": "javascript:alert(1)"}', "1", "url is not a web address"),
        (b'{"id": "1", "image": "1.jpg", "url": "//evil.test/"}', "1", "url is not a web address"),
        (b'{"id": "1", "image": "1.jpg", "url": "/\\\\evil.test/"}', "1", "url is not a web address"),
        (b'{"id": "1", "image": "1.jpg", "url": "/a b"}', "1", "url is not a web address"),
        (b'{"id": "1", "image": "1.jpg", "url": "page.html"}', "1", "url is not a web address"),
        (b'{"id": "1", "image_url": "1.jpg"}', "1", "image_url is not a web address"),
        (b'{"id": "1", "image_url": "http://a b/"}', "1", "image_url is not a web address"),
        (b'{"id": "1", "ID": "2", "image": "1.jpg"}', None, "two fields are 'id'"),
        (b'{"id": "1", "image": "1\\u0000.jpg"}', "1", "the image's path has a NUL character"),
        (b'{"id": "\xff"}', None, "not UTF-8 at byte 9 of the line"),
        (b'{"id": "\\ud800", "image": "1.jpg"}', None, "not JSON: "),
        (b'{"id": 1e999, "image": "1.jpg"}', None, "not JSON: "),
        (b'{"id": "1", "x": ' + b"[" * 100_000, None, "not JSON: "),
        (b'{"id": "1", "image": "1.jpg"}{"id": "2", "image": "2.jpg"}', None, "not JSON: "),
    ],
)
def test_a_broken_ndjson_line_is_rejected_with_its_number_and_the_others_are_read(
    tmp_path: Path, line: bytes, key: str | None, reason: str
) -> None:
    rows = json_rows(tmp_path, line, {"id": "9", "image": "9.jpg"})
    ((number, rejected_key, rejected_reason),) = reasons(rows)
    assert (number, rejected_key) == (1, key)
    assert rejected_reason.startswith(reason)
    assert keys(rows) == ["9"]
