"""The index as a process that is stopped and started: it starts from its snapshot, also without the database."""

import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from services.catalogue.product import unit_vector
from tests.support.servers.index import IndexProcess, running_index
from tests.support.servers.mongo import MongoStandIn
from tests.support.waiting import eventually

RNG = np.random.default_rng(17)
VECTORS = [unit_vector(RNG.standard_normal(64).astype(np.float32)) for _ in range(40)]


@pytest.fixture
def index(mongo: MongoStandIn, raw: Any, tmp_path: Path) -> Iterator[IndexProcess]:
    """An index that is up to date with twenty products, and writes snapshots."""
    raw.insert_many([document(number) for number in range(20)])
    settings = {"INDEX_SNAPSHOT_DIR": str(tmp_path / "snapshots"), "INDEX_SNAPSHOT_S": "0.1"}
    with running_index(tmp_path, mongo.url, **settings) as service:
        eventually(lambda: service.catalogue()["sync"]["state"] == "following")
        yield service


def document(number: int) -> dict[str, Any]:
    """Return a product; every other one is a legacy document."""
    own = {"_id": f"p{number}", "category_source": "feed"} if number % 2 else {}
    return {**own, "id": f"p{number}", "Category": 0, "vector": VECTORS[number].tolist()}


def keys(index: IndexProcess) -> list[str]:
    return sorted(hit["id"] for hit in index.search(VECTORS[0], k=100))


def names(*numbers: int) -> list[str]:
    return sorted(f"p{number}" for number in numbers)


def snapshot_of(folder: Path) -> Path:
    (path,) = (folder / "snapshots").glob("*.snapshot")
    return path


def restart(index: IndexProcess) -> dict[str, Any]:
    """Start the index and return how it follows the database once it is ready."""
    index.start()
    eventually(lambda: index.answers("/readyz"))
    return dict(index.catalogue()["sync"])


def is_up_to_date(index: IndexProcess) -> bool:
    return bool(index.catalogue()["sync"]["state"] == "following")


def test_a_stopped_index_starts_without_the_database_and_later_applies_what_has_changed(
    index: IndexProcess, mongo: MongoStandIn, raw: Any
) -> None:
    index.stop()
    raw.insert_one(document(20))
    raw.delete_one({"_id": "p1"})
    mongo.kill()
    sync = restart(index)
    assert (sync["loaded_from"], sync["stale"]) == ("snapshot", True)
    assert keys(index) == names(*range(20))
    ready = index.http.get("/readyz").json()
    assert ready["ready"] and "may be behind the database" in ready["reasons"][0]
    mongo.start()
    eventually(lambda: is_up_to_date(index))
    assert keys(index) == names(0, *range(2, 21))
    sync = index.catalogue()["sync"]
    assert (sync["loaded_from"], sync["stale"]) == ("snapshot", False)
    assert index.http.get("/readyz").json() == {"ready": True, "reasons": []}


def test_a_killed_index_starts_from_its_last_snapshot(index: IndexProcess, raw: Any, tmp_path: Path) -> None:
    raw.insert_one(document(20))
    eventually(lambda: len(keys(index)) == 21)
    eventually(lambda: index.catalogue()["sync"]["snapshot"]["bytes"])
    index.stop(signal.SIGKILL)
    unfinished = snapshot_of(tmp_path).with_name(f"{snapshot_of(tmp_path).name}.1.tmp")
    unfinished.write_bytes(b"half")
    raw.insert_one(document(21))
    raw.delete_one({"_id": "p3"})
    assert restart(index)["loaded_from"] == "snapshot"
    eventually(lambda: is_up_to_date(index))
    assert keys(index) == names(*(number for number in range(22) if number != 3))
    assert not unfinished.exists()


def test_a_snapshot_with_a_flipped_bit_is_not_used_and_everything_is_read_from_the_database(
    index: IndexProcess, tmp_path: Path
) -> None:
    index.stop()
    path = snapshot_of(tmp_path)
    whole = bytearray(path.read_bytes())
    whole[len(whole) // 2] ^= 1
    path.write_bytes(whole)
    sync = restart(index)
    assert (sync["loaded_from"], sync["snapshot"]["failures"]) == ("database", 1)
    assert keys(index) == names(*range(20))
    assert index.log().count("the snapshot is damaged or cut short: its checksum does not match") == 1
    assert "lookalike_index_snapshot_failures_total 1.0" in index.http.get("/metrics").text


def test_the_metrics_have_the_snapshot_and_the_state(index: IndexProcess) -> None:
    eventually(lambda: index.catalogue()["sync"]["snapshot"]["bytes"])
    text = index.http.get("/metrics").text
    figures = dict(line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#"))
    assert 0 <= float(figures["lookalike_index_snapshot_age_seconds"]) < 60
    assert float(figures["lookalike_index_snapshot_size_bytes"]) > 20 * 256
    assert figures["lookalike_index_snapshot_failures_total"] == "0.0"
    assert figures['lookalike_index_state{state="following"}'] == "1.0"
    assert figures['lookalike_index_state{state="loading"}'] == "0.0"
