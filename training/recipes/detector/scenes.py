"""Composed scenes: products' cut-outs on a background, with the box and category of each; and people's photos, which one garment fills.

A scene is drawn from (seed, number) alone. Garments stand apart, or are worn: one above the other, as on a person. A box
covers at most a third of another one.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from services.catalogue.sources.formats.kaggle_archive import CATEGORIES
from training.data.material import NONE
from training.recipes.detector.pasting import cut_out, framed, paste, taken

SIZE = 192  # pixels a side: what the detector looks at
TRIES = 12  # places tried for a product before it is left out of its scene
OVERLAP = 0.33  # greatest share of a box that another one may cover
WORN = ("Topwear", "Bottomwear", "Shoes")  # from top to bottom
EMPTY_SHARE, WORN_SHARE, OTHERS_SHARE, PHOTOS_SHARE = 0.2, 0.3, 0.3, 0.15
BESIDE_SHARE = 0.35  # of scenes of photos: two of them beside each other
FILLED = 0.05  # of a photo's sides: how far from its edges the garment is taken to begin
PLAIN_SHARE, SQUARE_SHARE = 0.12, 0.4
MOST_SHAPE = 1.7  # of the longer side to the shorter one
Box = tuple[float, float, float, float]  # left, top, right, bottom


@dataclass(frozen=True)
class Scene:
    """A picture, uint8 (192, 192, 3), white beside a frame that is no square, and what is in it.

    `boxes`: float32 (n, 4), left, top, right, bottom in pixels. `categories`: int32 (n,), the nine's ids.
    """

    picture: NDArray[np.uint8]
    boxes: NDArray[np.float32]
    categories: NDArray[np.int32]


@dataclass(frozen=True)
class Shots:
    """Studio shots: uint8 (n, h, w, 3), opacity uint8 (n, h, w), and categories int32 (n,) with 9 for none of the nine."""

    images: NDArray[np.uint8]
    alphas: NDArray[np.uint8]
    categories: NDArray[np.int32]


@dataclass(frozen=True)
class Photos:
    """People's photos of one garment each, which fills them: uint8 (n, h, w, 3), padded with white, categories int32 (n,)."""

    images: NDArray[np.uint8]
    categories: NDArray[np.int32]


@dataclass(frozen=True)
class Draw:
    """How scenes are drawn: `seed` of all draws, and what else may happen than two to four garments standing apart.

    `empty`: share of scenes with one garment or none. `worn`: share of those where garments are worn. `others`: share of those
    where something stands about that is none of the nine. `photos`: share of scenes that are people's photos, where there are any.
    """

    seed: int
    empty: float = EMPTY_SHARE
    worn: float = WORN_SHARE
    others: float = OTHERS_SHARE
    photos: float = PHOTOS_SHARE


class Scenes:
    """Draws scenes from the products at these positions, on these backgrounds."""

    def __init__(
        self,
        shots: Shots,
        positions: NDArray[np.int64],
        grounds: NDArray[np.uint8],
        draw: Draw,
        photos: Photos | None = None,
    ) -> None:
        """Remember the material.

        Args:
            shots: the studio shots.
            positions: which of them are used; those outside the nine stand about as things that are no garments.
            grounds: uint8 (n, h, w, 3).
            draw: how scenes are drawn.
            photos: people's, if there are any.
        """
        self.shots, self.grounds, self.draw = shots, grounds, draw
        self.photos = photos if photos is not None and len(photos.images) else None
        groups = [positions[shots.categories[positions] == place] for place in range(NONE + 1)]
        self.groups, self.others = {p: found for p, found in enumerate(groups[:NONE]) if len(found)}, groups[NONE]
        self.worn = [p for p in map(CATEGORIES.index, WORN) if p in self.groups]

    def __call__(self, number: int) -> Scene:
        """Return the scene of this number."""
        rng = np.random.default_rng([self.draw.seed, number])
        if self.photos is not None and rng.random() < self.draw.photos:
            return _of_photos(self.photos, rng)
        return _Composition(self, rng).scene()


class _Composition:
    """One scene while it is made."""

    def __init__(self, material: Scenes, rng: np.random.Generator) -> None:
        self.material, self.rng = material, rng
        self.picture = self._ground()
        self.boxes: list[Box] = []
        self.categories: list[int] = []

    def scene(self) -> Scene:
        """Return it."""
        rng, draw = self.rng, self.material.draw
        count = int(rng.integers(2, 5)) if rng.random() >= draw.empty else int(rng.integers(0, 2))
        if count > 1 and len(self.material.worn) > 1 and rng.random() < draw.worn:
            self._wear(count)
        while len(self.categories) < count and self._stand(self._category(), count):
            pass
        if len(self.material.others) and rng.random() < draw.others:
            self._stand(NONE, count + 1)
        left, top = (SIZE - self.picture.width) // 2, (SIZE - self.picture.height) // 2
        frame = Image.new("RGB", (SIZE, SIZE), (255, 255, 255))
        frame.paste(taken(self.picture, rng), (left, top))
        boxes = np.array(self.boxes, np.float32).reshape(-1, 4) + np.array([left, top, left, top], np.float32)
        return Scene(np.asarray(frame), boxes, np.array(self.categories, np.int32))

    def _ground(self) -> Image.Image:
        rng = self.rng
        shape = 1.0 if rng.random() < SQUARE_SHARE else float(np.exp(rng.uniform(-1, 1) * np.log(MOST_SHAPE)))
        size = (SIZE, round(SIZE / shape)) if shape > 1 else (round(SIZE * shape), SIZE)
        if rng.random() < PLAIN_SHARE:
            return Image.new("RGB", size, (255, 255, 255))
        ground = Image.fromarray(self.material.grounds[rng.integers(len(self.material.grounds))])
        return ground.resize(size, Image.Resampling.BICUBIC)

    def _category(self) -> int:
        groups = list(self.material.groups)
        return groups[self.rng.integers(len(groups))]

    def _product(self, category: int, longest: float, degrees: float) -> Image.Image | None:
        group = self.material.others if category == NONE else self.material.groups[category]
        position, shots = int(group[self.rng.integers(len(group))]), self.material.shots
        return cut_out(shots.images[position], shots.alphas[position], longest, degrees, self.rng)

    def _stand(self, category: int, count: int) -> bool:
        """Put a product where it covers no other one much; say whether there was such a place."""
        most = 0.95 if count <= 1 else 0.75 if count == 2 else 0.58
        longest = min(self.picture.size) * self.rng.uniform(0.3, most)
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
        """Put garments one above the other, the upper one over the upper edge of the lower one."""
        rng, worn = self.rng, self.material.worn
        shown = worn[: min(count, len(worn))] if rng.random() < 0.7 else worn[-2:]
        tall = self.picture.height * rng.uniform(0.75, 1.0) / len(shown)
        products = [(c, self._product(c, tall * rng.uniform(0.9, 1.3), 4)) for c in shown]
        placed, top = [], self.picture.height * rng.uniform(-0.03, 0.08)
        middle = self.picture.width * rng.uniform(0.35, 0.65)
        for category, product in products:
            if product is None:
                continue
            placed.append((category, product, round(middle - product.width / 2), round(top)))
            top += product.height * rng.uniform(0.8, 0.97)
        for category, product, left, above in reversed(placed):  # the upper ones hang over the lower ones
            if above < self.picture.height * 0.9:
                self._put(product, left, above, category)

    def _put(self, product: Image.Image, left: int, top: int, category: int) -> None:
        paste(self.picture, product, left, top, self.rng)
        if category != NONE:
            self.boxes.append(self._within(left, top, product))
            self.categories.append(category)

    def _within(self, left: int, top: int, product: Image.Image) -> Box:
        right, bottom = min(self.picture.width, left + product.width), min(self.picture.height, top + product.height)
        return max(0, left), max(0, top), right, bottom


def _of_photos(photos: Photos, rng: np.random.Generator) -> Scene:
    """Return a photo with its garment, or two beside each other: nobody has drawn boxes on them, so the box is nearly the whole photo."""
    count = 2 if rng.random() < BESIDE_SHARE else 1
    chosen = rng.integers(len(photos.images), size=count)
    frame = Image.new("RGB", (SIZE, SIZE), (255, 255, 255))
    boxes = []
    for place, position in enumerate(chosen):
        photo = framed(photos.images[position], (SIZE // count, SIZE), rng)
        left, top = place * SIZE // count + (SIZE // count - photo.width) // 2, (SIZE - photo.height) // 2
        frame.paste(taken(photo, rng), (left, top))
        across, down = FILLED * photo.width, FILLED * photo.height
        boxes.append((left + across, top + down, left + photo.width - across, top + photo.height - down))
    return Scene(np.asarray(frame), np.array(boxes, np.float32), photos.categories[chosen])


def _covered(box: Box, by: Box) -> float:
    """Return the share of a box's area that another one covers."""
    across, down = min(box[2], by[2]) - max(box[0], by[0]), min(box[3], by[3]) - max(box[1], by[1])
    area = (box[2] - box[0]) * (box[3] - box[1])
    return max(0.0, across) * max(0.0, down) / max(area, 1.0)
