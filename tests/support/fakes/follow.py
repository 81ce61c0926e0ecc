"""A database of the tests' own for the follower, with a log of its changes, and errors on request."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

import numpy as np
import pytest

from services.catalogue.documents.product_document import Record
from services.catalogue.store.change_feed import ChangeBatch
from services.contracts.domain.errors import CatalogueUnavailable
from services.engine.flat_search import FaissFlat
from services.engine.gallery import Gallery, Query
from services.index.follow.follower import Follower, FollowOptions
from services.index.replica.replica import Replica
from services.index.replica.snapshot_keeper import SnapshotKeeper
from tests.support.values.products import make_product
from tests.support.waiting import WITHIN_S

UNAVAILABLE = CatalogueUnavailable("the catalogue's database at db:1 cannot be reached")
COMPARING = "compare with the database"
BACKGROUND_TASKS = {COMPARING, "write the snapshot"}


def record(key: str, title: str = "") -> Record:
    return Record(key, make_product(key, 0, np.eye(4, dtype=np.float32)[0], model="fashion/1", title=title))


class Database:
    """Products and the log of their changes, with the part of `ProductCollection` that the follower uses.

    Attributes:
        errors: what the next calls of a method raise, by its name.
        resumed_from: the tokens from which feeds were opened.
        open_feeds: the feeds that are not closed.
        scans, markers, batches: how many scans were started, markers written and batches requested.
        silent: feeds return no events.
        unclear: feeds return only the ids of changed documents.
        resumed: the next batch says that the driver has resumed the stream.
        late_s: the age of the changes that feeds return, in seconds.
        is_sharded: feeds are those of a sharded cluster's router.
        during_scan: called after each page of a scan.
        scan_may_end: a scan waits for it at its end.
        scan_is_at_end: a scan is waiting, and has returned all documents.
    """

    def __init__(self) -> None:
        self.products: dict[str, Record] = {}
        self.log: list[tuple[str, Any]] = []
        self.errors: dict[str, list[Exception]] = {}
        self.resumed_from: list[Any] = []
        self.open_feeds: list[Feed] = []
        self.scans = self.markers = self.batches = 0
        self.silent = False
        self.unclear = False
        self.name = "one"
        self.resumed = False
        self.late_s = 0.0
        self.is_sharded = False
        self.during_scan: Callable[[], None] = lambda: None
        self.scan_may_end = asyncio.Event()
        self.scan_may_end.set()
        self.scan_is_at_end = asyncio.Event()

    def fail(self, call: str, *errors: Exception) -> None:
        self.errors.setdefault(call, []).extend(errors)

    def check(self, call: str) -> None:
        if self.errors.get(call):
            raise self.errors[call].pop(0)

    def put(self, key: str, title: str = "") -> None:
        self.products[key] = record(key, title)
        self.log.append((key, self.products[key]))

    def delete(self, key: str) -> None:
        del self.products[key]
        self.log.append((key, None))

    async def watch(self, after: Any = None, **_: Any) -> "Feed":
        self.check("watch")
        self.resumed_from.append(after)
        feed = Feed(self, len(self.log) if after is None else after["at"])
        self.open_feeds.append(feed)
        return feed

    async def scan(self, batch: int) -> AsyncIterator[list[Record]]:
        self.check("scan")
        self.scans += 1
        ids = list(self.products)
        for begin in range(0, len(ids) or 1, batch):
            page = [self.products[key] for key in ids[begin : begin + batch] if key in self.products]
            yield page
            self.during_scan()
        self.scan_is_at_end.set()
        await self.scan_may_end.wait()
        self.scan_is_at_end.clear()

    async def identity(self) -> str:
        self.check("identity")
        return self.name

    async def read(self, document_ids: Sequence[str]) -> list[Record]:
        self.check("read")
        return [self.products[key] for key in document_ids if key in self.products]

    async def put_marker(self) -> str:
        self.check("put_marker")
        self.markers += 1
        marker = f"~sync/{len(self.log)}"
        self.log.append((marker, None))
        return marker

    async def remove_markers(self, markers: Sequence[str]) -> None:
        self.check("remove_markers")


class Feed:
    """A change feed from a place in the log."""

    def __init__(self, database: Database, at: int) -> None:
        self.database = database
        self.is_sharded = database.is_sharded
        self.at = at

    async def next_batch(self, limit: int, gather_s: float) -> ChangeBatch:
        await asyncio.sleep(0.001)
        self.database.batches += 1
        self.database.check("next_batch")
        new = [] if self.database.silent else self.database.log[self.at :]
        self.at += len(new)
        last = {key: state for key, state in new if not key.startswith("~")}
        unclear, resumed = self.database.unclear, self.database.resumed
        self.database.resumed = False
        return ChangeBatch(
            changed=() if unclear else tuple(state for state in last.values() if state is not None),
            deleted=() if unclear else tuple(key for key, state in last.items() if state is None),
            unclear=tuple(last) if unclear else (),
            markers=frozenset(key for key, _ in new if key.startswith("~")),
            token={"at": self.at},
            level_at=time.time() - self.database.late_s,
            resumed=resumed,
        )

    async def close(self) -> None:
        self.database.open_feeds.remove(self)


def empty() -> Replica:
    return Replica(Gallery(1, 4, FaissFlat), "fashion/1", "fashion/1")


@asynccontextmanager
async def following(
    database: Database, keeper: SnapshotKeeper | None = None, **options: Any
) -> AsyncIterator[Follower]:
    """Run a follower for as long as the block lasts, and cancel it as a service does: it leaves nothing open."""
    products: Any = database
    follower = Follower(products, empty, keeper, FollowOptions(**{"longest_pause_s": 0.01, **options}))
    task = asyncio.create_task(follower.run())
    try:
        yield follower
    finally:
        assert not task.done()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert database.open_feeds == []
        assert running(BACKGROUND_TASKS) == []


def running(names: set[str]) -> list[str]:
    """Return the names of the tasks that are running and have one of these names."""
    return [task.get_name() for task in asyncio.all_tasks() if task.get_name() in names]


async def until(check: Callable[[], Any]) -> None:
    """Wait until a condition holds."""
    async with asyncio.timeout(WITHIN_S):
        while not check():  # noqa: ASYNC110
            await asyncio.sleep(0.002)


async def after_batches(database: Database, count: int = 2) -> None:
    """Wait until the follower has taken more batches, and so has applied those before the last."""
    enough = database.batches + count
    await until(lambda: database.batches >= enough)


def shown(follower: Follower) -> dict[str, bytes | None]:
    """Return the payloads of the products that a search returns, by key."""
    assert follower.replica is not None
    matches = follower.replica.gallery.search(0, np.eye(4, dtype=np.float32)[0], Query(100))
    return {match.key: match.payload for match in matches}


def keys(follower: Follower) -> list[str]:
    """Return the keys of the products that a search returns; none before the first load."""
    return sorted(shown(follower)) if follower.replica else []
