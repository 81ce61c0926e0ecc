"""Several catalogues in one database, kept apart: the server that MONGO_URL names, else a stand-in."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pymongo
import pytest

from services.catalogue.importing.lease import ImportLease, ImportUnderWay
from services.catalogue.product import Product, StoredImage
from services.catalogue.store.database import CatalogueDatabase
from services.catalogue.store.http_cache import CachedImage
from services.catalogue.store.initial_model import InitialModel
from services.catalogue.store.model_note import ModelNote
from services.catalogue.store.notes import LAST_IMPORT
from services.contracts.images.fetch import Validators
from tests.support.values.products import make_product
from tests.support.waiting import WITHIN_S

RNG = np.random.default_rng(23)
OTHER = "other-shop"


def product(key: str, title: str) -> Product:
    return make_product(key, 2, RNG.standard_normal(64).astype(np.float32), model="fashion/1", title=title)


async def keys(store: CatalogueDatabase) -> list[str]:
    return sorted([key async for batch in store.products.keys(100) for key in batch])


async def test_the_same_id_is_another_product_in_another_catalogue(store: CatalogueDatabase) -> None:
    other = store.of(OTHER)
    await store.products.put_many([product("a", "ours"), product("b", "ours")])
    await other.products.put_many([product("a", "theirs"), product("c", "theirs")])
    stored = [await each.products.get("a") for each in (store, other)]
    assert [item.title for item in stored if item] == ["ours", "theirs"]
    assert (await keys(store), await keys(other)) == (["a", "b"], ["a", "c"])
    assert [await each.products.count() for each in (store, other)] == [2, 2]


async def test_what_is_removed_from_one_catalogue_stays_in_the_others(store: CatalogueDatabase) -> None:
    other = store.of(OTHER)
    for each in (store, other):
        await each.products.put_many([product(key, "shirt") for key in "abc"])
        await each.pictures.put_many([(key, StoredImage("image/png", each.catalogue.encode())) for key in "abc"])
        await each.http_cache.put_many(
            {"a": CachedImage(f"https://{each.catalogue}.example", "ab" * 32, Validators("e", None))}
        )
    await store.products.delete("a")
    await store.products.delete_many(["b"], written_before=datetime.now(UTC) + timedelta(hours=1))
    assert (await keys(store), await keys(other)) == (["c"], ["a", "b", "c"])
    assert await store.pictures.get("a") is None
    assert await store.http_cache.get_many(["a"]) == {}
    kept = await other.pictures.get("a")
    assert kept is not None and kept.data == OTHER.encode()
    assert (await other.http_cache.get_many(["a"]))["a"].url == f"https://{OTHER}.example"


async def test_a_store_can_be_made_for_a_catalogue_at_once(store: CatalogueDatabase, url: str, database: str) -> None:
    await store.of(OTHER).products.put(product("a", "theirs"))
    async with CatalogueDatabase(url, database, catalogue=OTHER) as other:
        assert await keys(other) == ["a"]
        assert await keys(other.of("default")) == []


async def test_documents_of_before_there_were_catalogues_are_in_the_default_one(
    store: CatalogueDatabase, url: str, database: str
) -> None:
    client: pymongo.MongoClient[dict[str, Any]] = pymongo.MongoClient(url)
    with client:
        old = {"id": "old", "Category": 1, "vector": RNG.standard_normal(64).tolist()}
        client[database]["products"].insert_one(old)
    other = store.of(OTHER)
    assert await store.products.get("old") is not None
    assert await other.products.get("old") is None
    await other.products.put(product("old", "theirs"))  # replaces no document of the older form but its own catalogue's
    await other.products.delete("old")
    assert await store.products.get("old") is not None


async def test_a_change_stream_tells_of_one_catalogue(store: CatalogueDatabase) -> None:
    other = store.of(OTHER)
    feed = await other.products.watch()
    try:
        await store.products.put(product("a", "ours"))
        await other.products.put(product("b", "theirs"))
        actual: list[str] = []
        async with asyncio.timeout(WITHIN_S):
            while not actual:
                actual = [record.product.key for record in (await feed.next_batch(100, 0.0)).changed]
        await store.products.put(product("c", "ours"))
        marker = await other.products.put_marker()
        async with asyncio.timeout(WITHIN_S):
            while marker not in (batch := await feed.next_batch(100, 0.0)).markers:
                actual += [record.product.key for record in batch.changed]
    finally:
        await feed.close()
    assert actual == ["b"]
    assert await store.products.identity() != await other.products.identity()


async def test_all_catalogues_are_of_the_same_models_and_each_has_its_own_reports(store: CatalogueDatabase) -> None:
    other = store.of(OTHER)
    assert await other.models.replace_note(ModelNote(), ModelNote(candidate="fashion/2"))
    assert await store.models.note() == await other.models.note() == ModelNote(candidate="fashion/2")
    await other.notes.put(LAST_IMPORT, {"read": 3})
    await other.notes.put_import("one", {"id": "one"})
    assert await store.notes.get(LAST_IMPORT) is None
    assert await store.notes.list_imports(10) == []
    assert await other.notes.list_imports(10) == [{"id": "one"}]


async def test_one_import_a_catalogue_runs_at_a_time_and_as_many_as_there_are_catalogues(
    store: CatalogueDatabase,
) -> None:
    stopping = asyncio.Event()
    other = store.of(OTHER)
    leases = [ImportLease(each.notes, f"of {each.catalogue}", "feed.csv", "now") for each in (store, other)]
    for lease in leases:
        await lease.take(stopping)
    for each in (store, other):
        with pytest.raises(ImportUnderWay) as error:
            await ImportLease(each.notes, "another", "feed.csv", "now").take(stopping)
        assert error.value.lease.import_id == f"of {each.catalogue}"
    await leases[0].drop()
    assert await leases[1].renew()
    await leases[1].drop()


async def test_vectors_of_another_model_are_looked_for_and_given_up_in_one_catalogue(store: CatalogueDatabase) -> None:
    other = store.of(OTHER)
    for each in (store, other):
        await each.products.put(product("a", "shirt"))
    lacking = [
        [key async for some in each.models.missing_vectors("fashion/2", 64, "fashion/1") for key in some]
        for each in (store,)
    ]
    assert lacking == [["a"]]
    assert [part.documents async for part in other.models.retire("fashion/2", "fashion/1")] == [1]


async def test_where_the_default_catalogue_is_empty_the_others_tell_which_model_they_were_made_with(
    store: CatalogueDatabase,
) -> None:
    other = store.of(OTHER)
    settled = InitialModel(store.models, "fashion/2", lambda _: True, others=[other.models])
    assert await settled.note() == ModelNote()
    await other.products.put(product("a", "theirs"))
    assert await settled.note() == ModelNote(active="fashion/1")
