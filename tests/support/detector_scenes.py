"""Stand-ins of what the detector learns from: coloured squares for products, and a small network."""

import numpy as np

from services.catalogue.sources.formats.kaggle_archive import CATEGORIES
from training.recipes.detector.scenes import Draw, Photos, Scenes, Shots

SIDE = 24


def shots(count: int = 40) -> Shots:
    """Return squares on white, of all nine categories and of none."""
    images, alphas = np.full((count, SIDE, SIDE, 3), 255, np.uint8), np.zeros((count, SIDE, SIDE), np.uint8)
    categories = np.arange(count, dtype=np.int32) % (len(CATEGORIES) + 1)
    for image, alpha, category in zip(images, alphas, categories, strict=True):
        image[4:20, 6:18] = (25 * category, 240 - 25 * category, 80)
        alpha[4:20, 6:18] = 255
    return Shots(images, alphas, categories)


def grounds(count: int = 5) -> np.ndarray:
    return np.random.default_rng(3).integers(0, 256, (count, 128, 128, 3), np.uint8)


def scenes(draw: Draw | None = None, photos: Photos | None = None) -> Scenes:
    material = shots()
    return Scenes(material, np.arange(len(material.images)), grounds(), draw or Draw(7), photos)
