"""Composed scenes: products' cut-outs on a background, with the box and category of each; and people's photos.

A scene is drawn from (seed, number) alone. Garments stand apart, or are worn: one above the other, as on a person. At
most a third of a box is covered by another one.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from services.catalogue.sources.formats.kaggle_archive import CATEGORIES
from training.data.composing.pasting import cut_out, framed, paste, photographed
from training.data.contents import NONE

SIZE = 192  # pixels a side of a composed scene
TRIES = 12  # places tried for a product before it is left out of its scene
OVERLAP = 0.33  # greatest share of a box that another one may cover
WORN = ("Topwear", "Bottomwear", "Shoes")  # from top to bottom
EMPTY_SHARE, WORN_SHARE, OTHERS_SHARE, PHOTOS_SHARE = 0.2, 0.3, 0.3, 0.15
PAIR_SHARE = 0.35  # of the scenes of photos: two photos next to each other
MARGIN = 0.05  # of a photo's sides: how far from its edges the garment is assumed to begin
UNKNOWN = 255  # the label of a pixel that no mask describes
PLAIN_SHARE, SQUARE_SHARE = 0.12, 0.4
GREATEST_RATIO = 1.7  # of the longer side to the shorter one
Box = tuple[float, float, float, float]  # left, top, right, bottom
Shot = tuple[NDArray[np.uint8], NDArray[np.uint8]]  # picture (h, w, 3) and opacity (h, w)


@dataclass(frozen=True)
class Scene:
    """A square picture and its garments. A frame that is not square is padded with white.

    Attributes:
        picture: uint8 (side, side, 3); composed scenes have 192 pixels a side.
        boxes: float32 (n, 4), left, top, right, bottom in pixels.
        categories: int32 (n,), ids of the nine categories.
        labels: uint8 (side, side), the value of a street photo's mask at each pixel; None without a mask.
    """

    picture: NDArray[np.uint8]
    boxes: NDArray[np.float32]
    categories: NDArray[np.int32]
    labels: NDArray[np.uint8] | None = None

    def resized(self, side: int) -> "Scene":
        """Return the scene with `side` pixels a side, in another size without labels."""
        if side == len(self.picture):
            return self
        picture = Image.fromarray(self.picture).resize((side, side), Image.Resampling.BICUBIC)
        return Scene(np.asarray(picture), self.boxes * np.float32(side / len(self.picture)), self.categories)


@dataclass(frozen=True)
class SceneProducts:
    """Studio shots: uint8 (n, h, w, 3), opacity uint8 (n, h, w), and categories int32 (n,), 9 for none of the nine."""

    images: NDArray[np.uint8]
    alphas: NDArray[np.uint8]
    categories: NDArray[np.int32]


@dataclass(frozen=True)
class ScenePhotos:
    """Photos that one garment fills: uint8 (n, h, w, 3), padded with white, and its category int32 (n,)."""

    images: NDArray[np.uint8]
    categories: NDArray[np.int32]


@dataclass(frozen=True)
class SceneOptions:
    """How scenes are drawn, other than two to four garments standing apart.

    Attributes:
        seed: of all draws.
        empty: share of scenes with one garment or none.
        worn: share of scenes in which garments are worn.
        others: share of scenes with a product of none of the nine categories.
        photos: share of scenes that are people's photos, where there are any.
    """

    seed: int
    empty: float = EMPTY_SHARE
    worn: float = WORN_SHARE
    others: float = OTHERS_SHARE
    photos: float = PHOTOS_SHARE


class Scenes:
    """Draws scenes from a choice of products, on a choice of backgrounds."""

    def __init__(
        self,
        products: SceneProducts,
        positions: NDArray[np.int64],
        backgrounds: NDArray[np.uint8],
        options: SceneOptions,
        photos: ScenePhotos | None = None,
    ) -> None:
        """Hold the material.

        Args:
            products: the studio shots.
            positions: of the products to use. Those outside the nine categories are drawn as things without a box.
            backgrounds: uint8 (n, h, w, 3).
            options: how scenes are drawn.
            photos: people's photos, if there are any.
        """
        self.products, self.backgrounds, self.options = products, backgrounds, options
        self.photos = photos if photos is not None and len(photos.images) else None
        groups = [positions[products.categories[positions] == category] for category in range(NONE + 1)]
        self.groups = {category: group for category, group in enumerate(groups[:NONE]) if len(group)}
        self.others = groups[NONE]
        self.worn = [category for category in map(CATEGORIES.index, WORN) if category in self.groups]

    def shot(self, category: int, rng: np.random.Generator) -> Shot | None:
        """Return a random product of a category, 9 for none of the nine; None if there is no such product."""
        group = self.others if category == NONE else self.groups.get(category, self.others[:0])
        if not len(group):
            return None
        position = int(group[rng.integers(len(group))])
        return self.products.images[position], self.products.alphas[position]

    def __call__(self, number: int) -> Scene:
        """Return the scene of this number."""
        rng = np.random.default_rng([self.options.seed, number])
        if self.photos is not None and rng.random() < self.options.photos:
            return _photo_scene(self.photos, rng)
        return _Composition(self, rng).scene()


class _Composition:
    """A scene in the making."""

    def __init__(self, material: Scenes, rng: np.random.Generator) -> None:
        self.material, self.rng = material, rng
        self.picture = self._background()
        self.boxes: list[Box] = []
        self.categories: list[int] = []

    def scene(self) -> Scene:
        """Put the garments on the background and return the scene."""
        rng, options = self.rng, self.material.options
        count = int(rng.integers(2, 5)) if rng.random() >= options.empty else int(rng.integers(0, 2))
        if count > 1 and len(self.material.worn) > 1 and rng.random() < options.worn:
            self._wear(count)
        while len(self.categories) < count and self._stand(self._category(), count):
            pass
        if len(self.material.others) and rng.random() < options.others:
            self._stand(NONE, count + 1)
        left, top = (SIZE - self.picture.width) // 2, (SIZE - self.picture.height) // 2
        frame = Image.new("RGB", (SIZE, SIZE), (255, 255, 255))
        frame.paste(photographed(self.picture, rng), (left, top))
        boxes = np.array(self.boxes, np.float32).reshape(-1, 4) + np.array([left, top, left, top], np.float32)
        return Scene(np.asarray(frame), boxes, np.array(self.categories, np.int32))

    def _background(self) -> Image.Image:
        rng, backgrounds = self.rng, self.material.backgrounds
        ratio = 1.0 if rng.random() < SQUARE_SHARE else float(np.exp(rng.uniform(-1, 1) * np.log(GREATEST_RATIO)))
        size = (SIZE, round(SIZE / ratio)) if ratio > 1 else (round(SIZE * ratio), SIZE)
        if rng.random() < PLAIN_SHARE:
            return Image.new("RGB", size, (255, 255, 255))
        background = Image.fromarray(backgrounds[rng.integers(len(backgrounds))])
        return background.resize(size, Image.Resampling.BICUBIC)

    def _category(self) -> int:
        groups = list(self.material.groups)
        return groups[self.rng.integers(len(groups))]

    def _product(self, category: int, longest: float, degrees: float) -> Image.Image | None:
        shot = self.material.shot(category, self.rng)
        return None if shot is None else cut_out(*shot, longest, degrees, self.rng)

    def _stand(self, category: int, count: int) -> bool:
        """Put a product where it covers no other garment much; say whether there was such a place."""
        greatest = 0.95 if count <= 1 else 0.75 if count == 2 else 0.58
        longest = min(self.picture.size) * self.rng.uniform(0.3, greatest)
        product = self._product(category, longest, 12)
        if product is None:
            return False
        width, height = product.size
        for _ in range(TRIES):
            left = int(self.rng.integers(-width // 12, max(1, self.picture.width - width + width // 12)))
            top = int(self.rng.integers(-height // 12, max(1, self.picture.height - height + height // 12)))
            box = self._within(left, top, product)
            if all(_covered(box, other) <= OVERLAP and _covered(other, box) <= OVERLAP for other in self.boxes):
                self._put(product, left, top, category)
                return True
        return False

    def _wear(self, count: int) -> None:
        """Put garments one above the other; the upper one covers the upper edge of the lower one."""
        rng, worn = self.rng, self.material.worn
        categories = worn[: min(count, len(worn))] if rng.random() < 0.7 else worn[-2:]
        height = self.picture.height * rng.uniform(0.75, 1.0) / len(categories)
        products = [(c, self._product(c, height * rng.uniform(0.9, 1.3), 4)) for c in categories]
        placed, top = [], self.picture.height * rng.uniform(-0.03, 0.08)
        middle = self.picture.width * rng.uniform(0.35, 0.65)
        for category, product in products:
            if product is None:
                continue
            placed.append((category, product, round(middle - product.width / 2), round(top)))
            top += product.height * rng.uniform(0.8, 0.97)
        for category, product, left, upper in reversed(placed):  # the upper garments are pasted over the lower ones
            if upper < self.picture.height * 0.9:
                self._put(product, left, upper, category)

    def _put(self, product: Image.Image, left: int, top: int, category: int) -> None:
        paste(self.picture, product, left, top, self.rng)
        if category != NONE:
            self.boxes.append(self._within(left, top, product))
            self.categories.append(category)

    def _within(self, left: int, top: int, product: Image.Image) -> Box:
        right, bottom = min(self.picture.width, left + product.width), min(self.picture.height, top + product.height)
        return max(0, left), max(0, top), right, bottom


def _photo_scene(photos: ScenePhotos, rng: np.random.Generator) -> Scene:
    """Return a photo, or two next to each other. They have no known boxes, so a box is nearly the whole photo."""
    count = 2 if rng.random() < PAIR_SHARE else 1
    positions = rng.integers(len(photos.images), size=count)
    frame = Image.new("RGB", (SIZE, SIZE), (255, 255, 255))
    boxes = []
    for place, position in enumerate(positions):
        photo = framed(photos.images[position], (SIZE // count, SIZE), rng)
        left, top = place * SIZE // count + (SIZE // count - photo.width) // 2, (SIZE - photo.height) // 2
        frame.paste(photographed(photo, rng), (left, top))
        across, down = MARGIN * photo.width, MARGIN * photo.height
        boxes.append((left + across, top + down, left + photo.width - across, top + photo.height - down))
    return Scene(np.asarray(frame), np.array(boxes, np.float32), photos.categories[positions])


def _covered(box: Box, by: Box) -> float:
    """Return the share of a box's area that another box covers."""
    across, down = min(box[2], by[2]) - max(box[0], by[0]), min(box[3], by[3]) - max(box[1], by[1])
    area = (box[2] - box[0]) * (box[3] - box[1])
    return max(0.0, across) * max(0.0, down) / max(area, 1.0)
