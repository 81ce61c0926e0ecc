"""Documents → gallery: which product each document is, and what becomes of the gallery when documents change.

No database here: it is told how documents are now. Telling it twice changes nothing, and the order does not matter,
so changes may be replayed.
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
from services.engine.category_view import CategoryView
from services.engine.gallery import Gallery
from services.engine.payload import pack

log = structlog.get_logger()
StoredDocument = Record | BrokenDocument
GalleryEntry = tuple[int, Float32Array, bytes | None]  # category, vectors, payload


class Exclusion(Enum):
    """Why a document that is whole is not shown."""

    ELSEWHERE = "another node holds its category"
    OTHER_MODEL = "its vectors are of another model"


@dataclass(frozen=True)
class ReplicaState:
    """What a replica knows of documents, beside what it shows.

    Attributes:
        holders: keys that are shown from an older document → its id.
        waiting: keys → the older documents that are outranked, by their ids.
        skipped: ids of documents that cannot be shown → what is wrong with them.
        faults: ids of documents → what is wrong with their further images.
        other_models: ids of documents whose vectors come from another model.
    """

    holders: Mapping[str, str]
    waiting: Mapping[str, Mapping[str, GalleryEntry]]
    skipped: Mapping[str, str]
    faults: Mapping[str, tuple[str, ...]]
    other_models: AbstractSet[str]


class Replica:
    """A gallery that shows what the documents of a database say.

    A key is shown once. Where several documents have it, the one Lookalike wrote counts (its `_id` is the key), and
    among older ones that with the greatest `_id`, which is the newest; the others wait, and come up when it goes.
    Documents of categories that the gallery does not hold are as if they were not there.
    """

    def __init__(self, gallery: Gallery, model: str, unversioned_model: str) -> None:
        """Begin with nothing known.

        Args:
            gallery: an empty one.
            model: the only model whose vectors are shown, such as `fashion/2`.
            unversioned_model: what a document that names no model is taken to be of.
        """
        self.gallery = gallery
        self.model = model
        self.skipped: dict[str, str] = {}  # document id → what is wrong with it
        self.faults: dict[str, tuple[str, ...]] = {}  # document id → what is wrong with its further images
        self.other_models: set[str] = set()
        self._unversioned_model = unversioned_model
        self._key_of: dict[str, str] = {}  # older document → its key
        self._holder: dict[str, str] = {}  # key → the older document it is shown from
        self._waiting: dict[str, dict[str, GalleryEntry]] = {}  # key → older documents that are outranked

    def apply(self, document_ids: Iterable[str], found: Iterable[StoredDocument]) -> int:
        """Take documents as they are now, and let searches see it.

        Args:
            document_ids: `_id`s, as text, of documents that may have changed.
            found: those of them that exist, whole or not; further ones may be among them.

        Returns:
            how many documents were looked at.
        """
        now = {item.document_id: item for item in found}
        touched = dict.fromkeys([*document_ids, *now])
        for document_id in touched:
            product = self._indexable(document_id, now.get(document_id))
            self._release(document_id)
            if product is not None:
                self._claim(document_id, product.key, (product.category, product.vectors, pack(product)))
        self.gallery.publish()
        return len(touched)

    def freeze(self) -> tuple[Sequence[CategoryView], ReplicaState]:
        """Return what is shown of each category, and the rest, as they are now: later changes do not show in them."""
        waiting = {key: dict(documents) for key, documents in self._waiting.items()}
        skipped, faults = dict(self.skipped), dict(self.faults)
        return self.gallery.views, ReplicaState(
            dict(self._holder), waiting, skipped, faults, frozenset(self.other_models)
        )

    def restore(self, known: ReplicaState) -> None:
        """Know again what a replica with the same gallery knew. This one has to be new but for its gallery."""
        self.skipped, self.faults, self.other_models = dict(known.skipped), dict(known.faults), set(known.other_models)
        self._holder = dict(known.holders)
        self._waiting = {key: dict(documents) for key, documents in known.waiting.items()}
        self._key_of = {document: key for key, document in known.holders.items()}
        self._key_of.update((one, key) for key, documents in self._waiting.items() for one in documents if one != key)

    def differing(self, found: Iterable[StoredDocument]) -> list[StoredDocument]:
        """Return the documents that the replica knows otherwise than they are, or not at all."""
        return [item for item in found if not self._knows(item)]

    def document_ids(self) -> Iterator[str]:
        """Yield the ids of all documents that the replica knows."""
        own = (key for key in self.gallery if key not in self._holder)
        return chain(own, self._key_of, self.skipped, self.other_models)

    def _knows(self, item: StoredDocument) -> bool:
        """Whether a document is known as it is; which of several of its key is shown follows from that."""
        document_id, claimed, verdict = item.document_id, self._claimed(item.document_id), self._verdict(item)
        noted = (self.skipped.get(document_id), self.faults.get(document_id, ()), document_id in self.other_models)
        wrong = verdict if isinstance(verdict, str) else None
        if noted != (wrong, _faults(item, verdict), verdict is Exclusion.OTHER_MODEL):
            return False
        if claimed is None or not isinstance(verdict, Product):
            return claimed is None and not isinstance(verdict, Product)
        key, (category, vectors, payload) = claimed
        wanted = (verdict.key, verdict.category, pack(verdict))
        return (key, category, payload) == wanted and bool(np.array_equal(vectors, verdict.vectors))

    def _claimed(self, document_id: str) -> tuple[str, GalleryEntry] | None:
        """Return the key that a document stands for and what is shown of it, or would be if it were not outranked."""
        key = self._key_of.get(document_id, document_id)
        waiting = self._waiting.get(key, {})
        if document_id in waiting:
            return key, waiting[document_id]
        if self._holder.get(key, key) == document_id and key in self.gallery:
            return key, self.gallery.current(key)
        return None

    def _indexable(self, document_id: str, item: StoredDocument | None) -> Product | None:
        """Return the product of a document if it can be searched; count the document where it cannot."""
        was_skipped = self.skipped.pop(document_id, None)
        self.other_models.discard(document_id)
        verdict = Exclusion.ELSEWHERE if item is None else self._verdict(item)
        self._note_faults(document_id, _faults(item, verdict))
        if isinstance(verdict, Product):
            return verdict
        if verdict is Exclusion.OTHER_MODEL:
            self.other_models.add(document_id)
        elif isinstance(verdict, str):
            self.skipped[document_id] = verdict
            if was_skipped != verdict:
                log.warning("document_skipped", document=document_id, reason=verdict, model=self.model)
        return None

    def _verdict(self, item: StoredDocument) -> Product | str | Exclusion:
        """Return the product that can be searched, or what is wrong with the document, or why it is not here."""
        if isinstance(item, BrokenDocument):
            return item.reason
        product = self._seen(item.product)
        if not self._is_ours(product or item.product):
            return Exclusion.ELSEWHERE
        return Exclusion.OTHER_MODEL if product is None else self._objection(product) or product

    def _seen(self, product: Product) -> Product | None:
        """Return a product as this replica's model sees it."""
        return product if (product.model or self._unversioned_model) == self.model else product.seen_by(self.model)

    def _is_ours(self, product: Product) -> bool:
        """Whether no other node holds the category that a product is in."""
        return product.category in self.gallery.held or product.category >= self.gallery.categories

    def _note_faults(self, document_id: str, faults: tuple[str, ...]) -> None:
        """Remember which further images of a document are left out, and say so once."""
        before = self.faults.pop(document_id, ())
        if faults:
            self.faults[document_id] = faults
            if faults != before:
                log.warning("images_skipped", document=document_id, reasons=faults)

    def _objection(self, product: Product) -> str | None:
        if product.category >= self.gallery.categories:
            return f"category {product.category} is none of the model's {self.gallery.categories}"
        if product.vector.shape != (self.gallery.dimension,):
            return f"the vector has {product.vector.shape[0]} numbers, not {self.gallery.dimension}"
        return None

    def _release(self, document_id: str) -> None:
        """Forget what a document was; another one of its key takes its place."""
        key = self._key_of.pop(document_id, document_id)
        waiting = self._waiting.get(key, {})
        if waiting.pop(document_id, None) is None and self._holder.get(key, key) == document_id:
            self._holder.pop(key, None)
            self.gallery.discard(key)
            if waiting:
                heir = max(waiting)
                self._show(heir, key, waiting.pop(heir))
        if not waiting:
            self._waiting.pop(key, None)

    def _claim(self, document_id: str, key: str, shown: GalleryEntry) -> None:
        if document_id != key:
            self._key_of[document_id] = key
        rival = self._holder.get(key, key) if key in self.gallery else None
        if rival is None:
            self._show(document_id, key, shown)
        elif _outranks(document_id, rival, key):
            self._waiting.setdefault(key, {})[rival] = self.gallery.current(key)
            self._show(document_id, key, shown)
        else:
            self._waiting.setdefault(key, {})[document_id] = shown

    def _show(self, document_id: str, key: str, shown: GalleryEntry) -> None:
        if document_id == key:
            self._holder.pop(key, None)
        else:
            self._holder[key] = document_id
        category, vectors, payload = shown
        self.gallery.put(category, key, vectors, payload)


def _faults(item: StoredDocument | None, verdict: Product | str | Exclusion) -> tuple[str, ...]:
    return item.faults if isinstance(item, Record) and verdict is not Exclusion.ELSEWHERE else ()


def _outranks(document_id: str, rival: str, key: str) -> bool:
    return (document_id == key, document_id) > (rival == key, rival)
