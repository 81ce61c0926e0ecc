"""A search's options: what is valid, what the index gets of them, and how the OpenAPI document shows them."""

from typing import Any

import pytest
from pydantic import Field, ValidationError

from services.contracts.domain.box import Box
from services.contracts.domain.errors import InvalidRequest
from services.contracts.domain.filtering.filters import EVERYTHING
from services.contracts.wire.filter_json import MAX_TEXT_BYTES, parse_filter
from services.contracts.wire.index import ResultOptions
from services.gateway.routes.openapi import components
from services.gateway.routes.openapi.photo_body import photo_body
from services.gateway.search.options import (
    NoOptions,
    PhotoOptions,
    SimilarOptions,
    filter_from_text,
    json_properties,
    query_parameters,
    text_properties,
)
from services.gateway.search.request import FORM, JSON, parse


def test_the_defaults_are_ten_results_of_everything_without_facets() -> None:
    options = parse(PhotoOptions, {})
    defaults = {"k": 10, "offset": 0, "filter": EVERYTHING, "min_score": None, "facets": False}
    assert options.result_options().items() >= defaults.items()
    assert (options.category, options.box) == (None, None)
    similar = parse(SimilarOptions, {})
    assert (similar.model, similar.catalogue) == (None, None)


@pytest.mark.parametrize("k", [0, -1, 101, "ten", "1.5", None])
def test_k_is_a_number_from_1_to_100(k: object) -> None:
    with pytest.raises(InvalidRequest, match="k:"):
        parse(PhotoOptions, {"k": k})


def test_a_page_ends_at_five_hundred() -> None:
    assert parse(PhotoOptions, {"k": "100", "offset": "400"}).end == 500


@pytest.mark.parametrize("values", [{"offset": -1}, {"offset": "x"}, {"offset": 491}, {"k": 100, "offset": 401}])
def test_a_page_beyond_five_hundred_is_invalid(values: dict[str, object]) -> None:
    with pytest.raises(InvalidRequest, match=r"^offset: "):
        parse(PhotoOptions, values)


@pytest.mark.parametrize("score", [-1.01, 1.01, "high"])
def test_min_score_is_a_cosine_similarity(score: object) -> None:
    assert parse(SimilarOptions, {"min_score": "-1"}).min_score == -1
    assert parse(SimilarOptions, {"min_score": 1}).min_score == 1
    with pytest.raises(InvalidRequest, match="min_score: "):
        parse(SimilarOptions, {"min_score": score})


def test_a_filter_in_text_is_json() -> None:
    options = parse(PhotoOptions, {"filter": '{"gender": ["Men", "Boys"]}', "k": "3"})
    assert options.filter == parse_filter({"gender": ["Men", "Boys"]})
    assert options.k == 3
    assert parse(PhotoOptions, {"filter": ""}).filter == EVERYTHING


@pytest.mark.parametrize("text", ["{", "[1]", '"a"', '{"price": {"below": 3}}', '{"": 1}'])
def test_a_filter_that_is_no_object_of_conditions_is_invalid(text: str) -> None:
    with pytest.raises(InvalidRequest, match="filter"):
        parse(PhotoOptions, {"filter": text})


def test_a_category_may_be_its_id() -> None:
    assert parse(PhotoOptions, {"category": 3}).category == "3"
    with pytest.raises(InvalidRequest, match="category: "):
        parse(PhotoOptions, {"category": True})


@pytest.mark.parametrize("box", ["0,0.5,1,1", [0, 0.5, 1, 1], {"x": 0, "y": 0.5, "width": 1, "height": 0.5}])
def test_a_box_may_be_text_four_numbers_or_an_object(box: object) -> None:
    assert parse(PhotoOptions, {"box": box}).box == Box(x=0, y=0.5, width=1, height=0.5)


@pytest.mark.parametrize("box", ["", "0,0,1", [0, 0, 1.5, 1], [0.5, 0, 0.5, 1], {"x": 0}, 3])
def test_an_invalid_box_is_named(box: object) -> None:
    with pytest.raises(InvalidRequest, match="box") as caught:
        parse(PhotoOptions, {"box": box})
    assert "Value error" not in caught.value.detail


def test_a_misspelt_option_is_named() -> None:
    with pytest.raises(InvalidRequest, match="catgory"):
        parse(PhotoOptions, {"catgory": "Shoes"})


def test_every_option_stands_in_the_query_string_the_form_and_the_json_body() -> None:
    names = set(PhotoOptions.model_fields)
    content = photo_body("Test", {}, PhotoOptions)["content"]
    document: dict[str, Any] = {"components": {"schemas": {}}}
    components.add_to(document)
    form, body = (
        document["components"]["schemas"][content[kind]["schema"]["$ref"].rpartition("/")[2]] for kind in (FORM, JSON)
    )
    assert {parameter["name"] for parameter in query_parameters(PhotoOptions)} == names
    assert set(form["properties"]) - {"image"} == names
    assert set(body["properties"]) - {"image_url", "image_base64"} == names
    assert not any("default" in schema for schema in [*form["properties"].values(), *body["properties"].values()])
    assert {parameter["name"] for parameter in query_parameters(SimilarOptions)} == set(SimilarOptions.model_fields)
    assert query_parameters(NoOptions) == []


def test_objects_are_text_outside_json() -> None:
    text, json = text_properties(PhotoOptions), json_properties(PhotoOptions)
    assert [text[name]["type"] for name in ("filter", "box")] == ["string", "string"]
    assert json["filter"]["type"] == "object"
    assert {each["type"] for each in json["box"]["oneOf"]} == {"array", "object"}


class _Options(ResultOptions):
    max_age: float | None = Field(default=None, ge=0, description="the highest age")


def test_a_declared_option_is_a_parameter_with_its_bounds_and_its_description() -> None:
    (parameter,) = [parameter for parameter in query_parameters(_Options) if parameter["name"] == "max_age"]
    assert parameter == {
        "name": "max_age",
        "in": "query",
        "required": False,
        "description": "the highest age",
        "schema": {"type": "number", "minimum": 0},
    }


@pytest.mark.parametrize("options", [PhotoOptions, SimilarOptions])
def test_no_option_is_required_or_null(options: type[ResultOptions]) -> None:
    schemas: dict[str, Any] = json_properties(options)
    assert all({"type": "null"} not in schema.get("anyOf", []) for schema in schemas.values())
    assert all(schema.get("default", 0) is not None and "title" not in schema for schema in schemas.values())
    assert schemas["k"]["default"] == 10


@pytest.mark.parametrize(
    ("value", "ids"),
    [
        ("a", ["a"]),
        ("", []),
        ('["a", "b", "a"]', ["a", "b"]),
        ("[a", ["[a"]),  # an id that is not JSON
        (["a", "", '["b"]', "a"], ["a", "b"]),
        ([], []),
    ],
)
def test_ids_come_as_text_as_a_list_or_as_a_list_in_text(value: object, ids: list[str]) -> None:
    assert PhotoOptions.model_validate({"like": value}).like == ids


@pytest.mark.parametrize("value", [5, None, {"a": 1}, [1], "[1]", [None], [["a"]]])
def test_what_is_no_list_of_ids_is_invalid(value: object) -> None:
    with pytest.raises(ValidationError, match="like"):
        PhotoOptions.model_validate({"like": value})


def test_a_filter_in_text_has_a_bound() -> None:
    assert not filter_from_text("{}".ljust(MAX_TEXT_BYTES))
    assert filter_from_text("") == {}
    with pytest.raises(ValueError, match=f"at most {MAX_TEXT_BYTES:,} are accepted"):
        filter_from_text("{}".ljust(MAX_TEXT_BYTES + 1))
    with pytest.raises(ValueError, match="not a JSON object"):
        filter_from_text("{")
    assert filter_from_text(5) == 5


@pytest.mark.parametrize(("value", "text"), [("Shoes", "Shoes"), (3, "3"), (0, "0")])
def test_a_category_is_its_name_or_its_id(value: object, text: str) -> None:
    assert (PhotoOptions.model_validate({"category": value, "prior": value})).category == text
    with pytest.raises(ValidationError, match="category"):
        PhotoOptions.model_validate({"category": True})
