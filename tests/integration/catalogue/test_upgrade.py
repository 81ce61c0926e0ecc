"""The data of the previous release with this one, and the other way round: the database and the index's snapshots.

A folder of `tests/support/releases` has `data.zip`, which the release wrote (its index, and its store on the stand-in
for MongoDB), and `services.zip`, the modules of the release that its index and its store import.
"""

import asyncio
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from services.catalogue.product import StoredImage
from services.catalogue.store.database import CatalogueDatabase
from tests.support.servers.index import IndexProcess, running_index
from tests.support.servers.mongo import MongoStandIn, private_mongo
from tests.support.values.events import make_event, make_query
from tests.support.values.products import additional_image, make_product
from tests.support.waiting import WITHIN_S, eventually

RELEASES = Path(__file__).resolve().parents[2] / "support" / "releases"
VECTORS = np.eye(64, dtype=np.float32)
NOW = datetime(2026, 11, 29, tzinfo=UTC)
RULES: dict[str, Any] = {"rules": []}
# What the store of 0.1.0 is asked to write.
WRITE_BY_PREVIOUS = """
import asyncio, sys
import numpy as np
from services.catalogue.product import Product
from services.catalogue.store import ProductStore

async def run():
    async with ProductStore(sys.argv[1]) as store:
        await store.put(Product("previous", 0, np.eye(64, dtype=np.float32)[3], "fashion/1", title="Previous"))
        assert (await store.get("b")).title == "B"

asyncio.run(run())
"""


@pytest.fixture(scope="module", params=sorted(path.name for path in RELEASES.iterdir()))
def release(request: pytest.FixtureRequest) -> Path:
    """The folder of a release."""
    return RELEASES / str(request.param)


@pytest.fixture(scope="module")
def mongo(release: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[MongoStandIn]:
    """The database of a release, with its index's snapshots in the folder `snapshots`."""
    folder = tmp_path_factory.mktemp("release")
    with zipfile.ZipFile(release / "data.zip") as archive:
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


async def write(url: str) -> None:
    """Write with this release: products, one of them with another image and of a group, events, a search, rules."""
    async with CatalogueDatabase(url) as store:
        await store.products.put(make_product("a", 0, VECTORS[0], "fashion/1", title="A", group="style"))
        more = additional_image(VECTORS[1], "https://shop.example/b-2.jpg")
        await store.products.put(make_product("b", 0, VECTORS[2], "fashion/1", title="B", images=[more]))
        await store.events.add_events([make_event("click", "e1", NOW)])
        await store.events.add_queries([make_query("q1", NOW)])
        assert await store.rules.replace(RULES, 0)


async def check_what_was_written(url: str) -> None:
    """Check that groups, events, searches and rules are still there."""
    async with CatalogueDatabase(url) as store:
        product = await store.products.get("a")
        assert product is not None
        assert product.group == "style"
        assert [event.event_id async for page in store.events.events() for event in page] == ["e1"]
        assert [query.query_id async for page in store.events.queries() for query in page] == ["q1"]
        rules = await store.rules.get()
        assert rules is not None
        assert rules.document == RULES


def first_hit(index: IndexProcess, vector: int) -> str:
    return str(index.search(VECTORS[vector], k=1)[0]["id"])


def test_one_can_go_back_to_the_previous_release_and_return(release: Path, tmp_path: Path) -> None:
    """As the changelog says: products are found by their main image, and nothing of this release is lost."""
    previous = tmp_path / "previous"
    with zipfile.ZipFile(release / "services.zip") as archive:
        archive.extractall(previous)
    snapshots = {"INDEX_SNAPSHOT_DIR": str(tmp_path / "snapshots")}
    with private_mongo(tmp_path) as mongo:
        asyncio.run(write(mongo.url))
        with running_index(tmp_path, mongo.url, **snapshots) as index:
            eventually(lambda: index.answers("/readyz"))
            assert [first_hit(index, vector) for vector in range(3)] == ["a", "b", "b"]
        with running_index(tmp_path, mongo.url, code=str(previous), **snapshots) as index:
            eventually(lambda: index.answers("/readyz"))
            assert [first_hit(index, vector) for vector in (0, 2)] == ["a", "b"]
            command = [sys.executable, "-c", WRITE_BY_PREVIOUS, mongo.url]
            done = subprocess.run(command, cwd=previous, capture_output=True, text=True, timeout=WITHIN_S, check=False)
            assert done.returncode == 0, done.stderr
            eventually(lambda: first_hit(index, 3) == "previous")
        with running_index(tmp_path, mongo.url, **snapshots) as index:
            eventually(lambda: index.answers("/readyz"))
            eventually(lambda: [first_hit(index, vector) for vector in range(4)] == ["a", "b", "b", "previous"])
        asyncio.run(check_what_was_written(mongo.url))
