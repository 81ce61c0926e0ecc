"""The writer's side of one category: takes changes, and publishes what searches see.

Most vectors are in an immutable flat index, the base. What has come since is in a short tail beside it, searched by
brute force; what has gone or was replaced is marked dead. Now and then all of it is merged into a new base.

A row is an image. All rows of a product share its key and payload, and are either in the base or in the tail.
"""

from collections.abc import Iterable

import numpy as np

from services.engine.category_view import CategoryView, FlatSearchFactory, Float32Array, ImageArray
from services.engine.columns import BoolArray
from services.engine.segment import Segment, merged

MERGE_ROWS = 2048  # brute force over so many rows of 64 numbers takes about 0.05 ms
MERGE_SHARE = 16  # a larger base bears a longer tail, so that vectors are not copied too often
Rows = (
    int | tuple[int, ...]
)  # of one product, the main image's first; most have one, and a tuple would only take memory


class Partition:
    """One category. One thread at a time may change it; any number may search `view` meanwhile."""

    def __init__(self, dimension: int, build: FlatSearchFactory, merge_rows: int = MERGE_ROWS) -> None:
        self._dimension = dimension
        self._merge_rows = merge_rows
        self._build = build
        self._rows: dict[str, Rows] = {}
        self._living = 0  # rows
        self._changes = 0
        self._max_images = 1  # the most of one product
        self._tail_vectors: Float32Array
        self._live: BoolArray
        self._image_index: ImageArray
        self._rebase(np.empty((0, dimension), np.float32), Segment([], []), np.empty(0, np.uint8))
        self.publish()

    def __len__(self) -> int:
        return len(self._rows)

    def __contains__(self, key: object) -> bool:
        return key in self._rows

    def keys(self) -> Iterable[str]:
        """Return the keys that the writer has, published or not."""
        return self._rows.keys()

    def restore(self, vectors: Float32Array, image: ImageArray, keys: list[str], payloads: list[bytes | None]) -> None:
        """Take all the products of an empty partition; see `Gallery.restore`."""
        rows: dict[str, Rows] = {keys[row]: row for row in np.flatnonzero(image == 0).tolist()}
        further = np.flatnonzero(image)
        for row in further[np.argsort(image[further], kind="stable")].tolist():
            before = _each(rows[keys[row]])
            rows[keys[row]] = (*before, row)
            keys[row], payloads[row] = keys[before[0]], payloads[before[0]]  # the same in memory, too
        self._rows, self._living = rows, len(keys)
        self._rebase(vectors, Segment(keys, payloads), np.array(image))
        self.publish()

    def put(self, key: str, vectors: Float32Array, payload: bytes | None) -> None:
        """Take a product, or its new state; it is searchable after `publish`. See `Gallery.put`."""
        self.discard(key)
        vectors = vectors.reshape(-1, self._dimension)
        count, at = len(vectors), len(self._tail.keys)
        self._reserve(count)
        row = len(self._base.keys) + at
        self._tail_vectors[at : at + count] = vectors
        self._live[row : row + count] = True
        for _ in range(count):
            self._tail.append(key, payload)
        self._rows[key] = row
        self._living += count
        self._changes += 1
        if count > 1:
            self._rows[key] = tuple(range(row, row + count))
            self._image_index[row : row + count] = range(count)
            self._max_images = max(self._max_images, count)

    def discard(self, key: str) -> bool:
        """Take a product out, as of `publish`. Returns whether it was there."""
        rows = self._rows.pop(key, None)
        if rows is None:
            return False
        for row in _each(rows):
            self._live[row] = False
            self._living -= 1
        self._changes += 1
        return True

    def current(self, key: str) -> tuple[Float32Array, bytes | None]:
        """Return the vectors, shape (images, dimension), and the payload of a product, published or not."""
        base = len(self._base.keys)
        rows = np.array(_each(self._rows[key]))
        if rows[0] < base:
            return self._flat.vectors[rows], self._base.payloads[rows[0]]
        return self._tail_vectors[rows - base], self._tail.payloads[rows[0] - base]

    def publish(self) -> None:
        """Let searches see what has changed."""
        base, total = len(self._base.keys), len(self._base.keys) + len(self._tail.keys)
        if max(total - base, total - self._living) > max(self._merge_rows, base // MERGE_SHARE):
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
        """Return a published view and the row of the product's main image in it, or None. Any thread may ask."""
        rows = self._rows.get(key)
        view = self.view
        row = None if rows is None else view.find(key, _each(rows)[0])
        return None if row is None else (view, row)

    def _reserve(self, count: int) -> None:
        """Make room for more rows of the tail. Published views keep the arrays they have."""
        used, room = len(self._tail.keys), len(self._tail_vectors)
        if used + count <= room:
            return
        vectors = np.empty((max(64, 2 * room, used + count), self._dimension), np.float32)
        vectors[:used] = self._tail_vectors[:used]
        live = np.zeros(len(self._base.keys) + len(vectors), np.bool_)
        live[: len(self._live)] = self._live
        image = np.zeros(len(live), np.uint8)
        image[: len(self._image_index)] = self._image_index
        self._tail_vectors, self._live, self._image_index = vectors, live, image

    def _rebase(self, vectors: Float32Array, segment: Segment, image: ImageArray) -> None:
        self._flat = self._build(vectors)
        self._base = segment
        self._tail = Segment([], [])
        self._tail_vectors = np.empty((0, self._dimension), np.float32)
        self._live = np.ones(len(segment.keys), np.bool_)
        self._image_index = image
        self._max_images = int(image.max()) + 1 if len(image) else 1

    def _merge(self) -> None:
        """Make a new base of all that lives. Dead rows are filled from the end, so that few rows change their number."""
        vectors = np.concatenate([self._flat.vectors, self._tail_vectors[: len(self._tail.keys)]])
        keys = self._base.keys + self._tail.keys
        payloads = self._base.payloads + self._tail.payloads
        image = self._image_index[: len(keys)].copy()
        size = self._living
        live = self._live[: len(keys)]
        holes = np.flatnonzero(~live[:size])
        movers = np.flatnonzero(live[size:]) + size
        vectors[holes], image[holes] = vectors[movers], image[movers]
        for hole, mover in zip(holes.tolist(), movers.tolist(), strict=True):
            keys[hole], payloads[hole] = keys[mover], payloads[mover]
            rows = self._rows[keys[hole]]
            self._rows[keys[hole]] = hole if isinstance(rows, int) else _replaced(rows, mover, hole)
        new_rows = np.where(live, np.arange(len(keys)), -1)
        new_rows[movers] = holes
        segment = merged(self._base, self._tail, new_rows, keys[:size], payloads[:size])
        self._rebase(vectors[:size], segment, image[:size].copy())


def _each(rows: Rows) -> tuple[int, ...]:
    return (rows,) if isinstance(rows, int) else rows


def _replaced(rows: tuple[int, ...], old: int, new: int) -> tuple[int, ...]:
    return tuple(new if row == old else row for row in rows)
