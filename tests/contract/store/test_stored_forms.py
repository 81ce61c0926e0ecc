"""Documents as earlier versions of Lookalike and other programs wrote them, exactly: they are read for ever.

What changes is written in the present form; the rest stays as it is.
"""

import asyncio
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from bson import ObjectId
from bson.binary import Binary, BinaryVectorDtype
from pymongo.collection import Collection

from services.catalogue.documents.fingerprint import Fingerprint
from services.catalogue.importing.description import Placer
from services.catalogue.importing.importer import Importer, ImportServices
from services.catalogue.importing.report import RejectedFile, Tally
from services.catalogue.product import Prediction, Product, ProductImage
from services.catalogue.retry import Retry
from services.catalogue.sources.records.mapping import FeedMapping
from services.catalogue.sources.records.rows import RowImage
from services.catalogue.store.database import CatalogueDatabase
from tests.support.fakes.import_fakes import CATEGORIES, FakeEmbedding, FakeWeb, ListSource, row
from tests.support.values.products import embedding

UNIT = np.eye(64, dtype=np.float32)
FRONT, BACK, SIDE = "ab" * 32, "cd" * 32, "ef" * 32
ONE, TWO = "fashion/1", "fashion/2"
WRITTEN_AT = datetime(2026, 5, 1, tzinfo=UTC)


def binary(axis: int) -> Binary:
    return Binary.from_vector(UNIT[axis].tolist(), BinaryVectorDtype.FLOAT32)


def legacy() -> dict[str, Any]:
    """A document of the first program of this kind."""
    return {"_id": ObjectId("507f1f77bcf86cd799439011"), "id": 15970, "Category": 3, "vector": UNIT[0].tolist()}


def version_0_1() -> dict[str, Any]:
    """A document of Lookalike 0.1: a main image, additional ones with vectors, a second model's vectors."""
    return {
        "_id": "A7",
        "id": "A7",
        "Category": 2,
        "vector": binary(1),
        "model": ONE,
        "url": "https://shop.example/A7",
        "image_url": "https://shop.example/A7.jpg",
        "title": "Leather tote",
        "attributes": {"colour": "black", "price%2Eold": 49.5},
        "category_source": "network",
        "prediction": {"category": 2, "probability": 0.98},
        "image_sha256": FRONT,
        "feed_sha256": "12" * 32,
        "updated_at": WRITTEN_AT,
        "embeddings": {
            TWO: {
                "vector": binary(11),
                "prediction": {"category": 4, "probability": 0.75},
                "image_sha256": FRONT,
                "images": [{"sha256": BACK, "vector": binary(12)}, {"sha256": SIDE, "vector": binary(13)}],
            }
        },
        "images": [
            {"url": "https://shop.example/A7-back.jpg", "sha256": BACK, "vector": binary(2)},
            {"url": None, "sha256": SIDE, "vector": binary(3)},
        ],
    }


def version_0_1_plain() -> dict[str, Any]:
    """The same of a product with one image and one model."""
    plain = {**version_0_1(), "_id": "B8", "id": "B8", "images": []}
    del plain["embeddings"]
    return plain


def schema_2() -> dict[str, Any]:
    """What Lookalike writes now for the product of `version_0_1`."""
    return {
        "_id": "A7",
        "id": "A7",
        "schema": 2,
        "Category": 2,
        "vector": binary(1),
        "model": ONE,
        "url": "https://shop.example/A7",
        "title": "Leather tote",
        "attributes": {"colour": "black", "price%2Eold": 49.5},
        "category_source": "network",
        "images": [
            {"url": "https://shop.example/A7.jpg", "sha256": FRONT},
            {"url": "https://shop.example/A7-back.jpg", "sha256": BACK},
            {"url": None, "sha256": SIDE},
        ],
        "image_sha256": FRONT,
        "embeddings": {
            ONE: {
                "prediction": {"category": 2, "probability": 0.98},
                "images": [
                    {"sha256": FRONT},
                    {"sha256": BACK, "vector": binary(2)},
                    {"sha256": SIDE, "vector": binary(3)},
                ],
            },
            TWO: {
                "prediction": {"category": 4, "probability": 0.75},
                "images": [
                    {"sha256": FRONT, "vector": binary(11)},
                    {"sha256": BACK, "vector": binary(12)},
                    {"sha256": SIDE, "vector": binary(13)},
                ],
            },
        },
        "feed_sha256": "12" * 32,
        "updated_at": WRITTEN_AT,
    }


def comparable(document: Any) -> Any:
    """Return a document without what a server or a write changes: the subtype of a binary, a time, the revision."""
    if isinstance(document, dict):
        return {name: comparable(value) for name, value in document.items() if name not in ("updated_at", "revision")}
    if isinstance(document, list):
        return [comparable(value) for value in document]
    return bytes(document) if isinstance(document, bytes) else document


async def read(store: CatalogueDatabase, key: str) -> Product:
    product = await store.products.get(key)
    assert product is not None
    return product


@pytest.mark.parametrize("stored", [version_0_1, schema_2])
async def test_a_product_with_all_there_is_is_read_from_both_forms(
    store: CatalogueDatabase, raw: Collection[dict[str, Any]], stored: Any
) -> None:
    raw.insert_one(stored())
    product = await read(store, "A7")
    assert product.images == (
        ProductImage("https://shop.example/A7.jpg", FRONT),
        ProductImage("https://shop.example/A7-back.jpg", BACK),
        ProductImage(None, SIDE),
    )
    assert (product.key, product.category, product.model, product.title) == ("A7", 2, ONE, "Leather tote")
    assert product.attributes == {"colour": "black", "price.old": 49.5}
    assert (product.category_source, product.feed_sha256) == ("network", "12" * 32)
    assert product.updated_at == WRITTEN_AT
    np.testing.assert_array_equal(product.vectors, UNIT[1:4])
    assert product.embedding.prediction == Prediction(2, 0.98)
    other = product.embedded_by(TWO)
    assert other is not None and (other.category, other.images) == (4, product.images)
    np.testing.assert_array_equal(other.vectors, UNIT[11:14])
    fingerprint = Fingerprint(product.images, "12" * 32, ONE, frozenset([ONE, TWO]), "network")
    assert await store.products.fingerprints(["A7"]) == {"A7": fingerprint}


async def test_a_legacy_document_is_a_product_with_an_image_of_which_nothing_is_known(
    store: CatalogueDatabase, raw: Collection[dict[str, Any]]
) -> None:
    raw.insert_one(legacy())
    product = await read(store, "15970")
    assert (product.category, product.model, product.images) == (3, None, (ProductImage(),))
    np.testing.assert_array_equal(product.vectors, UNIT[:1])


@pytest.mark.parametrize("stored", [version_0_1, schema_2])
async def test_a_product_that_is_written_has_the_present_form(
    store: CatalogueDatabase, raw: Collection[dict[str, Any]], stored: Any
) -> None:
    raw.insert_one(stored())
    await store.products.put(await read(store, "A7"))
    assert comparable(raw.find_one({"_id": "A7"})) == comparable({**schema_2(), "group": None})


async def test_a_legacy_document_that_is_written_has_the_present_form(
    store: CatalogueDatabase, raw: Collection[dict[str, Any]]
) -> None:
    raw.insert_one(legacy())
    await store.products.put(await read(store, "15970"))
    (document,) = raw.find()
    assert (document["_id"], document["schema"], document["model"]) == ("15970", 2, None)
    assert (await read(store, "15970")).images == (ProductImage(),)


async def missing(store: CatalogueDatabase) -> list[Any]:
    return sorted([key async for keys in store.models.missing_vectors(TWO, 64, ONE) for key in keys], key=str)


async def test_a_change_of_models_goes_through_documents_of_all_forms(
    store: CatalogueDatabase, raw: Collection[dict[str, Any]]
) -> None:
    old, new = legacy(), {**schema_2(), "_id": "C9", "id": "C9"}
    del new["embeddings"][TWO]
    raw.insert_many([old, version_0_1(), version_0_1_plain(), new])
    assert await missing(store) == [old["_id"], "B8", "C9"]

    def vectors(sha256: str | None, *additional: str) -> Any:
        others = {name: UNIT[21 + place] for place, name in enumerate(additional)}
        return embedding(UNIT[20], sha256, prediction=Prediction(5, 0.9), additional=others)

    computed = [("B8", vectors(FRONT)), ("C9", vectors(FRONT, BACK, SIDE)), (old["_id"], vectors(None))]
    assert await store.models.put_embeddings(TWO, computed) == 3
    assert await missing(store) == []
    for key in ("15970", "A7", "B8", "C9"):  # promoted: searches use the other model's vectors
        product = await read(store, key)
        promoted = product.embedded_by(TWO)
        assert promoted is not None and promoted.images == product.images
        assert promoted.category == (4 if key == "A7" else 5)
    for key in ("A7", "B8", "C9"):  # rolled back: its own are still there
        assert (await read(store, key)).embedded_by(ONE) is not None
    parts = [part async for part in store.models.retire(ONE, TWO)]
    assert sum(part.changed for part in parts) == 3
    for key, axes in (("A7", [11, 12, 13]), ("B8", [20]), ("C9", [20, 21, 22])):
        product = await read(store, key)
        assert (product.model, set(product.embeddings)) == (TWO, {TWO})
        np.testing.assert_array_equal(product.vectors, UNIT[axes])
        document = raw.find_one({"_id": key}) or {}
        assert document["schema"] == 2
        assert not {"image_url", "prediction"} & set(document)


async def test_a_vector_is_not_put_over_those_of_the_documents_own_model(
    store: CatalogueDatabase, raw: Collection[dict[str, Any]]
) -> None:
    raw.insert_one(schema_2())
    assert await store.models.put_embeddings(ONE, [("A7", embedding(UNIT[5], FRONT, prediction=Prediction(0, 1)))]) == 0
    np.testing.assert_array_equal((await read(store, "A7")).vectors, UNIT[1:4])


def as_version_0_1(document: dict[str, Any]) -> dict[str, Any]:
    """Return what Lookalike 0.1 stored of a product of one model."""
    main, *others = document["images"]
    own = document["embeddings"][document["model"]]
    vectors = [entry["vector"] for entry in own["images"][1:]]
    kept = {name: value for name, value in document.items() if name not in ("schema", "embeddings", "images")}
    return {
        **kept,
        "image_url": main["url"],
        "prediction": own["prediction"],
        "images": [{**image, "vector": vector} for image, vector in zip(others, vectors, strict=True)],
    }


async def test_an_import_over_documents_of_0_1_embeds_and_writes_nothing_that_has_not_changed(
    store: CatalogueDatabase, raw: Collection[dict[str, Any]], tmp_path: Path
) -> None:
    embedding = FakeEmbedding()

    async def run_import(**changes: object) -> Tally:
        stopping = asyncio.Event()
        services = ImportServices(embedding, store, FakeWeb(), Retry(5.0, stopping, lambda _: None))
        back = RowImage("back.jpg", lambda: b"\x02back")
        rows = [row("plain", b"\x00plain"), row("several", b"\x01front", images=(back,), **changes)]
        placer = Placer(CATEGORIES, FeedMapping())
        importer = Importer(ListSource(rows), placer, services, RejectedFile(tmp_path / "rejected.ndjson"))
        await importer.run(ONE, stopping)
        return importer.tally

    assert (await run_import()).embedded == 3
    former = [as_version_0_1(document) for document in raw.find()]
    raw.delete_many({})
    raw.insert_many(former)
    again = await run_import()
    assert (again.unchanged, again.updated, again.embedded) == (2, 0, 0)
    assert not any("schema" in document for document in raw.find())
    changed = await run_import(title="New")
    assert (changed.unchanged, changed.updated, changed.embedded) == (1, 1, 0)
    assert {document["_id"]: document.get("schema") for document in raw.find()} == {"plain": None, "several": 2}
    assert (await read(store, "several")).title == "New"
    assert embedding.images == 3
