"""Follows a database without change streams: all documents are read again and again, and compared."""

from contextlib import aclosing

from services.catalogue.store.products import ProductCollection
from services.catalogue.threads import to_the_end
from services.index.follow.comparison import Comparison
from services.index.replica.writer import ReplicaWriter

SCAN_BATCH = 1000


class Poller:
    """Reads all documents of a catalogue, at first and then repeatedly."""

    def __init__(self, products: ProductCollection) -> None:
        self._products = products

    async def load(self, writer: ReplicaWriter) -> None:
        """Read all documents into a replica that is not searched yet. `catch_up` finds changes made meanwhile."""
        async for documents in self._products.scan(SCAN_BATCH):
            await to_the_end(writer.replica.apply, (), documents)

    async def catch_up(self, writer: ReplicaWriter) -> None:
        """Apply all documents that differ from the replica.

        Raises:
            CatalogueUnavailable: the database is unavailable.
        """
        async with aclosing(Comparison(self._products, writer, time_share=1.0).differences()) as pages:
            async for page in pages:
                if page:
                    documents = [document for _, document in page if document is not None]
                    await writer.apply([document_id for document_id, _ in page], documents)
