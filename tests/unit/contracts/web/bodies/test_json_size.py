"""Which bytes of a JSON body count, however the body is cut into pieces."""

import base64
import os
from itertools import pairwise

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.contracts.web.bodies.json_size import JsonSize

IMAGE = base64.b64encode(os.urandom(3000)).decode()


def measured(*pieces: bytes) -> int:
    size = JsonSize()
    assert all(size.add(piece, 2**40) for piece in pieces)
    return size.bytes


@pytest.mark.parametrize("name", ["image_base64", "base64"])
def test_the_text_of_an_image_does_not_count(name: str) -> None:
    body = orjson.dumps({"k": 3, name: IMAGE, "category": "Shoes"})
    assert measured(body) == len(body) - len(IMAGE)


def test_the_text_of_each_image_of_a_product_is_left_out() -> None:
    body = orjson.dumps({"images": [{"base64": IMAGE}, {"base64": "data:image/png;base64," + IMAGE}], "title": "x"})
    assert measured(body) == len(body) - 2 * len(IMAGE) - len("data:image/png;base64,")


def test_white_space_around_the_colon_is_allowed() -> None:
    body = b'{"image_base64" :\n\t"' + IMAGE.encode() + b'"}'
    assert measured(body) == len(body) - len(IMAGE)


@pytest.mark.parametrize(
    "body",
    [
        orjson.dumps({f"unknown{number}": 1 for number in range(100)}),
        orjson.dumps({"title": "x" * 5000}),
        orjson.dumps({"base64": ["x" * 5000]}),
        orjson.dumps({"filter": {"a": '"base64": "' + "x" * 5000}}),
        b'{"image_url": "' + b"x" * 5000,
    ],
)
def test_everything_else_counts(body: bytes) -> None:
    assert measured(body) == len(body)


def test_what_follows_the_first_quote_in_an_image_counts() -> None:
    begin, rest = b'{"base64":"', b'"' + b"x" * 100
    assert measured(begin + b"aaaa\\" + rest) == len(begin) + len(rest)


@given(st.lists(st.integers(0, 4200), max_size=6))
def test_the_pieces_do_not_change_the_count(cuts: list[int]) -> None:
    body = orjson.dumps({"k": 1, "image_base64": IMAGE, "filter": {"a": "b" * 60}, "base64": "abc"})
    edges = [0, *sorted(cuts), len(body)]
    pieces = [body[begin:end] for begin, end in pairwise(edges)]
    assert measured(*pieces) == measured(body)


def test_the_count_of_single_bytes_is_that_of_the_whole() -> None:
    body = orjson.dumps({"k": 1, "image_base64": IMAGE, "title": "base64"})
    assert measured(*(body[at : at + 1] for at in range(len(body)))) == len(body) - len(IMAGE)


def test_counting_stops_at_the_bound() -> None:
    size = JsonSize()
    assert size.add(b"x" * 100, 100)
    assert not size.add(b"x", 100)


def test_many_empty_images_count_by_their_names() -> None:
    size = JsonSize()
    assert not size.add(b'"base64":"",' * 100_000, 64 * 1024)
    assert size.bytes < 66_000  # the rest was not looked at
