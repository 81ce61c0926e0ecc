"""Legacy documents: products that Lookalike did not write, whose `_id` is not the product's key.

The first program of this kind wrote `{_id: ObjectId, id, Category, vector}`. Such documents are read like all others,
and removed when Lookalike writes or deletes a product of the same key.
"""

import time
from collections.abc import Iterable, Sequence

from bson.objectid import ObjectId

from services.catalogue.documents.product_document import Document, key_variants
from services.catalogue.store.mongo.driver import Collection

# Every document that Lookalike writes has this field. No legacy document does.
IS_LEGACY = {"category_source": None}
CHECK_S = 10.0


class LegacyDocuments:
    """Finds and removes legacy documents. Whether there are any at all is looked up every ten seconds only."""

    def __init__(self) -> None:
        self._exist = True
        self._checked_until = 0.0

    def check_now(self) -> None:
        """Look again with the next call."""
        self._checked_until = 0.0

    async def remove(self, products: Collection, keys: Sequence[str]) -> int:
        """Remove the legacy documents of these keys from a collection, and return how many there were."""
        if time.monotonic() > self._checked_until:
            self._exist = await products.find_one(IS_LEGACY, {"_id": 1}) is not None
            self._checked_until = time.monotonic() + CHECK_S
        if not self._exist:
            return 0
        documents = await products.find(legacy_filter(keys), {"_id": 1}).to_list(length=None)
        ids = [document["_id"] for document in documents if document["_id"] not in keys]
        return int((await products.delete_many({"_id": {"$in": ids}})).deleted_count) if ids else 0


def legacy_filter(keys: Iterable[str]) -> Document:
    """Return the filter of legacy documents with these keys: as `id`, or as `_id` where they have no `id`."""
    keys = list(keys)
    by_id = {"id": {"$in": [variant for key in keys for variant in key_variants(key)]}, **IS_LEGACY}
    bare = [ObjectId(key) for key in keys if ObjectId.is_valid(key)]
    return {"$or": [by_id, {"_id": {"$in": bare}, "id": None, **IS_LEGACY}]} if bare else by_id
