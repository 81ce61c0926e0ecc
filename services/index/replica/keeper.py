"""What a follower needs to continue where an earlier process stopped: a snapshot in a file, or a position in Milvus."""

from typing import Protocol

from services.contracts.wire.index import SnapshotStatus
from services.index.replica.replica import Replica
from services.index.replica.snapshot import FrozenReplica, SyncPosition


class Keeper(Protocol):
    """Keeps the position of a replica, and the replica itself if nothing else does; see `SnapshotKeeper`."""

    def status(self) -> SnapshotStatus: ...

    def load(self, replica: Replica) -> SyncPosition | None:
        """Fill an empty replica, and return its position; None if there is nothing to continue with.

        Raises:
            LookalikeError: it cannot be read now.
        """

    def is_due(self, changes: int) -> bool: ...

    def save(self, replica: FrozenReplica, position: SyncPosition, changes: int) -> None: ...

    async def close(self, replica: Replica, position: SyncPosition | None, changes: int) -> None: ...
