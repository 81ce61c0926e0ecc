"""The values that fields may have, and the sentence about a field that is missing."""

from enum import StrEnum
from typing import Annotated, Any, Literal

import pytest
from pydantic import AliasChoices, BaseModel, Field, ValidationError

from services.catalogue.events.event import Event
from services.catalogue.merchandising import Merchandising
from services.contracts.domain.choices import choices
from services.contracts.domain.errors import validation_message


class Size(StrEnum):
    SMALL = "small"
    LARGE = "large"


class Part(BaseModel):
    size: Size
    colour: Literal["red", "blue"] | None
    name: str


class Whole(BaseModel):
    parts: list[Part]
    pair: tuple[Part, Literal["left", "right"]]
    named: dict[str, Part]
    either: Annotated[Part | str, Field()]
    other: Literal["a", "b"] = Field(validation_alias=AliasChoices("other", "another"))


@pytest.mark.parametrize(
    ("place", "values"),
    [
        (("parts", 3, "size"), ("small", "large")),
        (("parts", 0, "colour"), ("red", "blue")),
        (("parts", 0, "name"), ()),
        (("pair", 1), ("left", "right")),
        (("pair", 0, "size"), ("small", "large")),
        (("pair", 7), ()),
        (("named", "x", "colour"), ("red", "blue")),
        (("either", "colour"), ("red", "blue")),
        (("another",), ("a", "b")),
        (("nothing", "at", 0, "all"), ()),
        ((), ()),
    ],
)
def test_a_place_in_a_model_has_the_values_of_its_type(place: tuple[str | int, ...], values: tuple[str, ...]) -> None:
    assert choices(Whole, place) == values
    assert choices(None, place) == ()


@pytest.mark.parametrize(
    ("model", "document", "place", "sentence"),
    [
        (
            Merchandising,
            {"rules": [{"id": "a"}]},
            ("rules", 0, "action"),
            "it is missing; give boost, bury, pin or hide",
        ),
        (Merchandising, {"rules": [{"action": "hide"}]}, ("rules", 0, "id"), "it is missing"),
        (
            Event,
            {},
            ("action_name",),
            "it is missing; give search, impression, click, add_to_cart, purchase, like or hide",
        ),
    ],
)
def test_a_missing_field_is_named_with_the_values_that_it_may_have(
    model: type[BaseModel], document: dict[str, Any], place: tuple[str | int, ...], sentence: str
) -> None:
    with pytest.raises(ValidationError) as caught:
        model.model_validate(document)
    item = next(item for item in caught.value.errors() if item["loc"] == place)
    assert validation_message(item, model) == sentence
    assert validation_message(item) == "it is missing"


def test_other_messages_are_pydantics_without_its_prefix() -> None:
    assert validation_message({"type": "value_error", "msg": "Value error, too late"}) == "too late"
