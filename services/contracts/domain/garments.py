"""What the detector says → the garments of a picture: those sure enough, each once, as boxes of the upright picture."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from services.contracts.domain.manifest import InputSize

LEAST_SIDE = 0.02  # of the picture: what is narrower shows nothing of a garment
SAME = 0.55  # boxes that overlap more are the same garment: the surer one stays
Float32Array = NDArray[np.float32]


@dataclass(frozen=True)
class DetectedGarments:
    """Boxes of one picture.

    `boxes`: float32 (n, 4), left, top, right, bottom in any one unit. `probabilities`: float32 (n, categories), 0 to 1; they do
    not add up to 1. The greatest of a box's is how sure it is.
    """

    boxes: Float32Array
    probabilities: Float32Array

    @property
    def scores(self) -> Float32Array:
        """How sure each box is, float32 (n,)."""
        return np.asarray(self.probabilities.max(axis=1, initial=0.0), np.float32)

    @property
    def categories(self) -> NDArray[np.int64]:
        """The most probable category of each box, int64 (n,)."""
        return np.asarray(self.probabilities.argmax(axis=1), np.int64)

    def take(self, places: list[int]) -> "DetectedGarments":
        """Return some of the boxes, in this order."""
        return DetectedGarments(self.boxes[places], self.probabilities[places])


def overlaps(ours: Float32Array, theirs: Float32Array) -> Float32Array:
    """Return intersection over union of each pair of boxes: (n, 4) and (m, 4) → float32 (n, m)."""
    low = np.maximum(ours[:, None, :2], theirs[None, :, :2])
    high = np.minimum(ours[:, None, 2:], theirs[None, :, 2:])
    common = (high - low).clip(0).prod(axis=2)
    areas = [(boxes[:, 2:] - boxes[:, :2]).clip(0).prod(axis=1) for boxes in (ours, theirs)]
    return np.asarray(common / np.maximum(areas[0][:, None] + areas[1][None, :] - common, 1e-9), np.float32)


def distinct(found: DetectedGarments, threshold: float) -> DetectedGarments:
    """Return the boxes at least as sure as `threshold` that no surer one has told already, the surest first."""
    kept: list[int] = []
    scores = found.scores
    for place in np.argsort(-scores, kind="stable"):
        if scores[place] < threshold:
            break
        if not kept or overlaps(found.boxes[[place]], found.boxes[kept]).max() <= SAME:
            kept.append(int(place))
    return found.take(kept)


def within(found: DetectedGarments, shown: tuple[int, int, int, int], size: InputSize) -> DetectedGarments:
    """Return boxes as parts of the picture that stands in the network's input; none of those that lie beside it.

    Args:
        found: boxes as parts of the whole input's sides.
        shown: where in it the picture is, in pixels: left, top, right, bottom.
        size: of the whole input.
    """
    left, top, right, bottom = shown
    pixels = found.boxes * np.array([size.width, size.height] * 2, np.float32)
    parts = (pixels - np.array([left, top] * 2)) / np.array([right - left, bottom - top] * 2)
    parts = parts.clip(0, 1).astype(np.float32)
    seen = ((parts[:, 2:] - parts[:, :2]) >= LEAST_SIDE).all(axis=1)
    return DetectedGarments(parts[seen], found.probabilities[seen])
