"""Precision@k of a search: how many results agree in article type, base colour, and both."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

K = 10
QUERIES_A_BATCH = 1024  # 1024 × 15,000 float32 similarities are 60 MB
KINDS = ("article_type", "base_colour", "both")
Shares = dict[str, NDArray[np.float64]]  # by kind, of each query


@dataclass(frozen=True)
class EmbeddedProducts:
    """Products with their vectors: float32 (n, dim), of unit length or zero."""

    ids: NDArray[np.str_]
    labels: NDArray[np.int64]
    article_types: NDArray[np.str_]
    base_colours: NDArray[np.str_]
    vectors: NDArray[np.float32]

    def take(self, positions: NDArray[Any]) -> "EmbeddedProducts":
        """Return the products at these positions, or where this mask is true."""
        return EmbeddedProducts(
            self.ids[positions],
            self.labels[positions],
            self.article_types[positions],
            self.base_colours[positions],
            self.vectors[positions],
        )


def unlabelled_products(labels: NDArray[np.int64], vectors: NDArray[np.float32]) -> EmbeddedProducts:
    """Return images of which only the category is known, with their unit vectors."""
    unknown = np.full(len(labels), "")
    return EmbeddedProducts(unknown, labels, unknown, unknown, vectors)


def unit(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the vectors divided by their lengths; a zero vector stays zero."""
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    result = np.zeros_like(vectors)
    np.divide(vectors, lengths, out=result, where=lengths > 0)
    return result


def neighbours(
    queries: EmbeddedProducts, gallery: EmbeddedProducts, k: int
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Return the k nearest of the gallery for each query by cosine similarity, exactly, best first.

    A query never finds itself: gallery items of the same id are left out.

    Returns:
        positions int64 (n, k) and scores float32 (n, k); where the gallery has fewer, the score is −inf.
    """
    k = min(k, len(gallery.ids))
    positions, scores = np.zeros((len(queries.ids), k), np.int64), np.zeros((len(queries.ids), k), np.float32)
    for start in range(0, len(queries.ids), QUERIES_A_BATCH):
        part = slice(start, start + QUERIES_A_BATCH)
        similar = queries.vectors[part] @ gallery.vectors.T
        similar[queries.ids[part, None] == gallery.ids[None, :]] = -np.inf
        top = np.argpartition(-similar, k - 1, axis=1)[:, :k]
        values = np.take_along_axis(similar, top, axis=1)
        order = np.argsort(-values, axis=1, kind="stable")
        positions[part] = np.take_along_axis(top, order, axis=1)
        scores[part] = np.take_along_axis(values, order, axis=1)
    return positions, scores


def best_scores(queries: EmbeddedProducts, gallery: EmbeddedProducts) -> NDArray[np.float32]:
    """Return the best score of each query in the category of its label, float32; none for one without a result."""
    scores = []
    for label in np.unique(queries.labels):
        products = gallery.take(gallery.labels == label)
        if len(products.ids):
            scores.append(neighbours(queries.take(queries.labels == label), products, 1)[1][:, 0])
    return np.concatenate(scores) if scores else np.zeros(0, np.float32)


def _same(values: NDArray[np.str_], others: NDArray[np.str_]) -> NDArray[np.bool_]:
    """Say where two attributes agree; an empty value agrees with no value."""
    agree: NDArray[np.bool_] = (values == others) & (values != "")
    return agree


def hits(
    queries: EmbeddedProducts, gallery: EmbeddedProducts, results: NDArray[np.int64]
) -> dict[str, NDArray[np.bool_]]:
    """Return for each of KINDS which results, positions (n, k), agree with their query: bool (n, k)."""
    kind = _same(queries.article_types[:, None], gallery.article_types[results])
    colour = _same(queries.base_colours[:, None], gallery.base_colours[results])
    return {"article_type": kind, "base_colour": colour, "both": kind & colour}


def _chance(queries: EmbeddedProducts, gallery: EmbeddedProducts) -> Shares:
    """Return for each query the share of the gallery that agrees with it: the precision of a random choice."""
    everything = np.arange(len(gallery.ids))[None, :]
    parts = [
        queries.take(np.arange(s, min(s + QUERIES_A_BATCH, len(queries.ids))))
        for s in range(0, len(queries.ids), QUERIES_A_BATCH)
    ]
    by_part = [hits(part, gallery, everything) for part in parts]
    return {kind: np.concatenate([h[kind].mean(axis=1) for h in by_part]) for kind in KINDS}


def precision_at_k(
    queries: EmbeddedProducts, gallery: EmbeddedProducts, categories: Sequence[str], k: int = K
) -> dict[str, Any]:
    """Return precision@k within the query's true category: the share of its k neighbours that agree, mean over queries.

    Queries whose category has no other product in the gallery are excluded and counted.
    """
    precisions: list[Shares] = []
    chances: list[Shares] = []
    per_category, excluded = [], 0
    for label, name in enumerate(categories):
        products = gallery.take(gallery.labels == label)
        searchable, alone = _searchable(queries.take(queries.labels == label), products)
        excluded += alone
        if not len(searchable.ids):
            continue
        precisions.append(_precisions(searchable, products, k))
        chances.append(_chance(searchable, products))
        means = {kind: float(precisions[-1][kind].mean()) for kind in KINDS}
        per_category.append({"category": name, "queries": len(searchable.ids)} | means)
    return {
        "k": k,
        "within": "the query's true category",
        "queries": len(queries.ids) - excluded,
        "gallery": len(gallery.ids),
        "queries_excluded": excluded,
        "precision": {kind: _mean([shares[kind] for shares in precisions]) for kind in KINDS},
        "chance": {kind: _mean([shares[kind] for shares in chances]) for kind in KINDS},
        "per_category": per_category,
    }


def _precisions(queries: EmbeddedProducts, gallery: EmbeddedProducts, k: int) -> Shares:
    """Return for each query the share of its k neighbours that agree with it."""
    results, scores = neighbours(queries, gallery, k)
    valid = np.isfinite(scores)
    agreeing = hits(queries, gallery, results)
    return {kind: (agree & valid).sum(axis=1) / valid.sum(axis=1) for kind, agree in agreeing.items()}


def _searchable(queries: EmbeddedProducts, gallery: EmbeddedProducts) -> tuple[EmbeddedProducts, int]:
    """Return the queries with another product than themselves in the gallery, and how many have none."""
    others = len(gallery.ids) - np.isin(queries.ids, gallery.ids).astype(int)
    return queries.take(others > 0), int((others <= 0).sum())


def _mean(parts: list[NDArray[np.float64]]) -> float | None:
    return float(np.concatenate(parts).mean()) if parts else None
