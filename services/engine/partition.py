"""The writer's side of one category: it takes changes and publishes what searches see.

Most vectors are in an immutable flat index, the base. Vectors that were put later are in a short tail, which is
searched by brute force. Rows of deleted and replaced products are marked dead. When the tail or the number of dead rows
grows too long, everything is merged into a new base.

A row is an image. All rows of a product share its key and payload, and are either all in the base or all in the tail.
"""

from collections.abc import Iterator, Sequence

import numpy as np

from services.contracts.domain.machine import release_freed_memory
from services.engine.category_view import CategoryView, FlatSearchFactory, Float32Array
from services.engine.columns import BoolArray
from services.engine.packed.rows import ImageArray, PackedRows
from services.engine.segment import Base, Tail, merge_segments

MERGE_ROWS = 2048  # brute force over this many rows of 64 numbers takes about 0.05 ms
MERGE_SHARE = 16  # a tail may have a sixteenth of the base's rows, so that a large base is not copied too often
# Of a base: after a merge of fewer, little memory is free. The arrays of previous bases leave holes in the heap, 800 to
# 980 bytes a product after a load of 100,000 or 200,000.
RELEASE_ROWS = 10_000


class Partition:
    """The products of one category. One thread at a time may change it; any number of threads may search `view`."""

    def __init__(self, dimension: int, build: FlatSearchFactory, merge_rows: int = MERGE_ROWS) -> None:
        """Make an empty partition; see `Gallery`."""
        self._dimension = dimension
        self._merge_rows = merge_rows
        self._build = build
        self._tail_rows: dict[str, range] = {}  # of each product in the tail, the main image's first
        self._size = 0  # products
        self._live_rows = 0
        self._changes = 0
        self._max_images: int
        self._tail_vectors: Float32Array
        self._live: BoolArray
        self._image_index: ImageArray
        no_images = np.empty(0, np.uint8)
        self._replace_base(np.empty((0, dimension), np.float32), Base(PackedRows.of([], [], no_images)), no_images)
        self.publish()

    def __len__(self) -> int:
        return self._size

    def __contains__(self, key: object) -> bool:
        return isinstance(key, str) and bool(self._rows_of(key))

    def keys(self) -> Iterator[str]:
        """Yield the writer's keys, published or not."""
        is_main = self._live & (self._image_index == 0)
        for row in np.flatnonzero(is_main[: len(self._base.keys)]).tolist():
            yield self._base.keys[row]
        yield from self._tail_rows

    def restore(self, vectors: Float32Array, image_index: ImageArray, rows: PackedRows) -> None:
        """Set all products of an empty partition; see `Gallery.restore`."""
        self._size, self._live_rows = len(rows) - int(np.count_nonzero(image_index)), len(rows)
        self._replace_base(vectors, Base(rows), np.array(image_index))
        self.publish()

    def put(self, key: str, vectors: Float32Array, payload: bytes | None) -> None:
        """Add or replace a product; see `Gallery.put`."""
        self.discard(key)
        vectors = vectors.reshape(-1, self._dimension)
        count, place = len(vectors), len(self._tail.keys)
        self._reserve(count)
        row = len(self._base.keys) + place
        self._tail_vectors[place : place + count] = vectors
        self._live[row : row + count] = True
        for _ in range(count):
            self._tail.append(key, payload)
        self._tail_rows[key] = range(row, row + count)
        self._size += 1
        self._live_rows += count
        self._changes += 1
        if count > 1:
            self._image_index[row : row + count] = range(count)
            self._max_images = max(self._max_images, count)

    def discard(self, key: str) -> bool:
        """Delete a product; return whether it was there. Searches see it at the next `publish`."""
        rows = self._rows_of(key)
        if not rows:
            return False
        self._tail_rows.pop(key, None)
        for row in rows:
            self._live[row] = False
        self._size -= 1
        self._live_rows -= len(rows)
        self._changes += 1
        return True

    def current(self, key: str) -> tuple[Float32Array, bytes | None]:
        """Return the vectors, shape (images, dimension), and the payload of a product, published or not."""
        base = len(self._base.keys)
        rows = np.array(self._rows_of(key))
        if rows[0] < base:
            return self._flat.vectors[rows], self._base.payloads[rows[0]]
        return self._tail_vectors[rows - base], self._tail.payloads[rows[0] - base]

    def publish(self) -> None:
        """Make all changes visible to searches."""
        base, total = len(self._base.keys), len(self._base.keys) + len(self._tail.keys)
        is_merged = max(total - base, total - self._live_rows) > max(self._merge_rows, base // MERGE_SHARE)
        if is_merged:
            self._merge()
            base = total = len(self._base.keys)
        self.view = CategoryView(
            flat=self._flat,
            base=self._base,
            tail=self._tail,
            tail_vectors=self._tail_vectors[: total - base],
            live=self._live[:total].copy(),
            image_index=self._image_index[:total],
            max_images=self._max_images,
            size=self._size,
            is_whole=self._live_rows == total,
            changes=self._changes,
        )
        if is_merged:
            self._tail_rows = {}  # after the view: until then a reader finds the products of the view's tail by them
            if base >= RELEASE_ROWS:
                release_freed_memory()

    def find(self, key: str) -> tuple[CategoryView, int] | None:
        """Return a published view and the row of a product's main image in it, or None. It is thread-safe."""
        in_tail = self._tail_rows.get(key)  # before the view: see `publish`
        view = self.view
        row = view.find(key, None if in_tail is None else in_tail[0])
        return None if row is None else (view, row)

    def _rows_of(self, key: str) -> Sequence[int]:
        """Return the writer's rows of a product, the main image's first; none if the product is not there."""
        in_tail = self._tail_rows.get(key)
        if in_tail is not None:
            return in_tail
        rows = [row for row in self._base.rows.keys.rows_of(key) if self._live[row]]
        return sorted(rows, key=self._image_index.__getitem__) if len(rows) > 1 else rows

    def _reserve(self, count: int) -> None:
        """Make room for `count` more rows in the tail. Published views keep their arrays."""
        used, capacity = len(self._tail.keys), len(self._tail_vectors)
        if used + count <= capacity:
            return
        vectors = np.empty((max(64, 2 * capacity, used + count), self._dimension), np.float32)
        vectors[:used] = self._tail_vectors[:used]
        live = np.zeros(len(self._base.keys) + len(vectors), np.bool_)
        live[: len(self._live)] = self._live
        image_index = np.zeros(len(live), np.uint8)
        image_index[: len(self._image_index)] = self._image_index
        self._tail_vectors, self._live, self._image_index = vectors, live, image_index

    def _replace_base(self, vectors: Float32Array, base: Base, image_index: ImageArray) -> None:
        self._flat = self._build(vectors)
        self._base = base
        self._tail = Tail()
        self._tail_vectors = np.empty((0, self._dimension), np.float32)
        self._live = np.ones(len(base.keys), np.bool_)
        self._image_index = image_index
        self._max_images = int(image_index.max()) + 1 if len(image_index) else 1

    def _merge(self) -> None:
        """Make a new base of all live rows. Dead rows are filled from the end, so that few rows get a new number."""
        base, total, size = len(self._base.keys), len(self._base.keys) + len(self._tail.keys), self._live_rows
        vectors = np.concatenate([self._flat.vectors, self._tail_vectors[: total - base]])
        image_index, live = self._image_index[:total], self._live[:total]
        holes = np.flatnonzero(~live[:size])
        movers = np.flatnonzero(live[size:]) + size
        order = np.arange(size)
        order[holes] = movers
        vectors[holes] = vectors[movers]
        new_rows = np.where(live, np.arange(total), -1)
        new_rows[movers] = holes
        rows = self._base.rows.merged(self._tail.keys, self._tail.payloads, image_index[base:], order)
        segment = merge_segments(self._base, self._tail, new_rows, rows)
        self._replace_base(vectors[:size], segment, image_index[order])
