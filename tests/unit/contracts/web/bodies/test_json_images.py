"""JSON around images in base64 is parsed as any other JSON."""

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.contracts.web.bodies import json_images

LONG = "QUJD" * 20_000
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-1000, 1000)
    | st.text()
    | st.sampled_from([LONG, LONG + "==", "x" * 70_000]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["image_base64", "base64", "images", "title", '"base64": "']), inner, max_size=3
        )
    ),
    max_leaves=8,
)


@given(VALUES, st.sampled_from([0, orjson.OPT_INDENT_2]))
def test_any_json_has_the_value_that_the_parser_gives_it(value: object, option: int) -> None:
    data = orjson.dumps(value, option=option)
    assert json_images.loads(data) == value


@pytest.mark.parametrize("end", ["\\/", "\\u0041", "é", "\\n"])
def test_a_text_with_escapes_or_other_characters_is_parsed_where_it_is(end: str) -> None:
    data = f'{{"image_base64": "{LONG}{end}", "k": 3}}'.encode()
    assert json_images.loads(data) == orjson.loads(data)


@pytest.mark.parametrize(
    "data",
    [
        f'{{"image_base64": "{LONG}',
        f'{{"image_base64": "{LONG}"',
        f'{{"image_base64": "{LONG}" "k": 3}}',
        f'{{"image_base64": "{LONG}\n"}}',
        f'{{"image_base64": "{LONG}"}} {{}}',
    ],
)
def test_json_that_is_not_valid_is_an_error(data: str) -> None:
    with pytest.raises(orjson.JSONDecodeError):
        orjson.loads(data)
    with pytest.raises(orjson.JSONDecodeError):
        json_images.loads(data.encode())


def test_more_images_than_are_taken_out_are_all_there() -> None:
    value = {"images": [{"base64": LONG} for _ in range(json_images.MAX_TAKEN + 2)]}
    assert json_images.loads(orjson.dumps(value)) == value


def taken_out(text: str, count: int = 1) -> list[str]:
    """Return the texts that the parser does not see, of a body with `count` images of this text."""
    _, images = json_images._taken_out(orjson.dumps([{"base64": text}] * count))
    return list(images.values())


@pytest.mark.parametrize(("length", "is_taken"), [(0, False), (65_535, False), (65_536, True), (65_537, True)])
def test_the_text_of_an_image_is_taken_out_from_64_kb_on(length: int, is_taken: bool) -> None:
    assert taken_out("x" * length) == ["x" * length] * is_taken


@pytest.mark.parametrize(
    ("character", "is_taken"),
    [(" ", True), ("~", True), ("\x1f", False), ("\x7f", False), ("ü", False), ("\\", False)],
)
@pytest.mark.parametrize("at", [0, 40_000, 80_000])
def test_only_plain_characters_are_taken_out(character: str, at: int, is_taken: bool) -> None:
    text = LONG[:at] + character + LONG[at:]
    assert taken_out(text) == [text] * is_taken
    assert json_images.loads(orjson.dumps({"base64": text})) == {"base64": text}


@pytest.mark.parametrize(("count", "taken"), [(1, 1), (16, 16), (17, 16)])
def test_at_most_sixteen_texts_are_taken_out(count: int, taken: int) -> None:
    assert taken_out(LONG, count) == [LONG] * taken


def test_only_texts_of_images_are_taken_out() -> None:
    data = orjson.dumps({"title": LONG, "base64": "short", "image_base64": LONG, "base64s": LONG})
    parts, images = json_images._taken_out(data)
    assert list(images.values()) == [LONG]
    (mark,) = images
    assert b"".join(parts) == data.replace(b'"image_base64":"' + LONG.encode(), b'"image_base64":"' + mark.encode())
    assert json_images.loads(data) == orjson.loads(data)


def test_a_text_that_stays_hides_none_of_those_after_it() -> None:
    data = orjson.dumps([{"base64": text} for text in ("ü" + LONG, "short", "a\n" + LONG, LONG)])
    assert list(json_images._taken_out(data)[1].values()) == [LONG]


def test_values_of_every_kind_stay_around_an_image() -> None:
    value: dict[str, object] = {"base64": LONG, "others": [1, 2.5, True, None, "", {}, [[LONG]]]}
    assert json_images.loads(orjson.dumps(value)) == value
