"""Backup and restore against the database: consistent while writes go on, and equal afterwards."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pymongo.collection import Collection

from services.catalogue.backup.backup import back_up, restore
from services.catalogue.backup.backup_file import BackupError, read
from services.catalogue.importing.lease import ImportLease
from services.catalogue.product import StoredImage
from services.catalogue.store.database import CatalogueDatabase
from services.catalogue.store.notes import CHECKPOINT_PREFIX, LAST_BACKUP
from services.catalogue.store.pictures import picture_id
from tests.support.servers.mongo import fresh_database
from tests.support.values.products import make_product

PRODUCTS = 60
CHECKPOINT = CHECKPOINT_PREFIX + "a"


def picture(number: int, revision: int) -> StoredImage:
    return StoredImage("image/jpeg", f"picture {number} revision {revision}".encode())


async def put(store: CatalogueDatabase, number: int, revision: int = 0) -> None:
    """Write a product as the gateway does: first its picture."""
    image = picture(number, revision)
    vector = np.eye(64, dtype=np.float32)[number % 64]
    await store.pictures.put_many([(f"p{number:03}", image)])
    await store.products.put(
        make_product(f"p{number:03}", 0, vector, title=f"revision {revision}", image_sha256=image.sha256)
    )


def everything(path: Path) -> dict[str, dict[Any, dict[str, Any]]]:
    parts: dict[str, dict[Any, dict[str, Any]]] = {}
    for name, document in read(path):
        plain = dict(document.items())
        assert plain["_id"] not in parts.setdefault(name, {})
        parts[name][plain["_id"]] = plain
    return parts


@pytest.fixture
async def filled(store: CatalogueDatabase) -> CatalogueDatabase:
    for number in range(PRODUCTS):
        await put(store, number)
    await store.pictures.put_many([(picture_id("p001", "ab" * 32), picture(1, 1))])
    await store.notes.put("last-import", {"source": "feed.csv"})
    return store


async def test_every_write_acknowledged_before_the_start_is_in_the_file_and_pictures_fit_their_products(
    filled: CatalogueDatabase, tmp_path: Path
) -> None:
    stop = asyncio.Event()

    async def write() -> None:
        revision = 0
        while not stop.is_set():
            revision += 1
            for number in (0, PRODUCTS // 2, PRODUCTS - 1, PRODUCTS + revision % 7):
                await put(filled, number, revision)

    writing = asyncio.create_task(write())
    await back_up(tmp_path / "one.backup", [filled])
    stop.set()
    await writing
    parts = everything(tmp_path / "one.backup")
    assert {f"p{number:03}" for number in range(PRODUCTS)} <= parts["products"].keys()
    for key, product in parts["products"].items():
        stored = parts["images"][key]
        assert int(bytes(stored["data"]).split()[-1]) >= int(product["title"].split()[-1])
    note = await filled.notes.get(LAST_BACKUP)
    assert note is not None
    assert note["documents"]["products"] == len(parts["products"])


async def test_a_restored_database_is_equal_to_the_one_that_was_backed_up(
    url: str, filled: CatalogueDatabase, raw: Collection[dict[str, Any]], tmp_path: Path
) -> None:
    raw.insert_one({"id": 7, "Category": 1, "vector": [0.5] * 64})
    identity = await filled.products.identity()
    await filled.notes.put(CHECKPOINT, {"rows": 512})  # of an import that may be ahead of the backup's products
    saved: list[int] = []
    contents = await back_up(tmp_path / "one.backup", [filled, filled.of("shoes")], saved.append)
    assert (contents.catalogues, contents.database) == (("default", "shoes"), filled.database_name)
    assert saved == sorted(saved) and saved[-1] == contents.documents.total() > PRODUCTS
    assert await filled.notes.get(LAST_BACKUP) is not None
    assert await filled.of("shoes").notes.get(LAST_BACKUP) is None
    with fresh_database(url) as name:
        async with CatalogueDatabase(url, name) as other:
            own = await other.products.identity()
            await other.notes.put(CHECKPOINT, {"rows": 1024})  # of products that the restore removes
            written: list[int] = []
            catalogues = ("default", "shoes")
            restored = await restore(tmp_path / "one.backup", other, catalogues, replace=False, progress=written.append)
            assert restored == contents
            assert written == sorted(written)
            assert written[-1] == sum(map(len, everything(tmp_path / "one.backup").values()))
            await back_up(tmp_path / "two.backup", [other, other.of("shoes")])
            assert everything(tmp_path / "two.backup") == everything(tmp_path / "one.backup")
            assert await other.products.identity() == own != identity
            assert await other.notes.lease() is None
            assert await other.notes.get(CHECKPOINT) is None
            stored = [await other.pictures.get(name) for name in ("p000", picture_id("p001", "ab" * 32))]
            assert await other.of("shoes").notes.get(LAST_BACKUP) is None
    assert stored == [picture(0, 0), picture(1, 1)]


async def test_a_product_that_changes_after_its_page_was_read_is_saved_with_its_new_picture(
    filled: CatalogueDatabase, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pictures, reads = filled.dump._pictures, list[int]()

    async def changed_meanwhile(keys: Sequence[str]) -> list[Any]:
        stored = await pictures(keys)
        if not reads:
            await put(filled, 0, 1)
            await filled.products.delete("p001")
        reads.append(len(keys))
        return stored

    monkeypatch.setattr(filled.dump, "_pictures", changed_meanwhile)
    await back_up(tmp_path / "one.backup", [filled])
    parts = everything(tmp_path / "one.backup")
    assert parts["products"]["p000"]["title"] == "revision 1"
    assert bytes(parts["images"]["p000"]["data"]) == picture(0, 1).data
    assert len(parts["products"]) == len(parts["images"]) == PRODUCTS - 1
    assert reads == [PRODUCTS, 1]


async def test_a_catalogue_with_markers_only_is_empty(store: CatalogueDatabase) -> None:
    for _ in range(6):
        await store.products.put_marker()
    assert await store.dump.is_empty()
    await put(store, 1)
    assert not await store.dump.is_empty()
    await store.products.collection.delete_one({"_id": "p001"})
    assert not await store.dump.is_empty()  # there is a picture


async def test_a_collection_that_is_not_of_the_catalogue_is_not_written(store: CatalogueDatabase) -> None:
    with pytest.raises(KeyError, match="keys"):
        await store.of("shoes").dump.write("keys", [])
    assert "keys" in store.dump.collections


async def test_products_are_replaced_only_on_request(filled: CatalogueDatabase, tmp_path: Path) -> None:
    path = tmp_path / "one.backup"
    await back_up(path, [filled])
    await put(filled, 500)
    await filled.products.delete("p001")
    with pytest.raises(BackupError, match="--replace"):
        await restore(path, filled, ("default",), replace=False)
    assert await filled.products.get("p500") is not None
    await restore(path, filled, ("default",), replace=True)
    assert await filled.products.get("p500") is None
    assert await filled.products.get("p001") is not None
    assert await filled.products.count() == PRODUCTS


async def test_nothing_changes_if_the_file_or_the_catalogues_are_wrong_or_an_import_runs(
    filled: CatalogueDatabase, tmp_path: Path
) -> None:
    path, cut = tmp_path / "one.backup", tmp_path / "cut.backup"
    await back_up(path, [filled, filled.of("shoes")])
    cut.write_bytes(path.read_bytes()[:-30])
    with pytest.raises(BackupError, match="cut or damaged"):
        await restore(cut, filled, ("default", "shoes"), replace=True)
    with pytest.raises(BackupError, match="has the catalogues shoes: CATALOGUES"):
        await restore(path, filled, ("default",), replace=True)
    lease = ImportLease(filled.notes, "1", "feed.csv", "2026-11-29")
    await lease.take(asyncio.Event())
    with pytest.raises(BackupError, match="another import is under way"):
        await restore(path, filled, ("default", "shoes"), replace=True)
    await lease.drop()
    assert await filled.products.count() == PRODUCTS
