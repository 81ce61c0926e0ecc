"""A comparison of the whole catalogue with a replica: which documents have another state than the replica's."""

import asyncio
import time
from array import array
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from functools import partial

import numpy as np

from services.catalogue.documents.product_document import id_variants
from services.catalogue.store.products import ProductCollection
from services.index.replica.replica import Replica
from services.index.replica.writer import Difference, ReplicaWriter, hash_ids

PAGE = 500
MAX_PAUSE_S = 1.0


class Comparison:
    """Reads every document once and compares it with the replica. It takes 8 bytes of memory a document."""

    def __init__(self, products: ProductCollection, writer: ReplicaWriter, time_share: float) -> None:
        """Set what to compare.

        Args:
            products: reads the documents.
            writer: of the replica.
            time_share: the share of the time that the comparison may take, at most 1. It pauses between pages.
        """
        self.documents = 0
        self._products = products
        self._writer = writer
        self._time_share = time_share
        self._read_hashes = array("q")

    async def differences(self) -> AsyncGenerator[Sequence[Difference], None]:
        """Yield the documents that differ, page by page, and at the end those that were deleted.

        A document that changed after it was applied to the replica differs as well: its change may be on its way.

        Raises:
            CatalogueUnavailable: the database is unavailable.
        """
        async with aclosing(self._products.scan(PAGE)) as pages:
            started = time.monotonic()
            async for documents in pages:
                self.documents += len(documents)
                self._read_hashes.frombytes(hash_ids([document.document_id for document in documents]).tobytes())
                differing = await self._writer.read(partial(Replica.differing, documents=documents))
                yield [(document.document_id, document) for document in differing]
                await asyncio.sleep(min(MAX_PAUSE_S, (time.monotonic() - started) * (1 / self._time_share - 1)))
                started = time.monotonic()
        missing = await self._writer.read(self._missing)
        for begin in range(0, len(missing), PAGE):
            yield await self._confirm_missing(missing[begin : begin + PAGE])

    def _missing(self, replica: Replica) -> list[str]:
        """Return the ids of the replica's documents that the scan did not return."""
        known = list(replica.document_ids())
        is_missing = ~np.isin(hash_ids(known), np.frombuffer(self._read_hashes.tobytes(), np.int64))
        return [known[place] for place in np.flatnonzero(is_missing).tolist()]

    async def _confirm_missing(self, document_ids: Sequence[str]) -> Sequence[Difference]:
        """Read documents by their ids; return those that differ and those that do not exist."""
        variants = [variant for document_id in document_ids for variant in id_variants(document_id)]
        documents = await self._products.read(variants)
        existing = {document.document_id for document in documents}
        differing = await self._writer.read(partial(Replica.differing, documents=documents))
        deleted: list[Difference] = [(document_id, None) for document_id in document_ids if document_id not in existing]
        return [*((document.document_id, document) for document in differing), *deleted]
