"""A keeper of index snapshots, a replica to write and a position in the database's changes."""

from services.index.replica.replica import Replica
from services.index.replica.snapshot import Origin, SyncPosition
from services.index.replica.snapshot_keeper import SnapshotKeeper
from tests.support.fakes.follow import empty, record, until

ORIGIN = Origin("lookalike.products", "fashion/1", "fashion/1", 1, 4)
POSITION = SyncPosition("database", {"_data": "82AB"}, 1_000_000.0)


def one_product() -> Replica:
    replica = empty()
    replica.apply((), [record("1")])
    return replica


async def write(keeper: SnapshotKeeper, replica: Replica, changes: int) -> None:
    """Write the snapshot, and wait for it."""
    assert keeper.is_due(changes)
    keeper.save(replica.freeze(), POSITION, changes)
    await until(lambda: keeper._writing is None)
