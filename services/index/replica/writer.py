"""The one way to change a replica that is searched: one change at a time, recorded for a reconciliation in progress."""

import asyncio
from array import array
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from services.catalogue.threads import to_the_end
from services.index.replica.replica import Replica, StoredDocument

T = TypeVar("T")
Hashes = NDArray[np.int64]
Difference = tuple[str, StoredDocument | None]  # a document's id and its current state; None if it was deleted


def hash_ids(document_ids: Collection[str]) -> Hashes:
    """Return 64-bit hashes of ids, which take a tenth of the ids' memory. They are valid in this process only."""
    return np.fromiter(map(hash, document_ids), np.int64, len(document_ids))


class ChangedDocuments:
    """A set of documents that were applied to a replica."""

    def __init__(self) -> None:
        self._hashes = array("q")

    def add(self, document_ids: Collection[str]) -> None:
        """Add documents."""
        self._hashes.frombytes(hash_ids(document_ids).tobytes())

    def contains(self, document_ids: Collection[str]) -> NDArray[np.bool_]:
        """Return whether each of these documents is in the set, shape (n,)."""
        return np.isin(hash_ids(document_ids), np.frombuffer(self._hashes.tobytes(), np.int64))


class ReplicaWriter:
    """Changes a replica, one change after the other.

    Attributes:
        replica: the replica to change.
        changes: how many changes of any kind the replica has had.
        applied: how many changed documents the database has reported.
    """

    def __init__(self, replica: Replica) -> None:
        self.replica = replica
        self.changes = 0
        self.applied = 0
        self._lock = asyncio.Lock()
        self._trackers: list[ChangedDocuments] = []

    def continue_counts(self, previous: "ReplicaWriter") -> None:
        """Add the counts of the writer that this one replaces."""
        self.changes += previous.changes + 1
        self.applied += previous.applied

    async def apply(self, document_ids: Sequence[str], documents: Sequence[StoredDocument]) -> None:
        """Apply the current state of documents; see `Replica.apply`."""
        async with self._lock:
            self.applied += await self._apply(document_ids, documents)

    async def repair(self, differences: Sequence[Difference], changed: ChangedDocuments) -> tuple[list[str], int]:
        """Apply documents that a comparison has read, without those that changed since: a newer state is known.

        Args:
            differences: ids and documents; None for a document that was deleted.
            changed: the documents applied since before they were read.

        Returns:
            the ids of the documents applied, and for how many of them the replica then has the state that was read.
        """
        async with self._lock:
            is_newer = changed.contains([document_id for document_id, _ in differences]).tolist()
            stale = [difference for difference, newer in zip(differences, is_newer, strict=True) if not newer]
            document_ids = [document_id for document_id, _ in stale]
            documents = [document for _, document in stale if document is not None]
            if not document_ids:
                return document_ids, 0
            await self._apply(document_ids, documents)
            return document_ids, len(document_ids) - len(await to_the_end(self.replica.differing, documents))

    async def read(self, work: Callable[[Replica], T]) -> T:
        """Run `work` in a thread while nothing changes the replica."""
        async with self._lock:
            return await to_the_end(work, self.replica)

    @contextmanager
    def track_changes(self) -> Iterator[ChangedDocuments]:
        """Record the documents that are applied within the block."""
        changed = ChangedDocuments()
        self._trackers.append(changed)
        try:
            yield changed
        finally:
            self._trackers.remove(changed)

    async def _apply(self, document_ids: Sequence[str], documents: Sequence[StoredDocument]) -> int:
        self.changes += 1
        for changed in self._trackers:
            changed.add([*document_ids, *(document.document_id for document in documents)])
        return await to_the_end(self.replica.apply, document_ids, documents)
