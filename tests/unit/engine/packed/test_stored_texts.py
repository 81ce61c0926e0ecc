"""Compressed texts are in snapshots: they are read by other versions, and theirs by this one."""

import random
import zlib

import pytest

from services.engine.packed.codec import TextCodec

DICTIONARY = random.Random(3).randbytes(4096)
WINDOW = 13  # two to the power of it: bytes that a text may look back


def test_a_dictionary_has_at_most_4096_bytes() -> None:
    texts = [b"%04d" % number for number in range(3000)]
    codec = TextCodec.trained(texts)
    assert len(codec.dictionary) == 4096
    assert codec.texts == 3000


def test_a_text_that_another_version_compressed_is_read() -> None:
    compressor = zlib.compressobj(9, zlib.DEFLATED, -WINDOW, 9, zlib.Z_DEFAULT_STRATEGY, DICTIONARY)
    text = random.Random(4).randbytes(3900) + DICTIONARY[:100]  # copied from far back
    assert TextCodec(DICTIONARY, 0).decode(compressor.compress(text) + compressor.flush()) == text


def test_another_version_reads_what_is_compressed() -> None:
    part = random.Random(5).randbytes(9000)
    text = part + part[:1000]  # farther back than the window
    encoded = TextCodec(DICTIONARY, 0).encode(text)
    assert zlib.decompressobj(-WINDOW, DICTIONARY).decompress(encoded) == text


def test_a_text_takes_the_memory_of_what_it_does_not_share_with_the_dictionary() -> None:
    assert len(TextCodec(DICTIONARY, 0).encode(DICTIONARY[1000:2000])) < 50
    assert len(TextCodec(b"", 0).encode(DICTIONARY[1000:2000])) > 900


class CountedTexts:
    """Many texts of the same length; it counts how many are read."""

    def __init__(self, length: int) -> None:
        self._length = length
        self.reads = 0

    def __len__(self) -> int:
        return 5000

    def __getitem__(self, number: int) -> bytes:
        self.reads += 1
        return b"x" * self._length


@pytest.mark.parametrize(
    ("length", "reads"), [(1024, 4), (1000, 5), (100, 41), (4096, 1), (5000, 1), (1, 4096), (0, 4096)]
)
def test_so_many_texts_are_read_as_a_dictionary_has_room_for(length: int, reads: int) -> None:
    texts = CountedTexts(length)
    assert len(TextCodec.trained(texts).dictionary) == min(4096, length * reads)
    assert texts.reads == reads
