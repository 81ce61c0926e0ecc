"""A database in two shards behind a router: imports, an index that follows, moving chunks, a killed shard."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pymongo
import pytest

from services.catalogue.importing.record import ImportRecord
from services.catalogue.importing.report import RejectedFile, Summary
from services.catalogue.importing.session import ImportSession, Plan, SessionServices
from services.catalogue.retry import Retry
from services.catalogue.store.database import CatalogueDatabase
from services.catalogue.store.product_pages import ListPosition
from services.contracts.domain.errors import CatalogueUnavailable
from services.contracts.wire.embedding import ModelFacts
from services.engine.flat_search import FaissFlat
from services.engine.gallery import Gallery
from services.index.follow.follower import Follower, FollowOptions
from services.index.replica.replica import Replica
from tests.support.fakes.follow import until
from tests.support.fakes.import_fakes import CATEGORIES, FakeEmbedding, FakeWeb, ListSource, row
from tests.support.servers.mongo import fresh_database
from tests.support.sharded.chunks import CHUNKS, chunk_of
from tests.support.sharded.cluster import NOOP_S, Cluster, sharded_mongo
from tests.support.values.products import make_product
from tests.support.waiting import WITHIN_S

FACTS = ModelFacts(
    model="fashion/1", categories=list(CATEGORIES), dimension=4, input={"height": 80, "width": 80}, thresholds={}
)
VECTOR = np.eye(4, dtype=np.float32)[0]
COUNT = 120
NEVER_S = 1e12


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with sharded_mongo(tmp_path_factory.mktemp("cluster")) as cluster:
        yield cluster


@pytest.fixture
async def store(cluster: Cluster) -> AsyncIterator[CatalogueDatabase]:
    with fresh_database(cluster.url) as name:
        async with CatalogueDatabase(cluster.url, name, timeout_s=5.0) as store:
            yield store


async def imported(store: CatalogueDatabase, folder: Path, keys: list[str], limit: float | None = None) -> Summary:
    """Import products with these keys; with a limit, remove the others."""
    stopping = asyncio.Event()
    retry = Retry(60.0, stopping, lambda _: None)
    session = ImportSession(
        Plan(ListSource([row(key, key.encode()) for key in keys]), "feed.csv", sync_limit=limit),
        SessionServices(FakeEmbedding(), store, FakeWeb(), retry),
        RejectedFile(folder / "rejected.ndjson"),
        stopping,
    )
    async with ImportRecord(store, "feed.csv", retry, stopping) as record:
        return await session.run(record, FACTS)


def empty() -> Replica:
    return Replica(Gallery(len(CATEGORIES), 4, FaissFlat), "fashion/1", "fashion/1")


@asynccontextmanager
async def following(store: CatalogueDatabase) -> AsyncIterator[Follower]:
    follower = Follower(store.products, empty, None, FollowOptions(gather_s=0.01, poll_s=0.05, longest_pause_s=0.1))
    task = asyncio.create_task(follower.run())
    try:
        yield follower
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def is_equal(follower: Follower, store: CatalogueDatabase) -> bool:
    """Return whether the index holds exactly the products of the database, each in its last state."""
    documents = [document async for batch in store.products.scan(100) for document in batch]
    replica = follower.replica
    if replica is None or set(replica.document_ids()) != {document.document_id for document in documents}:
        return False
    return replica.differing(documents) == []


async def until_equal(follower: Follower, store: CatalogueDatabase) -> None:
    async with asyncio.timeout(WITHIN_S):
        while not await is_equal(follower, store):  # noqa: ASYNC110
            await asyncio.sleep(0.1)


def of_shards(cluster: Cluster, database: str) -> list[set[str]]:
    """Return the keys of the products in each shard."""
    held = []
    for shard in cluster.shards:
        with pymongo.MongoClient[dict[str, Any]](shard.url) as client:
            held.append({document["_id"] for document in client[database]["products"].find({}, {"_id": 1})})
    return held


async def put(store: CatalogueDatabase, key: str, title: str) -> None:
    """Write a product, as often as it takes."""
    while True:
        with contextlib.suppress(CatalogueUnavailable):
            report = await store.products.put_many([make_product(key, 0, VECTOR, model="fashion/1", title=title)])
            assert report.failures == ()
            return
        await asyncio.sleep(0.05)


async def written(store: CatalogueDatabase, keys: list[str], stop: asyncio.Event) -> dict[str, str]:
    """Write and remove products one after the other until an event; return the last titles of those that are left."""
    last: dict[str, str] = {}
    number = 0
    while not stop.is_set():
        key, title = keys[number % len(keys)], f"title {number}"
        await put(store, key, title)
        last[key] = title
        if number % 7 == 0:
            with contextlib.suppress(CatalogueUnavailable):
                await store.products.delete(key)
                del last[key]
        number += 1
    return last


async def test_products_are_on_both_shards_and_are_listed_counted_and_removed_as_on_one(
    cluster: Cluster, store: CatalogueDatabase, tmp_path: Path
) -> None:
    keys = [f"p{number:03}" for number in range(COUNT)]
    assert (await imported(store, tmp_path, keys)).tally.imported == COUNT
    held = of_shards(cluster, store.database_name)
    assert held[0] | held[1] == set(keys) and not held[0] & held[1] and all(held)
    assert await store.products.count() == COUNT
    page = await store.products.page(ListPosition("text"), 50)
    assert [product.key for product, _ in page.products] == keys[:50]
    again = await imported(store, tmp_path, keys[:100], limit=0.5)
    assert (again.tally.imported, again.tally.unchanged) == (0, 100)
    assert sorted([key async for batch in store.products.keys(30) for key in batch]) == keys[:100]
    assert await store.products.delete(keys[0])
    assert await store.products.get(keys[0]) is None


async def test_an_index_follows_while_chunks_move_and_products_change(
    cluster: Cluster, store: CatalogueDatabase, tmp_path: Path
) -> None:
    keys = [f"m{number:03}" for number in range(COUNT)]
    await imported(store, tmp_path, keys)
    async with following(store) as follower:
        await until(lambda: follower.state == "following")
        stop = asyncio.Event()
        writing = asyncio.create_task(written(store, [*keys[:20], "new1", "new2"], stop))
        for to in (0, 1, 0):
            assert await asyncio.to_thread(cluster.move_all, to)
        stop.set()
        last = await writing
        await until_equal(follower, store)
        stored = [await store.products.get(key) for key in last]
        assert {product.key: product.title for product in stored if product is not None} == last
        assert of_shards(cluster, store.database_name)[1] == set()
        assert follower.status().reconcile.found == 0


async def test_a_move_of_chunks_brings_no_changes(cluster: Cluster, store: CatalogueDatabase, tmp_path: Path) -> None:
    await imported(store, tmp_path, [f"q{number:03}" for number in range(COUNT)])
    async with following(store) as follower:
        await until(lambda: follower.state == "following")
        applied = follower.status().applied
        assert await asyncio.to_thread(cluster.move_all, 1) > COUNT / 4
        await put(store, "after", "the move")
        await until(lambda: follower.status().applied > applied)
        assert follower.status().applied == applied + 1
        assert await is_equal(follower, store)


@pytest.mark.parametrize("to", [0, 1])
async def test_changes_before_and_after_a_move_come_in_their_order(
    cluster: Cluster, store: CatalogueDatabase, to: int
) -> None:
    """Also if the router reads the logs of the shards only afterwards, and that of the new owner first."""
    await asyncio.to_thread(cluster.move_all, 1 - to)
    feed = await store.products.watch(None, poll_s=0.05)
    await put(store, "moving", "before")
    await asyncio.to_thread(cluster.move_all, to)
    await put(store, "moving", "after")
    titles: list[str | None] = []
    async with asyncio.timeout(WITHIN_S):
        while "after" not in titles:
            batch = await feed.next_batch(1, 0.0)
            titles += [record.product.title for record in batch.changed]
    await feed.close()
    assert titles == ["before", "after"]


async def test_a_shard_that_is_killed_loses_no_product_and_refuses_none(
    cluster: Cluster, store: CatalogueDatabase, tmp_path: Path
) -> None:
    keys = [f"k{number:03}" for number in range(COUNT)]
    for chunk in range(CHUNKS):
        cluster.router.move(chunk, chunk % 2)
    async with following(store) as follower:
        await until(lambda: follower.state == "following")
        importing = asyncio.create_task(imported(store, tmp_path, keys))
        await asyncio.sleep(0)
        cluster.shards[1].kill()
        with pytest.raises(CatalogueUnavailable, match="cannot be reached"):
            while True:
                await store.products.put(make_product(f"x{len(keys)}", 0, VECTOR, model="fashion/1"))
                keys.append(f"x{len(keys)}")
        await until(lambda: follower.state == "reconnecting")
        await asyncio.to_thread(cluster.shards[1].start)
        assert (await importing).tally.rejected == 0
        await put(store, "back", "again")
        await until(lambda: follower.state == "following")
        await until_equal(follower, store)
        assert {key for shard in of_shards(cluster, store.database_name) for key in shard} >= {*keys, "back"}


async def test_an_index_is_level_only_with_what_every_shard_has_reported(
    cluster: Cluster, store: CatalogueDatabase
) -> None:
    """While the other shard is idle, the router holds a change back; until it comes, the index does not claim it."""
    key = next(key for key in (f"idle{number}" for number in range(99)) if chunk_of(key) % 2 == 0)
    async with following(store) as follower:
        await until(lambda: follower.state == "following")
        cluster.router.report(NEVER_S)
        await put(store, key, "first")
        written_at = time.time()
        asyncio.get_running_loop().call_later(0.5, cluster.router.report, NOOP_S)
        await until(lambda: time.time() - (follower.lag_s or 0.0) >= written_at)
        assert follower.replica is not None and key in follower.replica.gallery
