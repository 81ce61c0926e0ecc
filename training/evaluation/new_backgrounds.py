"""The same garment on another background: is it still found first?"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.data.cutouts import alpha_of
from training.data.views import BACKGROUND, Light, Motion, composed, lit, motions, moved
from training.evaluation.retrieval import Embedded

# As a shopper might hold the camera: nearer or further, a little askew, never mirrored.
HANDHELD = Motion(scale=(0.6, 1.0), degrees=15, shift=0.1, stretch=0.05, mirrored=False)
SHADOW, SHADOW_AT, LIGHT = 0.3, (2, 2), 0.4
CHUNK = 256
MOST = 4_000  # products asked for on each kind of background; drawn by the seed where there are more
FIRST = 10
Pictures = NDArray[np.uint8]


@dataclass(frozen=True)
class Placed:
    """Products on backgrounds: pictures uint8 (n, size, size, 3) of the products at `positions`, int64 (n,)."""

    pictures: Pictures
    positions: NDArray[np.int64]


def place(images: Pictures, positions: NDArray[np.int64], grounds: Pictures, seed: list[int]) -> Placed:
    """Cut products out of their studio shots and put each onto a background, at a place and in a light of the seed's.

    Args:
        images: uint8 (n, size, size, 3), white around the product.
        positions: of the products to place, among `images`.
        grounds: uint8 (m, patch, patch, 3).
        seed: of everything that is drawn.
    """
    rng = np.random.default_rng(seed)
    chosen = np.sort(rng.choice(positions, min(MOST, len(positions)), replace=False))
    starts = range(0, len(chosen), CHUNK)
    made = [_scenes(images[chosen[start : start + CHUNK]], grounds, rng, [seed[0], start]) for start in starts]
    return Placed(np.concatenate(made), chosen)


def _scenes(images: Pictures, grounds: Pictures, rng: np.random.Generator, noise: list[int]) -> Pictures:
    count, size = images.shape[:2]
    motion = motions(rng, count, size, HANDHELD)
    alphas = np.stack([alpha_of(image) for image in images])[..., None]
    chosen = grounds[rng.integers(0, len(grounds), count)]
    behind = moved(chosen, motions(rng, count, size, BACKGROUND, grounds.shape[1]), size, 0.0, "REFLECT")
    shadow = np.full((count, 1, 1, 1), SHADOW, np.float32)
    alpha = moved(alphas, motion, size, 0.0) / 255.0
    scene = composed(moved(images, motion, size, 255.0), alpha, behind, shadow, SHADOW_AT)
    return np.asarray(lit(scene, Light.draw(rng, count, LIGHT), noise)).round().astype(np.uint8)


def self_retrieval(
    vectors: NDArray[np.float32], probabilities: NDArray[np.float32], placed: Placed, gallery: Embedded
) -> dict[str, Any]:
    """Return how often a product on a background finds itself among all products of its category, ready for JSON.

    Args:
        vectors: float32 (n, dim), unit length, of the placed pictures.
        probabilities: float32 (n, categories), of the placed pictures.
        placed: which products they show.
        gallery: all products, each by its studio shot.

    Returns:
        `first` and `first_ten`, shares; `similarity`, the mean cosine with the product's own studio shot; `accuracy` of the
        category.
    """
    ranks, own = np.zeros(len(vectors), int), np.zeros(len(vectors), np.float32)
    labels = gallery.labels[placed.positions]
    for label in np.unique(labels):
        ours, theirs = np.flatnonzero(labels == label), np.flatnonzero(gallery.labels == label)
        similar = vectors[ours] @ gallery.vectors[theirs].T
        itself = np.searchsorted(theirs, placed.positions[ours])
        own[ours] = similar[np.arange(len(ours)), itself]
        ranks[ours] = (similar > own[ours, None]).sum(axis=1)
    return {
        "count": len(vectors),
        "first": float((ranks == 0).mean()),
        "first_ten": float((ranks < FIRST).mean()),
        "similarity": float(own.mean()),
        "accuracy": float((probabilities.argmax(axis=1) == labels).mean()),
    }
