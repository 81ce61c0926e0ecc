"""The gateway's app: what its lifespan opens and closes, its readiness, and who may call it."""

import asyncio
from typing import Any

import pytest

from services.contracts.web.run import Service
from services.gateway import app as module
from services.gateway.__main__ import main
from services.gateway.app import create_app
from services.gateway.settings import GatewaySettings
from tests.support.fakes.gateway_fakes import KEY, running_gateway

NOWHERE = "http://127.0.0.1:9"
PARTS = ("EmbeddingClient", "MeasuredEmbeddingClient", "IndexClient", "CatalogueDatabase", "ImageFetcher", "ImportJobs")


@pytest.fixture
def journal(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The parts that the lifespan opens and closes, in order."""
    events: list[str] = []
    for name in PARTS:
        kind: Any = getattr(module, name)

        class Recorded(kind):  # type: ignore[misc]
            label = name

            def __init__(self, *given: Any, **named: Any) -> None:
                super().__init__(*given, **named)
                events.append(f"open {self.label}")

            async def close(self) -> None:
                events.append(f"close {self.label}")
                await super().close()

        monkeypatch.setattr(module, name, Recorded)
    return events


def names(journal: list[str], what: str) -> list[str]:
    return [event.removeprefix(what) for event in journal if event.startswith(what)]


async def test_everything_that_is_opened_is_closed_in_reverse_order(journal: list[str]) -> None:
    settings = GatewaySettings(
        index_urls=(NOWHERE, NOWHERE),
        embedding_url=NOWHERE,
        mongo_url="mongodb://127.0.0.1:9",  # type: ignore[arg-type]
        fetch_enabled=True,
        catalogues="shoes",  # type: ignore[arg-type]
    )
    app = create_app(settings)
    async with app.router.lifespan_context(app):
        opened = names(journal, "open ")
        assert names(journal, "close ") == []
        assert [task.get_name() for task in asyncio.all_tasks()].count("refresh the index nodes") == 1
    assert sorted(opened) == sorted(
        [
            "CatalogueDatabase",
            "MeasuredEmbeddingClient",  # of searches
            "EmbeddingClient",  # of imports
            *["ImageFetcher", "ImportJobs", "IndexClient"] * 2,  # of searches and imports; 2 of each
        ]
    )
    assert names(journal, "close ") == opened[::-1]
    assert "refresh the index nodes" not in [task.get_name() for task in asyncio.all_tasks()]


async def test_without_fetching_there_is_no_fetcher(journal: list[str]) -> None:
    app = create_app(GatewaySettings(index_urls=(NOWHERE,), embedding_url=NOWHERE))
    async with app.router.lifespan_context(app) as state:
        assert "open ImageFetcher" not in journal
        states: Any = state["gateway"]  # type: ignore[index]
        assert set(states) == {"all", "default"}
        assert states["default"].index.nodes[0].obstacle == "the index service cannot be reached"  # it has been asked
    assert names(journal, "close ") == names(journal, "open ")[::-1]


@pytest.mark.parametrize(
    "header", [None, "Bearer wrong", f"Basic {KEY}", KEY, "Bearer ", f"Bearer {KEY}x", f"Bearer {KEY[:-1]}"]
)
def test_writing_needs_the_admin_key(header: str | None) -> None:
    with running_gateway(admin_key=KEY) as gateway:
        headers = {} if header is None else {"Authorization": header}
        for method, path in [("PUT", "/v1/products/a"), ("DELETE", "/v1/products/a"), ("GET", "/v1/imports")]:
            response = gateway.client.request(method, path, headers=headers)
            assert (response.status_code, response.headers["www-authenticate"]) == (401, "Bearer")
        assert gateway.client.get("/v1/products:sample").status_code == 200


@pytest.mark.parametrize("header", [f"Bearer {KEY}", f"bearer  {KEY} "])
def test_the_admin_key_opens_the_routes_that_write(header: str) -> None:
    with running_gateway(admin_key=KEY) as gateway:
        assert gateway.client.get("/v1/imports", headers={"Authorization": header}).status_code == 200


def test_other_origins_may_call_if_the_settings_name_them() -> None:
    origin = {"Origin": "https://shop.example"}
    with running_gateway(cors_origins=("https://shop.example",)) as gateway:
        response = gateway.client.get("/v1/stats", headers=origin)
        assert response.headers["access-control-allow-origin"] == "https://shop.example"
        assert "X-Request-ID" in response.headers["access-control-expose-headers"]
    with running_gateway() as gateway:
        assert "access-control-allow-origin" not in gateway.client.get("/v1/stats", headers=origin).headers


def test_more_searches_than_the_settings_allow_are_refused() -> None:
    with running_gateway(max_concurrent_searches=1) as gateway:
        states: Any = gateway.client.app_state
        with states["gateway"]["default"].places.take("photo", "another client"):
            status, slug, _ = gateway.problem("POST", "/v1/search", content=b"\x00 a photo")
            assert (status, slug) == (429, "too-many-requests")
            assert gateway.client.get("/v1/products/t1/similar").status_code == 200
        assert gateway.client.post("/v1/search", content=b"\x00 a photo").status_code == 200


def test_the_process_runs_the_gateway_with_its_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    services: list[Service[GatewaySettings]] = []
    monkeypatch.setattr("services.gateway.__main__.run_service", services.append)
    main()
    (service,) = services
    settings = GatewaySettings(admin_port=9)
    assert (service.name, service.settings_type, service.create_app) == ("gateway", GatewaySettings, create_app)
    assert service.additional_addresses(settings) == settings.admin_addresses()
    assert service.connections(settings) == settings.connections()
