"""The product store, against the server that MONGO_URL names, else a stand-in."""

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest
from bson import ObjectId
from pymongo.collection import Collection

from services.catalogue.documents.fingerprint import Fingerprint
from services.catalogue.documents.product_document import BrokenDocument, Record
from services.catalogue.product import Float32Array, Prediction, Product, ProductImage, StoredImage
from services.catalogue.store.change_feed import ChangeBatch, ChangeFeed, read_token, token_text
from services.catalogue.store.database import CatalogueDatabase
from services.catalogue.store.pictures import picture_id
from services.contracts.domain.errors import CatalogueUnavailable
from tests.support.servers.mongo import fresh_database
from tests.support.values.products import additional_image, make_product
from tests.support.waiting import WITHIN_S
from tests.support.web.ports import free_port

RNG = np.random.default_rng(11)
LATE_S = 1.5  # more than a second: MongoDB's times of writes are whole seconds


def product(key: str, **changes: Any) -> Product:
    facts: dict[str, Any] = {
        "vector": RNG.standard_normal(64).astype(np.float32),
        "model": "fashion/1",
        "url": f"https://shop.example/{key}",
        "title": f"Product {key}",
        "attributes": {"colour": ["blue", "red"], "price": 29.9, "a.b": 1, "$c": True},
        "category_source": "feed",
        "prediction": Prediction(1, 0.75),
        "image_sha256": "ab" * 32,
        "feed_sha256": "cd" * 32,
        "updated_at": datetime(2026, 5, 1, tzinfo=UTC),
    }
    return make_product(key, 2, **{**facts, **changes})


def old_form(key: Any, **changes: Any) -> dict[str, Any]:
    return {"id": key, "Category": 1, "vector": RNG.standard_normal(64).tolist(), **changes}


async def keys(store: CatalogueDatabase) -> list[str]:
    return sorted([key async for batch in store.products.keys(100) for key in batch])


def same(other_product: Product | None, other: Product) -> bool:
    assert other_product is not None
    lengths = np.linalg.norm(other.vectors, axis=1, keepdims=True)
    np.testing.assert_allclose(other_product.vectors, other.vectors / lengths, rtol=1e-5)
    return plain(other_product) == plain(other)


def plain(product: Product) -> dict[str, Any]:
    embeddings = {
        model: (embedding.prediction, [image.sha256 for image in embedding.images])
        for model, embedding in product.embeddings.items()
    }
    return {**vars(product), "embeddings": embeddings}


def further(*hashes: str) -> tuple[tuple[ProductImage, Float32Array], ...]:
    """Images that the catalogue keeps, and one that is linked."""
    linked = additional_image(
        RNG.standard_normal(64).astype(np.float32), url="https://shop.example/2.jpg", sha256="ef" * 32
    )
    kept = [additional_image(RNG.standard_normal(64).astype(np.float32), sha256=digest * 32) for digest in hashes]
    return (linked, *kept)


async def test_a_product_is_read_as_it_was_put(store: CatalogueDatabase) -> None:
    given = product("15970")
    await store.products.put(given)
    assert same(await store.products.get("15970"), given)


async def test_several_images_are_read_as_they_were_put_and_replaced_as_a_whole(store: CatalogueDatabase) -> None:
    for images in (further("ab", "cd"), further("ef"), ()):
        given = product("1", images=images)
        await store.products.put(given)
        assert same(await store.products.get("1"), given)
    await store.products.put_many([product("1", images=further("ab")), product("2")])
    fingerprints = await store.products.fingerprints(["1", "2"])
    main = ProductImage(None, "ab" * 32)
    assert fingerprints["1"].images == (main, ProductImage("https://shop.example/2.jpg", "ef" * 32), main)
    assert fingerprints["2"].images == (main,)


async def test_an_unknown_product_is_none(store: CatalogueDatabase) -> None:
    assert await store.products.get("nope") is None
    assert await store.products.get("507f1f77bcf86cd799439011") is None


async def test_putting_a_product_again_replaces_all_of_it(store: CatalogueDatabase) -> None:
    await store.products.put(product("1"))
    bare = make_product("1", 5, RNG.standard_normal(64).astype(np.float32), updated_at=datetime(2026, 6, 1, tzinfo=UTC))
    await store.products.put(bare)
    assert same(await store.products.get("1"), bare)
    assert await store.products.count() == 1


async def test_a_product_is_replaced_only_if_it_is_as_it_was_read(store: CatalogueDatabase) -> None:
    await store.products.put(product("1"))
    read, revision = await store.products.get_revision("1")
    assert read is not None and revision is not None
    assert await store.products.replace(replace(read, title="first"), revision)
    assert not await store.products.replace(replace(read, title="second"), revision)
    actual, revision = await store.products.get_revision("1")
    assert actual is not None and actual.title == "first"
    assert await store.products.delete("1")
    assert not await store.products.replace(replace(actual, title="third"), revision)
    assert await store.products.get("1") is None


async def test_no_change_of_two_who_read_and_replace_at_once_is_lost(store: CatalogueDatabase) -> None:
    await store.products.put(product("1", attributes={"count": 0}))

    async def count(times: int) -> None:
        while times:
            read, revision = await store.products.get_revision("1")
            assert read is not None
            counted = replace(read, attributes={"count": int(str(read.attributes["count"])) + 1})
            times -= await store.products.replace(counted, revision)

    await asyncio.gather(count(15), count(15))
    stored = await store.products.get("1")
    assert stored is not None and stored.attributes == {"count": 30}


async def test_a_legacy_document_becomes_a_product_of_its_own_when_it_is_replaced(
    store: CatalogueDatabase, raw: Any
) -> None:
    raw.insert_one(old_form(7))
    read, revision = await store.products.get_revision("7")
    assert read is not None
    assert await store.products.replace(replace(read, title="T"), revision)
    stored = await store.products.get("7")
    assert stored is not None and stored.title == "T"
    assert await store.products.count() == 1


async def test_a_document_without_a_revision_is_replaced_once(store: CatalogueDatabase, raw: Any) -> None:
    await store.products.put(product("1"))
    raw.update_one({"_id": "1"}, {"$unset": {"revision": ""}})
    read, revision = await store.products.get_revision("1")
    assert read is not None and revision is None
    assert await store.products.replace(read, revision)
    assert not await store.products.replace(read, revision)


async def test_attributes_that_no_product_has_are_named(store: CatalogueDatabase) -> None:
    await store.products.put(product("1", attributes={"price.net": 1, "size": "M"}, group="G"))
    assert await store.products.lacking(["size", "price.net", "group", "colr", "also"]) == ["also", "colr"]


async def test_a_product_without_a_time_is_given_the_present(store: CatalogueDatabase) -> None:
    before = datetime.now(UTC)
    await store.products.put(product("1", updated_at=None))
    stored = await store.products.get("1")
    assert stored is not None and stored.updated_at is not None
    assert abs((stored.updated_at - before).total_seconds()) < 60


@pytest.mark.parametrize("probably_new", [False, True])
async def test_a_product_keeps_the_time_when_it_was_first_written(store: CatalogueDatabase, probably_new: bool) -> None:
    first, second = datetime(2026, 4, 1, tzinfo=UTC), datetime(2026, 6, 1, tzinfo=UTC)
    for created in (first, second):
        await store.products.put_many([product("1", created_at=created)], probably_new=probably_new)
    read, revision = await store.products.get_revision("1")
    assert read is not None and read.created_at == first
    assert await store.products.replace(product("1", created_at=second, title="Other"), revision)
    read = await store.products.get("1")
    assert read is not None and (read.created_at, read.title) == (first, "Other")


async def test_a_product_of_an_earlier_version_gets_no_time_of_its_first_write(store: CatalogueDatabase) -> None:
    await store.products.put(product("1", created_at=None))
    await store.products.collection.update_one({"_id": "1"}, {"$unset": {"created_at": ""}})
    await store.products.put(product("1", created_at=datetime(2026, 6, 1, tzinfo=UTC)))
    read = await store.products.get("1")
    assert read is not None and read.created_at is None


@pytest.mark.parametrize("key", ["507f1f77bcf86cd799439011", "a/b?c=d", "größe 42", "abcdefghijkl", "0", "x" * 256])
async def test_any_text_may_be_a_key(store: CatalogueDatabase, key: str) -> None:
    await store.products.put(product(key))
    stored = await store.products.get(key)
    assert stored is not None and stored.key == key
    assert await store.products.delete(key)
    assert await store.products.get(key) is None


async def test_a_bulk_write_reports_what_cannot_be_stored_and_writes_the_rest(store: CatalogueDatabase) -> None:
    bad = [
        product("nan", vector=np.full(64, np.nan, np.float32)),
        product("", title="no key"),
        product("surrogate", title="\ud800"),
        product("large", title="x" * 16_000_000),
    ]
    report = await store.products.put_many([product("1"), *bad, product("2")])
    assert report.written == 2
    assert {failure.key for failure in report.failures} == {"nan", "", "surrogate", "large"}
    assert all(failure.reason for failure in report.failures)
    assert await keys(store) == ["1", "2"]


async def test_of_a_key_given_twice_the_last_counts(store: CatalogueDatabase) -> None:
    report = await store.products.put_many([product("1", title="first"), product("1", title="last")])
    stored = await store.products.get("1")
    assert report.written == 1
    assert stored is not None and stored.title == "last"


async def test_two_writers_of_the_same_new_keys_both_succeed(store: CatalogueDatabase) -> None:
    batches = [[product(str(number)) for number in range(200)] for _ in range(4)]
    reports = await asyncio.gather(*(store.products.put_many(batch) for batch in batches))
    assert [report.failures for report in reports] == [()] * 4
    assert await store.products.count() == 200


async def test_products_and_pictures_that_are_not_as_new_as_thought_are_written_all_the_same(
    store: CatalogueDatabase,
) -> None:
    picture = StoredImage("image/png", b"new")
    await store.products.put_many([product("a", title="old", url="https://old.example/")])
    await store.pictures.put_many([("a", StoredImage("image/png", b"old"))])
    report = await store.products.put_many([product("a", title="new", url=None), product("b")], probably_new=True)
    pictures = await store.pictures.put_many([("a", picture), ("b", picture)], probably_new=True)
    assert (report.written, report.failures) == (pictures.written, pictures.failures) == (2, ())
    stored = await store.products.get("a")
    assert stored is not None
    assert (stored.title, stored.url) == ("new", None)
    assert await store.pictures.get("a") == await store.pictures.get("b") == picture
    assert await keys(store) == ["a", "b"]


async def test_nothing_to_write_is_no_error(store: CatalogueDatabase) -> None:
    assert (await store.products.put_many([])).written == 0
    assert await store.products.fingerprints([]) == {}


async def test_putting_what_cannot_be_stored_says_why(store: CatalogueDatabase) -> None:
    with pytest.raises(ValueError, match="NaN"):
        await store.products.put(product("1", vector=np.zeros(64, np.float32)))


async def test_deleting_many_takes_them_in_both_forms_with_their_pictures_and_no_others(
    store: CatalogueDatabase, raw: Collection[dict[str, Any]]
) -> None:
    await store.products.put_many([product("A"), product("B"), product("C")])
    await store.pictures.put_many([(key, StoredImage("image/png", b"picture")) for key in ("A", "C")])
    raw.insert_many([old_form(7), old_form("8")])
    assert await store.products.delete_many(["A", "7", "gone"]) == 2
    assert sorted(await keys(store)) == ["8", "B", "C"]
    assert await store.pictures.get("A") is None
    assert await store.pictures.get("C") is not None


async def test_deleting_says_whether_there_was_one_and_takes_the_picture_too(store: CatalogueDatabase) -> None:
    await store.products.put(product("1"))
    await store.pictures.put_many([("1", StoredImage("image/png", b"abc"))])
    assert await store.products.delete("1")
    assert await store.products.get("1") is None
    assert await store.pictures.get("1") is None
    assert not await store.products.delete("1")


async def test_several_pictures_of_a_product_are_kept_apart_and_go_with_it(store: CatalogueDatabase) -> None:
    pictures = {key: StoredImage("image/png", key.encode()) for key in ("1", "2", "12")}
    for key in list(pictures):
        for sha256 in ("ab" * 32, "cd" * 32):
            pictures[picture_id(key, sha256)] = StoredImage("image/jpeg", (key + sha256).encode())
    await store.products.put_many([product("1"), product("2"), product("12")])
    await store.pictures.put_many(list(pictures.items()))
    for name, picture in pictures.items():
        assert await store.pictures.get(name) == picture
    await store.pictures.keep_only({"1": ["cd" * 32], "2": []})
    assert await store.pictures.get(picture_id("1", "ab" * 32)) is None
    assert await store.pictures.get(picture_id("1", "cd" * 32)) is not None
    assert await store.pictures.get(picture_id("2", "cd" * 32)) is None
    assert await store.pictures.get("1") is not None and await store.pictures.get("2") is not None
    await store.products.delete("1")
    assert await store.pictures.get("1") is None and await store.pictures.get(picture_id("1", "cd" * 32)) is None
    assert await store.pictures.get(picture_id("12", "ab" * 32)) is not None
    await store.products.delete_many(["12"])
    assert await store.pictures.get(picture_id("12", "ab" * 32)) is None


async def test_a_picture_is_kept_and_replaced_byte_for_byte(store: CatalogueDatabase) -> None:
    for image in (StoredImage("image/png", bytes(range(256)) * 100), StoredImage("image/jpeg", b"\0\xff")):
        report = await store.pictures.put_many([("1", image)])
        assert report.written == 1
        assert await store.pictures.get("1") == image
    assert await store.pictures.get("2") is None


async def test_fingerprints_tell_what_is_known_of_those_that_are_there(store: CatalogueDatabase) -> None:
    await store.products.put_many(
        [product("1"), product("2", image_sha256=None, feed_sha256=None, category_source="network")]
    )
    assert await store.products.fingerprints(["1", "2", "3"]) == {
        "1": Fingerprint((ProductImage(None, "ab" * 32),), "cd" * 32, "fashion/1", frozenset(["fashion/1"]), "feed"),
        "2": Fingerprint((ProductImage(),), None, "fashion/1", frozenset(["fashion/1"]), "network"),
    }


async def test_older_documents_are_found_by_their_id(store: CatalogueDatabase, raw: Any) -> None:
    raw.insert_many([old_form(15970), old_form("A7")])
    bare = raw.insert_one({"Category": 4, "vector": [1.0] * 64}).inserted_id
    for key in ("15970", "A7", str(bare)):
        stored = await store.products.get(key)
        assert stored is not None and stored.key == key
    assert await keys(store) == sorted(["15970", "A7", str(bare)])


async def test_putting_a_product_removes_older_documents_of_its_key(store: CatalogueDatabase, raw: Any) -> None:
    raw.insert_many([old_form(1), old_form("1"), old_form(2)])
    await store.products.put(product("1"))
    assert await keys(store) == ["1", "2"]
    stored = await store.products.get("1")
    assert stored is not None and stored.model == "fashion/1"


async def test_deleting_a_product_removes_it_in_whatever_form_it_stands(store: CatalogueDatabase, raw: Any) -> None:
    await store.products.put(product("1"))
    bare = raw.insert_one({"Category": 4, "vector": [1.0] * 64}).inserted_id
    raw.insert_many([old_form(1), old_form(2)])
    for key in ("2", str(bare)):
        assert await store.products.delete(key)
        assert await store.products.get(key) is None
    assert await keys(store) == ["1", "1"]


async def test_an_object_id_is_no_key_of_a_document_that_has_an_id(store: CatalogueDatabase, raw: Any) -> None:
    document_id = raw.insert_one(old_form(7)).inserted_id
    assert await store.products.get(str(document_id)) is None
    assert not await store.products.delete(str(document_id))
    assert await store.products.get("7") is not None


async def test_a_broken_document_is_no_product(store: CatalogueDatabase, raw: Any) -> None:
    raw.insert_one({"_id": "1", "id": "1", "category_source": "feed"})
    assert await store.products.get("1") is None


async def test_a_scan_gives_every_product_and_what_is_wrong_with_the_others(store: CatalogueDatabase, raw: Any) -> None:
    await store.products.put_many([product(str(number)) for number in range(250)])
    broken = raw.insert_one(old_form(5, Category=None)).inserted_id
    await store.products.put_marker()
    actual = [item async for batch in store.products.scan(100) for item in batch]
    assert sorted(int(item.product.key) for item in actual if isinstance(item, Record)) == list(range(250))
    assert [item.document_id for item in actual if isinstance(item, BrokenDocument)] == [str(broken)]


async def test_a_scan_that_the_server_breaks_off_is_no_scan(
    store: CatalogueDatabase, raw: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    await store.products.put_many([product(str(number)) for number in range(250)])
    batches = store.products.batches

    async def cut_short(*arguments: Any) -> AsyncIterator[Any]:
        async for documents in batches(*arguments):
            yield documents
            return  # as a stand-in that was started anew, which knows nothing of the reading

    monkeypatch.setattr(store.products, "batches", cut_short)
    with pytest.raises(CatalogueUnavailable, match="broke off during a scan"):
        _ = [item async for batch in store.products.scan(100) for item in batch]
    assert raw.count_documents({}) == 250


async def test_documents_are_read_by_their_ids(store: CatalogueDatabase, raw: Any) -> None:
    await store.products.put_many([product("1"), product("2")])
    old = raw.insert_one(old_form(9)).inserted_id
    actual = await store.products.read(["1", old, "gone", ObjectId()])
    assert {(item.document_id, getattr(item, "product").key) for item in actual} == {("1", "1"), (str(old), "9")}  # noqa: B009


async def everything(feed: ChangeFeed, until: str) -> list[ChangeBatch]:
    batches: list[ChangeBatch] = []
    async with asyncio.timeout(WITHIN_S):
        while not any(until in batch.markers for batch in batches):
            batches.append(await feed.next_batch(1000, 0.1))
    return batches


async def test_the_feed_tells_what_became_of_documents_of_both_forms(store: CatalogueDatabase, raw: Any) -> None:
    gone = raw.insert_one(old_form(3)).inserted_id
    feed = await store.products.watch()
    try:
        await store.products.put(product("1", title="first"))
        await store.products.put(product("1", title="last"))
        old = raw.insert_one(old_form(2)).inserted_id
        raw.delete_one({"_id": gone})
        raw.insert_one({"_id": "broken", "Category": 1})
        batches = await everything(feed, await store.products.put_marker())
    finally:
        await feed.close()
    states = {record.document_id: record.product for batch in batches for record in batch.changed}
    assert states.keys() | {each for batch in batches for each in map(str, batch.unclear)} == {"1", str(old), "broken"}
    assert states["1"].title == "last"
    assert states["1"].attributes == {"colour": ["blue", "red"], "price": 29.9, "a.b": 1, "$c": True}
    assert str(gone) in batches[-1].deleted


async def test_a_feed_goes_on_after_its_token_that_was_kept_as_text(store: CatalogueDatabase) -> None:
    feed = await store.products.watch()
    await store.products.put(product("1"))
    token = (await everything(feed, await store.products.put_marker()))[-1].token
    await feed.close()
    assert token is not None
    token = read_token(token_text(token))
    await store.products.put(product("2"))
    feed = await store.products.watch(token)
    batches = await everything(feed, await store.products.put_marker())
    await feed.close()
    assert [record.product.key for batch in batches for record in batch.changed] == ["2"]


async def test_a_quiet_feed_gives_empty_batches_with_a_token_and_the_time(store: CatalogueDatabase) -> None:
    feed = await store.products.watch()
    batch = await feed.next_batch(1000, 0.1)
    await feed.close()
    assert batch.is_empty and batch.token is not None
    assert abs(batch.level_at - datetime.now(UTC).timestamp()) < 60


async def test_a_feed_that_is_behind_knows_when_what_it_has_was_written(store: CatalogueDatabase) -> None:
    feed = await store.products.watch()
    token = (await everything(feed, await store.products.put_marker()))[-1].token
    await feed.close()
    began_at = time.time()
    for number in range(5):
        await store.products.put(product(str(number)))
    written_at = time.time()
    await asyncio.sleep(LATE_S)
    feed = await store.products.watch(token)
    batch = await feed.next_batch(2, 0.0)
    await feed.close()
    assert began_at - 1 <= batch.level_at <= written_at


async def test_a_database_is_told_from_another_and_from_itself_emptied(
    store: CatalogueDatabase, url: str, raw: Any
) -> None:
    names = await asyncio.gather(*(store.products.identity() for _ in range(5)))
    async with CatalogueDatabase(url, raw.database.name) as again:
        assert {await again.products.identity(), *names} == {names[0]}
    with fresh_database(url) as other:
        async with CatalogueDatabase(url, other) as another:
            assert await another.products.identity() != names[0]
    raw.database["notes"].drop()
    assert await store.products.identity() != names[0]


async def test_markers_are_no_products(store: CatalogueDatabase) -> None:
    marker = await store.products.put_marker()
    assert await keys(store) == []
    assert [item async for batch in store.products.scan() for item in batch] == []
    await store.products.remove_markers([marker])
    assert await store.products.count() == 0


@pytest.mark.parametrize(
    "call", ["ping", "identity", "count", "get", "put", "delete", "fingerprints", "scan", "watch", "put_marker"]
)
async def test_a_database_that_is_away_is_said_so_without_the_password(call: str) -> None:
    port = free_port()
    arguments: dict[str, list[Any]] = {"get": ["1"], "put": [product("1")], "delete": ["1"], "fingerprints": [["1"]]}
    async with CatalogueDatabase(f"mongodb://lookalike:s3cret@127.0.0.1:{port}", connect_timeout_s=0.2) as store:
        with pytest.raises(CatalogueUnavailable) as caught:
            if call == "scan":
                _ = [batch async for batch in store.products.scan()]
            else:
                part = store if call == "ping" else store.products
                await getattr(part, call)(*arguments.get(call, []))
    assert "cannot be reached" in caught.value.detail
    assert caught.value.inside == {"database": f"127.0.0.1:{port}"}  # for the log, not for a client
    assert str(port) not in caught.value.detail
    assert "s3cret" not in f"{caught.value} {caught.value.inside}"


@pytest.mark.parametrize("url", ["postgres://u:s3cret@host", "mongodb://u:s3cret@host:port", "mongodb://"])
async def test_an_address_that_is_none_is_said_so_without_the_password(url: str) -> None:
    with pytest.raises(CatalogueUnavailable) as caught:
        await CatalogueDatabase(url).connect()
    assert "MONGO_URL" in caught.value.detail
    assert "s3cret" not in caught.value.detail


async def test_how_the_last_import_went_is_kept_whatever_its_names_are(store: CatalogueDatabase) -> None:
    assert await store.notes.get("last-import") is None
    await store.notes.put("last-import", {"imported": 1, "left_out": {"a.b": 1, "$c": 2}})
    await store.notes.put("last-import", {"imported": 2, "left_out": {"a.b": 3}})
    assert await store.notes.get("last-import") == {"imported": 2, "left_out": {"a.b": 3}}
