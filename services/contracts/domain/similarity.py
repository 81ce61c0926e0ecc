"""Calibrated similarity: the scale from 0 to 1 on which a score is reported, and the label of each part of it."""

from typing import Literal

CLOSE = 0.5  # from this similarity on a result is a close match
SimilarityLabel = Literal["nearly the same", "very alike", "alike", "somewhat alike", "not alike"]
# Each label with the least similarity that it stands for, the highest first.
LABELS: tuple[tuple[float, SimilarityLabel], ...] = (
    (0.95, "nearly the same"),
    (0.75, "very alike"),
    (CLOSE, "alike"),
    (0.25, "somewhat alike"),
    (0.0, "not alike"),
)


def label_of(similarity: float) -> SimilarityLabel:
    """Return the label of a similarity, which is from 0 to 1."""
    return next(label for least, label in LABELS if similarity >= least)
