"""What a part of a category contributes to the facets of all parts, and the bounds of a facet."""

from typing import Any

import numpy as np
import pytest

from services.contracts.domain.filtering.facets import Facet
from services.engine import facets
from services.engine.columns import AttributeCounts
from services.engine.facets import FacetCounts, build_facets, joined, summarise


def counts(rows: int, texts: dict[Any, int] | None = None, numbers: list[float] | None = None) -> AttributeCounts:
    return AttributeCounts(rows, texts or {}, np.array(numbers or [], np.float64))


def of_one(name: str, part: AttributeCounts, products: int, matching: AttributeCounts | None = None) -> FacetCounts:
    return FacetCounts([{name: part}], [{name: matching or part}], products)


def texts(count: int) -> dict[Any, int]:
    return {f"t{number:03}": 1 for number in range(count)}


def facet(part: AttributeCounts, products: int) -> Facet | None:
    return next(iter(build_facets(of_one("a", part, products))), None)


@pytest.mark.parametrize(
    ("part", "products", "is_offered"),
    [
        (counts(1, texts(2)), 20, True),  # a twentieth of the products have it
        (counts(1, texts(2)), 21, False),
        (counts(5, texts(1)), 5, False),  # one value is no choice
        (counts(5, texts(1), [3.0]), 5, True),
        (counts(60, texts(60)), 60, True),
        (counts(61, texts(61)), 61, False),
        (counts(61, texts(30), [float(n) for n in range(30)]), 61, True),
        (counts(61, texts(30), [float(n) for n in range(31)]), 61, False),
        (counts(2, None, [3.0, 3.0]), 2, False),
        (counts(2, None, [3.0, 4.0]), 2, True),
        (counts(0), 0, False),
    ],
)
def test_an_attribute_is_offered_if_it_is_a_choice_of_not_too_many_values(
    part: AttributeCounts, products: int, is_offered: bool
) -> None:
    assert (facet(part, products) is not None) is is_offered


def test_thirty_values_are_shown_the_most_frequent_first() -> None:
    shown = facet(counts(60, {f"t{number:02}": 100 - number for number in range(40)}), 60)
    assert shown is not None
    assert [value.count for value in shown.values] == list(range(100, 70, -1))


def test_whole_numbers_are_shown_as_such() -> None:
    shown = facet(counts(4, {"M": 1}, [38.0, 38.0, 39.5]), 4)
    assert shown is not None
    assert [(repr(value.value), value.count) for value in shown.values] == [("38", 2), ("39.5", 1), ("'M'", 1)]


def test_a_summary_has_the_values_the_range_and_the_counts_of_what_matches() -> None:
    total, matching = counts(5, {"M": 2, "S": 1}, [38.0, 40.5]), counts(2, {"M": 1}, [40.5])
    summary = summarise(of_one("size", total, 9, matching))
    (attribute,) = summary.attributes
    assert (summary.products, summary.uncounted, attribute.attribute) == (9, [], "size")
    assert (attribute.products, attribute.has_texts, list(attribute.values)) == (5, True, ["M", "S", 38, 40.5])
    assert attribute.range is not None and (attribute.range.min, attribute.range.max) == (38.0, 40.5)
    assert [(value.value, value.count) for value in attribute.counts] == [(40.5, 1), ("M", 1)]


@pytest.mark.parametrize(("different", "values", "has_counts"), [(60, 60, True), (61, 61, False), (70, 61, False)])
def test_a_summary_has_one_value_more_than_a_facet_may_have(different: int, values: int, has_counts: bool) -> None:
    for part in (counts(different, texts(different)), counts(different, None, [float(n) for n in range(different)])):
        (attribute,) = summarise(of_one("a", part, different)).attributes
        assert (len(attribute.values), bool(attribute.counts)) == (values, has_counts)
        assert attribute.has_texts is bool(part.texts)
        assert (attribute.range is None) is bool(part.texts)


def test_few_different_numbers_among_very_many_are_all_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(facets, "FEW_NUMBERS", 4)
    (attribute,) = summarise(of_one("a", counts(6, None, [1.0, 1.0, 1.0, 2.0, 2.0, 3.0]), 6)).attributes
    assert list(attribute.values) == [1, 2, 3]


def test_the_counts_of_catalogues_are_joined_without_what_one_has_too_many_values_of() -> None:
    first = FacetCounts([{"a": counts(1, {"x": 1}), "b": counts(1, texts(2))}], [{"a": counts(1, {"x": 1})}], 3)
    other = FacetCounts([{"a": counts(2, {"x": 1, "y": 1})}], [{"a": counts(1, {"y": 1})}], 4, frozenset({"b"}))
    both = joined([first, other])
    assert (both.products, both.uncounted, list(both.attributes)) == (7, frozenset({"b"}), ["a"])
    (attribute,) = summarise(both).attributes
    assert (attribute.products, [(value.value, value.count) for value in attribute.counts]) == (3, [("x", 1), ("y", 1)])
    assert summarise(both).uncounted == ["b"]


def test_counts_that_are_given_alone_have_counted_everything() -> None:
    assert FacetCounts([], [], 0).uncounted == frozenset()
