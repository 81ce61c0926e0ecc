"""An exact search of many vectors in two stages: their 8-bit codes first, of a quarter of the size, then few vectors.

The codes of all vectors have the same scale, so the distance of two codes is close to the distance of their vectors. By
the triangle inequality the two differ at most by the distances of both vectors to their codes, which are measured. Rows
whose codes are farther from the query's than that can be ruled out without reading their vectors.
"""

import math
from typing import Any

import faiss
import numpy as np

from services.engine.category_view import Float32Array
from services.engine.columns import RowArray

MAX_CODE = 255
CHUNK = 65_536  # rows that are coded at a time
# Rows whose vectors are read. The first number proves nearly all searches; 1024 take FAISS a third longer than ten.
CANDIDATES = (128, 1024)
ROUNDING = 1e-5  # of a distance: FAISS adds up squares in float32
SLACK = 4e-6  # more than float32 rounds the distance of a vector of unit length to its code by
NOISE = 1e-6  # of a score: less than the sums of the same products differ by in another order


class CoarseScan:
    """The codes of vectors that never change. It is thread-safe.

    Args:
        vectors: shape (n, dimension), float32, n at least 1. They are kept, not copied.
    """

    def __init__(self, vectors: Float32Array) -> None:
        self._vectors = vectors
        self._low: Float32Array = vectors.min(axis=0)
        span = (vectors.max(axis=0) - self._low).max()
        self._step = np.float32(span / MAX_CODE if span > 0 else 1.0)
        kind = faiss.ScalarQuantizer.QT_8bit_direct
        self._codes = faiss.IndexScalarQuantizer(vectors.shape[1], kind, faiss.METRIC_L2)
        self._error = 0.0  # the greatest distance of a vector to its code
        self._longest = 0.0  # the greatest length of a vector
        for begin in range(0, len(vectors), CHUNK):
            chunk = vectors[begin : begin + CHUNK]
            codes = self._coded(chunk)
            self._codes.add(codes)
            self._error = max(self._error, self._distance_to_code(chunk, codes))
            self._longest = max(self._longest, _longest(chunk))

    def nearest(self, query: Float32Array, k: int, parameters: Any) -> tuple[RowArray, Float32Array] | None:
        """Return rows and scores of the k nearest vectors, best first; None if it is not certain that they are.

        Args:
            query: shape (dimension,).
            k: the number of rows, at least 1; fewer are returned if there are fewer.
            parameters: of FAISS; they choose the rows to search.
        """
        code = self._coded(query[None, :])
        error = self._error + self._distance_to_code(query[None, :], code)
        for candidates in CANDIDATES:
            count = min(self._codes.ntotal, max(candidates, 4 * k))
            squares, nearest = self._codes.search(code, count, params=parameters)
            rows: RowArray = nearest[0][nearest[0] >= 0]  # FAISS fills up with -1
            scores = self._vectors[rows].astype(np.float64) @ query.astype(np.float64)
            best = np.argsort(-scores, kind="stable")[:k]
            has_seen_all = len(rows) < count or count == self._codes.ntotal
            if has_seen_all or self._best_of_others(query, float(squares[0][-1]), error) < scores[best[-1]] - NOISE:
                return rows[best], scores[best].astype(np.float32)
        return None

    def _best_of_others(self, query: Float32Array, square: float, error: float) -> float:
        """Return what the score of a row can be whose code is at least as far from the query's as the last candidate's.

        Args:
            query: shape (dimension,).
            square: of the distance of the codes.
            error: by which the distance of the vectors may be smaller.
        """
        distance = max(0.0, math.sqrt(square) * float(self._step) * (1 - ROUNDING) - error)
        return (_longest(query[None, :]) ** 2 + (self._longest + SLACK) ** 2 - distance**2) / 2 + SLACK

    def _coded(self, vectors: Float32Array) -> Float32Array:
        """Return the codes as FAISS takes them: whole numbers in float32."""
        codes = vectors - self._low
        codes /= self._step
        np.rint(codes, out=codes)
        return codes.clip(0, MAX_CODE, out=codes)

    def _distance_to_code(self, vectors: Float32Array, codes: Float32Array) -> float:
        """Return the greatest distance of a vector to its code, rounded up."""
        decoded = codes * self._step
        decoded += self._low
        decoded -= vectors
        return _longest(decoded) + SLACK


def _longest(vectors: Float32Array) -> float:
    """Return the greatest length of vectors."""
    return float(np.sqrt(np.einsum("ij,ij->i", vectors, vectors).max()))
