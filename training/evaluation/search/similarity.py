"""The index's calibrated similarity with a network's vectors: for products, photos, and products of other categories.

The scale of each category is the one that the index fits (`services/engine/similarity.py`), on the products searched
here.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from services.contracts.domain.similarity import CLOSE, LABELS
from services.engine.flat_search import FaissFlat
from services.engine.packed.rows import PackedRows
from services.engine.partition import Partition
from services.engine.similarity import SimilarityScale, calibrate
from training.evaluation.search.retrieval import KINDS, EmbeddedProducts, K, hits, neighbours

MOST_OTHERS = 1_000  # queries of other categories in each category
ALL = "all"
Similarities = NDArray[np.float64]


def similarity(
    queries: EmbeddedProducts,
    gallery: EmbeddedProducts,
    photos: EmbeddedProducts | None,
    categories: Sequence[str],
    at_most: float | None = None,
) -> dict[str, Any] | None:
    """Return the similarities of the ten nearest products, ready for JSON; None if no category has enough products.

    Queries are searched in their true category; a query never finds itself. `at_most` is as in `scale_of`.

    Returns:
        `per_category`, for the categories with a scale, and all together: `products` that it is fitted on,
            `close_from`, the
        least score of a close match; for `queries`, `photos` and `others` (products of other categories, searched in
        this one) the `count`, the share whose first result is `close`, and the medians of the `first` and the `tenth`
        result.
        `labels`: the `share` of the queries' results with each label, and the shares that agree with their query.
    """
    by_kind: dict[str, list[Similarities]] = {"queries": [], "photos": [], "others": []}
    per_category, agreeing = [], []
    for label, name in enumerate(categories):
        category_products = gallery.take(gallery.labels == label)
        scale = scale_of(category_products, at_most)
        if scale is None:
            continue
        category_queries = queries.take(queries.labels == label)
        positions, similarities = _search(category_queries, category_products, scale)
        agreeing.append(hits(category_queries, category_products, positions))
        others = _sample(queries.take(queries.labels != label))
        category = {"queries": similarities, "others": _search(others, category_products, scale)[1]}
        if photos is not None:
            category["photos"] = _search(photos.take(photos.labels == label), category_products, scale)[1]
        for kind, values in category.items():
            by_kind[kind].append(values)
        per_category.append(
            {"category": name, "products": len(category_products.ids), "close_from": scale.close_score}
            | {kind: _statistics(values) for kind, values in category.items()}
        )
    if not per_category:
        return None
    together = {kind: _statistics(np.concatenate(values)) for kind, values in by_kind.items() if values}
    agreed = {kind: np.concatenate([results[kind].ravel() for results in agreeing]) for kind in KINDS}
    labels = _labels(np.concatenate([values.ravel() for values in by_kind["queries"]]), agreed)
    return {"close": CLOSE, ALL: together, "per_category": per_category, "labels": labels}


def scale_of(products: EmbeddedProducts, at_most: float | None = None) -> SimilarityScale | None:
    """Return the scale that the index fits on a category's products; None if it has too few.

    Args:
        products: of one category.
        at_most: the model's threshold `close_photo`, if it has one.
    """
    count, dimension = products.vectors.shape
    partition = Partition(dimension, FaissFlat)
    images = np.zeros(count, np.uint8)
    partition.restore(products.vectors, images, PackedRows.of(products.ids.tolist(), [None] * count, images))
    return calibrate(partition.view, close_at_most=at_most)


def other_categories(queries: EmbeddedProducts, gallery: EmbeddedProducts) -> NDArray[np.float32]:
    """Return the best score of products that are searched in each category that is not theirs, float32."""
    scores = []
    for label in np.unique(gallery.labels):
        others = _sample(queries.take(queries.labels != label))
        if len(others.ids):
            scores.append(neighbours(others, gallery.take(gallery.labels == label), 1)[1][:, 0])
    return np.concatenate(scores) if scores else np.zeros(0, np.float32)


def _sample(products: EmbeddedProducts) -> EmbeddedProducts:
    """Return about a thousand of the products, at equal distances."""
    return products.take(np.arange(0, len(products.ids), max(1, len(products.ids) // MOST_OTHERS)))


def _search(
    queries: EmbeddedProducts, gallery: EmbeddedProducts, scale: SimilarityScale
) -> tuple[NDArray[np.int64], Similarities]:
    """Return the ten nearest, int64 (n, 10), and their similarities, (n, 10)."""
    positions, scores = neighbours(queries, gallery, K)
    similarities = np.array([scale.similarities(row) for row in scores.tolist()])
    return positions, similarities.reshape(scores.shape)


def _statistics(similarities: Similarities) -> dict[str, Any] | None:
    if not len(similarities):
        return None
    return {
        "count": len(similarities),
        "close": float((similarities[:, 0] >= CLOSE).mean()),
        "first": float(np.median(similarities[:, 0])),
        "tenth": float(np.median(similarities[:, -1])),
    }


def _labels(similarities: Similarities, agreed: dict[str, NDArray[np.bool_]]) -> list[dict[str, Any]]:
    rows, upper = [], np.inf
    for least, label in LABELS:
        labelled = (similarities >= least) & (similarities < upper)
        shares = {kind: float(agree[labelled].mean()) if labelled.any() else None for kind, agree in agreed.items()}
        rows.append({"label": label, "from": least, "share": float(labelled.mean()), **shares})
        upper = least
    return rows
