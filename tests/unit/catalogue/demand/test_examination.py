"""The demand report of small logs whose searches are known."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
import pytest

from services.catalogue.demand import examination
from services.catalogue.demand.examination import examine
from services.catalogue.demand.report import DemandReport, csv_of
from services.catalogue.documents.product_document import BrokenDocument, Record
from services.catalogue.events.event import Event
from services.catalogue.events.logged_query import LoggedQuery
from services.catalogue.product import Float32Array, ImageVector, Product, ProductEmbedding
from tests.support.values.events import FakeEventLog, make_event, make_query

NOON = datetime(2026, 11, 30, 12, tzinfo=UTC)
SINCE, UNTIL = NOON - timedelta(days=7), NOON + timedelta(hours=1)
MODEL = "fashion/3"


def axis(number: int) -> Float32Array:
    return np.asarray(np.eye(64, dtype=np.float32)[number], np.float32)


def product(key: str, number: int = 0, **attributes: Any) -> Product:
    embedding = ProductEmbedding((ImageVector(None, axis(number)),))
    return Product(key, 0, {MODEL: embedding}, MODEL, title=f"Product {key}", attributes=attributes)


class Products:
    """Products by key."""

    def __init__(self, *products: Product) -> None:
        self.rows = {product.key: product for product in products}

    async def read(self, document_ids: Sequence[str]) -> list[Record | BrokenDocument]:
        return [Record(key, self.rows[key]) for key in document_ids if key in self.rows]


RED_DRESS = product("red", 1, articleType="Dress", baseColour="Red")
BLUE_SHIRT = product("blue", 2, articleType="Shirt", baseColour="Blue")


async def report(
    queries: Sequence[LoggedQuery],
    events: Sequence[Event] = (),
    products: Sequence[Product] = (RED_DRESS, BLUE_SHIRT),
    **options: Any,
) -> DemandReport:
    log = FakeEventLog(kept=list(events), searches=list(queries))
    return await examine(log, Products(*products), SINCE, UNTIL, **options)


def no_match(name: str, hit: str, *, day: int = 0, **attributes: Any) -> LoggedQuery:
    moment = NOON - timedelta(days=day)
    return make_query(name, moment, hits=(hit,), outcome="no_close_match", **attributes)


async def test_searches_without_a_close_match_are_clustered_by_the_attributes_of_their_nearest_products() -> None:
    document = await report(
        [
            no_match("q1", "red", visitor="v1", nearest_similarity=0.2),
            no_match("q2", "red", day=1, visitor="v1", nearest_similarity=0.4),
            no_match("q3", "red", day=1, visitor="v2"),
            no_match("q4", "blue"),
            make_query("q5", NOON, hits=("blue",)),
        ]
    )
    assert (document.searches, document.unmet, document.grouped_by) == (5, 4, "attributes")
    red, blue = document.clusters
    assert (red.type, red.colour, red.searches, red.visitors) == ("Dress", "Red", 3, 2)
    assert (red.similarity, red.gap) == (0.3, 0.2)
    assert red.days == ((date(2026, 11, 29), 2), (date(2026, 11, 30), 1))
    assert [(near.id, near.title, near.searches) for near in red.nearest] == [("red", "Product red", 3)]
    assert (blue.type, blue.searches, blue.similarity, blue.gap) == ("Shirt", 1, None, None)


async def test_with_vectors_searches_are_clustered_by_them_and_know_how_near_a_product_is() -> None:
    tilted = np.asarray(axis(5) * 0.8 + axis(1) * 0.6, np.float32)
    queries = [no_match(f"a{n}", "red", vector=tilted) for n in range(5)]
    queries += [no_match(f"b{n}", "red", vector=axis(9)) for n in range(3)]
    document = await report(queries)
    assert document.grouped_by == "vectors"
    assert [cluster.searches for cluster in document.clusters] == [5, 3]  # though the nearest product is the same
    assert [cluster.nearest[0].score for cluster in document.clusters] == [0.6, 0.0]


async def test_a_search_by_product_has_the_vector_and_the_attributes_of_its_product() -> None:
    queries = [no_match(name, "blue", kind="product", product="red") for name in ("q1", "q2")]
    (cluster,) = (await report(queries)).clusters
    assert (cluster.type, cluster.colour, cluster.searches) == ("Dress", "Red", 2)
    assert [(near.id, near.score) for near in cluster.nearest] == [("blue", 0.0)]


async def test_a_seen_search_without_a_click_is_unmet_and_one_that_was_not_seen_is_not() -> None:
    queries = [make_query(name, NOON, hits=("red",)) for name in ("clicked", "seen", "unseen")]
    events = [
        make_event("impression", "1", NOON, query="clicked"),
        make_event("click", "2", NOON, query="clicked"),
        make_event("impression", "3", NOON, query="seen"),
        make_event("hide", "4", NOON, query="seen"),
    ]
    document = await report(queries, events)
    (cluster,) = document.clusters
    assert (document.knows_clicks, document.unmet) == (True, 1)
    assert (cluster.no_close_match, cluster.without_click) == (0, 1)
    assert document.days[0].without_click == 1


async def test_without_impressions_every_search_without_a_click_is_unmet() -> None:
    queries = [make_query(name, NOON, hits=("red",)) for name in ("clicked", "other")]
    assert (await report(queries, [make_event("purchase", "1", NOON, query="clicked")])).unmet == 1


async def test_without_events_no_search_is_without_a_click() -> None:
    document = await report([make_query("q1", NOON)])
    assert (document.knows_clicks, document.unmet, document.clusters) == (False, 0, ())


async def test_searches_are_counted_by_day_category_and_outcome() -> None:
    document = await report(
        [
            no_match("q1", "red", day=1, category="Topwear"),
            make_query("q2", NOON, category="Topwear"),
            make_query("q3", NOON, category="Shoes", outcome="other_clothing"),
            make_query("q4", NOON, category="Topwear", offset=10),  # a later page of q2
            make_query("q5", SINCE - timedelta(days=1)),
        ]
    )
    counts = [(day.day.day, day.category, day.searches, day.ok, day.other_clothing) for day in document.days]
    assert counts == [(30, "Shoes", 1, 0, 1), (30, "Topwear", 1, 1, 0), (29, "Topwear", 1, 0, 0)]
    assert [day.no_close_match for day in document.days] == [0, 0, 1]


async def test_one_category_can_be_examined_and_small_clusters_are_counted() -> None:
    queries = [no_match(f"q{n}", "red", category="Topwear") for n in range(3)]
    queries += [no_match("b", "blue", category="Topwear"), no_match("s", "blue", category="Shoes")]
    document = await report(queries, category="Topwear", limit=1)
    assert (document.searches, [cluster.searches for cluster in document.clusters]) == (4, [3])
    assert document.clusters_left_out == 1


async def test_searches_whose_products_are_gone_or_that_found_none_are_clusters_too() -> None:
    nothing = make_query("q2", NOON, hits=(), outcome="no_close_match")
    document = await report([no_match("q1", "gone"), nothing])
    (cluster,) = document.clusters
    assert (cluster.type, cluster.searches) == (None, 2)
    assert [(near.id, near.title) for near in cluster.nearest] == [("gone", None)]


async def test_of_a_large_log_the_latest_searches_are_examined(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(examination, "MAX_SEARCHES", 2)
    queries = [no_match(f"q{n}", "red", day=n) for n in (3, 2, 1)]
    document = await report(queries)
    assert (document.searches, document.is_cut) == (2, True)
    assert [day.day.day for day in document.days] == [29, 28]


async def test_clusters_and_days_are_tables_that_a_spreadsheet_reads_as_text() -> None:
    evil = product("=cmd()", articleType="=SUM(A1)", baseColour="Red, dark")
    document = await report([no_match("q1", "=cmd()", nearest_similarity=0.25)], products=[evil])
    clusters, days = csv_of(document, "cluster"), csv_of(document, "day")
    assert clusters.splitlines()[0] == (
        "category,type,colour,searches,visitors,no_close_match,without_click,similarity,gap,nearest,first_day,last_day"
    )
    row = "Topwear,'=SUM(A1),\"Red, dark\",1,0,1,0,0.25,0.25,'=cmd(),2026-11-30,2026-11-30"
    assert clusters.splitlines()[1:] == [row]
    assert days.splitlines()[1:] == ["2026-11-30,Topwear,1,0,1,0,0,0"]


async def test_a_row_of_a_cluster_has_its_first_and_its_last_day() -> None:
    document = await report([no_match(f"q{n}", "red", day=n) for n in (1, 2, 3)])
    (row,) = csv_of(document, "cluster").splitlines()[1:]
    assert row.endswith(",2026-11-27,2026-11-29")


async def test_a_photo_that_is_sent_again_is_one_search_whose_clicks_count() -> None:
    def shown(name: str, minutes: int, **values: Any) -> LoggedQuery:
        known = {"visitor": "v1", "nearest_score": 0.5, "hits": ("red",)}
        return make_query(name, NOON - timedelta(minutes=minutes), **{**known, **values})

    queries = [shown("more", 8), shown("first", 16), shown("still", 0)]  # each within ten minutes of the next
    queries += [
        shown("another hour", 60),
        shown("another visitor", 1, visitor="v2"),
        shown("photo", 1, nearest_score=0.4),
    ]
    document = await report(queries, [make_event("click", "1", NOON, query="first")])
    assert (document.searches, document.unmet) == (4, 3)
