"""A rectangular part of a picture, in fractions of the sides of the upright picture."""

from collections.abc import Mapping, Sequence
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from services.contracts.domain.errors import InvalidRequest, validation_message

SIDES = ("left", "top", "right", "bottom")
EXAMPLE = "0.1,0.2,0.6,0.9"
# x + width of a box at the edge may exceed 1 slightly in binary floating point.
SLACK = 1e-6
DESCRIPTION = "Part of the picture: its left, top, right and bottom edge as fractions of the upright picture's sides"
# In JSON a box is four numbers, or the object that the rest of the API uses.
SCHEMA: dict[str, Any] = {
    "description": DESCRIPTION + ", or `x`, `y`, `width` and `height`",
    "oneOf": [
        {"type": "array", "items": {"type": "number", "minimum": 0, "maximum": 1}, "minItems": 4, "maxItems": 4},
        {
            "type": "object",
            "required": ["x", "y", "width", "height"],
            "properties": {
                name: {"type": "number", "minimum": 0, "maximum": 1} for name in ("x", "y", "width", "height")
            },
            "additionalProperties": False,
        },
    ],
    "example": [float(side) for side in EXAMPLE.split(",")],
}
TEXT_SCHEMA: dict[str, Any] = {"type": "string", "description": DESCRIPTION + f", with commas, such as `{EXAMPLE}`"}


class Box(BaseModel):
    """A part of a picture: its top left corner and its size, as fractions of the upright picture's sides.

    It can also be built from its edges (left, top, right, bottom): a list of four numbers, or a string with commas.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    x: float = Field(ge=0, lt=1, allow_inf_nan=False)
    y: float = Field(ge=0, lt=1, allow_inf_nan=False)
    width: float = Field(gt=0, le=1, allow_inf_nan=False)
    height: float = Field(gt=0, le=1, allow_inf_nan=False)

    @model_validator(mode="before")
    @classmethod
    def _from_edges(cls, value: object) -> object:
        if isinstance(value, str):
            value = value.split(",")
        if isinstance(value, Mapping) or not isinstance(value, Sequence):
            return value
        left, top, right, bottom = _numbers(value)
        if not (0 <= left < right <= 1 and 0 <= top < bottom <= 1):
            raise ValueError(
                "the edges must be from 0 to 1, with left less than right and top less than bottom: "
                f"not {left:g},{top:g},{right:g},{bottom:g}"
            )
        return {"x": left, "y": top, "width": right - left, "height": bottom - top}

    @model_validator(mode="after")
    def _within(self) -> Self:
        if self.right > 1 + SLACK or self.bottom > 1 + SLACK:
            raise ValueError("the box is not inside the picture: x + width and y + height must be at most 1")
        return self

    @property
    def right(self) -> float:
        """The right edge, 0 to 1."""
        return self.x + self.width

    @property
    def bottom(self) -> float:
        """The bottom edge, 0 to 1."""
        return self.y + self.height

    def text(self) -> str:
        """Return the edges as the value of a query parameter."""
        return ",".join(repr(side) for side in (self.x, self.y, min(1.0, self.right), min(1.0, self.bottom)))


def box_of(text: str) -> Box:
    """Return the box whose edges a query parameter gives.

    Raises:
        InvalidRequest: the text is not a box.
    """
    try:
        return Box.model_validate(text)
    except ValidationError as error:
        raise InvalidRequest("box: " + validation_message(error.errors()[0])) from None


def _numbers(values: Sequence[Any]) -> list[float]:
    try:
        numbers = [float(value) for value in values if not isinstance(value, bool)]
    except (TypeError, ValueError):
        numbers = []
    if len(numbers) != len(SIDES) or len(values) != len(SIDES):
        raise ValueError(f"a box is four numbers ({', '.join(SIDES)}), for example {EXAMPLE}")
    return numbers
