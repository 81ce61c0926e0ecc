"""Calibrated similarity: a score on a scale from 0 to 1, and the labels of its ranges."""

from typing import Literal

CLOSE = 0.5  # the lowest similarity of a close match
SimilarityLabel = Literal["nearly the same", "very alike", "alike", "somewhat alike", "not alike"]
# Each label with the lowest similarity of its range, the highest range first.
LABELS: tuple[tuple[float, SimilarityLabel], ...] = (
    (0.95, "nearly the same"),
    (0.75, "very alike"),
    (CLOSE, "alike"),
    (0.25, "somewhat alike"),
    (0.0, "not alike"),
)


def label_of(similarity: float) -> SimilarityLabel:
    """Return the label of a similarity from 0 to 1."""
    return next(label for lowest, label in LABELS if similarity >= lowest)
