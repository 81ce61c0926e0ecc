"""The answers of parts become the answer that one node with all products would give."""

from collections.abc import Sequence
from typing import Any

import pytest

from services.contracts.domain.filtering.facets import AttributeSummary, Facet, FacetRange, FacetSummary, FacetValue
from services.contracts.wire.index import Hit, IndexResponse, IndexSearch, Page, ScalePoints
from services.gateway.index_nodes.merge import merged_facets, merged_response


def query(**options: Any) -> IndexSearch:
    return IndexSearch(category=3, vector=[1.0], model="m/1", catalogues=("default", "b"), **options)


def hit(id: str, score: float = 0.5, catalogue: str = "default", **facts: Any) -> Hit:
    return Hit(id=id, category=3, catalogue=catalogue, score=score, **facts)


def part(*hits: Hit, **facts: Any) -> IndexResponse:
    values: dict[str, Any] = {"active": "m/1", "timings_ms": {}, "best_score": None, "best_similarity": None}
    return IndexResponse(category=3, hits=list(hits), next_page=None, model="m/1", **{**values, **facts})


def keys(hits: Sequence[Hit]) -> list[str]:
    return [hit.id for hit in hits]


def test_hits_come_best_first_and_equal_ones_by_id_and_catalogue() -> None:
    first = part(hit("a", 0.9), hit("c", 0.5, "b"), hit("d", 0.5))
    second = part(hit("b", 0.7), hit("c", 0.5), hit("e", 0.1))
    merged = merged_response([first, second], query())
    assert [(each.id, each.catalogue) for each in merged.hits] == [
        ("a", "default"),
        ("b", "default"),
        ("c", "b"),
        ("c", "default"),
        ("d", "default"),
        ("e", "default"),
    ]
    assert (merged.category, merged.model, merged.best_score) == (3, "m/1", 0.9)


def test_a_product_between_two_parts_is_returned_once_and_one_of_another_catalogue_as_well() -> None:
    merged = merged_response([part(hit("a"), hit("b")), part(hit("a"), hit("b", catalogue="b"))], query())
    assert [(each.id, each.catalogue) for each in merged.hits] == [("a", "default"), ("b", "b"), ("b", "default")]


@pytest.mark.parametrize(
    ("options", "expected", "following"),
    [
        ({"k": 2}, ["a", "b"], Page(k=2, offset=2)),
        ({"k": 2, "offset": 1}, ["b", "c"], Page(k=2, offset=3)),
        ({"k": 3, "offset": 1}, ["b", "c", "d"], None),  # the last page is full
        ({"k": 2, "offset": 2}, ["c", "d"], None),
        ({"k": 2, "offset": 3}, ["d"], None),
        ({"k": 2, "offset": 4}, [], None),
        ({"k": 1, "group_by": "group"}, ["a"], Page(k=1, offset=1)),
        ({"k": 2, "group_by": "group"}, ["a", "d"], None),  # b and c are variants of a
    ],
)
def test_a_page_is_cut_from_the_hits_of_all_parts(
    options: dict[str, Any], expected: list[str], following: Page | None
) -> None:
    parts = [part(hit("a", 0.9, group="G"), hit("d", 0.6)), part(hit("b", 0.8, group="G"), hit("c", 0.7, group="G"))]
    merged = merged_response(parts, query(**options))
    assert (keys(merged.hits), merged.next_page) == (expected, following)
    assert merged.best_score == 0.9  # of the first page


def test_similarity_is_by_the_catalogues_scale_and_the_first_parts() -> None:
    scale, other = ScalePoints(scores=[0.0, 1.0], values=[0.0, 0.5]), ScalePoints(scores=[0.0, 1.0], values=[0.5, 1.0])
    parts = [
        part(hit("a", 0.8), scales={"default": scale}),
        part(hit("b", 0.6), hit("c", 0.4, "b"), scales={"default": other}),
    ]
    merged = merged_response(parts, query())
    assert [each.similarity for each in merged.hits] == [0.4, 0.3, None]
    assert merged.best_similarity == 0.4
    assert merged_response([part(hit("a", 1 / 3), scales={"default": scale})], query()).hits[0].similarity == 0.167


def test_scores_are_rounded_and_never_beyond_one() -> None:
    merged = merged_response([part(hit("a", 1.00000012), hit("b", 0.123456789), hit("c", -1.00000012))], query())
    assert [each.score for each in merged.hits] == [1.0, 0.1234568, -1.0]


def test_without_hits_there_is_no_best_one() -> None:
    merged = merged_response([part(), part()], query())
    assert (merged.hits, merged.best_score, merged.best_similarity, merged.next_page) == ([], None, None, None)


def test_pinned_products_come_in_the_order_of_the_request_each_once() -> None:
    parts = [part(pinned=[hit("p"), hit("q", catalogue="b")]), part(pinned=[hit("r"), hit("q"), hit("p")])]
    merged = merged_response(parts, query(pinned=["r", "q", "p"]))
    assert [(each.id, each.catalogue) for each in merged.pinned] == [
        ("r", "default"),
        ("q", "default"),
        ("q", "b"),
        ("p", "default"),
    ]


def test_the_facts_of_all_parts_are_combined() -> None:
    first = part(
        total=3,
        timings_ms={"search": 2.0, "facets": 1.0},
        unknown_attributes=["a", "b"],
        engine="milvus hnsw",
    )
    second = part(total=None, timings_ms={"search": 5.0}, unknown_attributes=["c", "b"], exact=False, engine="other")
    merged = merged_response([first, second], query(facets=True))
    assert merged.total == 3
    assert merged.timings_ms == {"search": 5.0, "facets": 1.0}
    assert merged.unknown_attributes == ["b"]  # one part may have what the other has not
    assert (merged.exact, merged.engine) == (False, "milvus hnsw")
    assert merged_response([part(total=3), part(total=4)], query(facets=True)).total == 7
    plain = merged_response([part(total=3)], query())
    assert (plain.total, plain.facets, plain.exact) == (None, [], True)


def test_while_nodes_are_being_switched_the_model_stays_the_one_of_the_query() -> None:
    assert merged_response([part(active="m/2"), part(active="m/2")], query()).active == "m/2"
    assert merged_response([part(active="m/2"), part(active="m/1")], query()).active == "m/1"


def texts(
    attribute: str, products: int, counts: dict[Any, int], values: Sequence[Any] | None = None
) -> AttributeSummary:
    listed = [FacetValue(value=value, count=count) for value, count in counts.items()]
    return AttributeSummary(
        attribute=attribute,
        products=products,
        has_texts=True,
        values=list(counts) if values is None else list(values),
        range=None,
        counts=listed,
    )


def numbers(attribute: str, products: int, smallest: float | None, largest: float | None) -> AttributeSummary:
    span = None if smallest is None or largest is None else FacetRange(min=smallest, max=largest)
    return AttributeSummary(attribute=attribute, products=products, has_texts=False, values=[], range=span, counts=[])


def summary(*attributes: AttributeSummary, products: int = 10, uncounted: Sequence[str] = ()) -> FacetSummary:
    return FacetSummary(products=products, attributes=list(attributes), uncounted=list(uncounted))


def test_counts_of_all_parts_are_added_and_the_most_frequent_comes_first() -> None:
    first = summary(texts("colour", 5, {"red": 2, "blue": 3}), texts("size", 5, {"S": 1, "M": 1}))
    second = summary(texts("sale", 4, {True: 1, False: 1}), texts("colour", 5, {"red": 4, "green": 3}))
    facets = merged_facets([first, second])
    assert [facet.attribute for facet in facets] == ["colour", "size", "sale"]
    assert [(value.value, value.count) for value in facets[0].values] == [("red", 6), ("blue", 3), ("green", 3)]


def test_true_is_not_one() -> None:
    (facet,) = merged_facets([summary(texts("new", 5, {True: 2}), products=5), summary(texts("new", 5, {1: 3}))])
    assert [(value.value, type(value.value), value.count) for value in facet.values] == [(1, int, 3), (True, bool, 2)]


@pytest.mark.parametrize(("products", "is_facet"), [(10, True), (9, False), (11, True)])
def test_an_attribute_of_few_products_is_no_facet(products: int, is_facet: bool) -> None:
    parts = [
        summary(texts("a", products - 5, {"x": 1, "y": 1}), products=150),
        summary(texts("a", 5, {"x": 1}), products=50),  # a twentieth of 200
    ]
    assert bool(merged_facets(parts)) is is_facet


@pytest.mark.parametrize(("distinct", "is_facet"), [(1, False), (2, True), (60, True), (61, False)])
def test_a_facet_has_a_choice_of_values_but_not_too_many(distinct: int, is_facet: bool) -> None:
    values = [f"v{number}" for number in range(distinct)]
    parts = [summary(texts("a", 10, {values[0]: 1}, values[: distinct - 1])), summary(texts("a", 10, {}, values[-1:]))]
    assert bool(merged_facets(parts)) is is_facet


def test_a_facet_shows_the_most_frequent_thirty_values() -> None:
    (facet,) = merged_facets([summary(texts("a", 40, {f"v{number:02}": number + 1 for number in range(40)}))])
    assert [value.value for value in facet.values] == [f"v{number:02}" for number in range(39, 9, -1)]


def test_a_facet_without_a_matching_product_is_none() -> None:
    assert merged_facets([summary(texts("a", 10, {}, ["x", "y"]))]) == []


def test_a_range_goes_from_the_smallest_to_the_largest_number_of_all_parts() -> None:
    parts = [
        summary(numbers("price", 5, 4, 9)),
        summary(numbers("price", 5, 2, 5)),
        summary(numbers("price", 1, *[None] * 2)),
    ]
    assert merged_facets(parts) == [Facet(attribute="price", range=FacetRange(min=2, max=9))]
    assert merged_facets([summary(numbers("price", 5, 4, 4)), summary(numbers("price", 5, 4, 4))]) == []


def test_an_attribute_with_too_many_values_in_one_part_is_no_facet() -> None:
    values = {"x": 1, "y": 1}
    parts = [summary(texts("a", 5, values), texts("b", 5, values)), summary(texts("b", 5, values), uncounted=["a"])]
    assert [facet.attribute for facet in merged_facets(parts)] == ["b"]
