"""The rows of one catalogue by one model in a Milvus collection: their partitions, and the number of their products."""

import threading
from collections.abc import Collection, Iterable, Iterator

from services.index.milvus.collection import MilvusCollection, partition_of
from services.index.milvus.expressions import EVERY, contains
from services.index.milvus.rows import digest_of, key_and_payload

MAIN = "image == 0"


class CatalogueRows:
    """Where the rows of a catalogue are, and how many products they are of.

    Attributes:
        partitions: their names, by category.
        counts: the number of products that searches see, by category.
        changes: a number that grows when searches see changes, by category.
    """

    def __init__(self, collection: MilvusCollection, catalogue: str, categories: int) -> None:
        """Open nothing yet; see `open`."""
        self.collection = collection
        self.catalogue = catalogue
        self.partitions = [partition_of(catalogue, category) for category in range(categories)]
        self.counts = [0] * categories
        self.changes = [0] * categories
        self._is_open = False
        # Whether an attribute has several numbers or dates in any product; None while that is being asked.
        self._with_lists: dict[int, bool | None] = {}
        self._lock = threading.Lock()

    def open(self) -> None:
        """Make missing partitions, and count the products.

        Raises:
            IndexNotReady, UpstreamTimeout: Milvus is unavailable.
        """
        if self._is_open:
            return
        self.collection.open(self.partitions)
        self.counts = [self._count(category) for category in range(len(self.counts))]
        self._is_open = True

    def show(self, categories: Iterable[int]) -> None:
        """Wait until searches see all changes of categories, and count their products."""
        for category in categories:
            self.counts[category] = self._count(category)
            self.changes[category] += 1

    def show_others(self, categories: Collection[int]) -> None:
        """Wait until searches see what other index services have written to categories, and count all products.

        Products may have come from other categories, or may have been deleted there.
        """
        self.wait_until_visible()
        for category, before in enumerate(self.counts):
            self.counts[category] = self._count(category, strong=False)
            self.changes[category] += category in categories or self.counts[category] != before

    def wait_until_visible(self) -> None:
        """Wait until reads see all changes."""
        self._count(0)

    def _count(self, category: int, *, strong: bool = True) -> int:
        """Count products. A strongly consistent count waits until all changes are visible."""
        return self.collection.count(MAIN, self.partitions[category], strong=strong)

    def digest(self, key: str) -> str:
        """Return what the rows of a product have as `product`."""
        return digest_of(f"{self.catalogue}/{key}")

    def of_product(self, key: str, fields: list[str]) -> list[dict[str, object]]:
        """Return the rows of a product, one for each image, in any order."""
        return self.collection.query(f'product == "{self.digest(key)}"', fields, self.partitions)

    def keys(self) -> Iterator[str]:
        """Yield the keys of all products."""
        for page in self.collection.scan(MAIN, ["content"], self.partitions):
            yield from (key_and_payload(row["content"])[0] for row in page)

    def legacy_sources(self) -> dict[str, str]:
        """Return the legacy document of each product that is made of one."""
        pages = self.collection.scan(f"legacy == true and {MAIN}", ["content"], self.partitions)
        facts = (key_and_payload(row["content"]) for page in pages for row in page)
        return {key: source for key, _, source in facts if source is not None}

    def delete_others(self, loaded: Collection[int]) -> None:
        """Delete the rows of all products but those whose digests have these hashes."""
        for rows in self.collection.scan(EVERY, ["product", "category"], self.partitions):
            for category, partition in enumerate(self.partitions):
                gone = [
                    row["row"] for row in rows if row["category"] == category and hash(row["product"]) not in loaded
                ]
                self.collection.delete(gone, partition)

    def any_with(self, token: int, partitions: list[str]) -> bool:
        """Return whether any row of these partitions has a token."""
        return bool(self.collection.query(contains([token]), ["image"], partitions, limit=1))

    def has_lists(self, token: int) -> bool:
        """Return whether an attribute, named by its token, has several numbers or dates in any product."""
        with self._lock:
            known = self._with_lists.setdefault(token, None)
        if known is not None:
            return known
        is_listed = self.any_with(token, self.partitions)
        with self._lock:
            # A product that has been written in the meantime has set it: see `note_lists`.
            is_listed = self._with_lists[token] = is_listed or self._with_lists[token] is True
        return is_listed

    def note_lists(self, tokens: Collection[int]) -> None:
        """Note the tokens of a product that is about to be written."""
        with self._lock:
            for each in self._with_lists.keys() & set(tokens):
                self._with_lists[each] = True
