"""A replica whose gallery is in Milvus. In memory are only legacy, outranked and skipped documents."""

from collections.abc import Iterable, Sequence
from itertools import chain

import numpy as np
import structlog

from services.catalogue.documents.product_document import Record
from services.catalogue.product import Product
from services.engine.payload import pack
from services.index.milvus.expressions import MAX_RANGE_VALUES, TooManyValues
from services.index.milvus.gallery import MilvusGallery
from services.index.milvus.rows import MAX_CONTENT_BYTES, MilvusEntry, rows_of
from services.index.replica.replica import GalleryEntry, Replica, StoredDocument

log = structlog.get_logger()
SAFE_BYTES = MAX_CONTENT_BYTES // 2  # a payload of this size fits into a row: JSON in JSON doubles some characters


class MilvusReplica(Replica):
    """Applies documents to a `MilvusGallery`, many of them at a time."""

    def __init__(self, gallery: MilvusGallery, model: str, unversioned_model: str) -> None:
        """Make a replica of what Milvus holds, or will hold after `begin_load`; see `Replica`."""
        super().__init__(gallery, model, unversioned_model)
        self._rows = gallery
        self._is_loading = False

    def resume(self) -> None:
        """Continue with what Milvus holds. Skipped documents are recorded again when they are next compared.

        Raises:
            IndexNotReady, UpstreamTimeout: Milvus is unavailable.
        """
        self._rows.stored.open()
        self._legacy_source = self._rows.stored.legacy_sources()
        self._key_of = {document_id: key for key, document_id in self._legacy_source.items()}

    def finish_load(self) -> None:
        """Delete what the load has not seen, and let searches see the rest."""
        if self._is_loading:
            self._rows.pending.end_load()
            self._is_loading = False

    def begin_load(self) -> None:
        """Expect all documents."""
        self._rows.pending.begin_load()
        self._is_loading = True

    def apply(self, document_ids: Iterable[str], documents: Iterable[StoredDocument]) -> int:
        """Apply the current state of documents, after one reading of what Milvus holds of them."""
        ids, stored = list(document_ids), list(documents)
        self._fetch(ids, stored)
        return super().apply(ids, stored)

    def differing(self, documents: Iterable[StoredDocument]) -> list[StoredDocument]:
        """Return the documents whose state Milvus does not have."""
        stored = list(documents)
        self._fetch((), stored)
        for document in stored:
            self._record_exclusion(document)
        return super().differing(stored)

    def _fetch(self, document_ids: Sequence[str], documents: Sequence[StoredDocument]) -> None:
        ids = chain(document_ids, (document.document_id for document in documents))
        keys = {self._key_of.get(document_id, document_id) for document_id in ids}
        keys |= {document.product.key for document in documents if isinstance(document, Record)}
        self._rows.pending.forget()
        self._rows.pending.fetch(keys)

    def _record_exclusion(self, document: StoredDocument) -> None:
        """Record why a document that Milvus does not have is not indexed: after a restart, that is not known."""
        document_id = document.document_id
        is_known = document_id in self.skipped or document_id in self.other_models or document_id in self._key_of
        if not is_known and document_id not in self.gallery and not isinstance(self._classify(document), Product):
            self._indexable(document_id, document)

    def _is_shown_as(self, key: str, entry: GalleryEntry) -> bool:
        return self._rows.pending.holds(key, _stored_entry(entry, self._legacy_source.get(key)))

    def _show(self, document_id: str, key: str, entry: GalleryEntry) -> None:
        if document_id == key:
            self._legacy_source.pop(key, None)
        else:
            self._legacy_source[key] = document_id
        self._rows.pending.put(key, _stored_entry(entry, self._legacy_source.get(key)))

    def _rejection(self, product: Product) -> str | None:
        reason = super()._rejection(product)
        payload = None if reason else pack(product)
        lists = (value for value in product.attributes.values() if isinstance(value, list))
        if payload is None or (len(payload) < SAFE_BYTES and all(len(value) <= MAX_RANGE_VALUES for value in lists)):
            return reason
        try:
            rows_of("", product.key, MilvusEntry(product.category, product.vectors[:1], payload))
        except TooManyValues as error:
            return f"Milvus cannot hold it: {error}"
        return None


def _stored_entry(entry: GalleryEntry, source: str | None) -> MilvusEntry:
    category, vectors, payload = entry
    return MilvusEntry(category, np.atleast_2d(vectors), payload, source)
