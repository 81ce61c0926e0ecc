"""What a change of models needs of the database, against the server that MONGO_URL names, else a stand-in."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from bson import ObjectId
from pymongo.collection import Collection

from services.catalogue.documents.product_document import BrokenDocument, Record
from services.catalogue.product import Prediction, Product, ProductEmbedding
from services.catalogue.store.database import CatalogueDatabase
from services.catalogue.store.initial_model import InitialModel
from services.catalogue.store.model_note import ModelNote
from tests.support.values.products import additional_image, embedding, make_product

RNG = np.random.default_rng(3)
ONE, TWO = "fashion/1", "fashion/2"


def vector() -> np.ndarray[Any, Any]:
    astype = RNG.standard_normal(64).astype(np.float32)
    return np.asarray(astype / np.linalg.norm(astype))


def product(key: str, sha256: str | None = "aa", **changes: Any) -> Product:
    facts: dict[str, Any] = {"model": ONE, "image_sha256": sha256, "category_source": "network", **changes}
    return make_product(key, 2, vector(), **facts)


def seen(sha256: str | None = "aa", category: int = 4, *additional: str) -> ProductEmbedding:
    others = {name: vector() for name in additional}
    return embedding(vector(), sha256, prediction=Prediction(category, 0.5), additional=others)


async def lacking(store: CatalogueDatabase, model: str, unversioned: str = ONE) -> list[Any]:
    return sorted(
        [key async for ids in store.models.missing_vectors(model, 64, unversioned, 2) for key in ids], key=str
    )


async def test_a_note_is_replaced_only_by_who_has_read_it(store: CatalogueDatabase) -> None:
    assert await store.models.note() == ModelNote()
    candidate = ModelNote(candidate=TWO)
    assert await store.models.replace_note(ModelNote(), candidate)
    assert await store.models.note() == candidate
    assert not await store.models.replace_note(ModelNote(), ModelNote(candidate="fashion/3"))
    promoted = ModelNote(active=TWO, previous=ONE)
    assert not await store.models.replace_note(promoted, ModelNote())
    assert await store.models.replace_note(candidate, promoted)
    assert await store.models.note() == promoted
    assert await store.models.replace_note(promoted, ModelNote())
    assert await store.models.note() == ModelNote()
    assert await store.models.replace_note(ModelNote(), candidate)


async def test_of_two_who_change_the_note_at_once_one_is_told(store: CatalogueDatabase) -> None:
    changes = [store.models.replace_note(ModelNote(), ModelNote(candidate=f"fashion/{n}")) for n in range(2, 8)]
    done = await asyncio.gather(*changes)
    assert sum(done) == 1
    assert await store.models.note() == ModelNote(candidate=f"fashion/{2 + done.index(True)}")


async def test_what_lacks_a_models_vector_is_found_in_either_form(
    store: CatalogueDatabase, raw: Collection[dict[str, Any]]
) -> None:
    old = ObjectId()
    raw.insert_one({"_id": old, "id": 7, "Category": 1, "vector": vector().tolist()})
    await store.products.put_many([product("a"), product("b", embeddings={TWO: seen()}), product("c", model=TWO)])
    await store.products.put_marker()
    assert await lacking(store, TWO) == sorted([old, "a"], key=str)
    assert await lacking(store, ONE) == ["c"]
    assert await lacking(store, TWO, unversioned=TWO) == ["a"]


@pytest.mark.parametrize(
    "broken",
    [
        {"images": [{"sha256": "other", "vector": [1.0] * 64}]},
        {"images": [{"sha256": "aa", "vector": [1.0] * 63}]},
        {"images": [{"sha256": "aa", "vector": [0.0] * 64}]},
        {"images": [{"sha256": "aa"}]},
        {"prediction": None},
    ],
)
async def test_a_vector_that_cannot_be_used_is_lacking(
    store: CatalogueDatabase, raw: Collection[dict[str, Any]], broken: dict[str, Any]
) -> None:
    await store.products.put(product("a", embeddings={TWO: seen()}))
    assert await lacking(store, TWO) == []
    raw.update_one({"_id": "a"}, {"$set": {f"embeddings.{TWO}.{name}": value for name, value in broken.items()}})
    assert await lacking(store, TWO) == ["a"]


async def test_a_product_lacks_vectors_while_one_of_its_further_pictures_does(store: CatalogueDatabase) -> None:
    images = (
        additional_image(vector(), sha256="bb"),
        additional_image(vector(), sha256="cc"),
        additional_image(vector()),
    )
    await store.products.put_many(
        [
            product("none", images=images, embeddings={TWO: seen()}),
            product("some", images=images, embeddings={TWO: seen("aa", 4, "bb")}),
            product("all", images=images, embeddings={TWO: seen("aa", 4, "bb", "cc")}),
        ]
    )
    assert await lacking(store, TWO) == ["none", "some"]


async def test_entries_are_read_by_the_ids_that_the_database_has(
    store: CatalogueDatabase, raw: Collection[dict[str, Any]]
) -> None:
    old = ObjectId()
    raw.insert_many([{"_id": old, "id": 7, "Category": 1, "vector": vector().tolist()}, {"_id": "bad", "Category": 1}])
    await store.products.put(product("a"))
    actual = {entry.document_id: entry.content for entry in await store.models.entries([old, "a", "bad", "gone"])}
    assert actual.keys() == {old, "a", "bad"}
    legacy = actual[old]
    assert isinstance(legacy, Record) and legacy.product.key == "7"
    assert isinstance(actual["a"], Record)
    assert isinstance(actual["bad"], BrokenDocument)


async def test_a_vector_of_another_model_changes_nothing_else_of_a_document(
    store: CatalogueDatabase, raw: Collection[dict[str, Any]]
) -> None:
    old = ObjectId()
    raw.insert_one({"_id": old, "id": 7, "Category": 1, "vector": vector().tolist()})
    await store.products.put(product("a", title="Shirt", attributes={"a.b": 1}))
    before = {document["_id"]: document for document in raw.find()}
    secondary = {"a": seen(), old: seen(None)}
    assert await store.models.put_embeddings(TWO, list(secondary.items())) == 2
    for document in raw.find():
        del document["embeddings"][TWO]
        assert document == {"embeddings": {}, **before[document["_id"]]}
    assert await lacking(store, TWO) == []
    for entry in await store.models.entries([old, "a"]):
        assert isinstance(entry.content, Record)
        embedded_by = entry.content.product.embedded_by(TWO)
        assert embedded_by is not None and embedded_by.category == 4
        np.testing.assert_allclose(embedded_by.vector, secondary[entry.document_id].vector, rtol=1e-5)
    assert await store.models.put_embeddings(TWO, []) == 0


async def test_a_product_whose_picture_has_changed_meanwhile_keeps_what_it_has(store: CatalogueDatabase) -> None:
    newest = seen("bb")
    await store.products.put_many([product("a", "bb", embeddings={TWO: newest}), product("b", "bb")])
    assert await store.models.put_embeddings(TWO, [("a", seen("aa")), ("b", seen("aa")), ("gone", seen("aa"))]) == 0
    stored = await store.products.get("a")
    assert stored is not None and stored.embeddings[TWO].prediction == newest.prediction
    np.testing.assert_allclose(stored.embeddings[TWO].vector, newest.vector, rtol=1e-5)
    assert await store.products.get("gone") is None
    assert await lacking(store, TWO) == ["b"]


async def test_a_put_that_knows_of_no_further_model_leaves_its_vectors_where_they_count(
    store: CatalogueDatabase,
) -> None:
    await store.products.put(product("a", embeddings={TWO: seen()}))
    await store.products.put(product("a", title="another title"))
    assert await lacking(store, TWO) == []
    await store.products.put(product("a", "another picture"))
    assert await lacking(store, TWO) == ["a"]


async def retired(store: CatalogueDatabase, model: str, serving: str) -> tuple[int, int, int]:
    parts = [part async for part in store.models.retire(model, serving, 2)]
    return (
        sum(part.documents for part in parts),
        sum(part.changed for part in parts),
        sum(part.unseen for part in parts),
    )


async def test_a_retired_models_vectors_give_way_to_those_that_serve(
    store: CatalogueDatabase, raw: Collection[dict[str, Any]]
) -> None:
    by_network, by_feed = seen(category=5), seen(category=6)
    old = ObjectId()
    await store.products.put_many(
        [
            product("network", title="Shirt", embeddings={TWO: by_network}),
            product("feed", category_source="feed", embeddings={TWO: by_feed}),
            product("stale", embeddings={TWO: seen("bb")}),
            product("two", model=TWO, embeddings={ONE: seen()}),
            product("only two", model=TWO),
        ]
    )
    raw.insert_one(
        {"_id": old, "id": 7, "Category": 1, "vector": vector().tolist(), "embeddings": {TWO: {"vector": 1}}}
    )
    await store.products.put_marker()
    assert await retired(store, ONE, TWO) == (6, 3, 1)
    products = {key: await store.products.get(key) for key in ("network", "feed", "stale", "two", "only two")}
    assert {
        key: product and (product.model, product.category, set(product.embeddings)) for key, product in products.items()
    } == {
        "network": (TWO, 5, {TWO}),
        "feed": (TWO, 2, {TWO}),
        "stale": (ONE, 2, {ONE, TWO}),
        "two": (TWO, 2, {TWO}),
        "only two": (TWO, 2, {TWO}),
    }
    network = products["network"]
    assert network is not None and network.title == "Shirt" and network.embedding.prediction == by_network.prediction
    np.testing.assert_allclose(network.vector, by_network.vector, rtol=1e-5)
    assert (raw.find_one({"_id": old}) or {})["embeddings"] == {TWO: {"vector": 1}}
    assert await retired(store, ONE, TWO) == (6, 0, 1)


async def test_a_forgotten_candidate_leaves_the_documents_own_vectors_alone(
    store: CatalogueDatabase, raw: Collection[dict[str, Any]]
) -> None:
    await store.products.put_many([product("a", embeddings={TWO: seen()}), product("b")])
    before = raw.find_one({"_id": "a"})
    assert before is not None
    assert await retired(store, TWO, ONE) == (2, 1, 0)
    after = raw.find_one({"_id": "a"})
    del before["embeddings"][TWO]
    assert after == before


async def test_a_product_keeps_a_retired_vector_that_more_of_its_images_have(store: CatalogueDatabase) -> None:
    images = (additional_image(vector(), sha256="bb"),)
    await store.products.put(product("a", images=images, embeddings={TWO: seen()}))
    assert await retired(store, ONE, TWO) == (1, 0, 0)
    stored = await store.products.get("a")
    assert stored is not None and stored.model == ONE and len(stored.images) == 2


async def test_a_product_that_changes_while_its_vectors_are_retired_keeps_the_change(
    store: CatalogueDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    await store.products.put(product("a", embeddings={TWO: seen()}))
    batches = store.products.batches

    async def changed_meanwhile(fields: Any, batch: int) -> AsyncIterator[Any]:
        async for documents in batches(fields, batch):
            await store.products.put(product("a", "bb", title="new"))
            yield documents

    monkeypatch.setattr(store.products, "batches", changed_meanwhile)
    await retired(store, ONE, TWO)
    stored = await store.products.get("a")
    assert stored is not None
    assert (stored.title, stored.model, stored.images[0].sha256) == ("new", ONE, "bb")


def insert_old(raw: Collection[dict[str, Any]], count: int) -> None:
    raw.insert_many([{"id": n, "Category": 1, "vector": vector().tolist()} for n in range(count)])


async def test_a_catalogue_says_which_model_most_products_were_written_with(
    store: CatalogueDatabase, raw: Collection[dict[str, Any]]
) -> None:
    assert await store.models.written_with(TWO, ONE) is None
    marker = await store.products.put_marker()
    assert await store.models.written_with(TWO, ONE) is None
    await store.products.put_many([product("a"), product("b"), product("c", model=TWO)])
    assert await store.models.written_with(ONE, None) == ONE
    assert await store.models.written_with(TWO, "shop/1") == ONE
    insert_old(raw, 4)
    assert await store.models.written_with(TWO, "shop/1") == "shop/1"
    assert await store.models.written_with(TWO, None) is None
    await store.products.put_many([product(f"d{n}", model=TWO) for n in range(6)])
    assert await store.models.written_with("fashion/3", ONE) == TWO
    assert await store.models.written_with(ONE, ONE) == ONE  # the first document is of it
    await store.products.remove_markers([marker])


@pytest.mark.parametrize("note", [ModelNote(), ModelNote(candidate=TWO), ModelNote(candidate="fashion/3")])
async def test_a_catalogue_keeps_its_model_when_the_settings_name_another_one(
    store: CatalogueDatabase, note: ModelNote
) -> None:
    await store.models.replace_note(ModelNote(), note)
    settled = InitialModel(store.models, TWO, {ONE, TWO}.__contains__)
    assert await settled.note() == note  # it has no products yet
    await store.products.put_many([product("a"), product("b")])
    kept = replace(note, active=ONE)
    assert await settled.note() == kept == await store.models.note()
    await store.products.put_many([product("a", model=TWO), product("b", model=TWO)])
    assert await settled.note() == kept


async def test_a_model_that_is_promoted_or_not_here_or_that_of_the_settings_is_noted_by_nobody(
    store: CatalogueDatabase,
) -> None:
    await store.products.put_many([product("a")])
    for first, here in ((ONE, {ONE, TWO}), (TWO, {TWO})):
        assert await InitialModel(store.models, first, here.__contains__).note() == ModelNote()
    promoted = ModelNote(active=TWO, previous=ONE)
    await store.models.replace_note(ModelNote(), promoted)
    assert await InitialModel(store.models, TWO, {ONE, TWO}.__contains__).note() == promoted


async def test_documents_that_name_no_model_keep_the_one_that_they_are_taken_to_be_of(
    store: CatalogueDatabase, raw: Collection[dict[str, Any]]
) -> None:
    insert_old(raw, 3)
    assert await InitialModel(store.models, TWO, {ONE, TWO}.__contains__).note() == ModelNote()
    assert (await InitialModel(store.models, TWO, {ONE, TWO}.__contains__, ONE).note()).active == ONE
