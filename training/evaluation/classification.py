"""The classification into categories: accuracy, precision, recall, confusion."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import confusion_matrix, precision_recall_fscore_support


def classification(
    labels: NDArray[np.int64], probabilities: NDArray[np.float32], categories: Sequence[str]
) -> dict[str, Any]:
    """Return the figures of a nine-way classification, ready for JSON.

    Args:
        labels: shape (n,), positions in `categories`.
        probabilities: shape (n, len(categories)).
        categories: names in the model's order.

    Returns:
        `accuracy`, `per_category` (precision, recall, f1 from 0 to 1; null where nothing is predicted or nothing is of
        the category), and `confusion`, counts with a row per true category and a column per predicted one.
    """
    predicted = probabilities.argmax(axis=1)
    positions = list(range(len(categories)))
    precision, recall, f1, support = precision_recall_fscore_support(
        labels, predicted, labels=positions, zero_division=np.nan
    )
    rows = zip(categories, precision, recall, f1, support, strict=True)
    return {
        "accuracy": float((predicted == labels).mean()) if len(labels) else None,
        "count": len(labels),
        "per_category": [
            {"category": name, "precision": _number(p), "recall": _number(r), "f1": _number(f), "support": int(n)}
            for name, p, r, f, n in rows
        ],
        "confusion": confusion_matrix(labels, predicted, labels=positions).tolist(),
    }


def _number(value: float) -> float | None:
    return None if np.isnan(value) else float(value)
