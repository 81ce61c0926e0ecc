"""The images and targets of each step, drawn from (seed, step) alone."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from training.data.composing.views import (
    BACKGROUND,
    IN_SCENE,
    ON_WHITE,
    PHOTO,
    Light,
    Motion,
    composed,
    lit,
    motions,
    moved,
)
from training.recipes.fashion.materials import DrawnImages, Materials, Places
from training.recipes.fashion.plan import FashionPlan

SHADOW_OFFSET = (2, 2)  # pixels down and to the right
DARKEST_SHADOW = 0.6
# How much light, camera and compression change an image: see `Light.draw`.
STUDIO_LIGHT, SCENE_LIGHT, PHOTO_LIGHT = 0.03, 0.6, 0.8
CROP = Motion(scale=(0.8, 1.3), degrees=12, shift=0.1, stretch=0.1)  # of a street garment that fills its picture
CUTOUT = Motion(scale=(0.85, 1.1), degrees=5, shift=0.05, stretch=0.05)
PICTURE = Motion(scale=(1.0, 1.6), degrees=12, shift=0.1, stretch=0.1)  # of a picture without clothing
# The order of a step's images: those of the gallery of the loss `same`, the queries in the same order, and the others.
ORDER = ("products", "cutouts", "scenes", "paired crops", "crops", "photos", "negatives", "backgrounds")
STRAIGHT = replace(ON_WHITE, mirrored=False)
UNMOVED = Motion(scale=(1.0, 1.0), degrees=0, shift=0, stretch=0, mirrored=False)


@dataclass(frozen=True)
class ImageGroup:
    """Images of one sort, and how they are moved and lit.

    Attributes:
        images: uint8 (n, h, w, 3).
        motion: of the images.
        light: its strength.
        fill: of what a motion uncovers: a grey level, or None to reflect the image.
    """

    images: NDArray[np.uint8]
    motion: Motion
    light: float
    fill: float | None = 255.0

    def part(self, places: slice) -> "ImageGroup":
        """Return some of the images."""
        return replace(self, images=self.images[places])

    def views(self, rng: np.random.Generator, size: int, seed: list[int]) -> Any:
        """Return each image moved and lit, float32 (n, size, size, 3)."""
        count, source = len(self.images), int(self.images.shape[1])
        transforms = motions(rng, count, size, self.motion, source)
        light = Light.draw(rng, count, self.light)
        mode = ("CONSTANT", self.fill) if self.fill is not None else ("REFLECT", 0.0)
        return lit(moved(self.images, transforms, size, mode[1], mode[0]), light, seed)


def groups_of(materials: Materials, drawn: DrawnImages) -> dict[str, tuple[Places, ImageGroup]]:
    """Return the images of each source by name, with their positions in it. Products in scenes are not among them."""
    studio, street, negatives = materials.studio, materials.street, materials.negatives
    groups = {"products": (drawn.products, ImageGroup(studio.images[drawn.products], STRAIGHT, STUDIO_LIGHT))}
    if street is not None:
        groups["cutouts"] = drawn.pairs, ImageGroup(street.cutouts[drawn.pairs], CUTOUT, STUDIO_LIGHT)
        groups["paired crops"] = drawn.pairs, ImageGroup(street.crops[drawn.pairs], CROP, PHOTO_LIGHT, None)
        groups["crops"] = drawn.street, ImageGroup(street.crops[drawn.street], CROP, PHOTO_LIGHT, None)
    groups["photos"] = drawn.photos, ImageGroup(materials.people.images[drawn.photos], PHOTO, PHOTO_LIGHT)
    if negatives is not None:
        groups["negatives"] = drawn.negatives, ImageGroup(negatives.images[drawn.negatives], PICTURE, PHOTO_LIGHT, None)
    patches = materials.backgrounds[drawn.backgrounds]
    groups["backgrounds"] = drawn.backgrounds, ImageGroup(patches, BACKGROUND, PHOTO_LIGHT, None)
    return groups


class Batches:
    """Makes the images and targets of a step."""

    def __init__(self, plan: FashionPlan, materials: Materials) -> None:
        self.plan, self.materials = materials.counts(plan), materials
        self.size = int(materials.studio.images.shape[1])

    def __call__(self, step: int, size: int) -> tuple[Any, dict[str, Any]]:
        """Return float32 images (n, size, size, 3), 0 to 255, and their targets.

        In this order: products on white, cut-outs of street garments, the same products in scenes, the same garments
        in the street, other street garments, people's photos, real pictures without clothing, backgrounds alone.
        """
        rng = np.random.default_rng([self.plan.seed, step])
        drawn = self.materials.draw(rng, self.plan)
        return self._images(drawn, rng, size, step), self.materials.targets(drawn)

    def _images(self, drawn: DrawnImages, rng: np.random.Generator, size: int, step: int) -> Any:
        groups, images = groups_of(self.materials, drawn), []
        for place, name in enumerate(ORDER):
            if name == "scenes":
                images.append(self._scenes(drawn.products, rng, size, [step, place]))
            elif name in groups and len(groups[name][0]):
                images.append(groups[name][1].views(rng, size, [step, place]))
        return tf.concat(images, 0)

    def scenes(self, products: NDArray[np.int64], number: int) -> Any:
        """Return products on backgrounds, float32 (n, h, w, 3) in the sources' size, drawn from (seed, number) alone.

        Args:
            products: positions among the studio shots.
            number: of the draw.
        """
        return self._scenes(products, np.random.default_rng([self.plan.seed, 9, number]), self.size, [number, 9])

    def _scenes(self, products: NDArray[np.int64], rng: np.random.Generator, size: int, seed: list[int]) -> Any:
        studio, patches, count = self.materials.studio, self.materials.backgrounds, len(products)
        chosen = patches[rng.integers(0, len(patches), count)]
        behind = moved(chosen, motions(rng, count, size, BACKGROUND, patches.shape[1]), size, 0.0, "REFLECT")
        scene_motions = motions(rng, count, size, IN_SCENE, self.size)
        alpha = moved(studio.alphas[products, :, :, None], scene_motions, size, 0.0) / 255.0
        images = moved(studio.images[products], scene_motions, size, 255.0)
        shadow = rng.uniform(0, DARKEST_SHADOW, (count, 1, 1, 1)).astype(np.float32)
        scene = composed(images, alpha, behind, shadow, SHADOW_OFFSET)
        return lit(scene, Light.draw(rng, count, SCENE_LIGHT), seed)
