"""Packed texts are those that were packed, in any order in which they are taken."""

from typing import Any

import numpy as np
import pytest

from services.engine.packed import texts
from services.engine.packed.texts import PackedTexts

TEXTS = [b"one", b"", "größe".encode(), b"\0", b"four" * 100]


def test_texts_are_read_as_they_were_packed() -> None:
    packed = PackedTexts.of(iter(TEXTS))
    assert len(packed) == 5
    assert [packed[number] for number in range(5)] == list(packed) == TEXTS
    assert packed.lengths.tolist() == [3, 0, 7, 1, 400]


def test_a_number_past_the_end_is_an_error() -> None:
    with pytest.raises(IndexError):
        PackedTexts.of(TEXTS)[5]


def test_iteration_continues_past_a_chunk() -> None:
    every = [str(number).encode() * (number % 4) for number in range(2 * texts.CHUNK + 3)]
    assert list(PackedTexts.of(every)) == every


@pytest.mark.parametrize("numbers", [[], [4], [0, 1, 2, 3, 4], [3, 4, 0, 1], [2, 2, 1, 0], [1, 1]])
def test_texts_are_taken_in_any_order(numbers: list[int]) -> None:
    taken = PackedTexts.of(TEXTS).take(np.array(numbers, np.int64))
    assert list(taken) == [TEXTS[number] for number in numbers]


def test_texts_follow_others() -> None:
    packed = PackedTexts.of(TEXTS)
    assert list(packed.followed_by(PackedTexts.of([b"more"]))) == [*TEXTS, b"more"]
    assert list(PackedTexts.of([]).followed_by(packed)) == TEXTS


def test_offsets_beyond_four_bytes_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(texts, "NARROW", 10)
    packed: Any = PackedTexts.of(TEXTS)
    assert packed._offsets.itemsize == 8
    assert list(packed.take(np.array([4, 2]))) == [TEXTS[4], TEXTS[2]]
