"""One look at the whole catalogue beside a replica of it: which documents the replica knows otherwise than they are."""

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
from services.index.replica.writer import Difference, ReplicaWriter, hashes

PAGE = 500
LONGEST_PAUSE_S = 1.0


class Comparison:
    """Reads every document once and compares it with what is shown of it. It takes 8 bytes of memory a document."""

    def __init__(self, store: ProductCollection, writer: ReplicaWriter, share: float) -> None:
        """Remember what to compare.

        Args:
            store: where the documents are.
            writer: of the replica.
            share: of the time that it may take, at most 1: between two pages it rests.
        """
        self.documents = 0
        self._store = store
        self._writer = writer
        self._share = share
        self._seen = array("q")

    async def differences(self) -> AsyncGenerator[Sequence[Difference], None]:
        """Yield the documents that differ, page by page, and in the end those that are gone.

        A document that has changed since the replica was told differs as well: the caller knows what is on its way.

        Raises:
            CatalogueUnavailable: the database is away.
        """
        async with aclosing(self._store.scan(PAGE)) as pages:
            started = time.monotonic()
            async for found in pages:
                self.documents += len(found)
                self._seen.frombytes(hashes([item.document_id for item in found]).tobytes())
                differing = await self._writer.read(partial(Replica.differing, found=found))
                yield [(item.document_id, item) for item in differing]
                await asyncio.sleep(min(LONGEST_PAUSE_S, (time.monotonic() - started) * (1 / self._share - 1)))
                started = time.monotonic()
        unseen = await self._writer.read(self._unseen)
        for begin in range(0, len(unseen), PAGE):
            yield await self._looked_for(unseen[begin : begin + PAGE])

    def _unseen(self, replica: Replica) -> list[str]:
        """Return the ids of documents that the replica knows and that were not seen."""
        known = list(replica.document_ids())
        unseen = ~np.isin(hashes(known), np.frombuffer(self._seen.tobytes(), np.int64))
        return [known[place] for place in np.flatnonzero(unseen).tolist()]

    async def _looked_for(self, document_ids: Sequence[str]) -> Sequence[Difference]:
        """Ask for documents by their ids, and return those that differ or are gone indeed."""
        found = await self._store.read([variant for one in document_ids for variant in id_variants(one)])
        there = {item.document_id for item in found}
        differing = await self._writer.read(partial(Replica.differing, found=found))
        gone: list[Difference] = [(one, None) for one in document_ids if one not in there]
        return [*((item.document_id, item) for item in differing), *gone]
