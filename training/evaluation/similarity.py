"""What the index's similarity says with a network's vectors: of products, of photos, and of what is something else.

The scale of each category is the one that the index would fit (`services/engine/similarity.py`), on the products searched here.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from services.contracts.domain.similarity import CLOSE, LABELS
from services.engine.flat_search import FaissFlat
from services.engine.partition import Partition
from services.engine.similarity import SimilarityScale, calibrate
from training.evaluation.retrieval import KINDS, Embedded, K, hits, neighbours

MOST_OTHERS = 1_000  # products of other categories that are looked for in each
ALL = "all"
Worth = NDArray[np.float64]


def similarity(
    queries: Embedded, gallery: Embedded, photos: Embedded | None, categories: Sequence[str]
) -> dict[str, Any] | None:
    """Return how alike the ten nearest are said to be, ready for JSON; None where no category has enough products.

    Each query is looked for in its true category; a query never finds itself.

    Returns:
        `per_category`, and all together, of those with a scale: `products` it is fitted on, `close_from`, the score that a
        close match begins at; of `queries`, of `photos` and of `others`, products of the other categories that are looked for
        here, `count`, the share of which the first result is `close`, and the medians of the `first` and the `tenth` result.
        `labels`: of the queries' results that are given each label, `share`, and the shares that agree with their query.
    """
    found: dict[str, list[Worth]] = {"queries": [], "photos": [], "others": []}
    per_category, worths, agreeing = [], [], []
    for label, name in enumerate(categories):
        theirs = gallery.take(gallery.labels == label)
        scale = _scale(theirs)
        if scale is None:
            continue
        ours = queries.take(queries.labels == label)
        places, similarities = _found(ours, theirs, scale)
        agreeing.append(hits(ours, theirs, places))
        worths.append(similarities)
        of_kind = {
            "queries": similarities,
            "others": _found(_drawn(queries.take(queries.labels != label)), theirs, scale)[1],
        }
        if photos is not None:
            of_kind["photos"] = _found(photos.take(photos.labels == label), theirs, scale)[1]
        for kind, values in of_kind.items():
            found[kind].append(values)
        per_category.append(
            {"category": name, "products": len(theirs.ids), "close_from": scale.close_score}
            | {kind: _told(values) for kind, values in of_kind.items()}
        )
    if not per_category:
        return None
    together = {kind: _told(np.concatenate(values)) for kind, values in found.items() if values}
    agreed = {kind: np.concatenate([one[kind].ravel() for one in agreeing]) for kind in KINDS}
    labels = _labels(np.concatenate([similarities.ravel() for similarities in worths]), agreed)
    return {"close": CLOSE, ALL: together, "per_category": per_category, "labels": labels}


def _scale(products: Embedded) -> SimilarityScale | None:
    count, dimension = products.vectors.shape
    partition = Partition(dimension, FaissFlat)
    partition.restore(products.vectors, np.zeros(count, np.uint8), products.ids.tolist(), [None] * count)
    return calibrate(partition.view)


def _drawn(products: Embedded) -> Embedded:
    """Return so many of the products that more would tell no more, evenly taken."""
    return products.take(np.arange(0, len(products.ids), max(1, len(products.ids) // MOST_OTHERS)))


def _found(queries: Embedded, gallery: Embedded, scale: SimilarityScale) -> tuple[NDArray[np.int64], Worth]:
    """Return the ten nearest, int64 (n, 10), and how alike they are said to be, (n, 10)."""
    places, scores = neighbours(queries, gallery, K)
    similarities = np.array([scale.similarities(row) for row in scores.tolist()])
    return places, similarities.reshape(scores.shape)


def _told(similarities: Worth) -> dict[str, Any] | None:
    if not len(similarities):
        return None
    return {
        "count": len(similarities),
        "close": float((similarities[:, 0] >= CLOSE).mean()),
        "first": float(np.median(similarities[:, 0])),
        "tenth": float(np.median(similarities[:, -1])),
    }


def _labels(similarities: Worth, agreed: dict[str, NDArray[np.bool_]]) -> list[dict[str, Any]]:
    told, above = [], np.inf
    for least, label in LABELS:
        there = (similarities >= least) & (similarities < above)
        shares = {kind: float(agree[there].mean()) if there.any() else None for kind, agree in agreed.items()}
        told.append({"label": label, "from": least, "share": float(there.mean()), **shares})
        above = least
    return told
