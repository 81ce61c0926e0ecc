"""A search does not wait while the replica is changed, compared, written to its snapshot or loaded again."""

import asyncio
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pytest

from services.catalogue.documents.product_document import Record
from services.contracts.domain.filtering.filters import EVERYTHING
from services.engine.category_view import FlatSearch, Float32Array
from services.engine.flat_search import FaissFlat
from services.engine.gallery import Gallery, Query
from services.index.replica import snapshot
from services.index.replica.replica import Replica
from services.index.replica.snapshot import Origin
from services.index.replica.snapshot_keeper import SnapshotKeeper
from tests.support.fakes.follow import UNAVAILABLE, Database, following, keys, shown, until
from tests.support.values.products import make_product
from tests.support.waiting import WITHIN_S

AXES = np.eye(4, dtype=np.float32)
ORIGIN = Origin("lookalike.products", "fashion/1", "fashion/1", 1, 4)


class Gate:
    """Blocks a thread until it is opened."""

    def __init__(self) -> None:
        self.reached = threading.Event()
        self._open = threading.Event()
        self.shut = False

    def pass_through(self) -> None:
        if self.shut:
            self.reached.set()
            assert self._open.wait(WITHIN_S)

    def open(self) -> None:
        self.shut = False
        self._open.set()


@pytest.fixture
def gate() -> Iterator[Gate]:
    gate = Gate()
    yield gate
    gate.open()


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(2) as pool:
        yield pool


def record(key: str) -> Record:
    return Record(key, make_product(key, 0, AXES[len(key) % 4], model="fashion/1", attributes={"colour": "blue"}))


def test_while_a_category_is_merged_it_is_searched_in_every_way(gate: Gate, pool: ThreadPoolExecutor) -> None:
    def build(vectors: Float32Array) -> FlatSearch:
        gate.pass_through()
        return FaissFlat(vectors)

    gallery = Gallery(1, 4, build, merge_rows=4)
    replica = Replica(gallery, "fashion/1", "fashion/1")
    replica.apply((), [record("a"), record("bb")])
    gate.shut = True
    changing = pool.submit(replica.apply, ["a"], [record(f"c{number}") for number in range(20)])
    assert gate.reached.wait(WITHIN_S)

    def search_in_every_way() -> Any:
        matches = {match.key for match in gallery.search(0, AXES[0], Query(10))}
        similar = [match.key for match in gallery.similar("bb", Query(10))[1]]
        facets = gallery.facets(0, EVERYTHING)
        return matches, similar, gallery.counts(), facets, gallery.sample(1, 0, Random(1))

    matches, similar, counts, _, sample = pool.submit(search_in_every_way).result(WITHIN_S)
    assert (matches, similar, counts) == ({"a", "bb"}, ["a"], [2])
    assert sample[0][1] in {"a", "bb"}
    assert not changing.done()
    gate.open()
    assert changing.result(WITHIN_S) == 21
    assert gallery.counts() == [21]


async def test_while_the_snapshot_is_written_changes_are_applied_and_searched(
    gate: Gate, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate.shut = True
    write = snapshot.write

    def blocked(*arguments: Any) -> int:
        gate.pass_through()
        return write(*arguments)

    monkeypatch.setattr(snapshot, "write", blocked)
    database = Database()
    database.put("1")
    async with following(database, SnapshotKeeper(tmp_path, ORIGIN, 0)) as follower:
        await until(gate.reached.is_set)
        database.put("2")
        database.delete("1")
        await until(lambda: keys(follower) == ["2"])
        gate.open()


async def test_during_a_comparison_changes_are_applied_and_searched() -> None:
    database = Database()
    database.put("1")
    database.put("2")
    async with following(database, reconcile_s=0.01) as follower:
        await until(lambda: follower.state == "following")
        reading = asyncio.Event()
        database.scan_may_end.clear()
        database.during_scan = reading.set
        await asyncio.wait_for(reading.wait(), WITHIN_S)
        database.put("1", "changed")
        await until(lambda: shown(follower)["1"] == b'{"title":"changed"}')
        database.scan_may_end.set()


async def test_while_a_change_waits_for_the_database_the_replica_is_searched() -> None:
    database = Database()
    database.unclear = True  # every changed document is read from the collection
    database.put("1")
    is_reading, may_answer = asyncio.Event(), asyncio.Event()
    async with following(database) as follower:
        await until(lambda: follower.state == "following")
        read = database.read

        async def slowly(document_ids: Any) -> Any:
            is_reading.set()
            await may_answer.wait()
            return await read(document_ids)

        database.read = slowly  # type: ignore[method-assign]
        database.put("2")
        await is_reading.wait()
        assert keys(follower) == ["1"]
        may_answer.set()
        await until(lambda: keys(follower) == ["1", "2"])
        database.fail("next_batch", *[UNAVAILABLE] * 3)
        assert keys(follower) == ["1", "2"]
