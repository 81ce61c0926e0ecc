"""Compares the database with the acknowledged writes, and the index with the database."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pymongo

from services.catalogue.documents.product_document import MARKER_PREFIX, from_document
from services.catalogue.documents.vectors import stored_vector
from services.index.replica import snapshot
from services.index.replica.block_file import BlockReader
from services.index.replica.snapshot import Origin
from tests.faults.feed import FIRST_REVISION
from tests.faults.journal import Journal
from tests.faults.plan import GONE, category_of, vector_of
from tests.support.index import new_replica

Shown = dict[str, tuple[int, bytes]]  # category and vector by key


@dataclass(frozen=True)
class Held:
    """A product in the database: its revision and category, the stored bytes of its vector, and the vector."""

    revision: int
    category: int
    stored: bytes
    vector: bytes


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
            held[product.key] = Held(revision, product.category, bytes(document["vector"]), product.vector.tobytes())
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
    with BlockReader(path, snapshot.FORMAT) as file:
        origin = Origin(**file.header["origin"])
    replica = new_replica()
    snapshot.read(path, origin, replica)
    return dict(_shown(replica.gallery.views))


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
