"""Garments pasted onto a street photo: of other street photos, cut out by their masks, or products in their place.

Copy-paste: Ghiasi et al., arXiv:2012.07177. Photos of dressed people resemble each other, so half of the garments keep
the place that they have in their own photo.
"""

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from services.catalogue.sources.formats.kaggle_archive import CATEGORIES
from training.data.archives.street_photos import NO_MASK, StreetPhoto
from training.data.composing.pasting import cut_out
from training.data.composing.scenes import UNKNOWN, Shot

MOST_PASTED = 3  # garments of a photo
# How often a category is pasted: those that the street photos show small, or in many shapes, more often.
SHARES = {"Bags": 8, "Topwear": 4, "Eyewear": 2, "Shoes": 2, "Jewellery": 2, "Watches": 1, "Socks": 1, "Bottomwear": 1}
PRODUCTS = 0.4  # share of the garments in whose place a product of their category is pasted, where there are products
KEPT_PLACE = 0.5  # share of the garments that stay near the place that they have in their own photo
MOVED, SCALED, TURNED = 0.08, 0.3, 8.0  # standard deviations: share of the sides, logarithm, degrees
LEAST_SIDE = 6  # pixels
COVERED = 0.4  # greatest share of a garment's box that a pasted box may cover, and of a pasted box that is outside
TRIES = 6  # places tried for a garment
Shots = Callable[[int, np.random.Generator], Shot | None]


class PastedGarments:
    """Pastes garments of the photos onto a photo."""

    def __init__(self, photos: Sequence[StreetPhoto], shots: Shots | None = None) -> None:
        """Hold the photos, whose garments without a mask are not pasted; `shots` draws a product of a category."""
        self._shots = shots
        garments: dict[str, list[tuple[StreetPhoto, int]]] = defaultdict(list)
        for photo in photos:
            for number in np.flatnonzero(photo.values != NO_MASK).tolist():
                garments[CATEGORIES[photo.categories[number]]].append((photo, number))
        self._garments = {name: garments[name] for name in SHARES if garments[name]}
        shares = np.array([SHARES[name] for name in self._garments], float)
        self._shares = shares / max(shares.sum(), 1)

    def onto(self, photo: StreetPhoto, rng: np.random.Generator) -> StreetPhoto:
        """Return the photo with up to three garments more. Its mask is unknown there."""
        if not self._garments:
            return photo
        picture, boxes, mask = Image.fromarray(photo.picture), list(photo.boxes), photo.mask.copy()
        categories = photo.categories.tolist()
        for name in rng.choice(list(self._garments), rng.integers(0, MOST_PASTED + 1), p=self._shares):
            source, number = self._garments[name][rng.integers(len(self._garments[name]))]
            garment = self._garment(source, number, rng)
            box = None if garment is None else _paste(picture, boxes, garment, _place(source, number), rng)
            if box is not None:
                boxes.append(box)
                _forget(mask, box / (*picture.size, *picture.size))
                categories.append(CATEGORIES.index(str(name)))
        return replace(
            photo,
            picture=np.asarray(picture),
            boxes=np.array(boxes, np.float32).reshape(-1, 4),
            categories=np.array(categories, np.int32),
            mask=mask,
        )

    def _garment(self, source: StreetPhoto, number: int, rng: np.random.Generator) -> Image.Image | None:
        """Return a garment with its opacity, turned a little and in another size; None if it is too small."""
        box = source.boxes[number]
        longest = float((box[2:] - box[:2]).max() * np.exp(rng.normal(0, SCALED)))
        shot = None
        if self._shots is not None and rng.random() < PRODUCTS:
            shot = self._shots(int(source.categories[number]), rng)
        shot = _worn(source, number) if shot is None else shot
        return None if shot is None else cut_out(*shot, longest, TURNED, rng, LEAST_SIDE)


def _paste(
    picture: Image.Image,
    boxes: Sequence[NDArray[np.float32]],
    garment: Image.Image,
    place: NDArray[np.float64],
    rng: np.random.Generator,
) -> NDArray[np.float32] | None:
    """Paste a garment where it covers no other one much; return its box, None if there was no such place.

    `place` is the centre in its own photo, as fractions of the sides.
    """
    sides, size = np.array(picture.size), np.array(garment.size)
    for _ in range(TRIES):
        centre = rng.uniform(0, 1, 2)
        if rng.random() < KEPT_PLACE:
            centre = place + rng.normal(0, MOVED, 2)
        left, top = (centre * sides - size / 2).round().astype(int).tolist()
        placed = np.array([left, top, left + garment.width, top + garment.height], np.float32)
        inside = placed.clip(0, np.tile(sides, 2)).astype(np.float32)
        if _area(inside) < (1 - COVERED) * _area(placed) or any(_covered(box, inside) > COVERED for box in boxes):
            continue
        picture.paste(garment, (left, top), garment)
        return inside
    return None


def _forget(mask: NDArray[np.uint8], box: NDArray[np.floating]) -> None:
    """Set the values in a box, whose edges are fractions of the sides, to unknown."""
    if mask.size:
        rows, columns = mask.shape
        left, top = (box[:2] * (columns, rows)).astype(int)
        right, bottom = np.ceil(box[2:] * (columns, rows)).astype(int)
        mask[top:bottom, left:right] = UNKNOWN


def _place(photo: StreetPhoto, number: int) -> NDArray[np.float64]:
    height, width = photo.picture.shape[:2]
    box = photo.boxes[number]
    return np.asarray((box[:2] + box[2:]) / 2 / (width, height), np.float64)


def _worn(photo: StreetPhoto, number: int) -> Shot | None:
    """Return picture and opacity of a garment in its box; None if the box is empty."""
    height, width = photo.picture.shape[:2]
    shape = Image.fromarray((photo.mask == photo.values[number]).astype(np.uint8) * 255)
    alpha = np.asarray(shape.resize((width, height), Image.Resampling.BILINEAR))
    left, top = np.floor(photo.boxes[number][:2]).astype(int).clip(0)
    right, bottom = np.ceil(photo.boxes[number][2:]).astype(int)
    if right <= left or bottom <= top:
        return None
    part = np.s_[top:bottom, left:right]
    return photo.picture[part], alpha[part]


def _covered(box: NDArray[np.float32], by: NDArray[np.float32]) -> float:
    common = (np.minimum(box[2:], by[2:]) - np.maximum(box[:2], by[:2])).clip(0)
    return float(common.prod()) / max(_area(box), 1.0)


def _area(box: NDArray[np.float32]) -> float:
    return float((box[2:] - box[:2]).clip(0).prod())
