"""What writes and scans of products do besides, against the server that MONGO_URL names, else a stand-in."""

from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest
from pymongo.collection import Collection
from pymongo.errors import OperationFailure

from services.catalogue.product import Prediction, Product
from services.catalogue.store.database import CatalogueDatabase
from services.contracts.domain.errors import CatalogueUnavailable
from tests.support.values.products import additional_image, embedding, make_product

Raw = Collection[dict[str, Any]]


def product(key: str, **changes: Any) -> Product:
    return make_product(key, 1, np.ones(4, np.float32), **changes)


async def test_the_indexes_are_created_once(store: CatalogueDatabase, monkeypatch: pytest.MonkeyPatch) -> None:
    fields: list[str] = []

    async def create_index(_: Any, field: str) -> None:
        fields.append(field)

    monkeypatch.setattr(type(store.products.collection), "create_index", create_index)
    assert (await store.products.put_many([product("")])).written == 0
    assert fields == []
    for key in ("1", "2"):
        await store.products.put(product(key))
    assert fields == ["id", "category_source"]


async def test_a_user_who_may_not_create_indexes_writes_products_without(
    store: CatalogueDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def create_index(_: Any, field: str) -> None:
        raise OperationFailure("not authorized", 13)

    monkeypatch.setattr(type(store.products.collection), "create_index", create_index)
    for key in ("1", "2"):
        await store.products.put(product(key))
    assert await store.products.count() == 2


async def test_a_replacement_that_cannot_be_stored_says_why(store: CatalogueDatabase) -> None:
    await store.products.put(product("1"))
    _, revision = await store.products.get_revision("1")
    for changes in ({"title": "\ud800"}, {"title": "x" * 16_000_000}):
        with pytest.raises(ValueError, match=r"it (cannot be stored|has 16,)"):
            await store.products.replace(product("1", **changes), revision)
    assert (await store.products.get_revision("1"))[1] == revision


async def test_a_replaced_product_takes_the_place_of_its_legacy_document(store: CatalogueDatabase, raw: Raw) -> None:
    await store.products.put(product("7"))
    _, revision = await store.products.get_revision("7")
    raw.insert_one({"id": 7, "Category": 1, "vector": [1.0] * 4})
    store.products._legacy.check_now()
    assert await store.products.replace(product("7", title="T"), revision)
    assert [document["_id"] for document in raw.find({"category_source": None})] == []
    assert not await store.products.replace(product("8"), None)
    assert await store.products.get("8") is None


async def test_a_scan_removes_its_marker_and_those_that_were_abandoned(store: CatalogueDatabase, raw: Raw) -> None:
    now = datetime.now(UTC)
    raw.insert_many(
        [
            {"_id": "~sync/old", "category_source": "unknown", "written_at": now - timedelta(days=2)},
            {"_id": "~sync/new", "category_source": "unknown", "written_at": now},
        ]
    )
    await store.products.put_many([product(str(number)) for number in range(5)])
    assert len([item async for batch in store.products.scan(2) for item in batch]) == 5
    assert [document["_id"] for document in raw.find({}) if document["_id"].startswith("~")] == ["~sync/new"]


async def test_a_scan_that_its_reader_leaves_removes_its_marker(store: CatalogueDatabase, raw: Raw) -> None:
    await store.products.put_many([product(str(number)) for number in range(5)])
    scan = store.products.scan(2)
    await anext(scan)
    await scan.aclose()
    assert raw.count_documents({}) == 5


async def test_a_scan_whose_markers_cannot_be_removed_is_whole(
    store: CatalogueDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def remove_markers(_: Any) -> None:
        raise CatalogueUnavailable("away", "db:1")

    monkeypatch.setattr(store.products, "remove_markers", remove_markers)
    await store.products.put(product("1"))
    assert len([item async for batch in store.products.scan() for item in batch]) == 1


async def test_of_documents_of_one_product_a_reader_of_all_gets_one(store: CatalogueDatabase, raw: Raw) -> None:
    await store.products.put_many([product("7"), product("9")])
    raw.insert_many([{"id": key, "Category": 1, "vector": [1.0] * 4} for key in (7, 8, 8)])
    assert sorted([each.key async for products in store.products.all() for each in products]) == ["7", "8", "9"]
    assert sorted([key async for keys in store.products.keys(2) for key in keys]) == ["7", "7", "8", "8", "9"]


async def test_legacy_documents_that_are_written_after_a_look_are_deleted_too(
    store: CatalogueDatabase, raw: Raw
) -> None:
    await store.products.put(product("1"))  # there are none by now
    raw.insert_many([{"id": key, "Category": 1, "vector": [1.0] * 4} for key in (7, 8)])
    assert await store.products.delete("7")
    raw.insert_one({"id": 7, "Category": 1, "vector": [1.0] * 4})
    store.products._legacy._exist = False
    assert await store.products.delete_many(["7", "8"]) == 2
    assert await store.products.count() == 1


@pytest.mark.parametrize("is_usable", [True, False])
@pytest.mark.parametrize("place", ["image", "document"])
async def test_an_image_without_a_vector_of_its_own_model_is_not_lacking_one_of_another(
    store: CatalogueDatabase, raw: Raw, is_usable: bool, place: str
) -> None:
    one, two, ones = "fashion/1", "fashion/2", np.ones(4, np.float32)
    other = embedding(ones, "aa", prediction=Prediction(1, 0.5), additional={"bb": ones})
    images = (additional_image(ones, sha256="bb"), additional_image(ones, sha256="cc"))
    await store.products.put(product("a", model=one, image_sha256="aa", images=images, embeddings={two: other}))
    document = raw.find_one({"_id": "a"})
    assert document is not None
    if not is_usable:
        (document["embeddings"][one]["images"][-1] if place == "image" else document)["vector"] = [0.0] * 4
    raw.update_one({"_id": "a"}, {"$set": {name: document[name] for name in ("embeddings", "vector")}})
    lacking = [key async for keys in store.models.missing_vectors(two, 4, one) for key in keys]
    assert lacking == (["a"] if is_usable else [])
