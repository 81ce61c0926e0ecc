"""The values and fields of a place, and the sentences about fields that are missing, unknown or of another type."""

from enum import StrEnum
from typing import Annotated, Any, Literal

import pytest
from pydantic import AliasChoices, BaseModel, Field, ValidationError

from services.catalogue.events.event import Event
from services.catalogue.merchandising import Merchandising
from services.contracts.domain.choices import choices, field_names, shortened, unknown_name
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
    many: tuple[Part, ...]
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
        (("pair", 2), ()),
        (("pair", 7), ()),
        (("many", 5, "size"), ("small", "large")),
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


def test_a_type_that_is_no_model_has_its_values_too() -> None:
    assert choices(Annotated[Literal["a", "b"], "a note"], ()) == ("a", "b")
    assert choices(Literal["a"] | Size | None, ()) == ("a", "small", "large")


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


@pytest.mark.parametrize(
    ("kind", "sentence"),
    [
        (Literal["a"], "it is missing"),
        (Literal["a", "b"], "it is missing; give a or b"),
        (Literal["a", "b", "c"], "it is missing; give a, b or c"),
    ],
)
def test_one_value_alone_is_no_choice(kind: object, sentence: str) -> None:
    assert validation_message({"type": "missing", "loc": (), "msg": "…"}, kind) == sentence


def test_other_messages_are_pydantics_without_its_prefix() -> None:
    assert validation_message({"type": "value_error", "msg": "Value error, too late"}) == "too late"


@pytest.mark.parametrize(
    ("place", "names"),
    [
        ((), ("parts", "pair", "many", "named", "either", "other", "another")),
        (("parts", 3), ("size", "colour", "name")),
        (("named", "x"), ("size", "colour", "name")),
        (("either",), ("size", "colour", "name")),
        (("other",), ()),
        (("nothing",), ()),
    ],
)
def test_a_place_in_a_model_has_the_fields_of_its_type(place: tuple[str | int, ...], names: tuple[str, ...]) -> None:
    assert field_names(Whole, place) == names


OBJECT, LIST = "it has to be an object, with fields in {}", "it has to be a list, in []"


@pytest.mark.parametrize(
    ("attributes", "sentences"),
    [
        ({"objct": {"object_id": "1"}}, ["'objct' is not known: did you mean 'object'?"]),
        ({"object": {"object_id": "1", "objectid": 1}}, ["'objectid' is not known: did you mean 'object_id'?"]),
        ({"objects": [{"object_id": "1", "place": 1}]}, ["'place' is not known: there are object_id, ordinal"]),
        ({"objects": [7]}, [OBJECT]),
        ({"objects": {"object_id": "1"}}, [LIST]),
        (7, [OBJECT]),
        ({"quantity": 0}, ["it has to be greater than or equal to 1"]),
    ],
)
def test_no_sentence_names_a_class_or_a_term_of_pydantic(attributes: object, sentences: list[str]) -> None:
    with pytest.raises(ValidationError) as caught:
        Event.model_validate({"action_name": "search", "query_id": "q", "event_attributes": attributes})
    assert [validation_message(item, Event) for item in caught.value.errors()] == sentences


def test_an_unknown_field_of_an_unknown_type_is_one() -> None:
    assert validation_message({"type": "extra_forbidden", "loc": ("a",), "msg": "…"}) == "there is no such field"


def test_a_near_name_is_searched_for_names_of_ordinary_length() -> None:
    assert unknown_name("catgory", ["category", "k"]) == "'catgory' is not known: did you mean 'category'?"
    text = unknown_name("catgory" * 10_000, ["category", "k"])
    assert "there are category, k" in text
    assert len(text) < 200


@pytest.mark.parametrize(("length", "is_near"), [(64, True), (65, False)])
def test_a_near_name_is_searched_for_names_of_up_to_64_characters(length: int, is_near: bool) -> None:
    known = "a" * length
    assert ("did you mean" in unknown_name(known[:-1] + "b", [known])) is is_near


@pytest.mark.parametrize(("text", "short"), [("", ""), ("abc", "abc"), ("abcd", "abcd"), ("abcde", "abc…")])
def test_a_text_of_the_length_stays_and_a_longer_one_ends_with_an_ellipsis(text: str, short: str) -> None:
    assert shortened(text, 4) == short
