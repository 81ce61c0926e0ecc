"""A database of the tests' own for the follower, with the log of its changes and faults where they are wanted."""

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
from tests.support.products import make_product

AWAY = CatalogueUnavailable("the catalogue's database at db:1 cannot be reached")


def record(key: str, title: str = "") -> Record:
    return Record(key, make_product(key, 0, np.eye(4, dtype=np.float32)[0], model="fashion/1", title=title))


class Database:
    """Products and the log of their changes. Errors put into `faults` are raised by the next call of that name."""

    def __init__(self) -> None:
        self.products: dict[str, Record] = {}
        self.log: list[tuple[str, Any]] = []
        self.faults: dict[str, list[Exception]] = {}
        self.resumed_from: list[Any] = []
        self.silent = False
        self.unclear = False
        self.name = "one"
        self.scans = 0
        self.resumed = False
        self.late_s = 0.0  # how long ago the changes were written that the stream tells
        self.during_scan: Callable[[], None] = lambda: None
        self.scan_may_end = asyncio.Event()
        self.scan_may_end.set()

    def fail(self, call: str, *errors: Exception) -> None:
        self.faults.setdefault(call, []).extend(errors)

    def check(self, call: str) -> None:
        if self.faults.get(call):
            raise self.faults[call].pop(0)

    def put(self, key: str, title: str = "") -> None:
        self.products[key] = record(key, title)
        self.log.append((key, self.products[key]))

    def delete(self, key: str) -> None:
        del self.products[key]
        self.log.append((key, None))

    async def watch(self, after: Any = None, **_: Any) -> "Feed":
        self.check("watch")
        self.resumed_from.append(after)
        return Feed(self, len(self.log) if after is None else after["at"])

    async def scan(self, batch: int) -> AsyncIterator[list[Record]]:
        self.check("scan")
        self.scans += 1
        ids = list(self.products)
        for begin in range(0, len(ids) or 1, batch):
            yield [self.products[one] for one in ids[begin : begin + batch] if one in self.products]
            self.during_scan()
        await self.scan_may_end.wait()

    async def identity(self) -> str:
        self.check("identity")
        return self.name

    async def read(self, document_ids: Sequence[str]) -> list[Record]:
        self.check("read")
        return [self.products[one] for one in document_ids if one in self.products]

    async def put_marker(self) -> str:
        self.check("put_marker")
        marker = f"~sync/{len(self.log)}"
        self.log.append((marker, None))
        return marker

    async def remove_markers(self, markers: Sequence[str]) -> None:
        self.check("remove_markers")


class Feed:
    def __init__(self, database: Database, at: int) -> None:
        self.database = database
        self.at = at

    async def next_batch(self, limit: int, gather_s: float) -> ChangeBatch:
        await asyncio.sleep(0.001)
        self.database.check("next_batch")
        new = [] if self.database.silent else self.database.log[self.at :]
        self.at += len(new)
        last = {key: state for key, state in new if not key.startswith("~")}
        unclear, resumed = self.database.unclear, self.database.resumed
        self.database.resumed = False
        return ChangeBatch(
            found=() if unclear else tuple(state for state in last.values() if state is not None),
            gone=() if unclear else tuple(key for key, state in last.items() if state is None),
            unclear=tuple(last) if unclear else (),
            markers=frozenset(key for key, _ in new if key.startswith("~")),
            token={"at": self.at},
            level_at=time.time() - self.database.late_s,
            resumed=resumed,
        )

    async def close(self) -> None:
        pass


def empty() -> Replica:
    return Replica(Gallery(1, 4, FaissFlat), "fashion/1", "fashion/1")


@asynccontextmanager
async def following(
    database: Database, keeper: SnapshotKeeper | None = None, **options: Any
) -> AsyncIterator[Follower]:
    """Run a follower for as long as the block lasts; it is ended as a service ends it."""
    follower = Follower(database, empty, keeper, FollowOptions(**{"longest_pause_s": 0.01, **options}))  # type: ignore[arg-type]
    task = asyncio.create_task(follower.run())
    try:
        yield follower
    finally:
        assert not task.done()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task


async def until(check: Callable[[], Any]) -> None:
    async with asyncio.timeout(20):
        while not check():  # noqa: ASYNC110
            await asyncio.sleep(0.002)


def shown(follower: Follower) -> dict[str, bytes | None]:
    assert follower.replica is not None
    found = follower.replica.gallery.search(0, np.eye(4, dtype=np.float32)[0], Query(100))
    return {match.key: match.payload for match in found}


def keys(follower: Follower) -> list[str]:
    return sorted(shown(follower)) if follower.replica else []
