"""Packed rows have the keys and payloads of the rows that they were made of, and find the rows of a key."""

import numpy as np
import pytest

from services.engine.packed import rows
from services.engine.packed.codec import TextCodec
from services.engine.packed.rows import PackedRows
from services.engine.packed.texts import PackedTexts, TextNumbers

KEYS = ["a", "b", "b", "ä\ud800", "b", "c"]
IMAGES = np.array([0, 0, 1, 0, 2, 0], np.uint8)
PAYLOADS = [b"of a", b"of b", b"of b", None, b"of b", b"of c"]


def content(packed: PackedRows) -> list[tuple[str, bytes | None]]:
    return [(packed.keys[row], packed.payloads[row]) for row in range(len(packed))]


@pytest.fixture(params=[2, 50_000], ids=["compressed", "plain"])
def packed(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> PackedRows:
    monkeypatch.setattr(rows, "COMPRESSED_TEXTS", request.param)
    return PackedRows.of(KEYS, PAYLOADS, IMAGES)


def test_rows_are_those_that_were_packed(packed: PackedRows) -> None:
    assert content(packed) == list(zip(KEYS, PAYLOADS, strict=True))


def test_the_images_of_a_product_share_its_texts(packed: PackedRows) -> None:
    assert len(packed.keys.texts) == len(packed.payloads.texts) == 4


def test_the_rows_of_a_key_are_found(packed: PackedRows) -> None:
    assert {key: sorted(packed.keys.rows_of(key)) for key in (*KEYS, "d")} == {
        "a": [0],
        "b": [1, 2, 4],
        "ä\ud800": [3],
        "c": [5],
        "d": [],
    }


def test_keys_with_the_same_hash_are_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rows, "hash_key", lambda text: len(text) % 2)
    packed = PackedRows.of(KEYS, PAYLOADS, IMAGES)
    assert content(packed) == list(zip(KEYS, PAYLOADS, strict=True))
    assert {key: sorted(packed.keys.rows_of(key)) for key in "abc"} == {"a": [0], "b": [1, 2, 4], "c": [5]}


def test_images_far_from_the_main_one_have_its_texts() -> None:
    """A merge moves rows into holes, so they may be anywhere."""
    keys, images = ["b", "a", "b", "a", "b"], np.array([2, 0, 0, 1, 1], np.uint8)
    packed = PackedRows.of(keys, [None, b"of a", b"of b", None, None], images)
    assert content(packed) == [("b", b"of b"), ("a", b"of a"), ("b", b"of b"), ("a", b"of a"), ("b", b"of b")]


@pytest.mark.parametrize("order", [[0, 1, 2, 3, 4, 5], [0, 6, 7, 3, 8], [6, 5, 7, 8], [8, 0], []])
def test_merged_rows_have_the_texts_of_the_rows_that_they_were(packed: PackedRows, order: list[int]) -> None:
    keys, payloads = ["d", "d", "e"], [b"of d", b"of d", None]
    images = np.array([0, 1, 0], np.uint8)
    before = [*zip(KEYS, PAYLOADS, strict=True), *zip(keys, payloads, strict=True)]
    merged = packed.merged(keys, payloads, images, np.array(order, np.int64))
    assert content(merged) == [before[row] for row in order]
    for row, number in enumerate(order):
        assert row in merged.keys.rows_of(before[number][0])


def test_the_images_of_a_product_share_its_texts_after_a_merge(packed: PackedRows) -> None:
    merged = packed.merged(["d", "d"], [b"of d", b"of d"], np.array([0, 1], np.uint8), np.array([1, 2, 4, 6, 7]))
    assert content(merged) == [("b", b"of b")] * 3 + [("d", b"of d")] * 2
    assert len(merged.keys.texts) == len(merged.payloads.texts) == 2


def test_rows_of_one_image_each_need_no_table_of_texts() -> None:
    one_each = np.zeros(2, np.uint8)
    merged = PackedRows.of(["b", "a"], [b"of b", b"of a"], one_each).merged(
        ["d", "c"], [b"of d", b"of c"], one_each, np.array([3, 0, 1])
    )
    assert content(merged) == [("c", b"of c"), ("b", b"of b"), ("a", b"of a")]
    assert merged._shared is None


def test_a_dictionary_is_made_again_once_there_are_four_times_as_many_payloads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rows, "COMPRESSED_TEXTS", 10)

    def plain(begin: int, end: int) -> list[bytes]:
        return [f"shop {number // 10}, product {number}".encode() for number in range(begin, end)]

    first = PackedRows.of([str(n) for n in range(10)], plain(0, 10), np.zeros(10, np.uint8))
    more = first.merged([str(n) for n in range(10, 39)], plain(10, 39), np.zeros(29, np.uint8), np.arange(39))
    assert more.payloads.codec is first.payloads.codec is not None
    many = more.merged(["39"], plain(39, 40), np.zeros(1, np.uint8), np.arange(40))
    assert many.payloads.codec is not None and many.payloads.codec.texts == 40
    assert b"shop 3" in many.payloads.codec.dictionary
    assert [payload for _, payload in content(many)] == plain(0, 40)


def test_what_is_compressed_already_stays_as_it_is() -> None:
    codec = TextCodec(b"of a product", 2)
    texts = PackedTexts.of(map(codec.encode, [b"of a", b"of b"]))
    packed = PackedRows.of_texts(PackedTexts.of([b"a", b"b"]), texts, np.zeros(2, np.uint8), codec)
    assert packed.payloads.texts is texts
    assert content(packed) == [("a", b"of a"), ("b", b"of b")]
    in_reverse: TextNumbers = np.array([1, 0])
    assert list(map(codec.decode, packed.payloads.take(in_reverse))) == [b"of b", b"of a"]
    assert list(packed.keys.take(in_reverse)) == [b"b", b"a"]
