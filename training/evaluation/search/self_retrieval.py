"""Self-retrieval: whether a product on another background is the first result of a search for it."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.data.composing.views import BACKGROUND, Light, Motion, composed, lit, motions, moved
from training.data.cutouts import alpha_of
from training.evaluation.search.retrieval import EmbeddedProducts

# A shopper's camera: nearer or farther, slightly rotated, never mirrored.
HANDHELD = Motion(scale=(0.6, 1.0), degrees=15, shift=0.1, stretch=0.05, mirrored=False)
SHADOW, SHADOW_OFFSET, LIGHT = 0.3, (2, 2), 0.4
IMAGES_A_BATCH = 256
MOST_PRODUCTS = 4_000  # on each kind of background; drawn by the seed where there are more
FIRST_RESULTS = 10
Images = NDArray[np.uint8]


@dataclass(frozen=True)
class ComposedProducts:
    """Products on backgrounds: images uint8 (n, size, size, 3) of the products at `positions`, int64 (n,)."""

    images: Images
    positions: NDArray[np.int64]


def compose(images: Images, positions: NDArray[np.int64], backgrounds: Images, seed: list[int]) -> ComposedProducts:
    """Cut products out of their studio shots and put each onto a background, with place and light drawn by the seed.

    Args:
        images: uint8 (n, size, size, 3), white around the product.
        positions: of the products to compose, among `images`.
        backgrounds: uint8 (m, patch, patch, 3).
        seed: of all draws.
    """
    rng = np.random.default_rng(seed)
    drawn = np.sort(rng.choice(positions, min(MOST_PRODUCTS, len(positions)), replace=False))
    batches = [
        _scenes(images[drawn[start : start + IMAGES_A_BATCH]], backgrounds, rng, [seed[0], start])
        for start in range(0, len(drawn), IMAGES_A_BATCH)
    ]
    return ComposedProducts(np.concatenate(batches), drawn)


def _scenes(images: Images, backgrounds: Images, rng: np.random.Generator, noise: list[int]) -> Images:
    count, size = images.shape[:2]
    motion = motions(rng, count, size, HANDHELD)
    alphas = np.stack([alpha_of(image) for image in images])[..., None]
    patches = backgrounds[rng.integers(0, len(backgrounds), count)]
    behind = moved(patches, motions(rng, count, size, BACKGROUND, backgrounds.shape[1]), size, 0.0, "REFLECT")
    shadow = np.full((count, 1, 1, 1), SHADOW, np.float32)
    alpha = moved(alphas, motion, size, 0.0) / 255.0
    scene = composed(moved(images, motion, size, 255.0), alpha, behind, shadow, SHADOW_OFFSET)
    return np.asarray(lit(scene, Light.draw(rng, count, LIGHT), noise)).round().astype(np.uint8)


def self_retrieval(
    vectors: NDArray[np.float32],
    probabilities: NDArray[np.float32],
    products: ComposedProducts,
    gallery: EmbeddedProducts,
) -> dict[str, Any]:
    """Return how often a product on a background finds itself among all products of its category, ready for JSON.

    Args:
        vectors: float32 (n, dim), unit length, of the composed images.
        probabilities: float32 (n, categories), of the composed images.
        products: the composed images.
        gallery: all products, each by its studio shot.

    Returns:
        `first` and `first_ten`, shares; `similarity`, the mean cosine with the product's own studio shot; `accuracy` of
        the category.
    """
    ranks, own = np.zeros(len(vectors), int), np.zeros(len(vectors), np.float32)
    labels = gallery.labels[products.positions]
    for label in np.unique(labels):
        ours, theirs = np.flatnonzero(labels == label), np.flatnonzero(gallery.labels == label)
        similar = vectors[ours] @ gallery.vectors[theirs].T
        itself = np.searchsorted(theirs, products.positions[ours])
        own[ours] = similar[np.arange(len(ours)), itself]
        ranks[ours] = (similar > own[ours, None]).sum(axis=1)
    return {
        "count": len(vectors),
        "first": float((ranks == 0).mean()),
        "first_ten": float((ranks < FIRST_RESULTS).mean()),
        "similarity": float(own.mean()),
        "accuracy": float((probabilities.argmax(axis=1) == labels).mean()),
    }
