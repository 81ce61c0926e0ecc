"""The data of the previous release with this one: the folder of the database and the index's snapshots.

`tests/support/releases/0.1.0.zip` was written by version 0.1.0: its index, and its store on the stand-in for MongoDB.
"""

import asyncio
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from services.catalogue.product import StoredImage
from services.catalogue.store.database import CatalogueDatabase
from tests.support.servers.index import IndexProcess, running_index
from tests.support.servers.mongo import MongoStandIn
from tests.support.values.products import make_product
from tests.support.waiting import eventually

RELEASES = Path(__file__).resolve().parents[1] / "support" / "releases"
VECTORS = np.eye(64, dtype=np.float32)


@pytest.fixture(scope="module", params=sorted(path.name for path in RELEASES.glob("*.zip")))
def mongo(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[MongoStandIn]:
    """The database of a release, with its index's snapshots in the folder `snapshots`."""
    folder = tmp_path_factory.mktemp("release")
    with zipfile.ZipFile(RELEASES / request.param) as archive:
        archive.extractall(folder)
    server = MongoStandIn(folder)
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def index(mongo: MongoStandIn) -> Iterator[IndexProcess]:
    with running_index(mongo.folder, mongo.url, INDEX_SNAPSHOT_DIR=str(mongo.folder / "snapshots")) as index:
        eventually(lambda: index.answers("/readyz"))
        yield index


def test_every_product_is_searched_by_each_of_its_images(index: IndexProcess) -> None:
    eventually(lambda: index.catalogue()["sync"]["state"] == "following")
    assert index.catalogue()["products"] == 13
    first = index.search(VECTORS[0], category=0, k=1)[0]
    assert (first["id"], first["title"], first["url"]) == ("p0", "Product 0", "https://shop.example/0")
    assert first["attributes"] == {"price": 0.5, "brand": "B"}
    assert index.search(VECTORS[20 + 5], category=2, k=1)[0]["id"] == "p5"  # by its additional image
    assert "old" in [hit["id"] for hit in index.search(np.full(64, 0.125), category=1, k=10)]
    assert "Traceback" not in index.log()


def test_products_pictures_and_notes_are_read_and_changes_are_searched(
    mongo: MongoStandIn, index: IndexProcess
) -> None:
    async def change() -> None:
        async with CatalogueDatabase(mongo.url) as store:
            product = await store.products.get("p4")
            assert product is not None
            assert [image.url for image in product.images] == [
                "https://shop.example/4.jpg",
                "https://shop.example/4-2.jpg",
            ]
            assert await store.pictures.get("p0") == StoredImage("image/jpeg", b"a picture")
            note = await store.notes.get("last-import")
            assert note is not None
            assert note["source"] == "feed.csv"
            await store.products.put(make_product("new", 0, VECTORS[50], "fashion/1", title="New"))
            assert await store.products.delete("old")

    asyncio.run(change())
    eventually(lambda: index.search(VECTORS[50], category=0, k=1)[0]["id"] == "new")
    eventually(lambda: index.catalogue()["products"] == 13)
