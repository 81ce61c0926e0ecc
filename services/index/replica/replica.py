"""From documents to a gallery: the product of each document, and what a change of documents does to the gallery.

The replica does not read the database: it is given documents in their current state. Giving it the same state twice
changes nothing, and the order does not matter, so changes may be replayed.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from enum import Enum
from itertools import chain

import numpy as np
import structlog

from services.catalogue.documents.product_document import BrokenDocument, Record
from services.catalogue.product import Float32Array, Product
from services.contracts.domain.parts import WHOLE, Part
from services.engine.category_view import CategoryView
from services.engine.payload import pack
from services.engine.product_gallery import ProductGallery

log = structlog.get_logger()
StoredDocument = Record | BrokenDocument
GalleryEntry = tuple[int, Float32Array, bytes | None]  # category, vectors of the images, payload


class Exclusion(Enum):
    """Why a valid document is not in the gallery."""

    OTHER_NODE = "another node holds it"
    OTHER_MODEL = "its vectors are of another model"


@dataclass(frozen=True)
class ReplicaState:
    """What a replica knows of documents in addition to its gallery.

    Attributes:
        legacy_sources: key of a product in the gallery → id of the legacy document that it is made of.
        outranked: key → the documents of that key that are not in the gallery: their entries by document id.
        skipped: id of a document that cannot be indexed → the reason.
        image_errors: id of a document → the reasons why some of its images are left out.
        other_models: ids of the documents whose vectors are of another model.
    """

    legacy_sources: Mapping[str, str]
    outranked: Mapping[str, Mapping[str, GalleryEntry]]
    skipped: Mapping[str, str]
    image_errors: Mapping[str, tuple[str, ...]]
    other_models: AbstractSet[str]


class Replica:
    """A gallery that holds the products of a database's documents.

    A key is in the gallery once. If several documents have it, the one that Lookalike wrote counts (its `_id` is the
    key); among legacy documents the one with the greatest `_id`, which is the newest. The others are outranked: when
    that document is deleted, the next one takes its place.

    Documents of categories that the gallery does not hold, and of products in other parts, are ignored.
    """

    def __init__(self, gallery: ProductGallery, model: str, unversioned_model: str, part: Part = WHOLE) -> None:
        """Make an empty replica.

        Args:
            gallery: an empty gallery.
            model: the model whose vectors are indexed, such as `fashion/2`.
            unversioned_model: the model of documents that name none.
            part: the part of the products that is held, by their keys: all documents of a key are in one part.
        """
        self.gallery: ProductGallery = gallery
        self.model = model
        self.part = part
        self.skipped: dict[str, str] = {}
        self.image_errors: dict[str, tuple[str, ...]] = {}
        self.other_models: set[str] = set()
        self._unversioned_model = unversioned_model
        self._key_of: dict[str, str] = {}  # legacy document → its key
        self._legacy_source: dict[str, str] = {}
        self._outranked: dict[str, dict[str, GalleryEntry]] = {}

    def begin_load(self) -> None:
        """Expect all documents of the database."""

    def finish_load(self) -> None:
        """Let searches see the loaded products, which are complete."""

    def apply(self, document_ids: Iterable[str], documents: Iterable[StoredDocument]) -> int:
        """Apply the current state of documents, and make it visible to searches.

        Args:
            document_ids: `_id`s, as text, of documents that may have changed.
            documents: those of them that exist, valid or not, and any others.

        Returns:
            how many documents were applied.
        """
        current = {document.document_id: document for document in documents}
        changed = dict.fromkeys([*document_ids, *current])
        for document_id in changed:
            product = self._indexable(document_id, current.get(document_id))
            self._remove(document_id)
            if product is not None:
                self._add(document_id, product.key, (product.category, product.vectors, pack(product)))
        self.gallery.publish()
        return len(changed)

    def freeze(self) -> tuple[Sequence[CategoryView], ReplicaState]:
        """Return what searches see of each category, and the rest; later changes do not show in them."""
        outranked = {key: dict(entries) for key, entries in self._outranked.items()}
        state = ReplicaState(
            dict(self._legacy_source),
            outranked,
            dict(self.skipped),
            dict(self.image_errors),
            frozenset(self.other_models),
        )
        return self.gallery.views, state

    def restore(self, state: ReplicaState) -> None:
        """Set the state of a new replica whose gallery has been restored."""
        self.skipped, self.image_errors = dict(state.skipped), dict(state.image_errors)
        self.other_models = set(state.other_models)
        self._legacy_source = dict(state.legacy_sources)
        self._outranked = {key: dict(entries) for key, entries in state.outranked.items()}
        self._key_of = {document_id: key for key, document_id in state.legacy_sources.items()}
        for key, entries in self._outranked.items():
            self._key_of.update((document_id, key) for document_id in entries if document_id != key)

    def differing(self, documents: Iterable[StoredDocument]) -> list[StoredDocument]:
        """Return the documents whose state the replica does not have."""
        return [document for document in documents if not self._is_current(document)]

    def document_ids(self) -> Iterator[str]:
        """Yield the ids of all documents that the replica knows."""
        own = (key for key in self.gallery if key not in self._legacy_source)
        return chain(own, self._key_of, self.skipped, self.other_models)

    def _is_current(self, document: StoredDocument) -> bool:
        """Return whether the replica has a document's state, in the gallery or outranked."""
        document_id, result = document.document_id, self._classify(document)
        known = (
            self.skipped.get(document_id),
            self.image_errors.get(document_id, ()),
            document_id in self.other_models,
        )
        reason = result if isinstance(result, str) else None
        if known != (reason, _image_errors(document, result), result is Exclusion.OTHER_MODEL):
            return False
        key = self._key_of.get(document_id, document_id)
        outranked = self._outranked.get(key, {}).get(document_id)
        is_shown = outranked is None and self._legacy_source.get(key, key) == document_id and key in self.gallery
        if not isinstance(result, Product):
            return outranked is None and not is_shown
        entry = (result.category, result.vectors, pack(result))
        if key != result.key:
            return False
        return is_shown and self._is_shown_as(key, entry) if outranked is None else same_entry(outranked, entry)

    def _is_shown_as(self, key: str, entry: GalleryEntry) -> bool:
        """Return whether the gallery has exactly this entry of a product that it has."""
        return same_entry(self.gallery.current(key), entry)

    def _indexable(self, document_id: str, document: StoredDocument | None) -> Product | None:
        """Return a document's product if it can be indexed; record why if it cannot."""
        previous_reason = self.skipped.pop(document_id, None)
        self.other_models.discard(document_id)
        result = Exclusion.OTHER_NODE if document is None else self._classify(document)
        self._record_image_errors(document_id, _image_errors(document, result))
        if isinstance(result, Product):
            return result
        if result is Exclusion.OTHER_MODEL:
            self.other_models.add(document_id)
        elif isinstance(result, str):
            self.skipped[document_id] = result
            if previous_reason != result:
                log.warning("document_skipped", document=document_id, reason=result, model=self.model)
        return None

    def _classify(self, document: StoredDocument) -> Product | str | Exclusion:
        """Return a document's product, or the reason why it cannot be indexed, or why it is not indexed here."""
        if isinstance(document, BrokenDocument):
            return document.reason
        product = self._by_model(document.product)
        if not self._is_held(product or document.product):
            return Exclusion.OTHER_NODE
        return Exclusion.OTHER_MODEL if product is None else self._rejection(product) or product

    def _by_model(self, product: Product) -> Product | None:
        """Return a product with this replica's model's category and vectors; None without them."""
        return product if (product.model or self._unversioned_model) == self.model else product.embedded_by(self.model)

    def _is_held(self, product: Product) -> bool:
        """Return whether the part holds a product, and the gallery its category, or no node does."""
        is_category_held = product.category in self.gallery.held or product.category >= self.gallery.categories
        return is_category_held and self.part.holds(product.key)

    def _record_image_errors(self, document_id: str, errors: tuple[str, ...]) -> None:
        """Record which images of a document are left out, and log new errors."""
        previous = self.image_errors.pop(document_id, ())
        if errors:
            self.image_errors[document_id] = errors
            if errors != previous:
                log.warning("images_skipped", document=document_id, reasons=errors)

    def _rejection(self, product: Product) -> str | None:
        if product.category >= self.gallery.categories:
            return f"category {product.category} is none of the model's {self.gallery.categories}"
        if product.vector.shape != (self.gallery.dimension,):
            return f"the vector has {product.vector.shape[0]} numbers, not {self.gallery.dimension}"
        return None

    def _remove(self, document_id: str) -> None:
        """Remove a document; the next document of its key takes its place."""
        key = self._key_of.pop(document_id, document_id)
        outranked = self._outranked.get(key, {})
        if outranked.pop(document_id, None) is None and self._legacy_source.get(key, key) == document_id:
            self._legacy_source.pop(key, None)
            self.gallery.discard(key)
            if outranked:
                successor = max(outranked)
                self._show(successor, key, outranked.pop(successor))
        if not outranked:
            self._outranked.pop(key, None)

    def _add(self, document_id: str, key: str, entry: GalleryEntry) -> None:
        """Put a document into the gallery, or among those that are outranked."""
        if document_id != key:
            self._key_of[document_id] = key
        rival = self._legacy_source.get(key, key) if key in self.gallery else None
        if rival is None:
            self._show(document_id, key, entry)
        elif _outranks(document_id, rival, key):
            self._outranked.setdefault(key, {})[rival] = self.gallery.current(key)
            self._show(document_id, key, entry)
        else:
            self._outranked.setdefault(key, {})[document_id] = entry

    def _show(self, document_id: str, key: str, entry: GalleryEntry) -> None:
        if document_id == key:
            self._legacy_source.pop(key, None)
        else:
            self._legacy_source[key] = document_id
        category, vectors, payload = entry
        self.gallery.put(category, key, vectors, payload)


def _image_errors(document: StoredDocument | None, result: Product | str | Exclusion) -> tuple[str, ...]:
    return document.faults if isinstance(document, Record) and result is not Exclusion.OTHER_NODE else ()


def same_entry(first: GalleryEntry, other: GalleryEntry) -> bool:
    """Return whether two entries are equal."""
    return (first[0], first[2]) == (other[0], other[2]) and bool(np.array_equal(first[1], other[1]))


def _outranks(document_id: str, rival: str, key: str) -> bool:
    return (document_id == key, document_id) > (rival == key, rival)
