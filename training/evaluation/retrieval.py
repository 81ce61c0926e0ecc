"""How similar the products found are: precision@k on article type, base colour, and both at once."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

K = 10
CHUNK = 1024  # queries at a time: 1024 × 15,000 float32 similarities are 60 MB
KINDS = ("article_type", "base_colour", "both")


@dataclass(frozen=True)
class Embedded:
    """Products with their vectors: float32 (n, dim), unit length (zero vectors stay zero)."""

    ids: NDArray[np.str_]
    labels: NDArray[np.int64]
    article_types: NDArray[np.str_]
    base_colours: NDArray[np.str_]
    vectors: NDArray[np.float32]

    def take(self, chosen: NDArray[Any]) -> "Embedded":
        """Return the products at these positions, or where this mask is true."""
        return Embedded(
            self.ids[chosen],
            self.labels[chosen],
            self.article_types[chosen],
            self.base_colours[chosen],
            self.vectors[chosen],
        )


def of_nothing_known(labels: NDArray[np.int64], vectors: NDArray[np.float32]) -> Embedded:
    """Return pictures of which only the category is known, with their unit vectors."""
    unknown = np.full(len(labels), "")
    return Embedded(unknown, labels, unknown, unknown, vectors)


def unit(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the vectors divided by their lengths; a zero vector stays zero."""
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    result = np.zeros_like(vectors)
    np.divide(vectors, lengths, out=result, where=lengths > 0)
    return result


def neighbours(queries: Embedded, gallery: Embedded, k: int) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Return the k nearest of the gallery for each query by cosine similarity, exactly, best first.

    A query never finds itself: gallery items of the same id are left out.

    Returns:
        positions int64 (n, k) and scores float32 (n, k); where the gallery has fewer, the score is −inf.
    """
    k = min(k, len(gallery.ids))
    found, scores = np.zeros((len(queries.ids), k), np.int64), np.zeros((len(queries.ids), k), np.float32)
    for start in range(0, len(queries.ids), CHUNK):
        part = slice(start, start + CHUNK)
        similar = queries.vectors[part] @ gallery.vectors.T
        similar[queries.ids[part, None] == gallery.ids[None, :]] = -np.inf
        top = np.argpartition(-similar, k - 1, axis=1)[:, :k]
        values = np.take_along_axis(similar, top, axis=1)
        order = np.argsort(-values, axis=1, kind="stable")
        found[part] = np.take_along_axis(top, order, axis=1)
        scores[part] = np.take_along_axis(values, order, axis=1)
    return found, scores


def _same(ours: NDArray[np.str_], theirs: NDArray[np.str_]) -> NDArray[np.bool_]:
    """Say where two attributes agree; what is not given agrees with nothing."""
    agree: NDArray[np.bool_] = (ours == theirs) & (ours != "")
    return agree


def hits(queries: Embedded, gallery: Embedded, found: NDArray[np.int64]) -> dict[str, NDArray[np.bool_]]:
    """Return for each of KINDS where what was found, positions (n, k), agrees with its query: bool (n, k)."""
    kind = _same(queries.article_types[:, None], gallery.article_types[found])
    colour = _same(queries.base_colours[:, None], gallery.base_colours[found])
    return {"article_type": kind, "base_colour": colour, "both": kind & colour}


def _chance(queries: Embedded, gallery: Embedded) -> dict[str, NDArray[np.float64]]:
    """Return, per query, the share of the whole gallery that would be a hit: what picking at random finds."""
    everything = np.arange(len(gallery.ids))[None, :]
    parts = [queries.take(np.arange(s, min(s + CHUNK, len(queries.ids)))) for s in range(0, len(queries.ids), CHUNK)]
    by_part = [hits(part, gallery, everything) for part in parts]
    return {kind: np.concatenate([h[kind].mean(axis=1) for h in by_part]) for kind in KINDS}


def precision_at_k(queries: Embedded, gallery: Embedded, categories: Sequence[str], k: int = K) -> dict[str, Any]:
    """Return precision@k within the query's true category: the share of its k neighbours that agree, mean over queries.

    Queries whose category has nothing else in the gallery are left out and counted. Definition: the data set's README.
    """
    measured: dict[str, list[NDArray[np.float64]]] = {kind: [] for kind in KINDS}
    by_chance: dict[str, list[NDArray[np.float64]]] = {kind: [] for kind in KINDS}
    per_category, alone = [], 0
    for label, name in enumerate(categories):
        ours, theirs = queries.take(queries.labels == label), gallery.take(gallery.labels == label)
        ours, left_out = _searchable(ours, theirs)
        alone += left_out
        if not len(ours.ids):
            continue
        found, scores = neighbours(ours, theirs, k)
        valid, chance = np.isfinite(scores), _chance(ours, theirs)
        means = {kind: (h & valid).sum(axis=1) / valid.sum(axis=1) for kind, h in hits(ours, theirs, found).items()}
        for kind in KINDS:
            measured[kind].append(means[kind])
            by_chance[kind].append(chance[kind])
        per_category.append(
            {"category": name, "queries": len(ours.ids)} | {kind: float(means[kind].mean()) for kind in KINDS}
        )
    return {
        "k": k,
        "within": "the query's true category",
        "queries": len(queries.ids) - alone,
        "gallery": len(gallery.ids),
        "queries_left_alone": alone,
        "precision": {kind: _mean(measured[kind]) for kind in KINDS},
        "chance": {kind: _mean(by_chance[kind]) for kind in KINDS},
        "per_category": per_category,
    }


def _searchable(queries: Embedded, gallery: Embedded) -> tuple[Embedded, int]:
    """Return the queries that have something else than themselves in the gallery, and how many have not."""
    others = len(gallery.ids) - np.isin(queries.ids, gallery.ids).astype(int)
    return queries.take(others > 0), int((others <= 0).sum())


def _mean(parts: list[NDArray[np.float64]]) -> float | None:
    return float(np.concatenate(parts).mean()) if parts else None
