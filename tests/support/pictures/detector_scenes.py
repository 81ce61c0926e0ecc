"""Small training images for the detector: coloured squares as products."""

import numpy as np

from services.catalogue.sources.formats.kaggle_archive import CATEGORIES
from training.data.composing.scenes import SceneOptions, ScenePhotos, SceneProducts, Scenes

SIDE = 24


def products(count: int = 40) -> SceneProducts:
    """Return squares on white, of all nine categories and of none."""
    images, alphas = np.full((count, SIDE, SIDE, 3), 255, np.uint8), np.zeros((count, SIDE, SIDE), np.uint8)
    categories = np.arange(count, dtype=np.int32) % (len(CATEGORIES) + 1)
    for image, alpha, category in zip(images, alphas, categories, strict=True):
        image[4:20, 6:18] = (25 * category, 240 - 25 * category, 80)
        alpha[4:20, 6:18] = 255
    return SceneProducts(images, alphas, categories)


def backgrounds(count: int = 5) -> np.ndarray:
    return np.random.default_rng(3).integers(0, 256, (count, 128, 128, 3), np.uint8)


def scenes(options: SceneOptions | None = None, photos: ScenePhotos | None = None) -> Scenes:
    material = products()
    return Scenes(material, np.arange(len(material.images)), backgrounds(), options or SceneOptions(7), photos)
