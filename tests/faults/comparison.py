"""Compares the database with the acknowledged writes, and the index with the database."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pymongo

from services.catalogue.documents.product_document import MARKER_PREFIX, from_document
from services.catalogue.documents.vectors import stored_vector
from services.contracts.domain.catalogues import DEFAULT_CATALOGUE
from services.contracts.domain.errors import LookalikeError
from services.engine.payload import pack
from services.index.milvus.collection import MilvusCollection, partition_of
from services.index.milvus.expressions import EVERY
from services.index.milvus.rows import MilvusEntry, key_and_payload, version_of
from services.index.replica import snapshot
from services.index.replica.block_file import BlockReader
from services.index.replica.snapshot import Origin
from tests.faults.feed import FIRST_REVISION
from tests.faults.journal import Journal
from tests.faults.plan import GONE, MODEL, category_of, vector_of
from tests.support.servers.index import CATEGORIES, new_replica
from tests.support.servers.milvus import MilvusProcess

PARTITIONS = [partition_of(DEFAULT_CATALOGUE, category) for category in range(len(CATEGORIES))]
Shown = dict[str, tuple[int, bytes]]  # category and vector by key


@dataclass(frozen=True)
class Held:
    """A product in the database: its revision and category, the stored bytes of its vector, and the vector.

    `version` is the hash of everything in it, as an index with Milvus stores it.
    """

    revision: int
    category: int
    stored: bytes
    vector: bytes
    version: str = ""


def in_database(url: str) -> dict[str, Held]:
    """Return all products of the database by key.

    Raises:
        AssertionError: two documents have the same key.
    """
    client: pymongo.MongoClient[dict[str, Any]] = pymongo.MongoClient(url)
    held: dict[str, Held] = {}
    with client:
        for document in client["lookalike"]["products"].find(batch_size=5000):
            if str(document["_id"]).startswith(MARKER_PREFIX):
                continue
            product = from_document(document).product
            assert product.key not in held, f"{product.key} is stored twice"
            revision = int(product.attributes["revision"])  # type: ignore[arg-type]
            version = version_of(product.key, MilvusEntry(product.category, product.vectors, pack(product)))
            held[product.key] = Held(
                revision, product.category, bytes(document["vector"]), product.vector.tobytes(), version
            )
    return held


def lost(journal: Journal, held: dict[str, Held]) -> list[str]:
    """Return the keys whose state in the database is not possible, and those that were never written."""
    unknown = held.keys() - set(journal.known())
    return sorted(unknown) + [key for key in journal.known() if not _is_possible(held.get(key), journal.now(key))]


def _is_possible(held: Held | None, allowed: set[int]) -> bool:
    if held is None:
        return GONE in allowed
    is_whole = held.category == category_of(held.revision)
    if held.revision < FIRST_REVISION:  # the network computes the feed's vectors
        is_whole = is_whole and held.stored == bytes(stored_vector(vector_of(held.revision)))
    return is_whole and held.revision in allowed


def in_snapshot(folder: Path) -> Shown:
    """Return the products of the index by key, from its snapshot; none if there is no snapshot."""
    path = next(folder.glob("*.snapshot"), None)
    if path is None:
        return {}
    with BlockReader(path, snapshot.FORMAT, snapshot.OLDEST_FORMAT) as file:
        origin = Origin(**file.header["origin"])
    replica = new_replica()
    snapshot.read(path, origin, replica)
    return dict(_shown(replica.gallery.views))


def is_searchable(server: MilvusProcess) -> bool:
    """Return whether Milvus has loaded the index's collection, or has none."""
    try:
        _collection(server).count(EVERY, PARTITIONS[0], strong=True)
    except LookalikeError:
        return False
    return True


def _collection(server: MilvusProcess) -> MilvusCollection:
    collection = MilvusCollection(server.connection(), "lookalike", MODEL, 64)
    collection.open(PARTITIONS)
    return collection


def in_milvus(server: MilvusProcess, held: dict[str, Held]) -> Shown:
    """Return the products in Milvus by key; of one with rows of two states or of another version, an impossible state.

    `held` are the products of the database.
    """
    collection = _collection(server)
    shown: Shown = {}
    collection.count(EVERY, PARTITIONS[0], strong=True)  # all changes are visible from here on
    for page in collection.scan(EVERY, ["category", "content", "vector", "version"], PARTITIONS):
        for row in page:
            key, _, _ = key_and_payload(row["content"])
            vector = np.array(row["vector"], np.float32).tobytes()
            is_whole = key not in shown and key in held and row["version"] == held[key].version
            shown[key] = (row["category"], vector) if is_whole else (-1, b"")
    return shown


def _shown(views: Any) -> Iterator[tuple[str, tuple[int, bytes]]]:
    for category, view in enumerate(views):
        for row in np.flatnonzero(view.live & (view.image_index == 0)).tolist():
            yield view.key(row), (category, view.vector(row).tobytes())


def apart(held: dict[str, Held], shown: Shown) -> list[str]:
    """Return the keys that index and database do not hold alike: missing, surplus, or with other values."""
    expected = {key: (product.category, product.vector) for key, product in held.items()}
    return sorted(key for key in expected.keys() | shown.keys() if expected.get(key) != shown.get(key))


def eventually_equal(held: dict[str, Held], look: Callable[[], Shown], within: Iterator[None]) -> list[str]:
    """Wait until the index is equal to the database, or `within` ends; return the keys that differ."""
    differing = apart(held, look())
    while differing and next(within, "over") is None:
        differing = apart(held, look())
    return differing
