"""The writer's side of one category: takes changes, and publishes what searches see.

Most vectors are in an immutable flat index, the base. What has come since is in a short tail beside it, searched by
brute force; what has gone or was replaced is marked dead. Now and then all of it is merged into a new base.
"""

import numpy as np

from services.index.columns import BoolArray
from services.index.segment import Segment, merged
from services.index.view import BuildFlat, Float32Array, View

MERGE_ROWS = 2048  # brute force over so many rows of 64 numbers takes about 0.05 ms
MERGE_SHARE = 16  # a larger base bears a longer tail, so that vectors are not copied too often


class Partition:
    """One category. One thread at a time may change it; any number may search `view` meanwhile."""

    def __init__(self, dimension: int, build: BuildFlat, merge_rows: int = MERGE_ROWS) -> None:
        self._dimension = dimension
        self._merge_rows = merge_rows
        self._build = build
        self._rows: dict[str, int] = {}
        self._tail_vectors: Float32Array
        self._live: BoolArray
        self._rebase(np.empty((0, dimension), np.float32), Segment([], []))
        self.publish()

    def __len__(self) -> int:
        return len(self._rows)

    def __contains__(self, key: object) -> bool:
        return key in self._rows

    def put(self, key: str, vector: Float32Array, payload: bytes | None) -> None:
        """Take a product, or its new state; it is searchable after `publish`. `vector` has unit length."""
        self.discard(key)
        self._reserve()
        row = len(self._tail.keys)
        self._tail_vectors[row] = vector
        self._tail.append(key, payload)
        self._rows[key] = len(self._base.keys) + row
        self._live[self._rows[key]] = True

    def discard(self, key: str) -> bool:
        """Take a product out, as of `publish`. Returns whether it was there."""
        row = self._rows.pop(key, None)
        if row is None:
            return False
        self._live[row] = False
        return True

    def current(self, key: str) -> tuple[Float32Array, bytes | None]:
        """Return vector and payload of a product as the writer has them, published or not."""
        base = len(self._base.keys)
        row = self._rows[key]
        if row < base:
            return self._flat.vectors[row].copy(), self._base.payloads[row]
        return self._tail_vectors[row - base].copy(), self._tail.payloads[row - base]

    def publish(self) -> None:
        """Let searches see what has changed."""
        base, total = len(self._base.keys), len(self._base.keys) + len(self._tail.keys)
        if max(total - base, total - len(self._rows)) > max(self._merge_rows, base // MERGE_SHARE):
            self._merge()
            base = total = len(self._base.keys)
        self.view = View(
            flat=self._flat,
            base=self._base,
            tail=self._tail,
            tail_vectors=self._tail_vectors[: total - base],
            live=self._live[:total].copy(),
            size=len(self._rows),
        )

    def find(self, key: str) -> tuple[View, int] | None:
        """Return a published view and the product's row in it, or None. Any thread may ask."""
        hint = self._rows.get(key)
        view = self.view
        row = None if hint is None else view.find(key, hint)
        return None if row is None else (view, row)

    def _reserve(self) -> None:
        """Make room for one more row of the tail. Published views keep the arrays they have."""
        used, room = len(self._tail.keys), len(self._tail_vectors)
        if used < room:
            return
        vectors = np.empty((max(64, 2 * room), self._dimension), np.float32)
        vectors[:used] = self._tail_vectors
        live = np.zeros(len(self._base.keys) + len(vectors), np.bool_)
        live[: len(self._live)] = self._live
        self._tail_vectors, self._live = vectors, live

    def _rebase(self, vectors: Float32Array, segment: Segment) -> None:
        self._flat = self._build(vectors)
        self._base = segment
        self._tail = Segment([], [])
        self._tail_vectors = np.empty((0, self._dimension), np.float32)
        self._live = np.ones(len(segment.keys), np.bool_)

    def _merge(self) -> None:
        """Make a new base of all that lives. Dead rows are filled from the end, so that few rows change their number."""
        vectors = np.concatenate([self._flat.vectors, self._tail_vectors[: len(self._tail.keys)]])
        keys = self._base.keys + self._tail.keys
        payloads = self._base.payloads + self._tail.payloads
        size = len(self._rows)
        live = self._live[: len(keys)]
        holes = np.flatnonzero(~live[:size])
        movers = np.flatnonzero(live[size:]) + size
        vectors[holes] = vectors[movers]
        for hole, mover in zip(holes.tolist(), movers.tolist(), strict=True):
            keys[hole], payloads[hole] = keys[mover], payloads[mover]
            self._rows[keys[hole]] = hole
        new_rows = np.where(live, np.arange(len(keys)), -1)
        new_rows[movers] = holes
        self._rebase(vectors[:size], merged(self._base, self._tail, new_rows, keys[:size], payloads[:size]))
