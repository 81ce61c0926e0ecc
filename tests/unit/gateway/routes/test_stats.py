"""The routes that say what the installation holds, around fakes."""

from collections.abc import Iterator
from types import SimpleNamespace

import pytest

from services.catalogue.store.notes import LAST_EXAMINATION, LAST_IMPORT
from services.contracts.domain.errors import CatalogueUnavailable, IndexNotReady
from services.gateway.routes import catalogue
from tests.support.fakes.gateway_fakes import Gateway, running_gateway


@pytest.fixture
def gateway() -> Iterator[Gateway]:
    with running_gateway(catalogues="shoes") as gateway:
        gateway.index.others["shoes"] = 4
        yield gateway


def test_categories_are_counted(gateway: Gateway) -> None:
    del gateway.index.held[2]
    document = gateway.client.get("/v1/categories").json()
    assert document["model"] == "fashion/1"
    assert document["categories"] == [
        {"id": 0, "name": "Topwear", "products": 2, "close_score": 0.9, "searchable": True},
        {"id": 1, "name": "Shoes", "products": 1, "close_score": 0.9, "searchable": True},
        {"id": 2, "name": "Bags", "products": 0, "close_score": 0.9, "searchable": False},
    ]


def test_stats_are_those_of_the_catalogue_in_the_address(gateway: Gateway) -> None:
    stats = gateway.client.get("/v1/stats").json()
    assert (stats["model"], stats["promoted"], stats["products"]) == ("fashion/1", None, 4)
    assert [(model["model"], model["role"], model["products"]) for model in stats["models"]] == [
        ("fashion/1", "active", 4)
    ]
    assert (stats["sync"]["state"], stats["sync"]["lag_seconds"]) == ("following", 0.1)
    assert stats["index_nodes"] == [
        {
            "categories": ["Topwear", "Shoes", "Bags"],
            "part": "1/1",
            "engine": "faiss",
            "products": 4,
            "ready": True,
            "obstacle": None,
            "lag_seconds": 0.1,
        }
    ]
    shoes = gateway.client.get("/catalogues/shoes/v1/stats").json()
    assert (shoes["products"], shoes["index_nodes"][0]["products"], shoes["sync"]["lag_seconds"]) == (12, 12, 7.0)
    both = gateway.client.get("/catalogues/all/v1/stats").json()
    assert (both["products"], both["models"][0]["products"], both["index_nodes"][0]["lag_seconds"]) == (16, 16, 7.0)


def test_the_uptime_counts_from_the_start_of_the_gateway(gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    started = gateway.client.app_state["gateway"]["default"].started  # type: ignore[index]
    monkeypatch.setattr(catalogue, "time", SimpleNamespace(monotonic=lambda: started + 12.34))
    assert gateway.client.get("/v1/stats").json()["uptime_seconds"] == 12.3


def test_a_node_that_is_unavailable_keeps_its_counts_and_has_no_lag(gateway: Gateway) -> None:
    other = gateway.client.app_state["gateway"]["default"].index  # type: ignore[index]
    node = other.nodes[0]
    node.trouble = IndexNotReady("the index service cannot be reached")
    summary = gateway.client.get("/v1/stats").json()["index_nodes"][0]
    assert (summary["ready"], summary["obstacle"]) == (True, None)  # it is asked again, and answers
    gateway.index.trouble = IndexNotReady("the index service cannot be reached")
    assert gateway.problem("GET", "/v1/stats")[:2] == (503, "index-not-ready")


def test_each_catalogue_has_its_count_and_its_path(gateway: Gateway) -> None:
    assert gateway.client.get("/v1/catalogues").json()["catalogues"] == [
        {"name": "default", "products": 4, "path": ""},
        {"name": "shoes", "products": 12, "path": "/catalogues/shoes"},
    ]
    del gateway.index.others["shoes"]
    status, slug, detail = gateway.problem("GET", "/v1/catalogues")
    assert (status, slug) == (503, "index-not-ready")
    assert "the index has no catalogue 'shoes'" in detail


def test_the_catalogue_page_has_the_last_reports_if_the_database_answers(gateway: Gateway) -> None:
    notes = gateway.catalogue.notes
    document = gateway.client.get("/v1/catalogue").json()
    assert (document["last_import"], document["last_examination"]) == (None, None)
    notes.notes = {LAST_IMPORT: {"imported": 3}, LAST_EXAMINATION: {"healthy": True}}
    document = gateway.client.get("/v1/catalogue").json()
    assert (document["last_import"], document["last_examination"]) == ({"imported": 3}, {"healthy": True})
    notes.trouble = CatalogueUnavailable("the database cannot be reached")
    document = gateway.client.get("/v1/catalogue").json()
    assert (document["products"], document["last_import"], document["last_examination"]) == (4, None, None)


def test_the_model_of_the_stats_is_that_of_the_next_search(gateway: Gateway) -> None:
    photo = {"content": b"\x01", "headers": {"Content-Type": "image/jpeg"}}
    assert gateway.client.post("/v1/search", **photo).json()["model"] == "fashion/1"  # type: ignore[arg-type]
    gateway.index.model = "fashion/2"
    assert gateway.client.get("/v1/stats").json()["model"] == "fashion/2"
    gateway.client.post("/v1/search", **photo)  # type: ignore[arg-type]
    assert [query.model for query in gateway.index.queries] == ["fashion/1", "fashion/2"]
