"""The gateway's metrics: searches by outcome, calls of the services, and the last import."""

from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from services.contracts.domain.errors import CatalogueUnavailable, EmbeddingUnavailable, IndexNotReady
from services.gateway.imports.import_metrics import ImportMetrics
from services.gateway.ranking.reranker import Order, Stage
from tests.support.fakes.gateway_fakes import FakeNotes, GatewayCatalogue, running_gateway
from tests.support.fakes.ranking import FixedReranker
from tests.support.values.keys import make_key

PHOTO = {"headers": {"Content-Type": "image/jpeg"}, "content": b"\xff\xd8\xff photo"}
ORDERS: tuple[Order, ...] = ("plain", "learned", "personal")
STARTED = "2026-11-01T10:00:00+00:00"
RECORD: dict[str, Any] = {
    "id": "20261101",
    "state": "done",
    "source": "feed.csv",
    "started_at": STARTED,
    "updated_at": "2026-11-01T10:05:00+00:00",
    "finished_at": "2026-11-01T10:05:00+00:00",
    "progress": [50, 200],
    "read": 10,
    "rejected": 3,
}


def test_searches_are_counted_by_outcome_and_category_with_the_time_of_their_stages() -> None:
    with running_gateway() as gateway:
        searched = gateway.client.post("/v1/search", **PHOTO).json()
        gateway.client.get("/v1/products/t1/similar")
        text = gateway.client.get("/metrics").text
    category = searched["category"]["name"]
    labels = f'category="{category}",kind="photo",outcome="{searched["outcome"]}"'
    assert f"lookalike_searches_total{{{labels}}} 1.0" in text
    assert 'category="Topwear",kind="product",outcome="ok"} 1.0' in text
    for stage in ("decode", "network", "index", "total"):
        assert f'lookalike_search_stage_duration_seconds_count{{kind="photo",stage="{stage}"}} 1.0' in text
    assert 'lookalike_places_taken{work="photo"} 0.0' in text
    assert 'lookalike_index_node_up{node="fake"} 1.0' in text


def test_a_search_that_fails_is_counted_by_its_problem_only() -> None:
    with running_gateway() as gateway:
        gateway.embedding.trouble = EmbeddingUnavailable("the network is not there")
        assert gateway.client.post("/v1/search", **PHOTO).status_code == 503
        text = gateway.client.get("/metrics").text
    assert 'lookalike_problems_total{problem="embedding-unavailable"} 1.0' in text
    assert "lookalike_searches_total{" not in text


def test_a_full_kind_of_work_names_the_limit() -> None:
    with running_gateway(max_concurrent_searches=1) as gateway:
        state = gateway.client.app_state["gateway"]["default"]
        with state.places.take("photo", "somebody"):
            assert gateway.client.post("/v1/search", **PHOTO).status_code == 429
            text = gateway.client.get("/metrics").text
    assert 'lookalike_requests_refused_total{limit="places"} 1.0' in text
    assert 'lookalike_places_taken{work="photo"} 1.0' in text


def readings(registry: CollectorRegistry, name: str, **labels: str) -> float | None:
    return registry.get_sample_value(f"lookalike_{name}", labels)


async def test_the_last_import_of_any_process_is_shown() -> None:
    registry, catalogue = CollectorRegistry(), GatewayCatalogue()
    metrics = ImportMetrics(registry)
    catalogue.notes.imports = {"1": RECORD}
    await metrics.read({"default": catalogue})  # type: ignore[dict-item]
    assert readings(registry, "database_up") == 1
    assert readings(registry, "import_state", catalogue="default", state="done") == 1
    assert readings(registry, "import_state", catalogue="default", state="failed") == 0
    assert readings(registry, "import_rows", catalogue="default", result="rejected") == 3
    assert readings(registry, "import_progress_ratio", catalogue="default") == 1
    catalogue.notes.notes["last-backup"] = {"begun_at": STARTED}
    ended = readings(registry, "import_success_timestamp_seconds", catalogue="default")
    catalogue.notes.imports["2"] = {**RECORD, "state": "failed", "finished_at": "2026-11-02T10:00:00+00:00"}
    await metrics.read({"default": catalogue})  # type: ignore[dict-item]
    assert readings(registry, "import_state", catalogue="default", state="failed") == 1
    assert readings(registry, "import_progress_ratio", catalogue="default") == 0.25
    assert readings(registry, "import_success_timestamp_seconds", catalogue="default") == ended
    begun = readings(registry, "backup_timestamp_seconds", database="lookalike")
    assert begun == readings(registry, "import_started_timestamp_seconds", catalogue="default")


@pytest.mark.parametrize("notes", [FakeNotes(trouble=CatalogueUnavailable("away")), FakeNotes()])
async def test_the_metrics_say_whether_the_database_answers(notes: FakeNotes) -> None:
    registry, catalogue = CollectorRegistry(), GatewayCatalogue()
    catalogue.notes = notes
    await ImportMetrics(registry).read({"default": catalogue})  # type: ignore[dict-item]
    assert readings(registry, "database_up") == (notes.trouble is None)


@pytest.mark.parametrize(
    ("orders", "counted"),
    [([], "plain"), (["plain"], "plain"), (["learned"], "learned"), (["learned", "personal"], "personal")],
)
def test_searches_are_counted_by_the_order_of_their_results(orders: list[Order], counted: str) -> None:
    rerankers = [FixedReranker(Stage(arrange=list, order=order)) for order in orders]
    with running_gateway(rerankers=rerankers) as gateway:
        assert gateway.client.get("/v1/products/t1/similar").status_code == 200
        assert gateway.client.post("/v1/search", **PHOTO).status_code == 200
        registry = gateway.client.app.state.metrics.registry  # type: ignore[attr-defined]
    assert [readings(registry, "ordered_searches_total", order=order) or 0 for order in ORDERS] == [
        2.0 if order == counted else 0 for order in ORDERS
    ]


def test_the_gauges_show_the_work_the_nodes_and_the_caches() -> None:
    with running_gateway(max_concurrent_searches=5, max_concurrent_similar=6, max_concurrent_writes=7) as gateway:
        registry = gateway.client.app.state.metrics.registry  # type: ignore[attr-defined]
        state = gateway.client.app_state["gateway"]["default"]
        assert [readings(registry, "places", work=work) for work in ("photo", "similar", "write")] == [5, 6, 7]
        with state.places.take("similar", "a"), state.places.take("similar", "b"):
            taken = [readings(registry, "places_taken", work=work) for work in ("photo", "similar", "write")]
        assert taken == [0, 2, 0]
        assert readings(registry, "index_node_up", node="fake") == 1
        state.index.nodes[0].trouble = IndexNotReady("no")
        assert readings(registry, "index_node_up", node="fake") == 0
        assert readings(registry, "cache_entries", cache="pictures") == readings(
            registry, "cache_bytes", cache="pictures"
        )
        assert readings(registry, "cache_bytes", cache="pictures") == 0
        gateway.client.put("/v1/products/a", json={"image_base64": "AQID"})
        small = gateway.client.get("/v1/products/a/image?w=120").content
        assert readings(registry, "cache_entries", cache="pictures") == 1
        assert readings(registry, "cache_bytes", cache="pictures") == len(small)
        assert readings(registry, "cache_entries", cache="keys") == 0
        assert readings(registry, "body_bytes_in_flight") == 0


def test_the_known_keys_are_counted() -> None:
    with running_gateway([make_key("search")[0]], access="keys") as gateway:
        registry = gateway.client.app.state.metrics.registry  # type: ignore[attr-defined]
        assert readings(registry, "cache_entries", cache="keys") == 1
