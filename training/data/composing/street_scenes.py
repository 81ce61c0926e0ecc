"""Scenes of street photos: whole, as a search sees them, or varied for training.

Varied scenes show photos with pasted garments, whole or in part, mirrored, in another light.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from services.catalogue.sources.formats.kaggle_archive import CATEGORIES
from training.data.archives.street_photos import NO_MASK, StreetPhoto
from training.data.composing.pasted_garments import PastedGarments, Shots
from training.data.composing.pasting import photographed
from training.data.composing.scenes import Scene

WHOLE_SHARE = 0.35  # of the training scenes that show a whole photo; the others show a part of it
CROPPED = 0.06  # greatest share of a whole photo that is cropped at a side
RARITY = 0.5  # exponent of a category's count: parts of photos show rare categories more often than they are there
LEAST_PART = 0.45  # of the photo's longer side: the smallest part shown
GREATEST_RATIO = 1.8  # of the longer side of a part to the shorter one
LEAST_VISIBLE = 0.4  # share of a garment's box that has to be in the part; otherwise the garment has no box
LEAST_SIDE = 3.0  # pixels of a box in the scene
Window = tuple[float, float, float, float]  # left, top, right, bottom in pixels of the photo


class StreetScenes:
    """Draws varied scenes of photos; a scene depends on the seed and its number alone."""

    def __init__(self, photos: Sequence[StreetPhoto], side: int, seed: int, shots: Shots | None = None) -> None:
        """Hold the photos; the scenes are squares with `side` pixels a side. `shots`: as for `PastedGarments`."""
        self.photos, self.side, self.seed = photos, side, seed
        self._pasted = PastedGarments(photos, shots)
        counts = np.bincount(np.concatenate([photo.categories for photo in photos]), minlength=len(CATEGORIES))
        self._weights = counts.clip(1) ** -RARITY

    def __call__(self, number: int) -> Scene:
        """Return the scene of this number."""
        rng = np.random.default_rng([self.seed, 11, number])
        photo = self._pasted.onto(self.photos[int(rng.integers(len(self.photos)))], rng)
        is_whole = rng.random() < WHOLE_SHARE
        window = _trimmed(photo, rng) if is_whole else _part(photo, self._weights[photo.categories], rng)
        scene = _scene(photo, window, self.side, rng)
        return _mirrored(scene) if rng.random() < 0.5 else scene


def whole_scene(photo: StreetPhoto, side: int) -> Scene:
    """Return a photo as the service prepares it: the whole photo, centred on white, with the boxes of all garments."""
    height, width = photo.picture.shape[:2]
    return _scene(photo, (0, 0, width, height), side, None)


def _trimmed(photo: StreetPhoto, rng: np.random.Generator) -> Window:
    height, width = photo.picture.shape[:2]
    left, top, right, bottom = rng.uniform(0, CROPPED, 4) * (width, height, width, height)
    return left, top, width - right, height - bottom


def _part(photo: StreetPhoto, weights: NDArray[np.float64], rng: np.random.Generator) -> Window:
    """Return a part of the photo that has the centre of a garment, if the photo has garments; `weights` of each."""
    height, width = photo.picture.shape[:2]
    longest, ratio = max(height, width) * rng.uniform(LEAST_PART, 1.0), GREATEST_RATIO ** rng.uniform(-1, 1)
    size = np.minimum((longest * min(1.0, ratio), longest * min(1.0, 1 / ratio)), (width, height))
    centre = np.array([width, height]) * rng.uniform(0, 1, 2)
    if len(photo.boxes):
        box = photo.boxes[rng.choice(len(photo.boxes), p=weights / weights.sum())]
        centre = (box[:2] + box[2:]) / 2
    low = np.clip(centre - size * rng.uniform(0.1, 0.9, 2), 0, np.array([width, height]) - size)
    left, top = low
    return float(left), float(top), float(left + size[0]), float(top + size[1])


def _scene(photo: StreetPhoto, window: Window, side: int, rng: np.random.Generator | None) -> Scene:
    """Return the window of a photo, centred on white; with `rng` as a camera might take it, without tiny boxes."""
    width, height = window[2] - window[0], window[3] - window[1]
    scale = side / max(width, height)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    part = Image.fromarray(photo.picture).resize(size, Image.Resampling.BICUBIC, window, reducing_gap=3.0)
    left, top = (side - part.width) // 2, (side - part.height) // 2
    frame = Image.new("RGB", (side, side), (255, 255, 255))
    frame.paste(part if rng is None else photographed(part, rng), (left, top))
    corner = np.array([window[0], window[1]] * 2)
    boxes = (photo.boxes - corner) * (np.array(size * 2) / np.array([width, height] * 2))
    clipped = boxes.clip(0, np.array(size * 2))
    kept = np.ones(len(boxes), bool) if rng is None else _visible(boxes, clipped)
    placed = (clipped[kept] + np.array([left, top] * 2)).astype(np.float32)
    labels = None if rng is None else _labels(photo, window, part.size, (left, top), side)
    return Scene(np.asarray(frame), placed, photo.categories[kept], labels)


def _labels(
    photo: StreetPhoto, window: Window, size: tuple[int, int], place: tuple[int, int], side: int
) -> NDArray[np.uint8] | None:
    """Return the mask's values at each pixel of the scene; None without a mask."""
    if not photo.mask.size:
        return None
    down, across = np.array(photo.mask.shape) / photo.picture.shape[:2]
    part = (window[0] * across, window[1] * down, window[2] * across, window[3] * down)
    frame = Image.new("L", (side, side), NO_MASK)
    frame.paste(Image.fromarray(photo.mask).resize(size, Image.Resampling.NEAREST, part), place)
    return np.asarray(frame)


def _visible(boxes: NDArray[np.floating], clipped: NDArray[np.floating]) -> NDArray[np.bool_]:
    sides = (clipped[:, 2:] - clipped[:, :2]).clip(0)
    areas = (boxes[:, 2:] - boxes[:, :2]).clip(1e-6).prod(axis=1)
    return np.asarray((sides.prod(axis=1) / areas >= LEAST_VISIBLE) & (sides >= LEAST_SIDE).all(axis=1))


def _mirrored(scene: Scene) -> Scene:
    side, boxes = scene.picture.shape[1], scene.boxes.copy()
    boxes[:, [0, 2]] = side - scene.boxes[:, [2, 0]]
    labels = None if scene.labels is None else np.ascontiguousarray(scene.labels[:, ::-1])
    return Scene(np.ascontiguousarray(scene.picture[:, ::-1]), boxes, scene.categories, labels)
