"""Following a database that cannot tell what changes: everything is read again and again, and compared."""

from contextlib import aclosing

from services.catalogue.store.products import ProductCollection
from services.catalogue.threads import to_the_end
from services.index.follow.comparison import Comparison
from services.index.replica.writer import ReplicaWriter

SCAN_BATCH = 1000


class Poller:
    """Reads all documents of a catalogue, the first time and each time after."""

    def __init__(self, store: ProductCollection) -> None:
        self._store = store

    async def load(self, writer: ReplicaWriter) -> None:
        """Read all documents into a replica that nobody sees yet. What changes meanwhile is found by `catch_up`."""
        async for found in self._store.scan(SCAN_BATCH):
            await to_the_end(writer.replica.apply, (), found)

    async def catch_up(self, writer: ReplicaWriter) -> None:
        """Take all documents that are not as the replica knows them.

        Raises:
            CatalogueUnavailable: the database is away.
        """
        async with aclosing(Comparison(self._store, writer, share=1.0).differences()) as pages:
            async for page in pages:
                if page:
                    found = [item for _, item in page if item is not None]
                    await writer.apply([document_id for document_id, _ in page], found)
