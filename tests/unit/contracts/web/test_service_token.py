"""The token of the services: what is open without it, and that all of them ask for it."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from services.contracts.clients.embedding_client import EmbeddingClient
from services.contracts.domain.errors import Unauthorised
from services.contracts.web.internal import internal
from services.embedding.app import create_app as create_embedding
from services.embedding.settings import EmbeddingSettings
from services.gateway.index_nodes.client import IndexClient
from services.gateway.settings import GatewaySettings
from services.index.settings import IndexSettings
from tests.support.web.service_transport import AnsweringTransport

TOKEN = "open sesame"


@pytest.fixture
def client() -> Iterator[TestClient]:
    app = FastAPI()
    for path in ("/v1/embed", "/livez", "/readyz", "/metrics"):
        app.add_api_route(path, lambda: {})
    for middleware in reversed(internal(GatewaySettings(service_token=TOKEN).service_token)):
        app.add_middleware(middleware.cls, *middleware.args, **middleware.kwargs)
    with TestClient(app) as client:
        yield client


@pytest.mark.parametrize("header", [None, "Bearer wrong", TOKEN, f"bearer {TOKEN}", "Bearer é"])
def test_without_the_token_only_health_and_metrics_are_open(client: TestClient, header: str | None) -> None:
    headers = {} if header is None else {b"Authorization": header.encode("latin-1")}
    response = client.get("/v1/embed", headers=headers)
    assert (response.status_code, response.json()["type"]) == (401, "/problems/unauthorised")
    assert client.get("/nothing", headers=headers).status_code == 401
    for path in ("/livez", "/readyz", "/metrics"):
        assert client.get(path, headers=headers).status_code == 200


def test_with_the_token_a_service_answers(client: TestClient) -> None:
    assert client.get("/v1/embed", headers={"Authorization": f"Bearer {TOKEN}"}).status_code == 200


@pytest.mark.parametrize("kind", [GatewaySettings, EmbeddingSettings, IndexSettings])
def test_one_setting_is_the_token_of_all_services(monkeypatch: pytest.MonkeyPatch, kind: Any) -> None:
    monkeypatch.setenv("SERVICE_TOKEN", TOKEN)
    assert kind().service_token.get_secret_value() == TOKEN
    assert TOKEN not in repr(kind())
    monkeypatch.setenv("SERVICE_TOKEN", "")
    assert kind().service_token is None


def test_the_embedding_service_asks_for_its_token() -> None:
    app = create_embedding(EmbeddingSettings(service_token=TOKEN, tfs_address="127.0.0.1:9"))  # type: ignore[arg-type]
    with TestClient(app) as client:
        assert client.get("/v1/models").status_code == 401
        assert client.get("/livez").status_code == 200


async def test_clients_send_the_token() -> None:
    sent: list[str | None] = []

    def answer(request: httpx.Request) -> httpx.Response:
        sent.append(request.headers.get("authorization"))
        return httpx.Response(401, json={"type": "/problems/unauthorised", "detail": "no"})

    transport = AnsweringTransport(answer)
    embedding = EmbeddingClient("http://embedding.test", 1, token=TOKEN, transport=transport)
    index = IndexClient("http://index.test", 1, token=TOKEN, transport=transport)
    with pytest.raises(Unauthorised):
        await embedding.models()
    with pytest.raises(Unauthorised):
        await index.status()
    assert sent == [f"Bearer {TOKEN}"] * 2
