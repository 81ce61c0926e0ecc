"""Filters in JSON: their trees, and the errors of invalid ones."""

import math
from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from services.contracts.domain.filtering.filters import EVERYTHING, AnyOf, Between, Filter, Not, OneOf
from services.contracts.domain.filtering.instants import instant
from services.contracts.wire.filter_json import (
    MAX_CONDITIONS,
    MAX_DEPTH,
    MAX_OBJECTS,
    MAX_VALUES,
    InvalidFilter,
    JsonFilter,
    parse_filter,
)


class Body(BaseModel):
    filter: JsonFilter = EVERYTHING


def test_the_conditions_of_an_object_must_all_match() -> None:
    parsed = parse_filter({"gender": "Men", "colour": ["Blue", "Navy"], "price": {"gte": 20, "lt": 50.5}})
    assert parsed == Filter(
        (OneOf("gender", ("Men",)), OneOf("colour", ("Blue", "Navy")), Between("price", gte=20, lt=50.5))
    )


def test_operators_combine_filters() -> None:
    parsed = parse_filter({"$or": [{"a": 1, "b": 2}, {"c": 3}], "$not": {"d": True}})
    either = AnyOf((Filter((OneOf("a", (1,)), OneOf("b", (2,)))), Filter((OneOf("c", (3,)),))))
    assert parsed == Filter((either, Not(Filter((OneOf("d", (True,)),)))))


def test_and_is_the_same_as_several_conditions() -> None:
    assert parse_filter({"$and": [{"a": 1}, {"$and": [{"a": 2}]}], "b": 3}) == Filter(
        (OneOf("a", (1,)), OneOf("a", (2,)), OneOf("b", (3,)))
    )


def test_a_range_with_text_bounds_is_a_range_of_dates() -> None:
    parsed = parse_filter({"released": {"gte": "2026-05-01", "lt": "2026-06-01T00:00+02:00"}})
    assert parsed == Filter(
        (Between("released", gte=instant("2026-05-01"), lt=instant("2026-05-31T22:00"), dates=True),)
    )


def test_an_empty_filter_matches_every_product() -> None:
    assert parse_filter({}) == EVERYTHING
    assert not parse_filter({})
    assert parse_filter({"a": []})


def test_the_attributes_of_a_filter() -> None:
    parsed = parse_filter({"a": 1, "$or": [{"b": 1}, {"c": 2}], "$not": {"d": 1}, "$and": [{"e": 1}, {"e": 2}]})
    assert parsed.attributes == {"a", "b", "c", "d", "e"}
    assert parsed.chosen == {"a", "d", "e"}
    assert parsed.without("e") == parse_filter({"a": 1, "$or": [{"b": 1}, {"c": 2}], "$not": {"d": 1}})
    assert parsed.without("b") == parsed


BAD: list[tuple[Any, str, str]] = [
    ([], "", "a filter is an object, not a list"),
    (None, "", "a filter is an object, not null"),
    ({"a": None}, "a", "null is none"),
    ({"a": [1, None]}, "a.1", "null is none"),
    ({"a": [[1]]}, "a.0", "a list is none"),
    ({"a": [{"gte": 1}]}, "a.0", "an object is none"),
    ({"": 1}, "", "1 to 128 characters"),
    ({"x" * 129: 1}, "x" * 129, "1 to 128 characters"),
    ({"price": {"below": 3}}, "price.below", "unknown bound: the bounds are gte, gt, lte, lt"),
    ({"price": {"$gte": 3}}, "price.$gte", "unknown bound"),
    ({"price": {"gte": "cheap"}}, "price.gte", "ISO 8601"),
    ({"price": {"gte": "10"}}, "price.gte", "ISO 8601"),
    ({"price": {"gte": True}}, "price.gte", "not true or false"),
    ({"price": {"gte": [1]}}, "price.gte", "not a list"),
    ({"price": {"gte": 1, "lt": "2026-05-01"}}, "price", "all be numbers, or all dates"),
    ({"price": {"gte": math.nan}}, "price.gte", "not finite"),
    ({"price": math.inf}, "price", "not finite"),
    ({"price": 10**400}, "price", "larger than a 64-bit float"),
    ({"$xor": [{"a": 1}]}, "$xor", "the operators are $and, $or and $not"),
    ({"$or": []}, "$or", "at least one filter"),
    ({"$and": {"a": 1}}, "$and", "at least one filter"),
    ({"$or": [{"a": 1}, 5]}, "$or.1", "a filter is an object, not a number"),
    ({"$not": [{"a": 1}]}, "$not", "a filter is an object, not a list"),
    ({"b": 2, "$or": [{"a": 1}, {"$not": {"price": {"gte": None, "lt": "x"}}}]}, "$or.1.$not.price.lt", "ISO 8601"),
]


@pytest.mark.parametrize(("source", "place", "message"), BAD)
def test_an_invalid_filter_is_an_error_with_its_place(source: Any, place: str, message: str) -> None:
    with pytest.raises(InvalidFilter) as caught:
        parse_filter(source)
    assert ".".join(map(str, caught.value.path)) == place
    assert message in str(caught.value)
    with pytest.raises(ValidationError) as validation:
        Body.model_validate({"filter": source})
    (error,) = validation.value.errors()
    assert error["loc"] == ("filter", *caught.value.path)
    assert error["msg"] == str(caught.value)


def nested(depth: int) -> dict[str, Any]:
    return {"a": 1} if depth == 0 else {"$not": nested(depth - 1)}


def test_the_nesting_of_operators_is_limited() -> None:
    assert parse_filter(nested(MAX_DEPTH))
    with pytest.raises(InvalidFilter, match="at most 8 deep"):
        parse_filter(nested(MAX_DEPTH + 1))


def test_the_number_of_conditions_is_limited() -> None:
    assert parse_filter({"$or": [{"a": n} for n in range(MAX_CONDITIONS)]})
    with pytest.raises(InvalidFilter, match="at most 100 conditions") as caught:
        parse_filter({"$or": [{"a": n} for n in range(MAX_CONDITIONS + 1)]})
    assert caught.value.path == ("$or", MAX_CONDITIONS, "a")


@pytest.mark.parametrize("operator", ["$or", "$and"])
def test_objects_without_conditions_count_as_well(operator: str) -> None:
    assert parse_filter({operator: [{}] * (MAX_OBJECTS - 1)}) is not None
    with pytest.raises(InvalidFilter, match="at most 200 objects"):
        parse_filter({operator: [{}] * MAX_OBJECTS})
    with pytest.raises(InvalidFilter, match="at most 200 objects"):
        parse_filter({"$not": {operator: [{"$not": {}}] * (MAX_OBJECTS // 2)}})


def test_the_number_of_values_is_limited() -> None:
    half = list(range(MAX_VALUES // 2))
    assert parse_filter({"a": half, "b": half})
    with pytest.raises(InvalidFilter, match="at most 1,000 values"):
        parse_filter({"a": half, "b": half, "c": [1]})


@pytest.mark.parametrize("sign", [1, -1])
def test_an_integer_beyond_64_bits_becomes_a_float(sign: int) -> None:
    numbers = [sign * number for number in (2**63 - 1, 2**63, 10**30)]
    (condition,) = parse_filter({"a": numbers}).terms
    assert isinstance(condition, OneOf)
    assert list(condition.values) == [numbers[0], float(numbers[1]), float(numbers[2])]
    assert [type(value) for value in condition.values] == [int, float, float]


def test_the_longest_name_of_an_attribute_has_128_characters() -> None:
    assert parse_filter({"x" * 128: 1}) == Filter((OneOf("x" * 128, (1,)),))


def test_a_filter_is_serialised_as_its_source() -> None:
    source = {"$or": [{"a": [1, "x"]}, {"b": {"gte": "2026-05-01"}}], "$not": {"c": True}}
    body = Body(filter=parse_filter(source))
    assert body.model_dump(mode="json") == {"filter": source}
    assert Body.model_validate_json(body.model_dump_json()) == body
