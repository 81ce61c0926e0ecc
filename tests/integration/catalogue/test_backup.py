"""Backup under writes, restore into the same database and a new one; the index is equal to the database afterwards."""

import asyncio
from pathlib import Path

import numpy as np

from services.catalogue.backup.backup import back_up, restore
from services.catalogue.product import Product, StoredImage
from services.catalogue.store.database import CatalogueDatabase
from tests.support.servers.index import IndexProcess, running_index
from tests.support.servers.mongo import private_mongo
from tests.support.values.products import make_product
from tests.support.waiting import eventually

PRODUCTS = 100
VECTORS = np.eye(64, dtype=np.float32)


def product(number: int, revision: int) -> Product:
    """Return a product whose vector names its revision."""
    image = StoredImage("image/jpeg", f"{number} {revision}".encode())
    vector = VECTORS[number % 32] + 0.5 * VECTORS[32 + revision % 32]
    return make_product(f"p{number}", 0, vector, "fashion/1", title=f"{revision}", image_sha256=image.sha256)


async def write(store: CatalogueDatabase, number: int, revision: int) -> None:
    await store.pictures.put_many([(f"p{number}", StoredImage("image/jpeg", f"{number} {revision}".encode()))])
    await store.products.put(product(number, revision))


async def held(store: CatalogueDatabase) -> dict[str, str | None]:
    return {product.key: product.title async for page in store.products.all() for product in page}


def indexed(index: IndexProcess) -> dict[str, str | None]:
    return {hit["id"]: hit["title"] for hit in index.search(VECTORS[0], k=PRODUCTS)}


async def scenario(url: str, index: IndexProcess, path: Path) -> None:
    async with CatalogueDatabase(url) as store:
        await store.products.put_many([product(number, 0) for number in range(PRODUCTS)])
        acknowledged = dict.fromkeys(range(PRODUCTS), 0)
        stop = asyncio.Event()

        async def change() -> None:
            for turn in range(1, 100_000):
                if stop.is_set():
                    return
                number = turn * 7 % PRODUCTS
                await write(store, number, turn)
                acknowledged[number] = turn

        changing = asyncio.create_task(change())
        while sum(1 for revision in acknowledged.values() if revision) < 20:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        before = dict(acknowledged)
        await back_up(path, [store])
        stop.set()
        await changing
        await store.products.delete_many([f"p{number}" for number in range(10)])
        await restore(path, store, ("default",), replace=True)
        restored = await held(store)
    lost = [number for number, revision in before.items() if int(restored.get(f"p{number}") or -1) < revision]
    assert lost == []
    await asyncio.to_thread(eventually, lambda: indexed(index) == restored)
    async with CatalogueDatabase(url, "another") as other:
        await restore(path, other, ("default",), replace=False)
        assert await held(other) == restored


def test_nothing_acknowledged_is_lost_and_the_index_is_equal_to_the_restored_database(tmp_path: Path) -> None:
    with (
        private_mongo(tmp_path) as mongo,
        running_index(tmp_path, mongo.url, INDEX_SNAPSHOT_DIR=str(tmp_path)) as index,
    ):
        eventually(lambda: index.answers("/readyz"))
        asyncio.run(scenario(mongo.url, index, tmp_path / "one.backup"))
