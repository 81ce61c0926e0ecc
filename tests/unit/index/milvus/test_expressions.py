"""Filters as Milvus's expressions, without a server; the contract suite evaluates them with one."""

import pytest

from services.contracts.domain.filtering.filters import EVERYTHING
from services.contracts.wire.filter_json import parse_filter
from services.index.milvus.expressions import (
    EVERY,
    MAX_RANGE_VALUES,
    NONE,
    TooManyValues,
    expression,
    row_attributes,
    token,
    value_token,
)


def written(condition: dict[str, object], *, lists: bool = False) -> str:
    return expression(parse_filter(condition), lambda _: lists)


def depth(text: str) -> int:
    levels, level = [0], 0
    for character in text:
        level += {"(": 1, ")": -1}.get(character, 0)
        levels.append(level)
    return max(levels)


def test_a_filter_without_terms_is_every_row() -> None:
    assert expression(EVERYTHING, lambda _: True) == EVERY
    assert written({"$or": [{}]}) == EVERY


def test_values_are_asked_by_their_hashes() -> None:
    red, blue = value_token("colour", "Red"), value_token("colour", "Blue")
    assert written({"colour": ["Red", "Blue"]}) == f"array_contains_any(tokens, [{red}, {blue}])"
    assert written({"colour": []}) == NONE
    assert written({"$not": {"colour": "Red"}}) == f"(not (array_contains_any(tokens, [{red}])))"


def test_values_that_are_easily_taken_for_another_have_other_hashes() -> None:
    tokens = [value_token("a", value) for value in (1, True, "1", "true", 0, False, "")]
    assert len(set(tokens)) == len(tokens)
    assert value_token("a", 1) == value_token("a", 1.0)
    assert value_token("a", 0.0) == value_token("a", -0.0)
    assert value_token("a", 1) != value_token("b", 1)
    assert all(0 <= each < 2**63 for each in tokens)


def test_a_range_is_asked_of_one_number_unless_a_product_has_several() -> None:
    text = written({"price": {"gte": 10, "lt": 20.5}})
    assert text.count("numbers[") == 2
    assert ">= 10.0" in text
    assert "< 20.5" in text
    assert written({"price": {"gte": 10}}, lists=True).count("numbers[") == MAX_RANGE_VALUES
    assert written({"price": {}}) == f"array_contains_any(tokens, [{token('price', 'n')}])"


def test_names_of_attributes_never_stand_in_an_expression() -> None:
    text = written({'a"] or image >= 0 or numbers["': {"gte": 1}, "x') or (1==1": "') or true"})
    assert " or " not in text


def test_long_filters_are_not_nested_deep() -> None:
    conditions = [{"price": {"gte": number, "lt": number + 1}} for number in range(90)]
    assert depth(written({"$or": conditions}, lists=True)) < 30
    assert depth(written({"$and": conditions})) < 30


def test_a_row_has_what_filters_ask() -> None:
    row = row_attributes({"price": [5, 7.5, 5], "colour": "Red", "since": "2026-05-01", "sizes": []})
    assert sorted(row.numbers.values()) == [5.0, 7.5, 1777593600000000.0]
    assert token("price", "n list") in row.tokens
    assert token("since", "d") in row.tokens
    assert token("since", "d list") not in row.tokens
    assert value_token("since", "2026-05-01") in row.tokens
    assert token("sizes", "has") in row.tokens
    assert len(set(row.tokens)) == len(row.tokens)


def test_more_numbers_than_a_row_has_places_for_are_an_error() -> None:
    row_attributes({"sizes": list(range(MAX_RANGE_VALUES))})
    with pytest.raises(TooManyValues, match="attribute 'sizes' has more than 64 numbers or dates"):
        row_attributes({"sizes": list(range(MAX_RANGE_VALUES + 1))})
