"""A part of a picture, in all its forms."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from services.contracts.domain.box import EXAMPLE, SCHEMA, Box, box_of
from services.contracts.domain.errors import InvalidRequest


@pytest.mark.parametrize(
    "form",
    [
        "0.1,0.2,0.6,0.9",
        " 0.1 , 0.2,0.6,0.9",
        [0.1, 0.2, 0.6, 0.9],
        ["0.1", 0.2, 0.6, 0.9],
        {"x": 0.1, "y": 0.2, "width": 0.5, "height": 0.7},
    ],
)
def test_all_forms_of_a_box_are_the_same_box(form: Any) -> None:
    box = Box.model_validate(form)
    assert (box.x, box.y, box.right, box.bottom) == pytest.approx((0.1, 0.2, 0.6, 0.9))


@pytest.mark.parametrize(
    ("form", "message"),
    [
        ("", "four numbers"),
        ("0.1,0.2,0.6", "four numbers"),
        ("0.1,0.2,0.6,0.7,0.8", "four numbers"),
        ("a,b,c,d", "four numbers"),
        ([True, 0, 1, 1], "four numbers"),
        ([[0], 0, 1, 1], "four numbers"),
        ("0.1,0.2,1.6,0.7", "from 0 to 1"),
        ("-0.1,0.2,0.6,0.7", "from 0 to 1"),
        ("0.1,-0.2,0.6,0.7", "from 0 to 1"),
        ("0.1,0.2,0.6,1.7", "from 0 to 1"),
        ("10,20,60,70", "from 0 to 1"),
        ("nan,0,1,1", "from 0 to 1"),
        ("0,0,inf,1", "from 0 to 1"),
        ("0.6,0.2,0.6,0.7", "left less than right"),
        ("0.6,0.2,0.1,0.7", "left less than right"),
        ("0.1,0.7,0.6,0.7", "top less than bottom"),
        ({"x": 0.6, "y": 0, "width": 0.5, "height": 1}, "not inside the picture"),
        ({"x": 0, "y": 0.6, "width": 1, "height": 0.5}, "not inside the picture"),
        ({"x": 2e-6, "y": 0, "width": 1, "height": 1}, "not inside the picture"),
        ({"x": 0, "y": 2e-6, "width": 1, "height": 1}, "not inside the picture"),
        ({"x": -0.1, "y": 0, "width": 0.5, "height": 1}, "greater than or equal to 0"),
        ({"x": 0, "y": -0.1, "width": 1, "height": 0.5}, "greater than or equal to 0"),
        ({"x": 1, "y": 0, "width": 0.5, "height": 1}, "less than 1"),
        ({"x": 0, "y": 1, "width": 1, "height": 0.5}, "less than 1"),
        ({"x": 0, "y": 0, "width": 1.1, "height": 1}, "less than or equal to 1"),
        ({"x": 0, "y": 0, "width": 1, "height": 1.1}, "less than or equal to 1"),
        ({"x": 0, "y": 0, "width": 0, "height": 1}, "greater than 0"),
        ({"x": 0, "y": 0, "width": 1, "height": 0}, "greater than 0"),
        ({"x": float("nan"), "y": 0, "width": 1, "height": 1}, "finite"),
        ({"x": 0, "y": 0, "width": 1}, "required"),
        ({"x": 0, "y": 0, "width": 1, "height": 1, "left": 0}, "not permitted"),
        (7, "dictionary"),
    ],
)
def test_an_invalid_box_is_an_error_with_the_reason(form: Any, message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        Box.model_validate(form)


def test_an_invalid_box_in_a_query_string_is_an_invalid_request() -> None:
    with pytest.raises(
        InvalidRequest, match=r"^box: a box is four numbers \(left, top, right, bottom\), for example 0\.1,"
    ):
        box_of("0.1;0.2")


fractions = st.floats(0, 1, exclude_max=True)


@given(fractions, fractions, st.floats(1e-9, 1), st.floats(1e-9, 1))
def test_a_box_is_the_same_after_its_query_parameter_is_parsed(x: float, y: float, width: float, height: float) -> None:
    box = Box(x=x, y=y, width=min(width, 1 - x), height=min(height, 1 - y))
    edges = (box.x, box.y, box.right, box.bottom)
    parsed = box_of(box.text()) if box.right > box.x and box.bottom > box.y else box
    assert (parsed.x, parsed.y, parsed.right, parsed.bottom) == pytest.approx(edges, abs=1e-12)


def test_the_whole_picture_is_a_box() -> None:
    box = Box(x=0, y=0, width=1, height=1)
    assert (box.x, box.y, box.right, box.bottom) == (0, 0, 1, 1)


def test_a_box_may_end_a_millionth_outside_the_picture_which_its_text_leaves_out() -> None:
    box = Box(x=1e-6, y=1e-6, width=1, height=1)
    assert box.text() == "1e-06,1e-06,1.0,1.0"


def test_the_documented_examples_are_boxes() -> None:
    assert box_of(EXAMPLE) == Box.model_validate(SCHEMA["example"])
