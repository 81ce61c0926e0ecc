"""The one way into a replica that is searched: one change at a time, and what has been changed can be noted."""

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
Difference = tuple[str, StoredDocument | None]  # a document's id and the document as it is; None for one that is gone


def hashes(document_ids: Collection[str]) -> Hashes:
    """Return 64-bit hashes of ids, which take a tenth of their memory; they hold in this process only."""
    return np.fromiter(map(hash, document_ids), np.int64, len(document_ids))


class ChangedDocuments:
    """The documents that have been applied to a replica for some time."""

    def __init__(self) -> None:
        self._hashes = array("q")

    def add(self, document_ids: Collection[str]) -> None:
        """Note more documents."""
        self._hashes.frombytes(hashes(document_ids).tobytes())

    def among(self, document_ids: Collection[str]) -> NDArray[np.bool_]:
        """Return of each of these documents whether it has been applied."""
        return np.isin(hashes(document_ids), np.frombuffer(self._hashes.tobytes(), np.int64))


class ReplicaWriter:
    """Changes a replica, one change after the other. Who wants to look at it as a writer does waits for its turn."""

    def __init__(self, replica: Replica) -> None:
        self.replica = replica
        self.changes = 0  # of the replica, of any kind
        self.applied = 0  # documents that others told of
        self._turn = asyncio.Lock()
        self._noted: list[ChangedDocuments] = []

    def carry_over_counts(self, before: "ReplicaWriter") -> None:
        """Go on with the counts of the writer whose place this one takes."""
        self.changes += before.changes + 1
        self.applied += before.applied

    async def apply(self, document_ids: Sequence[str], found: Sequence[StoredDocument]) -> None:
        """Take documents as they are now; see `Replica.apply`."""
        async with self._turn:
            self.applied += await self._apply(document_ids, found)

    async def repair(self, differing: Sequence[Difference], touched: ChangedDocuments) -> tuple[list[str], int]:
        """Take documents as they were found, but for those touched since: of these something newer is known.

        Args:
            differing: ids, and the documents; None for one that is gone.
            touched: what has been applied since before they were found.

        Returns:
            ids of those that were taken, and how many of them the replica then knows as they are.
        """
        async with self._turn:
            newer = touched.among([document_id for document_id, _ in differing]).tolist()
            ids = [document_id for (document_id, _), is_newer in zip(differing, newer, strict=True) if not is_newer]
            found = [item for (_, item), is_newer in zip(differing, newer, strict=True) if item and not is_newer]
            if not ids:
                return ids, 0
            await self._apply(ids, found)
            return ids, len(ids) - len(await to_the_end(self.replica.differing, found))

    async def read(self, work: Callable[[Replica], T]) -> T:
        """Do in a thread what must not see the replica while it is changed."""
        async with self._turn:
            return await to_the_end(work, self.replica)

    @contextmanager
    def track_changes(self) -> Iterator[ChangedDocuments]:
        """Note what is applied for as long as the block."""
        touched = ChangedDocuments()
        self._noted.append(touched)
        try:
            yield touched
        finally:
            self._noted.remove(touched)

    async def _apply(self, document_ids: Sequence[str], found: Sequence[StoredDocument]) -> int:
        self.changes += 1
        for touched in self._noted:
            touched.add([*document_ids, *(item.document_id for item in found)])
        return await to_the_end(self.replica.apply, document_ids, found)
