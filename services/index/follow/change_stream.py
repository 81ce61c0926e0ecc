"""An open change stream, applied to a replica; markers tell how far it has come.

A change is a document as it is now, or its absence. Seeing one twice does no harm, and where an event does not tell the
document (it may be missing, or not whole), the collection is asked.
"""

import time

from services.catalogue.store.change_feed import ChangeBatch, ChangeFeed
from services.catalogue.store.errors import NO_STREAM, NoChangeStreams
from services.catalogue.store.products import ProductCollection
from services.catalogue.threads import to_the_end
from services.contracts.domain.errors import CatalogueUnavailable
from services.index.replica.writer import ReplicaWriter

READ_BATCH = 500
SCAN_BATCH = 1000
EVENTS_BATCH = 1000
MARKER_WAIT_S = 10.0


class ChangeStream:
    """Follows one change feed. Any error ends it: open another feed, after the last token that was applied."""

    def __init__(self, store: ProductCollection, feed: ChangeFeed, gather_s: float) -> None:
        """Remember what to follow; `gather_s`: how long changes are gathered to be applied together, in seconds."""
        self._store = store
        self._feed = feed
        self._gather_s = gather_s

    async def load(self, writer: ReplicaWriter) -> None:
        """Read all documents into a replica that nobody sees yet, until it is level with the database.

        A change from before the first marker is in the scan; one from after it comes by in the stream. The second
        marker comes by after everything that happened during the scan.

        Raises:
            NoChangeStreams: the stream tells nothing.
        """
        if not await self.pass_marker(None):
            raise NoChangeStreams(NO_STREAM)
        async for found in self._store.scan(SCAN_BATCH):
            await to_the_end(writer.replica.apply, (), found)
        if not await self.pass_marker(writer):
            raise CatalogueUnavailable("the database's change stream has fallen silent")

    async def pass_marker(self, writer: ReplicaWriter | None) -> bool:
        """Write a marker and follow the stream until it comes by, applying what comes before it.

        Returns:
            whether it came by, rather than nothing at all for ten seconds.
        """
        marker = await self._store.put_marker()
        last_sign = time.monotonic()
        seen = False
        while not seen and time.monotonic() - last_sign < MARKER_WAIT_S:
            batch = await self.step(writer)
            seen = marker in batch.markers
            if not batch.is_empty:
                last_sign = time.monotonic()
        await self._store.remove_markers([marker])
        return seen

    async def step(self, writer: ReplicaWriter | None) -> ChangeBatch:
        """Take the next batch of changes and apply it, if there is a replica yet."""
        batch = await self._feed.next_batch(EVENTS_BATCH, self._gather_s)
        if writer is None or batch.is_empty:
            return batch
        await writer.apply(batch.gone, batch.found)
        for begin in range(0, len(batch.unclear), READ_BATCH):
            unclear = batch.unclear[begin : begin + READ_BATCH]
            found = await self._store.read(unclear)
            await writer.apply([str(one) for one in unclear], found)
        return batch

    async def close(self) -> None:
        """Close the feed."""
        await self._feed.close()
