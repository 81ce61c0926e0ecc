"""Read your writes: waiting until searches see a change."""

import asyncio
import time
from collections.abc import Sequence

from services.gateway.index_nodes.node import IndexNode

FIRST_PAUSE_S = 0.03
LONGEST_PAUSE_S = 0.25


async def wait_until_level(nodes: Sequence[IndexNode], catalogue: str, within_s: float) -> bool:
    """Wait until the index holds every change of a catalogue that was written before the call.

    A node says how long ago it was level with the database: the time is measured here, so the clocks of two machines
    need not agree. Nodes that do not answer are left out; searches do not reach them either.

    Returns:
        whether every node that answers holds the changes, and at least one does; False after `within_s` seconds.
    """
    written_at = time.monotonic()
    pause_s = FIRST_PAUSE_S
    while True:
        asked_at = time.monotonic()
        await asyncio.gather(*(node.refresh() for node in nodes))
        answering = [node for node in nodes if node.trouble is None]
        if answering and all(_level_at(node, catalogue, asked_at) >= written_at for node in answering):
            return True
        if time.monotonic() + pause_s > written_at + within_s:
            return False
        await asyncio.sleep(pause_s)
        pause_s = min(2 * pause_s, LONGEST_PAUSE_S)


def _level_at(node: IndexNode, catalogue: str, asked_at: float) -> float:
    """Return a time at which the node was level with the database, by `time.monotonic`."""
    status = None if node.status is None else node.status.catalogues.get(catalogue)
    lag_s = None if status is None else status.sync.lag_seconds
    return -float("inf") if lag_s is None else asked_at - lag_s
