"""The detector's boxes → the garments of a picture: confident ones, without duplicates, in the upright picture."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from services.contracts.domain.manifest import InputSize

MIN_SIDE = 0.02  # of the picture's side: a narrower box shows nothing of a garment
DUPLICATE_OVERLAP = 0.55  # boxes with a larger overlap are one garment: the more confident box stays
Float32Array = NDArray[np.float32]


@dataclass(frozen=True)
class DetectedGarments:
    """The detected boxes of one picture.

    Attributes:
        boxes: float32, shape (n, 4): left, top, right, bottom, all in the same unit.
        probabilities: float32, shape (n, categories), 0 to 1; a row does not add up to 1.
    """

    boxes: Float32Array
    probabilities: Float32Array

    @property
    def scores(self) -> Float32Array:
        """The score of each box, float32, shape (n,): its highest probability."""
        return np.asarray(self.probabilities.max(axis=1, initial=0.0), np.float32)

    @property
    def categories(self) -> NDArray[np.int64]:
        """The most probable category of each box, int64, shape (n,)."""
        return np.asarray(self.probabilities.argmax(axis=1), np.int64)

    def take(self, rows: list[int]) -> "DetectedGarments":
        """Return the boxes of these rows, in this order."""
        return DetectedGarments(self.boxes[rows], self.probabilities[rows])


def overlaps(left: Float32Array, right: Float32Array) -> Float32Array:
    """Return the intersection over union of each pair of boxes: shapes (n, 4) and (m, 4) → float32, shape (n, m)."""
    low = np.maximum(left[:, None, :2], right[None, :, :2])
    high = np.minimum(left[:, None, 2:], right[None, :, 2:])
    common = (high - low).clip(0).prod(axis=2)
    areas = [(boxes[:, 2:] - boxes[:, :2]).clip(0).prod(axis=1) for boxes in (left, right)]
    return np.asarray(common / np.maximum(areas[0][:, None] + areas[1][None, :] - common, 1e-9), np.float32)


def distinct(garments: DetectedGarments, threshold: float) -> DetectedGarments:
    """Return the boxes with a score of at least `threshold`, without duplicates of better ones, the best first."""
    rows: list[int] = []
    scores = garments.scores
    for row in np.argsort(-scores, kind="stable"):
        if scores[row] < threshold:
            break
        if not rows or overlaps(garments.boxes[[row]], garments.boxes[rows]).max() <= DUPLICATE_OVERLAP:
            rows.append(int(row))
    return garments.take(rows)


def within_picture(
    garments: DetectedGarments, placement: tuple[int, int, int, int], size: InputSize
) -> DetectedGarments:
    """Convert boxes from the network's input to the picture in it; boxes outside the picture are dropped.

    Args:
        garments: boxes in fractions of the input's sides.
        placement: the picture's left, top, right and bottom edge in the input, in pixels.
        size: the input's size.

    Returns:
        Boxes in fractions of the picture's sides.
    """
    left, top, right, bottom = placement
    pixels = garments.boxes * np.array([size.width, size.height] * 2, np.float32)
    parts = (pixels - np.array([left, top] * 2)) / np.array([right - left, bottom - top] * 2)
    parts = parts.clip(0, 1).astype(np.float32)
    large_enough = ((parts[:, 2:] - parts[:, :2]) >= MIN_SIDE).all(axis=1)
    return DetectedGarments(parts[large_enough], garments.probabilities[large_enough])
