"""What a filter speaks of, what is left of it without an attribute, and how filters are combined."""

import pytest

from services.contracts.domain.filtering.facets import FacetValue, ranked_values
from services.contracts.domain.filtering.filters import EVERYTHING, AnyOf, Between, Filter, Not, OneOf, any_of

A, B = OneOf("a", (1,)), Between("b", gte=1)
FILTER_A, FILTER_B = Filter((A,), {"a": 1}), Filter((B,), {"b": {"gte": 1}})
EITHER, NEITHER = AnyOf((FILTER_A, FILTER_B)), Not(Filter((A, B)))
NOT_A, NEVER_A = Not(FILTER_A), Not(FILTER_A, always=True)


@pytest.mark.parametrize(
    ("term", "names"),
    [(A, "a"), (B, "b"), (EITHER, "ab"), (NEITHER, "ab"), (NOT_A, "a"), (AnyOf(()), ""), (Not(EVERYTHING), "")],
)
def test_a_condition_speaks_of_the_attributes_in_it(term: OneOf | Between | AnyOf | Not, names: str) -> None:
    assert term.attributes == frozenset(names)
    assert Filter((term,)).attributes == frozenset(names)
    assert Filter((term,)).chosen == (frozenset(names) if len(names) == 1 else frozenset())


def test_a_filter_without_terms_is_everything() -> None:
    assert not EVERYTHING
    assert FILTER_A
    assert (EVERYTHING.attributes, EVERYTHING.chosen, EVERYTHING.choices_of("a")) == (frozenset(), frozenset(), ())


def test_a_filter_without_an_attribute_keeps_what_speaks_of_others_too() -> None:
    whole = Filter((A, B, EITHER, NEITHER, NOT_A))
    assert whole.without("a") == Filter((B, EITHER, NEITHER))
    assert whole.without("b") == Filter((A, EITHER, NEITHER, NOT_A))
    assert whole.without("c") == whole


def test_what_is_always_left_out_is_no_choice() -> None:
    whole = Filter((A, B, EITHER, NOT_A, NEVER_A))
    assert whole.choices_of("a") == (A, NOT_A)
    assert whole.choices_of("b") == (B,)
    assert whole.choices_of("c") == ()


def test_hidden_products_are_left_out_always_and_the_source_stays() -> None:
    assert FILTER_B.leaving_out(None) is FILTER_B
    left = FILTER_B.leaving_out(FILTER_A)
    assert left == Filter((B, NEVER_A))
    assert left.source == FILTER_B.source


def test_one_of_any_filters_is_that_filter_and_several_are_an_or() -> None:
    assert any_of([FILTER_A]) is FILTER_A
    either = any_of([FILTER_A, FILTER_B])
    assert either == Filter((EITHER,))
    assert either.source == {"$or": [{"a": 1}, {"b": {"gte": 1}}]}
    assert any_of([]) == Filter((AnyOf(()),))


def test_values_are_ranked_by_their_count_then_as_text_then_by_type() -> None:
    values: list[tuple[str | bool | int | float, int]] = [("b", 2), ("a", 2), ("c", 3), ("1", 2), (1, 2), (True, 1)]
    ranked = ranked_values(FacetValue(value=value, count=count) for value, count in values)
    assert [(entry.value, type(entry.value)) for entry in ranked] == [
        *(("c", str), (1, int), ("1", str), ("a", str), ("b", str), (True, bool)),
    ]
