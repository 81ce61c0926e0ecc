"""A codec makes texts short, and gives them back."""

import orjson
from hypothesis import given
from hypothesis import strategies as st

from services.engine.packed.codec import DICTIONARY_BYTES, TextCodec


def payload(number: int) -> bytes:
    url = f"https://shop.example/products/{number}"
    return orjson.dumps({"url": url, "title": f"Shirt {number}", "attributes": {"colour": "Navy Blue", "size": "M"}})


PAYLOADS = [payload(number) for number in range(1000)]
CODEC = TextCodec.trained(PAYLOADS)


def test_texts_like_those_of_the_dictionary_take_a_quarter() -> None:
    encoded = [CODEC.encode(text) for text in PAYLOADS]
    assert [CODEC.decode(text) for text in encoded] == PAYLOADS
    assert sum(map(len, encoded)) < sum(map(len, PAYLOADS)) / 4


@given(text=st.binary(max_size=300) | st.integers(0, 10**6).map(payload))
def test_any_text_is_given_back(text: bytes) -> None:
    assert CODEC.decode(CODEC.encode(text)) == text
    assert TextCodec(b"", 0).decode(TextCodec(b"", 0).encode(text)) == text


def test_an_empty_text_stays_empty() -> None:
    assert CODEC.encode(b"") == b""


def test_a_dictionary_has_a_limited_length_and_is_the_same_each_time() -> None:
    assert len(CODEC.dictionary) == DICTIONARY_BYTES
    assert TextCodec.trained(PAYLOADS).dictionary == CODEC.dictionary
    assert TextCodec.trained([b"", b"a"]).dictionary == b"a"
    assert TextCodec.trained([b"", b""]).dictionary == b""


def test_another_codec_with_the_same_dictionary_reads_the_texts() -> None:
    assert TextCodec(CODEC.dictionary, 0).decode(CODEC.encode(PAYLOADS[7])) == PAYLOADS[7]
