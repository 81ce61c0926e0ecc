"""The index as a process with a database: what is written is searchable soon, also after a process was killed."""

import asyncio
import signal
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from bson import Binary
from pymongo.collection import Collection

from services.catalogue.product import Product, unit_vector
from services.catalogue.store.database import CatalogueDatabase
from tests.support.servers.index import IndexProcess, running_index
from tests.support.servers.mongo import MongoStandIn, private_mongo
from tests.support.values.products import additional_image, make_product
from tests.support.waiting import eventually

RNG = np.random.default_rng(9)


def vector() -> Any:
    return unit_vector(RNG.standard_normal(64).astype(np.float32))


@pytest.fixture(scope="module")
def mongo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MongoStandIn]:
    with private_mongo(tmp_path_factory.mktemp("mongo")) as server:
        yield server


@pytest.fixture(scope="module")
def index(mongo: MongoStandIn, tmp_path_factory: pytest.TempPathFactory) -> Iterator[IndexProcess]:
    with running_index(tmp_path_factory.mktemp("index"), mongo.url) as service:
        eventually(lambda: service.answers("/readyz"))
        yield service


@pytest.fixture(scope="module")
def raw(mongo: MongoStandIn) -> Iterator[Collection[dict[str, Any]]]:
    """The products' collection, as another program would write to it."""
    with mongo.products() as products:
        yield products


def put(mongo: MongoStandIn, *products: Product) -> None:
    async def write() -> None:
        async with CatalogueDatabase(mongo.url) as store:
            for begin in range(0, len(products), 250):
                assert not (await store.products.put_many(products[begin : begin + 250])).failures

    asyncio.run(write())


def delete(mongo: MongoStandIn, key: str) -> None:
    async def remove() -> None:
        async with CatalogueDatabase(mongo.url) as store:
            assert await store.products.delete(key)

    asyncio.run(remove())


def first(index: IndexProcess, query: Any, category: int = 0) -> dict[str, Any]:
    """Return the best hit, if its vector is the query's."""
    hits = index.search(query, category, k=1)
    return hits[0] if hits and hits[0]["score"] > 0.999 else {}


def test_a_product_is_searchable_after_it_is_put_changed_and_deleted(mongo: MongoStandIn, index: IndexProcess) -> None:
    single, other = vector(), vector()
    put(mongo, make_product("n1", 0, single, model="fashion/1", title="first", attributes={"colour": "blue"}))
    assert eventually(lambda: first(index, single)) | {"score": 1} == {
        "id": "n1",
        "score": 1,
        "similarity": None,
        "image_index": 0,
        "category": 0,
        "catalogue": "default",
        "url": None,
        "image_url": None,
        "title": "first",
        "attributes": {"colour": "blue"},
        "group": None,
    }
    put(mongo, make_product("n1", 0, other, model="fashion/1", title="second"))
    assert eventually(lambda: first(index, other))["title"] == "second"
    assert not first(index, single)
    put(mongo, make_product("n1", 1, other, model="fashion/1", title="moved"))
    assert eventually(lambda: first(index, other, category=1))["title"] == "moved"
    assert not first(index, other)
    delete(mongo, "n1")
    eventually(lambda: not first(index, other, category=1))


def test_a_product_is_found_by_each_of_its_images_for_as_long_as_it_has_them(
    mongo: MongoStandIn, raw: Any, index: IndexProcess
) -> None:
    front, back, detail = vector(), vector(), vector()
    images = (additional_image(back, url="https://shop.example/back.jpg"), additional_image(detail, sha256="ab" * 32))
    for _ in range(2):  # as it is inserted, and as it is replaced
        put(mongo, make_product("m1", 6, front, model="fashion/1", images=images))
        assert eventually(lambda: first(index, detail, 6))["image_index"] == 2
        hit = first(index, back, 6)
        assert (hit["id"], hit["image_index"], hit["image_url"]) == ("m1", 1, "https://shop.example/back.jpg")
        assert len(index.search(front, 6)) == 1
        put(mongo, make_product("m1", 6, front, model="fashion/1"))
        eventually(lambda: not first(index, back, 6))
        assert first(index, front, 6)["image_index"] == 0
    legacy = {"_id": "m1", "id": "m1", "Category": 6, "vector": front.tolist(), "model": "fashion/1"}
    raw.replace_one({"_id": "m1"}, {**legacy, "images": [{"vector": [0.5] * 63}, {"vector": back.tolist()}]})
    assert eventually(lambda: first(index, back, 6))["image_index"] == 1
    assert index.catalogue()["sync"]["skipped_images"] == 1
    delete(mongo, "m1")
    eventually(lambda: not first(index, front, 6) and index.catalogue()["sync"]["skipped_images"] == 0)


def test_a_category_with_enough_products_gets_a_scale_of_its_own(mongo: MongoStandIn, index: IndexProcess) -> None:
    assert index.catalogue()["categories"][8]["close_score"] is None
    put(mongo, *(make_product(f"scale-{n}", 8, vector(), model="fashion/1") for n in range(80)))
    close = eventually(lambda: index.catalogue()["categories"][8]["close_score"])
    hits = index.search(vector(), 8, k=100)
    assert [hit["similarity"] >= 0.5 for hit in hits] == [hit["score"] >= close for hit in hits]
    for n in range(80):
        delete(mongo, f"scale-{n}")
    eventually(lambda: index.catalogue()["categories"][8]["close_score"] is None)


def test_legacy_documents_are_found_changed_replaced_and_deleted(raw: Any, index: IndexProcess) -> None:
    single, other, third = vector(), vector(), vector()
    document_id = raw.insert_one({"id": 15970, "Category": 2, "vector": (5 * single).tolist()}).inserted_id
    assert eventually(lambda: first(index, single, 2))["id"] == "15970"
    raw.update_one({"_id": document_id}, {"$set": {"vector": other.tolist()}})
    assert eventually(lambda: first(index, other, 2))["id"] == "15970"
    raw.replace_one({"_id": document_id}, {"id": "A1", "Category": 3, "vector": third.tolist()})
    assert eventually(lambda: first(index, third, 3))["id"] == "A1"
    assert not first(index, other, 2)
    raw.delete_one({"_id": document_id})
    eventually(lambda: not first(index, third, 3))


def test_a_product_that_replaces_a_legacy_document_is_returned_once(
    mongo: MongoStandIn, raw: Any, index: IndexProcess
) -> None:
    single = vector()
    raw.insert_one({"id": 77, "Category": 4, "vector": single.tolist()})
    eventually(lambda: first(index, single, 4))
    put(mongo, make_product("77", 4, single, model="fashion/1", title="new"))
    eventually(lambda: [hit["title"] for hit in index.search(single, 4) if hit["id"] == "77"] == ["new"])
    eventually(lambda: raw.count_documents({"id": {"$in": [77, "77"]}}) == 1)
    delete(mongo, "77")
    eventually(lambda: not first(index, single, 4))


def test_broken_documents_and_other_models_are_counted_and_the_others_are_indexed(
    mongo: MongoStandIn, raw: Any, index: IndexProcess
) -> None:
    before = index.catalogue()["sync"]
    single = vector()
    nan = Binary(b"\x27\x00" + np.full(64, np.nan, "<f4").tobytes(), 9)
    broken: list[dict[str, Any]] = [
        {"vector": [0.5] * 63},
        {"vector": nan},
        {"vector": [0.0] * 64},
        {"Category": 9, "vector": [1] * 64},
        {},
    ]
    ids = raw.insert_many([{"Category": 5, **fields} for fields in broken]).inserted_ids
    put(mongo, make_product("b1", 5, single, model="fashion/2"), make_product("b2", 5, single, model="fashion/1"))
    assert eventually(lambda: first(index, single, 5))["id"] == "b2"
    assert [hit["id"] for hit in index.search(single, 5)] == ["b2"]

    def counted() -> tuple[int, int]:
        sync = index.catalogue()["sync"]
        return sync["skipped"] - before["skipped"], sync["other_models"] - before["other_models"]

    eventually(lambda: counted() == (5, 1))  # the documents of a batch are applied in any order
    log = index.log()
    assert all(log.count(f"document={key}") == 1 for key in ids)
    raw.delete_many({"_id": {"$in": ids}})
    eventually(lambda: index.catalogue()["sync"]["skipped"] == before["skipped"])


def test_a_bulk_import_is_followed_while_searches_go_on(mongo: MongoStandIn, index: IndexProcess) -> None:
    vectors = [vector() for _ in range(3000)]
    products = [make_product(f"m{n}", 6, vector, model="fashion/1", title=str(n)) for n, vector in enumerate(vectors)]
    writer = threading.Thread(target=put, args=(mongo, *products))
    writer.start()
    while writer.is_alive():
        index.search(vectors[0], 6)
    eventually(lambda: first(index, vectors[-1], 6))
    counts = {category["name"]: category["products"] for category in index.catalogue()["categories"]}
    assert counts["Jewellery"] == 3000
    assert [index.search(vector, 6, k=1)[0]["id"] for vector in vectors[::500]] == [
        f"m{n}" for n in range(0, 3000, 500)
    ]


def test_searches_go_on_while_the_database_is_unavailable_and_writes_are_followed_afterwards(
    mongo: MongoStandIn, raw: Any, index: IndexProcess
) -> None:
    single, other = vector(), vector()
    put(mongo, make_product("k1", 7, single, model="fashion/1"))
    eventually(lambda: first(index, single, 7))
    mongo.kill()
    assert eventually(lambda: index.catalogue()["sync"]["state"] == "reconnecting")
    assert first(index, single, 7)["id"] == "k1"
    assert index.http.post("/v1/similar", json={"id": "k1"}).status_code == 200
    assert index.answers("/readyz")
    assert "cannot be reached" in index.catalogue()["sync"]["last_error"]
    mongo.start()
    raw.insert_one({"id": "k2", "Category": 7, "vector": other.tolist()})
    assert eventually(lambda: first(index, other, 7))["id"] == "k2"
    raw.delete_one({"id": "k2"})
    delete(mongo, "k1")
    eventually(lambda: not index.search(single, 7))
    eventually(lambda: index.catalogue()["sync"]["state"] == "following")
    assert not index.catalogue()["sync"]["stale"]


def test_an_index_started_without_a_database_waits_for_it(tmp_path: Path) -> None:
    server = MongoStandIn(tmp_path)
    with running_index(tmp_path, server.url) as index:
        response = index.http.get("/readyz")
        assert response.status_code == 503
        eventually(lambda: "cannot be reached" in index.http.get("/readyz").json()["reasons"][0])
        answer = index.http.post("/v1/similar", json={"id": "1"})
        assert (answer.status_code, answer.json()["type"]) == (503, "/problems/index-not-ready")
        server.start()
        try:
            single = vector()
            put(server, make_product("1", 0, single, model="fashion/1"))
            eventually(lambda: index.answers("/readyz"))
            assert eventually(lambda: first(index, single))["id"] == "1"
        finally:
            server.stop()


def test_a_killed_index_has_all_products_again_after_its_start(
    mongo: MongoStandIn, raw: Any, index: IndexProcess
) -> None:
    remaining, deleted, new = vector(), vector(), vector()
    put(mongo, *(make_product(key, 8, each, model="fashion/1") for key, each in (("r1", remaining), ("r2", deleted))))
    eventually(lambda: first(index, deleted, 8))
    index.stop(signal.SIGKILL)
    delete(mongo, "r2")
    raw.insert_one({"id": 3, "Category": 8, "vector": new.tolist()})
    index.start()
    eventually(lambda: index.answers("/readyz"))
    assert sorted(hit["id"] for hit in index.search(remaining, 8)) == ["3", "r1"]
    eventually(lambda: not any(str(document["_id"]).startswith("~sync/") for document in raw.find({}, {"_id": 1})))


def test_the_service_ends_without_an_error_on_sigterm(mongo: MongoStandIn, tmp_path: Path) -> None:
    with running_index(tmp_path, mongo.url) as index:
        eventually(lambda: index.answers("/readyz"))
        process = index.process
        assert process is not None
        index.stop()
        assert process.returncode in (0, -signal.SIGTERM)
        assert "Traceback" not in index.log()
