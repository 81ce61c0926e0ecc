"""An open change stream that is applied to a replica; markers show how far it has come.

A change is a document in its current state, or its absence. A change may be applied twice. If an event does not hold
the document, or not all of it, the document is read from the collection.
"""

import time

from services.catalogue.store.change_feed import ChangeBatch, ChangeFeed
from services.catalogue.store.mongo.errors import NO_STREAM, NoChangeStreams
from services.catalogue.store.products import ProductCollection
from services.catalogue.threads import to_the_end
from services.contracts.domain.errors import CatalogueUnavailable
from services.index.replica.writer import ReplicaWriter

READ_BATCH = 500
SCAN_BATCH = 1000
EVENTS_BATCH = 1000
MARKER_TIMEOUT_S = 30.0  # without any event; a sharded MongoDB holds events back for ten seconds, as it comes


class ChangeStream:
    """Follows one change feed. After an error, open another feed after the last token that was applied."""

    def __init__(self, products: ProductCollection, feed: ChangeFeed, gather_s: float) -> None:
        """Set what to follow.

        Args:
            products: reads the products.
            feed: the open change feed.
            gather_s: how long changes are gathered before they are applied together, in seconds.
        """
        self._products = products
        self._feed = feed
        self._gather_s = gather_s

    async def load(self, writer: ReplicaWriter) -> None:
        """Read all documents into a replica that is not searched yet, until it is up to date.

        The scan includes all changes before the first marker, and the stream all changes after it. The second marker
        comes after all changes during the scan.

        Raises:
            NoChangeStreams: no event comes through the stream.
            CatalogueUnavailable: the database is unavailable, or no event comes any more.
        """
        if not await self.pass_marker(None):
            raise NoChangeStreams(NO_STREAM)
        async for documents in self._products.scan(SCAN_BATCH):
            await to_the_end(writer.replica.apply, (), documents)
        if not await self.pass_marker(writer):
            raise CatalogueUnavailable("the database's change stream has fallen silent")

    async def pass_marker(self, writer: ReplicaWriter | None) -> bool:
        """Write a marker and follow the stream until the marker comes; apply the changes before it.

        Args:
            writer: of the replica; None if there is none yet.

        Returns:
            whether the marker came. False after half a minute without an event.
        """
        marker = await self._products.put_marker()
        last_event_at = time.monotonic()
        has_come = False
        while not has_come and time.monotonic() - last_event_at < MARKER_TIMEOUT_S:
            batch = await self.step(writer)
            has_come = marker in batch.markers
            if not batch.is_empty:
                last_event_at = time.monotonic()
        await self._products.remove_markers([marker])
        return has_come

    async def step(self, writer: ReplicaWriter | None) -> ChangeBatch:
        """Take the next batch of changes, and apply it if there is a replica."""
        batch = await self._feed.next_batch(EVENTS_BATCH, self._gather_s)
        if writer is None or batch.is_empty:
            return batch
        await writer.apply(batch.deleted, batch.changed)
        for begin in range(0, len(batch.unclear), READ_BATCH):
            incomplete = batch.unclear[begin : begin + READ_BATCH]
            documents = await self._products.read(incomplete)
            await writer.apply([str(document_id) for document_id in incomplete], documents)
        return batch

    async def close(self) -> None:
        """Close the feed."""
        await self._feed.close()
