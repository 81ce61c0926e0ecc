"""A product as rows of a Milvus collection."""

from dataclasses import replace

import numpy as np
import orjson
import pytest

from services.index.milvus.expressions import TooManyValues
from services.index.milvus.rows import (
    MAX_CONTENT_BYTES,
    MAX_TOKENS,
    MilvusEntry,
    digest_of,
    key_and_payload,
    rows_of,
    version_of,
)

ENTRY = MilvusEntry(2, np.eye(3, 4, dtype=np.float32), orjson.dumps({"title": "Blümchen", "attributes": {"price": 5}}))


def test_each_image_is_a_row() -> None:
    rows = rows_of("default", "15970", ENTRY)
    assert [row["image"] for row in rows] == [0, 1, 2]
    assert len({row["row"] for row in rows}) == 3
    assert {row["product"] for row in rows} == {digest_of("default/15970")}
    assert {row["version"] for row in rows} == {version_of("15970", ENTRY)}
    assert [row["vector"].tolist() for row in rows] == ENTRY.vectors.tolist()


@pytest.mark.parametrize("key", ["15970", 'a"b\\c', "größe 😀", "\ud800", "\x00\x1f", "x" * 256])
def test_every_key_comes_back(key: str) -> None:
    row = rows_of("default", key, replace(ENTRY, source="\ud800 id"))[0]
    assert row["content"].isascii() or "ü" in row["content"]
    assert key_and_payload(row["content"]) == (key, ENTRY.payload, "\ud800 id")
    row["product"].encode("ascii")


def test_a_product_that_shows_nothing_has_no_payload() -> None:
    assert key_and_payload(rows_of("a", "1", replace(ENTRY, payload=None))[0]["content"]) == ("1", None, None)


def test_any_change_is_another_version() -> None:
    entries = [
        ENTRY,
        replace(ENTRY, category=1),
        replace(ENTRY, payload=None),
        replace(ENTRY, source="oid"),
        replace(ENTRY, vectors=ENTRY.vectors[:2]),
        replace(ENTRY, vectors=-ENTRY.vectors),
        replace(ENTRY, vectors=ENTRY.vectors.reshape(4, 3)),
        replace(ENTRY, vectors=ENTRY.vectors.reshape(2, 6)),
    ]
    versions = {version_of("1", entry) for entry in entries}
    assert len(versions) == len(entries)
    assert version_of("1", ENTRY) == version_of("1", replace(ENTRY, vectors=ENTRY.vectors.copy()))


def test_the_same_key_in_another_catalogue_is_another_product() -> None:
    assert rows_of("a", "1", ENTRY)[0]["row"] != rows_of("b", "1", ENTRY)[0]["row"]


def test_a_product_that_does_not_fit_is_an_error() -> None:
    long = replace(ENTRY, payload=orjson.dumps({"title": "x" * MAX_CONTENT_BYTES}))
    with pytest.raises(TooManyValues, match="takes more than 65,535 bytes"):
        rows_of("default", "1", long)
    many = replace(ENTRY, payload=orjson.dumps({"attributes": {"tags": [f"t{number}" for number in range(5000)]}}))
    with pytest.raises(TooManyValues, match="more than 4096 values"):
        rows_of("default", "1", many)


def test_a_product_of_exactly_the_most_bytes_or_values_fits() -> None:
    def title(length: int) -> MilvusEntry:
        return replace(ENTRY, payload=orjson.dumps({"title": "x" * length}))

    spare = MAX_CONTENT_BYTES - len(rows_of("default", "1", title(0))[0]["content"])
    assert len(rows_of("default", "1", title(spare))[0]["content"]) == MAX_CONTENT_BYTES
    with pytest.raises(TooManyValues):
        rows_of("default", "1", title(spare + 1))

    def tags(count: int) -> MilvusEntry:
        return replace(ENTRY, payload=orjson.dumps({"attributes": {"tags": [f"t{number}" for number in range(count)]}}))

    most = MAX_TOKENS - 1  # and one for the attribute itself
    assert len(rows_of("default", "1", tags(most))[0]["tokens"]) == MAX_TOKENS
    with pytest.raises(TooManyValues):
        rows_of("default", "1", tags(most + 1))
