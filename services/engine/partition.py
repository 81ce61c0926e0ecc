"""The writer's side of one category: it takes changes and publishes what searches see.

Most vectors are in an immutable flat index, the base. Vectors that were put later are in a short tail, which is
searched by brute force. Rows of deleted and replaced products are marked dead. When the tail or the number of dead rows
grows too long, everything is merged into a new base.

A row is an image. All rows of a product share its key and payload, and are either all in the base or all in the tail.
"""

from collections.abc import Iterable

import numpy as np

from services.engine.category_view import CategoryView, FlatSearchFactory, Float32Array, ImageArray
from services.engine.columns import BoolArray
from services.engine.segment import Segment, merge_segments

MERGE_ROWS = 2048  # brute force over this many rows of 64 numbers takes about 0.05 ms
MERGE_SHARE = 16  # a tail may have a sixteenth of the base's rows, so that a large base is not copied too often
# The rows of one product, the main image's first. Most products have one row: an int takes less memory than a tuple.
Rows = int | tuple[int, ...]


class Partition:
    """The products of one category. One thread at a time may change it; any number of threads may search `view`."""

    def __init__(self, dimension: int, build: FlatSearchFactory, merge_rows: int = MERGE_ROWS) -> None:
        """Make an empty partition; see `Gallery`."""
        self._dimension = dimension
        self._merge_rows = merge_rows
        self._build = build
        self._rows: dict[str, Rows] = {}
        self._live_rows = 0
        self._changes = 0
        self._max_images: int
        self._tail_vectors: Float32Array
        self._live: BoolArray
        self._image_index: ImageArray
        self._replace_base(np.empty((0, dimension), np.float32), Segment([], []), np.empty(0, np.uint8))
        self.publish()

    def __len__(self) -> int:
        return len(self._rows)

    def __contains__(self, key: object) -> bool:
        return key in self._rows

    def keys(self) -> Iterable[str]:
        """Return the writer's keys, published or not."""
        return self._rows.keys()

    def restore(
        self, vectors: Float32Array, image_index: ImageArray, keys: list[str], payloads: list[bytes | None]
    ) -> None:
        """Set all products of an empty partition; see `Gallery.restore`."""
        rows: dict[str, Rows] = {keys[row]: row for row in np.flatnonzero(image_index == 0).tolist()}
        additional = np.flatnonzero(image_index)
        for row in additional[np.argsort(image_index[additional], kind="stable")].tolist():
            previous = _as_tuple(rows[keys[row]])
            rows[keys[row]] = (*previous, row)
            keys[row], payloads[row] = keys[previous[0]], payloads[previous[0]]  # the rows share the objects in memory
        self._rows, self._live_rows = rows, len(keys)
        self._replace_base(vectors, Segment(keys, payloads), np.array(image_index))
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
        self._rows[key] = row
        self._live_rows += count
        self._changes += 1
        if count > 1:
            self._rows[key] = tuple(range(row, row + count))
            self._image_index[row : row + count] = range(count)
            self._max_images = max(self._max_images, count)

    def discard(self, key: str) -> bool:
        """Delete a product; return whether it was there. Searches see it at the next `publish`."""
        rows = self._rows.pop(key, None)
        if rows is None:
            return False
        for row in _as_tuple(rows):
            self._live[row] = False
            self._live_rows -= 1
        self._changes += 1
        return True

    def current(self, key: str) -> tuple[Float32Array, bytes | None]:
        """Return the vectors, shape (images, dimension), and the payload of a product, published or not."""
        base = len(self._base.keys)
        rows = np.array(_as_tuple(self._rows[key]))
        if rows[0] < base:
            return self._flat.vectors[rows], self._base.payloads[rows[0]]
        return self._tail_vectors[rows - base], self._tail.payloads[rows[0] - base]

    def publish(self) -> None:
        """Make all changes visible to searches."""
        base, total = len(self._base.keys), len(self._base.keys) + len(self._tail.keys)
        if max(total - base, total - self._live_rows) > max(self._merge_rows, base // MERGE_SHARE):
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
            size=len(self._rows),
            changes=self._changes,
        )

    def find(self, key: str) -> tuple[CategoryView, int] | None:
        """Return a published view and the row of a product's main image in it, or None. It is thread-safe."""
        rows = self._rows.get(key)
        view = self.view
        row = None if rows is None else view.find(key, _as_tuple(rows)[0])
        return None if row is None else (view, row)

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

    def _replace_base(self, vectors: Float32Array, segment: Segment, image_index: ImageArray) -> None:
        self._flat = self._build(vectors)
        self._base = segment
        self._tail = Segment([], [])
        self._tail_vectors = np.empty((0, self._dimension), np.float32)
        self._live = np.ones(len(segment.keys), np.bool_)
        self._image_index = image_index
        self._max_images = int(image_index.max()) + 1 if len(image_index) else 1

    def _merge(self) -> None:
        """Make a new base of all live rows. Dead rows are filled from the end, so that few rows get a new number."""
        vectors = np.concatenate([self._flat.vectors, self._tail_vectors[: len(self._tail.keys)]])
        keys = self._base.keys + self._tail.keys
        payloads = self._base.payloads + self._tail.payloads
        image_index = self._image_index[: len(keys)].copy()
        size = self._live_rows
        live = self._live[: len(keys)]
        holes = np.flatnonzero(~live[:size])
        movers = np.flatnonzero(live[size:]) + size
        vectors[holes], image_index[holes] = vectors[movers], image_index[movers]
        for hole, mover in zip(holes.tolist(), movers.tolist(), strict=True):
            keys[hole], payloads[hole] = keys[mover], payloads[mover]
            rows = self._rows[keys[hole]]
            self._rows[keys[hole]] = hole if isinstance(rows, int) else _with_row_replaced(rows, mover, hole)
        new_rows = np.where(live, np.arange(len(keys)), -1)
        new_rows[movers] = holes
        segment = merge_segments(self._base, self._tail, new_rows, keys[:size], payloads[:size])
        self._replace_base(vectors[:size], segment, image_index[:size].copy())


def _as_tuple(rows: Rows) -> tuple[int, ...]:
    return (rows,) if isinstance(rows, int) else rows


def _with_row_replaced(rows: tuple[int, ...], old: int, new: int) -> tuple[int, ...]:
    return tuple(new if row == old else row for row in rows)
