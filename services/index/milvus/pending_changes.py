"""Changes of a catalogue's products that are collected, compared with what Milvus holds, and written together."""

from collections.abc import Iterable, Mapping

import numpy as np

from services.catalogue.product import MAX_IMAGES
from services.index.milvus.catalogue_rows import CatalogueRows
from services.index.milvus.collection import MAX_HITS
from services.index.milvus.rows import MilvusEntry, Stored, key_and_payload, rows_of, version_of

KEYS_AT_ONCE = MAX_HITS // MAX_IMAGES


class PendingChanges:
    """Collects changes until `publish` writes them. One thread at a time may use it.

    Several index services may write to the same collection: who finds that another one has written a change already
    waits until searches see it, and counts again, as if it were its own.
    """

    def __init__(self, rows: CatalogueRows) -> None:
        """Collect changes of the products that these rows are of."""
        self._rows = rows
        self._known: dict[str, Stored | None] = {}  # by key, as Milvus has it
        self._wanted: dict[str, MilvusEntry | None] = {}  # None for a product that is to be deleted
        self._loaded: set[int] | None = None  # hashes of the products that a load in progress has seen
        self._was_empty = False
        self._is_dirty = False  # changes have been written that searches may not see yet

    def begin_load(self) -> None:
        """Expect all products, each once or more. Nothing waits for searches to see them before `end_load`."""
        self._rows.open()
        self._loaded, self._was_empty = set(), sum(self._rows.counts) == 0

    def end_load(self) -> None:
        """Delete the products that the load has not seen, and wait until searches see all changes."""
        loaded, self._loaded = self._loaded or set(), None
        if not self._was_empty:
            self._rows.delete_others(loaded)
        self._rows.show(range(len(self._rows.counts)))
        self._is_dirty = False

    def forget(self) -> None:
        """Forget the rows that `fetch` has read: others may have changed them."""
        self._known.clear()

    def fetch(self, keys: Iterable[str]) -> None:
        """Read what Milvus holds of products, as long as it is not known yet."""
        self._rows.open()
        missing = {self._rows.digest(key): key for key in keys if key not in self._known}
        if self._loaded is not None and self._was_empty:  # only what this load has written can be there
            rows = {digest: key for digest, key in missing.items() if hash(digest) in self._loaded}
            self._known |= {key: None for digest, key in missing.items() if digest not in rows}
            missing = rows
        if missing and self._is_dirty:
            self._rows.wait_until_visible()
            self._is_dirty = False
        digests = list(missing)
        for begin in range(0, len(digests), KEYS_AT_ONCE):
            part = digests[begin : begin + KEYS_AT_ONCE]
            self._known |= {missing[digest]: None for digest in part}
            for digest, stored in self._stored(part).items():
                self._known[missing[digest]] = stored

    def _stored(self, digests: list[str]) -> Mapping[str, Stored]:
        quoted = ", ".join(f'"{digest}"' for digest in digests)
        fields = ["row", "product", "version", "category"]
        products: dict[str, Stored] = {}
        for row in self._rows.collection.query(f"product in [{quoted}]", fields, self._rows.partitions):
            before = products.get(row["product"])
            ids = (before.rows if before else frozenset()) | {row["row"]}
            # Rows of two versions or partitions are left of an interrupted change: their version is none.
            is_same = before is None or (before.version, before.category) == (row["version"], row["category"])
            products[row["product"]] = Stored(row["category"], row["version"] if is_same else "", ids)
        return products

    def has(self, key: str) -> bool:
        """Return whether a product is there once the changes are written."""
        if key in self._wanted:
            return self._wanted[key] is not None
        self.fetch([key])
        return self._known[key] is not None

    def put(self, key: str, entry: MilvusEntry) -> None:
        """Add a product, or replace it in any category."""
        self._wanted[key] = entry

    def discard(self, key: str) -> None:
        """Delete a product if it is there."""
        self._wanted[key] = None

    def holds(self, key: str, entry: MilvusEntry) -> bool:
        """Return whether Milvus has a product in exactly this state."""
        self.fetch([key])
        stored = self._known[key]
        return stored is not None and stored.version == version_of(key, entry)

    def current(self, key: str) -> MilvusEntry:
        """Return a product once the changes are written, without its legacy document.

        Raises:
            KeyError: the product is not there.
        """
        wanted = self._wanted.get(key)
        if wanted is not None:
            return wanted
        if not self.has(key):
            raise KeyError(key)
        rows = self._rows.of_product(key, ["category", "image", "content", "vector"])
        rows.sort(key=lambda row: int(row["image"]))  # type: ignore[call-overload]
        _, payload, _ = key_and_payload(str(rows[0]["content"]))
        return MilvusEntry(
            int(str(rows[0]["category"])), np.array([row["vector"] for row in rows], np.float32), payload
        )

    def publish(self) -> None:
        """Write all changes, and wait until searches see them. After an error, the changes have to be applied again.

        Raises:
            IndexNotReady, UpstreamTimeout: Milvus is unavailable.
        """
        try:
            self._publish()
        finally:
            self._wanted.clear()
            self._known.clear()

    def _publish(self) -> None:
        self.fetch(self._wanted)
        deleted: dict[int, list[str]] = {}
        written: dict[int, list[dict[str, object]]] = {}
        by_others: set[int] | None = None  # categories; those of deleted products are not known
        for key, entry in self._wanted.items():
            stored = self._known[key]
            if self._loaded is not None and entry is not None:
                self._loaded.add(hash(self._rows.digest(key)))
            rows = [] if entry is None else rows_of(self._rows.catalogue, key, entry)
            if rows:
                self._rows.note_lists(rows[0]["tokens"])
            if stored is not None and entry is not None and stored.version == version_of(key, entry):
                by_others = (by_others or set()) | {entry.category}
                continue
            if stored is None and entry is None:
                by_others = by_others or set()
            kept = {row["row"] for row in rows} if entry and stored and stored.category == entry.category else set()
            if stored is not None and stored.rows - kept:
                deleted.setdefault(stored.category, []).extend(stored.rows - kept)
            if entry is not None:
                written.setdefault(entry.category, []).extend(rows)
        self._write(deleted, written)
        changed = deleted.keys() | written.keys()
        self._is_dirty = self._is_dirty or bool(changed)
        if self._loaded is None:
            self._rows.show(changed)
            if by_others is not None:
                self._rows.show_others(by_others)
            self._is_dirty = False

    def _write(self, deleted: Mapping[int, list[str]], written: Mapping[int, list[dict[str, object]]]) -> None:
        for category, ids in deleted.items():
            self._rows.collection.delete(ids, self._rows.partitions[category])
        for category, new_rows in written.items():
            self._rows.collection.write(new_rows, self._rows.partitions[category])
