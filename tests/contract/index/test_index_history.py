"""What a real server says when a change stream leads nowhere any more, said by the driver in front of a stand-in."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import numpy as np
import pymongo
import pytest
from pymongo.change_stream import ChangeStream
from pymongo.collection import Collection
from pymongo.errors import OperationFailure

from services.catalogue.store.database import CatalogueDatabase
from services.engine.flat_search import FaissFlat
from services.engine.gallery import Gallery, Query
from services.index.follow.follower import Follower, FollowOptions
from services.index.replica.replica import Replica
from tests.support.fakes.follow import until

LOST = OperationFailure(
    "Resume of change stream was not possible, as the resume point may no longer be in the oplog.", 286
)
FATAL = OperationFailure("cannot resume stream; the resume token was not found.", 280)
STANDALONE = OperationFailure("The $changeStream stage is only supported on replica sets", 40573)
VECTOR = np.eye(64, dtype=np.float32)[0]


def document(key: str) -> dict[str, Any]:
    return {"_id": key, "id": key, "Category": 0, "vector": VECTOR.tolist(), "category_source": "feed"}


def empty() -> Replica:
    return Replica(Gallery(1, 64, FaissFlat), "fashion/1", "fashion/1")


def keys(follower: Follower) -> list[str]:
    matches = follower.replica.gallery.search(0, VECTOR, Query(100)) if follower.replica else []
    return sorted(match.key for match in matches)


def once(monkeypatch: pytest.MonkeyPatch, owner: Any, name: str, outcome: Any) -> None:
    """Let the next call raise or return something, and the others be as they are."""
    original, left = getattr(owner, name), [outcome]

    def instead(*arguments: Any, **options: Any) -> Any:
        if not left:
            return original(*arguments, **options)
        if isinstance(left[0], Exception):
            raise left.pop()
        return left.pop()

    monkeypatch.setattr(owner, name, instead)


@pytest.mark.parametrize(
    "outcome",
    [LOST, FATAL, *({"operationType": kind} for kind in ("drop", "rename", "dropDatabase", "invalidate"))],
    ids=["286", "280", "drop", "rename", "dropDatabase", "invalidate"],
)
async def test_a_history_that_is_lost_while_it_is_followed_means_reading_again_while_searches_go_on(
    store: CatalogueDatabase, raw: Any, monkeypatch: pytest.MonkeyPatch, outcome: Any
) -> None:
    raw.insert_many([document("1"), document("2")])
    follower = Follower(store.products, empty, options=FollowOptions(longest_pause_s=0.05))
    task = asyncio.create_task(follower.run())
    try:
        await until(lambda: follower.state == "following")
        before, may_read = follower.replica, asyncio.Event()
        scan = store.products.scan

        async def held_up(batch: int = 1000) -> AsyncIterator[Any]:
            await may_read.wait()
            async for page in scan(batch):
                yield page

        monkeypatch.setattr(store.products, "scan", held_up)
        once(monkeypatch, ChangeStream, "try_next", outcome)
        await until(lambda: follower.state == "rebuilding")
        assert follower.status().stale
        assert (follower.replica, keys(follower)) == (before, ["1", "2"])
        raw.delete_one({"_id": "1"})
        raw.insert_one(document("3"))
        assert keys(follower) == ["1", "2"]
        may_read.set()
        await until(lambda: follower.state == "following")
        assert follower.replica is not before
        assert keys(follower) == ["2", "3"]
    finally:
        task.cancel()
        await asyncio.wait([task])


async def test_a_token_that_is_too_old_means_reading_anew(
    store: CatalogueDatabase, raw: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    raw.insert_one(document("1"))
    follower = Follower(store.products, empty, options=FollowOptions(longest_pause_s=0.05))
    task = asyncio.create_task(follower.run())
    try:
        await until(lambda: follower.state == "following")
        before = follower.replica
        once(monkeypatch, Collection, "watch", LOST)
        once(monkeypatch, ChangeStream, "try_next", pymongo.errors.AutoReconnect("gone"))
        await until(lambda: follower.replica is not before and follower.state == "following")
        assert keys(follower) == ["1"]
    finally:
        task.cancel()
        await asyncio.wait([task])


async def test_a_server_that_stands_alone_is_polled(
    store: CatalogueDatabase, raw: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    raw.insert_one(document("1"))

    def refuse(*_: Any, **__: Any) -> Any:
        raise STANDALONE

    monkeypatch.setattr(Collection, "watch", refuse)
    follower = Follower(store.products, empty, options=FollowOptions(polling_s=0.05))
    task = asyncio.create_task(follower.run())
    try:
        await until(lambda: follower.state == "polling")
        raw.insert_one(document("2"))
        raw.delete_one({"_id": "1"})
        await until(lambda: keys(follower) == ["2"])
    finally:
        task.cancel()
        await asyncio.wait([task])
