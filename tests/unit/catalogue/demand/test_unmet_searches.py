"""Which searches count, which of them are unmet, and what is said of a cluster of them: bounds and orders."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
import pytest

from services.catalogue.demand import examination, grouping
from services.catalogue.demand.examination import examine
from services.catalogue.demand.grouping import MAX_GROUPS, grouped
from services.catalogue.demand.report import DemandReport, csv_of
from services.catalogue.demand.traits import most_common, trait_of
from services.catalogue.demand.unmet import Activity, without_repeats
from services.catalogue.documents.product_document import BrokenDocument, Record
from services.catalogue.events.logged_query import LoggedQuery
from services.catalogue.product import Float32Array, ImageVector, Product, ProductEmbedding
from services.contracts.domain.similarity import CLOSE
from tests.support.values.events import FakeEventLog, make_event, make_query

NOON = datetime(2026, 11, 30, 12, tzinfo=UTC)
MODEL = "fashion/3"


def axis(number: int) -> Float32Array:
    return np.asarray(np.eye(64, dtype=np.float32)[number], np.float32)


def product(key: str, kind: str, model: str = MODEL) -> Product:
    own: dict[str | None, ProductEmbedding] = {model: ProductEmbedding((ImageVector(None, axis(1)),))}
    return Product(key, 0, own, model, title=f"Product {key}", attributes={"type": kind})


class Products:
    """Products by key, read in portions; `broken` is no product."""

    def __init__(self, *products: Product) -> None:
        self.rows = {product.key: product for product in products}
        self.reads: list[list[str]] = []

    async def read(self, document_ids: Sequence[str]) -> list[Record | BrokenDocument]:
        self.reads.append([*document_ids])
        broken = [BrokenDocument("broken", "the id is missing")] if "broken" in document_ids else []
        return [*(Record(key, self.rows[key]) for key in document_ids if key in self.rows), *broken]


async def report(queries: Sequence[LoggedQuery], products: Products | None = None, **options: Any) -> DemandReport:
    log = FakeEventLog(searches=[*queries])
    return await examine(log, products or Products(), NOON - timedelta(days=7), NOON + timedelta(days=1), **options)


def unmet(name: str, *hits: str, **attributes: Any) -> LoggedQuery:
    return make_query(name, NOON, hits=hits, outcome="no_close_match", **attributes)


async def test_the_type_is_that_of_most_of_the_three_nearest_products() -> None:
    products = Products(*(product(key, kind) for key, kind in (("a", "A"), ("b", "B"), ("c", "B"), ("d", "A"))))
    (cluster,) = (await report([unmet("q", "a", "b", "c", "d", "e")], products)).clusters
    assert (cluster.type, cluster.colour) == ("B", None)
    assert products.reads == [["a", "b", "c"]]


async def test_the_products_of_most_searches_are_read_in_portions(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(examination, "MAX_PRODUCTS", 3)
    monkeypatch.setattr(examination, "READ_AT_ONCE", 2)
    products = Products(product("a", "A"))
    queries = [unmet("q1", "broken", "a"), unmet("q2", "a", "b"), unmet("q3", "b", product="a"), unmet("q4", "c", "d")]
    await report([*queries, unmet("q5", "broken")], products)
    assert products.reads == [["a", "broken"], ["b"]]


async def test_of_very_many_products_five_thousand_are_read() -> None:
    products = Products()
    await report([unmet(f"q{number}", *(f"p{number}-{hit}" for hit in range(3))) for number in range(1667)], products)
    assert sum(map(len, products.reads)) == 5000


async def test_clusters_come_by_size_category_and_type() -> None:
    products = Products(product("a", "A"), product("b", "B"))
    queries = [
        unmet("q1", "b", category="Shoes"),
        unmet("q2", "a", category="Shoes"),
        unmet("q3", "a", category="Bags"),
        unmet("q4", "none", category="Shoes"),
        *(unmet(f"t{number}", "a") for number in range(2)),
    ]
    actual = await report(queries, products, limit=5)
    assert [(cluster.category, cluster.type, cluster.searches) for cluster in actual.clusters] == [
        ("Topwear", "A", 2),
        ("Bags", "A", 1),
        ("Shoes", None, 1),
        ("Shoes", "A", 1),
        ("Shoes", "B", 1),
    ]
    assert actual.clusters_left_out == 0
    assert (await report(queries, products, limit=4)).clusters_left_out == 1


@pytest.mark.parametrize(
    ("similarities", "similarity", "gap"),
    [
        ([0.1, 0.25], 0.175, round(CLOSE - 0.175, 3)),
        ([0.1, 0.2, 0.9], 0.2, round(CLOSE - 0.2, 3)),
        ([0.123456], 0.123, round(CLOSE - 0.123, 3)),
        ([CLOSE], CLOSE, 0.0),
        ([CLOSE + 0.2], CLOSE + 0.2, 0.0),
        ([None, 0.25], 0.25, round(CLOSE - 0.25, 3)),
        ([None], None, None),
    ],
)
async def test_the_gap_is_what_the_median_lacks_for_a_close_match(
    similarities: list[float | None], similarity: float | None, gap: float | None
) -> None:
    queries = [unmet(f"q{number}", "a", nearest_similarity=value) for number, value in enumerate(similarities)]
    (cluster,) = (await report(queries)).clusters
    assert cluster.similarity == pytest.approx(similarity)
    assert cluster.gap == pytest.approx(gap)


async def test_the_products_that_stood_first_most_often_are_named() -> None:
    firsts = ["a"] * 2 + ["b"] * 5 + ["c"] * 4 + ["d"] * 3
    queries = [unmet(f"q{number}", key, "z", vector=axis(1) * 2) for number, key in enumerate(firsts)]
    products = Products(product("b", "B"), product("c", "C", "fashion/2"))
    (cluster,) = (await report(queries, products)).clusters
    assert [(near.id, near.title, near.searches, near.score) for near in cluster.nearest] == [
        ("b", "Product b", 5, 1.0),
        ("c", "Product c", 4, None),
        ("d", None, 3, None),
    ]


async def test_searches_by_vectors_of_different_categories_or_models_are_never_together() -> None:
    same: dict[str, Any] = {"vector": axis(1)}
    queries = [unmet("q1", **same), unmet("q2", **same), unmet("q3", category="Bags", **same)]
    actual = await report([*queries, unmet("q4", model="fashion/2", **same)])
    assert [(cluster.category, cluster.searches) for cluster in actual.clusters] == [
        *(("Topwear", 2), ("Bags", 1), ("Topwear", 1)),
    ]


async def test_every_outcome_of_a_day_is_counted() -> None:
    outcomes = ["ok"] * 4 + ["no_close_match"] * 3 + ["other_clothing"] * 2 + ["no_clothing"]
    queries = [make_query(f"q{number}", NOON, outcome=outcome) for number, outcome in enumerate(outcomes)]
    actual = await report(queries)
    (day,) = actual.days
    assert (day.searches, day.ok, day.no_close_match, day.other_clothing, day.no_clothing) == (10, 4, 3, 2, 1)
    assert (actual.searches, actual.unmet, day.without_click) == (10, 3, 0)
    assert csv_of(actual, "day").splitlines() == [
        "day,category,searches,ok,no_close_match,other_clothing,no_clothing,without_click",
        "2026-11-30,Topwear,10,4,3,2,1,0",
    ]
    assert actual.clusters[0].days == ((date(2026, 11, 30), 3),)


@pytest.mark.parametrize(("most", "is_cut"), [(2, True), (3, False)])
async def test_a_log_with_just_as_many_searches_is_examined_whole(
    most: int, is_cut: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(examination, "MAX_SEARCHES", most)
    actual = await report([unmet(f"q{number}", "a") for number in range(3)])
    assert (actual.is_cut, actual.searches) == (is_cut, most)


def activity(*events: tuple[str, str]) -> Activity:
    made = Activity()
    made.add((make_event(action, "e", NOON).action_name, query) for action, query in events)
    return made


@pytest.mark.parametrize("action", ["click", "add_to_cart", "purchase", "like"])
def test_a_product_that_interests_the_shopper_meets_the_search(action: str) -> None:
    known = activity((action, "q1"))
    assert known.knows_clicks
    assert [known.reason(make_query(name, NOON)) for name in ("q1", "q2")] == [None, "without_click"]


@pytest.mark.parametrize("action", ["search", "hide"])
def test_other_actions_say_nothing_of_clicks(action: str) -> None:
    assert not activity((action, "q1")).knows_clicks


@pytest.mark.parametrize(
    ("outcome", "reason"),
    [("no_close_match", "no_close_match"), ("other_clothing", None), ("no_clothing", None), ("ok", "without_click")],
)
def test_only_searches_that_should_have_a_click_can_lack_one(outcome: str, reason: str | None) -> None:
    assert activity(("impression", "q")).reason(make_query("q", NOON, outcome=outcome)) == reason


FIRST = make_query("first", NOON, hits=("a", "b"), visitor="v", nearest_score=0.5)
SECOND = timedelta(seconds=1)


def later(after: timedelta, **changes: Any) -> LoggedQuery:
    attributes = {
        name: changes.pop(name) for name in ("nearest_score", "category", "model", "filter") if name in changes
    }
    query = replace(FIRST, query_id="later", timestamp=NOON + after, **changes)
    return replace(query, query_attributes=replace(query.query_attributes, **attributes))


@pytest.mark.parametrize(
    ("query", "is_repeat"),
    [
        (later(SECOND), True),
        (later(timedelta(minutes=10)), True),
        (later(timedelta(minutes=10) + SECOND), False),
        (later(SECOND, query_response_hit_ids=("a", "c")), True),
        (later(SECOND, query_response_hit_ids=("c", "b")), False),
        (later(SECOND, nearest_score=0.4), False),
        (later(SECOND, category="Bags"), False),
        (later(SECOND, model="fashion/2"), False),
        (later(SECOND, filter='{"a":1}'), False),
        (later(SECOND, client_id=None), False),
    ],
)
def test_a_photo_that_is_sent_again_soon_is_one_search(query: LoggedQuery, is_repeat: bool) -> None:
    known = activity(("impression", "first"), ("click", "first"))
    kept = without_repeats([query, FIRST], known)
    assert [each.query_id for each in kept] == (["later"] if is_repeat else ["later", "first"])
    assert ("later" in known.seen, "later" in known.interested) == (is_repeat, is_repeat)


@pytest.mark.parametrize("attributes", [{"product": "a"}, {"nearest_score": None}])
def test_each_search_by_product_or_without_results_counts(attributes: dict[str, Any]) -> None:
    query = replace(FIRST, query_attributes=replace(FIRST.query_attributes, **attributes))
    assert len(without_repeats([query, query], Activity())) == 2


def test_a_trait_is_the_first_text_under_one_of_its_names() -> None:
    assert trait_of({"Article_Type": ["Dress", "Shirt"], "type": "Shirt"}, "type") == "Dress"
    assert trait_of({"type": "", "Garment Type": "Dress"}, "type") == "Dress"
    assert trait_of({"type": [], "colour": 5, "Base-Colour": "Red"}, "colour") == "Red"
    assert trait_of({"type": []}, "type") is trait_of({}, "colour") is None
    assert most_common(["b", None, "a", "b", "a", None, None]) == "a"
    assert most_common([None]) is None


@pytest.mark.parametrize(("mark", "quoted"), [(mark, True) for mark in "=+-@\t\r"] + [("a", False), ("'", False)])
async def test_a_cell_is_no_formula(mark: str, quoted: bool) -> None:
    (cluster,) = (await report([unmet("q", "a", category=f"{mark}x")])).clusters
    assert cluster.category == f"{mark}x"
    text = csv_of(await report([unmet("q", "a", category=f"{mark}x")]), "cluster").split("\r\n", 1)[1]
    assert text.lstrip('"').startswith(f"'{mark}" if quoted else mark)


def _pair(degrees: float) -> Float32Array:
    """Return two vectors at an angle."""
    angle = np.radians(degrees)
    return np.asarray([axis(0), np.cos(angle) * axis(0) + np.sin(angle) * axis(1)], np.float32)


def test_groups_are_made_until_they_are_compact() -> None:
    groups = [grouped(_pair(degrees)).tolist() for degrees in (73, 75)]  # half of it has a cosine of about 0.8
    assert [len(set(labels)) for labels in groups] == [1, 2]
    assert grouped(np.zeros((0, 64), np.float32)).shape == (0,)
    every = np.eye(64, dtype=np.float32)
    assert len(set(grouped(every).tolist())) == MAX_GROUPS
    assert sorted(grouped(every[:5]).tolist()) == [0, 1, 2, 3, 4]


def test_more_centres_than_directions_are_the_same_ones() -> None:
    same = np.repeat(axis(3)[None], 4, axis=0)
    np.testing.assert_array_equal(grouping._first_centres(same, 3), same[:3])
