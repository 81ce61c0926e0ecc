"""Type agreement: the share of a photo's ten results whose article type is one that the photo's label allows."""

from collections.abc import Collection, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.evaluation.search.retrieval import EmbeddedProducts, K, neighbours

Types = Mapping[str, Collection[str]]


def type_agreement(
    labels: NDArray[np.str_], photos: EmbeddedProducts, gallery: EmbeddedProducts, types: Types
) -> dict[str, Any] | None:
    """Return the agreement of each label and its mean over the labels, ready for JSON; None without such a label.

    Args:
        labels: of the photos, str (n,).
        photos: their vectors; each is searched in the category of its `labels`.
        gallery: studio shots with their article types.
        types: the article types that each label allows. Photos with other labels are left out.

    Returns:
        `mean` over the labels, and `chance`, the same for random products of the categories; `overall`, the mean over
        the photos, and their `count`; `per_label`: `label`, `count`, `agreement` and `chance`.
    """
    agreement, chance = np.zeros(len(labels)), np.zeros(len(labels))
    for category in np.unique(photos.labels):
        ours, theirs = np.flatnonzero(photos.labels == category), gallery.take(gallery.labels == category)
        if not len(theirs.ids):
            continue
        results, scores = neighbours(photos.take(ours), theirs, K)
        for place, positions, is_finite in zip(ours, results, np.isfinite(scores), strict=True):
            allowed = list(types.get(str(labels[place]), ()))
            agreement[place] = (
                np.isin(theirs.article_types[positions[is_finite]], allowed).mean() if is_finite.any() else 0.0
            )
            chance[place] = np.isin(theirs.article_types, allowed).mean()
    rows = [
        {
            "label": label,
            "count": int((labels == label).sum()),
            "agreement": float(agreement[labels == label].mean()),
            "chance": float(chance[labels == label].mean()),
        }
        for label in sorted(set(labels.tolist()))
        if label in types
    ]
    if not rows:
        return None
    means = {key: float(np.mean([row[key] for row in rows])) for key in ("agreement", "chance")}
    judged = np.isin(labels, [row["label"] for row in rows])
    overall = {"overall": float(agreement[judged].mean()), "count": int(judged.sum())}
    return {"mean": means["agreement"], "chance": means["chance"], **overall, "per_label": rows}
