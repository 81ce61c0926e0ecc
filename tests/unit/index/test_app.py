"""The index service as a whole, while its database is unavailable."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from pydantic import SecretStr

from services.index import app
from services.index.app import create_app
from services.index.engines import FaissEngine
from services.index.milvus.engine import MilvusEngine
from services.index.models.model_indexes import ModelIndexes
from services.index.settings import IndexSettings

NOWHERE = SecretStr("mongodb://127.0.0.1:1/?serverSelectionTimeoutMS=50&connectTimeoutMS=50")


def test_the_metrics_are_there_before_the_first_load() -> None:
    settings = IndexSettings(mongo_url=NOWHERE, mongo_timeout_s=0.05)
    with TestClient(create_app(settings)) as client:
        metrics = client.get("/metrics").text
        assert client.get("/livez").status_code == 200
        assert client.get("/readyz").status_code == 503
    assert "lookalike_index_ready 0.0" in metrics
    assert "lookalike_index_lag_seconds -1.0" in metrics
    assert 'lookalike_index_products{category="Topwear"} 0.0' in metrics


@pytest.mark.parametrize(
    ("processors", "catalogues", "threads"), [(1, 1, 5), (2, 2, 9), (28, 3, 38), (29, 1, 32), (64, 2, 35)]
)
def test_each_further_catalogue_brings_three_threads(
    monkeypatch: pytest.MonkeyPatch, processors: int, catalogues: int, threads: int
) -> None:
    monkeypatch.setattr(app, "available_processors", lambda: processors)
    names = ("default", "shoes", "hats")[:catalogues]
    assert app._threads(IndexSettings(catalogues=names)) == threads


async def test_closing_the_service_ends_all_that_follows_the_database() -> None:
    settings = IndexSettings(mongo_url=NOWHERE, mongo_timeout_s=0.05, catalogues=("default", "shoes"))
    service = create_app(settings)
    before = {task.get_name() for task in asyncio.all_tasks()}
    async with service.router.lifespan_context(service):
        await asyncio.sleep(0)
        names = {task.get_name() for task in asyncio.all_tasks()} - before
        assert "follow the note of the models" in names
        assert len([name for name in names if "follow the database" in name]) == 2
    assert not {task.get_name() for task in asyncio.all_tasks()} & names


async def test_a_model_that_is_dropped_is_forgotten_in_each_catalogue(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    made: list[ModelIndexes] = []

    class Recorded(ModelIndexes):
        def __init__(self, *arguments: Any, **options: Any) -> None:
            super().__init__(*arguments, **options)
            made.append(self)

    monkeypatch.setattr(app, "ModelIndexes", Recorded)
    settings = IndexSettings(
        mongo_url=NOWHERE, mongo_timeout_s=0.05, catalogues=("default", "shoes"), snapshot_dir=tmp_path
    )
    service = create_app(settings)
    async with service.router.lifespan_context(service):
        manifest = made[0].active.manifest
        keepers = [FaissEngine(settings).keeper(manifest, name) for name in settings.catalogues]
        paths = [keeper.path for keeper in keepers if keeper is not None]
        for path in paths:
            path.write_bytes(b"")
        made[0]._forget(manifest)
        assert [path.exists() for path in paths] == [False, False]


@pytest.mark.parametrize(("engine", "kind"), [("faiss", FaissEngine), ("milvus", MilvusEngine)])
def test_the_engine_is_that_of_the_settings(engine: str, kind: type[object]) -> None:
    assert isinstance(app._engine(IndexSettings.model_validate({"engine": engine}), None), kind)
