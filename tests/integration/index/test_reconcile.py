"""The index as a process with a database that loses changes from its stream, or has no stream."""

import asyncio
import contextlib
import signal
import sqlite3
import threading
from pathlib import Path
from typing import Any

import numpy as np

from services.catalogue.product import Prediction, Product, unit_vector
from services.catalogue.store.database import CatalogueDatabase
from tests.support.servers.index import IndexProcess, running_index
from tests.support.servers.mongo import MongoStandIn
from tests.support.values.products import additional_image, make_product
from tests.support.waiting import eventually

RNG = np.random.default_rng(23)


def vector() -> Any:
    return unit_vector(RNG.standard_normal(64).astype(np.float32))


VECTOR = vector()


def forget_to_write_down_changes(mongo: MongoStandIn) -> None:
    """Remove the triggers that fill the stand-in's change log, until a stream is opened. Some clean stops do so."""
    with contextlib.closing(sqlite3.connect(mongo.folder / "data" / "lookalike.db")) as file:
        names = file.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall()
        for (name,) in names:
            file.execute(f'DROP TRIGGER "{name}"')
        file.commit()


def legacy_document(number: int) -> dict[str, Any]:
    return {"id": f"old {number}", "Category": 0, "vector": vector().tolist()}


def product(number: int, title: str) -> Product:
    return make_product(
        f"p{number}",
        0,
        vector(),
        model="fashion/1",
        url="https://shop.example/größe",
        title=title,
        attributes={"price": 29.0, "n": 3, "a.b": ["x", 1.5, True], "$c": False},
        category_source="feed",
        prediction=Prediction(1, 0.75),
        image_sha256="ab" * 32,
        images=(additional_image(vector(), url="https://shop.example/back.jpg", sha256="cd" * 32),),
    )


def put(mongo: MongoStandIn, *products: Product) -> None:
    async def write() -> None:
        async with CatalogueDatabase(mongo.url) as store:
            assert not (await store.products.put_many(products)).failures

    asyncio.run(write())


def keys(index: IndexProcess) -> list[str]:
    return sorted(hit["id"] for hit in index.search(VECTOR, k=100))


def compared(index: IndexProcess) -> dict[str, Any]:
    """Return what the comparisons have found, after one that has started and ended from now on."""

    def last_at() -> object:
        return index.catalogue()["sync"]["reconcile"]["last_at"]

    first = last_at()
    second = eventually(lambda: (later := last_at()) != first and later)
    eventually(lambda: last_at() != second)
    return dict(index.catalogue()["sync"]["reconcile"])


def test_changes_missing_from_the_stream_are_found_after_a_start_from_a_snapshot(
    mongo: MongoStandIn, raw: Any, tmp_path: Path
) -> None:
    raw.insert_many([legacy_document(number) for number in range(5)])
    settings = {"INDEX_SNAPSHOT_DIR": str(tmp_path / "snapshots"), "INDEX_RECONCILE_S": "1000"}
    with running_index(tmp_path, mongo.url, **settings) as index:
        eventually(lambda: index.catalogue()["sync"]["state"] == "following")
        index.stop()
        mongo.stop()
        forget_to_write_down_changes(mongo)
        mongo.start()
        raw.insert_one(legacy_document(5))
        raw.delete_one({"id": "old 0"})
        raw.update_one({"id": "old 1"}, {"$set": {"vector": VECTOR.tolist()}})
        index.start()
        eventually(lambda: index.catalogue()["sync"]["reconcile"]["repaired"] == 3)
        assert keys(index) == [f"old {number}" for number in range(1, 6)]
        assert index.search(VECTOR, k=1)[0]["id"] == "old 1"
        assert index.catalogue()["sync"]["loaded_from"] == "snapshot"
        text = index.http.get("/metrics").text
        assert "lookalike_index_drift_found_total 3.0" in text
        assert "lookalike_index_drift_repaired_total 3.0" in text
        assert index.log().count("drift_repaired") == 1


def test_writes_during_comparisons_are_not_drift(mongo: MongoStandIn, raw: Any, tmp_path: Path) -> None:
    with running_index(tmp_path, mongo.url, INDEX_RECONCILE_S="0.05") as index:
        eventually(lambda: index.catalogue()["sync"]["state"] == "following")

        def write() -> None:
            for turn in range(12):
                put(mongo, *(product(number, str(turn)) for number in range(turn, turn + 20)))
                raw.insert_many([legacy_document(turn)])
                raw.delete_many({"_id": {"$in": [f"p{turn}", f"p{turn + 7}"]}})

        writer = threading.Thread(target=write)
        writer.start()
        while writer.is_alive():
            index.search(VECTOR, k=1)
        assert compared(index) | {"last_at": 0, "last_seconds": 0} == {
            "found": 0,
            "repaired": 0,
            "last_at": 0,
            "last_seconds": 0,
            "last_error": None,
        }
        products = {"id": {"$exists": True}}  # the index's markers, of which one is often there, have none
        assert keys(index) == sorted(str(document["id"]) for document in raw.find(products, {"id": 1}))


def test_a_database_is_followed_by_polling(mongo: MongoStandIn, raw: Any, tmp_path: Path) -> None:
    raw.insert_many([legacy_document(number) for number in range(3)])
    settings = {"INDEX_FOLLOW": "polling", "INDEX_POLLING_S": "0.1", "INDEX_SNAPSHOT_DIR": str(tmp_path / "snapshots")}
    with running_index(tmp_path, mongo.url, **settings) as index:
        eventually(lambda: index.catalogue()["sync"]["state"] == "polling")
        put(mongo, product(1, "first"), product(2, "second"))
        raw.delete_one({"id": "old 1"})
        expected = ["old 0", "old 2", "p1", "p2"]
        eventually(lambda: keys(index) == expected)
        put(mongo, product(1, "changed"))
        eventually(lambda: "changed" in {hit["title"] for hit in index.search(VECTOR, k=100)})
        index.stop(signal.SIGTERM)
        mongo.kill()
        index.start()
        eventually(lambda: index.answers("/readyz"))
        assert keys(index) == expected
        mongo.start()
        raw.delete_one({"id": "old 2"})
        eventually(lambda: keys(index) == ["old 0", "p1", "p2"])
        assert index.catalogue()["sync"]["loaded_from"] == "snapshot"
