"""Filters in JSON: what they say, and what is told of those that say nothing."""

import math
from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from services.contracts.domain.filters import EVERYTHING, AnyOf, Between, Filter, Not, OneOf
from services.contracts.domain.instants import instant
from services.contracts.wire.filter_json import (
    MAX_CONDITIONS,
    MAX_DEPTH,
    MAX_VALUES,
    InvalidFilter,
    JsonFilter,
    parse_filter,
)


class Body(BaseModel):
    filter: JsonFilter = EVERYTHING


def test_the_flat_form_is_conditions_that_all_have_to_hold() -> None:
    found = parse_filter({"gender": "Men", "colour": ["Blue", "Navy"], "price": {"gte": 20, "lt": 50.5}})
    assert found == Filter(
        (OneOf("gender", ("Men",)), OneOf("colour", ("Blue", "Navy")), Between("price", gte=20, lt=50.5))
    )


def test_operators_join_filters() -> None:
    found = parse_filter({"$or": [{"a": 1, "b": 2}, {"c": 3}], "$not": {"d": True}})
    assert found == Filter(
        (AnyOf((Filter((OneOf("a", (1,)), OneOf("b", (2,)))), Filter((OneOf("c", (3,)),)))), Not(Filter((OneOf("d", (True,)),))))
    )  # fmt: skip


def test_and_is_what_a_filter_does_by_itself() -> None:
    assert parse_filter({"$and": [{"a": 1}, {"$and": [{"a": 2}]}], "b": 3}) == Filter(
        (OneOf("a", (1,)), OneOf("a", (2,)), OneOf("b", (3,)))
    )


def test_a_range_of_texts_is_one_of_dates() -> None:
    found = parse_filter({"released": {"gte": "2026-05-01", "lt": "2026-06-01T00:00+02:00"}})
    assert found == Filter(
        (Between("released", gte=instant("2026-05-01"), lt=instant("2026-05-31T22:00"), dates=True),)
    )


def test_an_empty_filter_is_met_by_every_product() -> None:
    assert parse_filter({}) == EVERYTHING
    assert not parse_filter({})
    assert parse_filter({"a": []})


def test_a_filter_tells_what_it_is_about() -> None:
    found = parse_filter({"a": 1, "$or": [{"b": 1}, {"c": 2}], "$not": {"d": 1}, "$and": [{"e": 1}, {"e": 2}]})
    assert found.attributes == {"a", "b", "c", "d", "e"}
    assert found.chosen == {"a", "d", "e"}
    assert found.without("e") == parse_filter({"a": 1, "$or": [{"b": 1}, {"c": 2}], "$not": {"d": 1}})
    assert found.without("b") == found


BAD: list[tuple[Any, str, str]] = [
    ([], "", "a filter is an object, not a list"),
    (None, "", "a filter is an object, not null"),
    ({"a": None}, "a", "null is none"),
    ({"a": [1, None]}, "a.1", "null is none"),
    ({"a": [[1]]}, "a.0", "a list is none"),
    ({"a": [{"gte": 1}]}, "a.0", "an object is none"),
    ({"": 1}, "", "1 to 128 characters"),
    ({"x" * 129: 1}, "x" * 129, "1 to 128 characters"),
    ({"price": {"below": 3}}, "price.below", "no such bound: there are gte, gt, lte, lt"),
    ({"price": {"$gte": 3}}, "price.$gte", "no such bound"),
    ({"price": {"gte": "cheap"}}, "price.gte", "ISO 8601"),
    ({"price": {"gte": "10"}}, "price.gte", "ISO 8601"),
    ({"price": {"gte": True}}, "price.gte", "not true or false"),
    ({"price": {"gte": [1]}}, "price.gte", "not a list"),
    ({"price": {"gte": 1, "lt": "2026-05-01"}}, "price", "all numbers, or all dates"),
    ({"price": {"gte": math.nan}}, "price.gte", "not finite"),
    ({"price": math.inf}, "price", "not finite"),
    ({"price": 10**400}, "price", "larger than a 64-bit float"),
    ({"$xor": [{"a": 1}]}, "$xor", "there are $and, $or and $not"),
    ({"$or": []}, "$or", "at least one filter"),
    ({"$and": {"a": 1}}, "$and", "at least one filter"),
    ({"$or": [{"a": 1}, 5]}, "$or.1", "a filter is an object, not a number"),
    ({"$not": [{"a": 1}]}, "$not", "a filter is an object, not a list"),
    ({"b": 2, "$or": [{"a": 1}, {"$not": {"price": {"gte": None, "lt": "x"}}}]}, "$or.1.$not.price.lt", "ISO 8601"),
]


@pytest.mark.parametrize(("source", "where", "what"), BAD)
def test_what_is_no_filter_is_told_with_its_place(source: Any, where: str, what: str) -> None:
    with pytest.raises(InvalidFilter) as caught:
        parse_filter(source)
    assert ".".join(map(str, caught.value.path)) == where
    assert what in str(caught.value)
    with pytest.raises(ValidationError) as told:
        Body.model_validate({"filter": source})
    (error,) = told.value.errors()
    assert error["loc"] == ("filter", *caught.value.path)
    assert error["msg"] == str(caught.value)


def nested(depth: int) -> dict[str, Any]:
    return {"a": 1} if depth == 0 else {"$not": nested(depth - 1)}


def test_operators_stand_within_one_another_up_to_a_depth() -> None:
    assert parse_filter(nested(MAX_DEPTH))
    with pytest.raises(InvalidFilter, match="at most 8 deep"):
        parse_filter(nested(MAX_DEPTH + 1))


def test_a_filter_has_so_many_conditions_at_most() -> None:
    assert parse_filter({"$or": [{"a": n} for n in range(MAX_CONDITIONS)]})
    with pytest.raises(InvalidFilter, match="at most 100 conditions") as caught:
        parse_filter({"$or": [{"a": n} for n in range(MAX_CONDITIONS + 1)]})
    assert caught.value.path == ("$or", MAX_CONDITIONS, "a")


def test_its_lists_have_so_many_values_at_most() -> None:
    half = list(range(MAX_VALUES // 2))
    assert parse_filter({"a": half, "b": half})
    with pytest.raises(InvalidFilter, match="at most 1,000 values"):
        parse_filter({"a": half, "b": half, "c": [1]})


def test_a_whole_number_beyond_64_bits_is_compared_as_a_float() -> None:
    (condition,) = parse_filter({"a": 10**30}).terms
    assert condition == OneOf("a", (1e30,))


def test_a_filter_goes_over_the_wire_as_it_came() -> None:
    source = {"$or": [{"a": [1, "x"]}, {"b": {"gte": "2026-05-01"}}], "$not": {"c": True}}
    body = Body(filter=parse_filter(source))
    assert body.model_dump(mode="json") == {"filter": source}
    assert Body.model_validate_json(body.model_dump_json()) == body
