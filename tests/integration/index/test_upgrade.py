"""An index whose settings name another model than that of its catalogue, as after an upgrade."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pymongo
import pytest

from tests.support.servers.index import IndexProcess, running_index, write_model
from tests.support.servers.mongo import MongoStandIn, private_mongo
from tests.support.waiting import eventually

VECTORS = np.random.default_rng(5).standard_normal((4, 64))


@pytest.fixture(scope="module")
def mongo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MongoStandIn]:
    with private_mongo(tmp_path_factory.mktemp("mongo")) as server:
        yield server


def fill(url: str, database: str, *models: str | None) -> None:
    client: pymongo.MongoClient[dict[str, Any]] = pymongo.MongoClient(url)
    facts = [{} if model is None else {"_id": f"p{n}", "model": model} for n, model in enumerate(models)]
    rows = [{**own, "id": f"p{n}", "Category": 0, "vector": VECTORS[n].tolist()} for n, own in enumerate(facts)]
    with client:
        client[database]["products"].insert_many(rows)


def settings(folder: Path) -> dict[str, str]:
    """Return settings that name version 2, in the same folder as version 1."""
    write_model(folder / "fashion" / "1", 1)
    return {
        "INDEX_MODEL_DIR": str(write_model(folder / "fashion" / "2", 2)),
        "INDEX_SNAPSHOT_DIR": str(folder / "snapshots"),
    }


def models(index: IndexProcess) -> dict[str, tuple[str, int]]:
    return {model["model"]: (model["role"], model["products"]) for model in index.catalogue()["models"]}


def test_a_catalogue_stays_with_its_model_and_its_products_are_found(mongo: MongoStandIn, tmp_path: Path) -> None:
    fill(mongo.url, "upgraded", "fashion/1", "fashion/1", None)
    with running_index(tmp_path, mongo.url, "upgraded", **settings(tmp_path)) as index:
        eventually(lambda: index.answers("/readyz"))
        assert models(index) == {"fashion/1": ("active", 3)}
        assert index.search(VECTORS[1], k=1)[0]["id"] == "p1"
        body = {"category": 0, "vector": VECTORS[1].tolist(), "model": "fashion/2"}
        assert index.http.post("/v1/search", json=body).status_code == 503
        assert index.log().count("model_kept") == 1


def test_a_new_catalogue_takes_the_settings_model_and_keeps_it_when_the_settings_change(
    mongo: MongoStandIn, tmp_path: Path
) -> None:
    with running_index(tmp_path, mongo.url, "new", **settings(tmp_path)) as index:
        eventually(lambda: index.answers("/readyz"))
        fill(mongo.url, "new", "fashion/2", "fashion/2")
        eventually(lambda: models(index) == {"fashion/2": ("active", 2)})
    back = {**settings(tmp_path), "INDEX_MODEL_DIR": str(tmp_path / "fashion" / "1")}
    with running_index(tmp_path, mongo.url, "new", **back) as index:
        eventually(lambda: index.answers("/readyz"))
        assert models(index) == {"fashion/2": ("active", 2)}
