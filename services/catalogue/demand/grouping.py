"""Groups of vectors that point the same way: spherical k-means, with as many groups as it takes to make them compact.

Source: Dhillon and Modha, "Concept decompositions for large sparse text data using clustering", Machine Learning 42,
2001; the first centres as in k-means++ (Arthur and Vassilvitskii, 2007).
"""

import numpy as np
from numpy.typing import NDArray

from services.catalogue.product import Float32Array

MAX_GROUPS = 12
COMPACT = 0.8  # mean cosine of the vectors of each group to its centre, from which on no more groups are made
ROUNDS = 20
SEED = 17


def grouped(vectors: Float32Array) -> NDArray[np.int64]:
    """Return the number of each vector's group, from 0.

    Args:
        vectors: shape (n, dimension), unit length.
    """
    labels = np.zeros(len(vectors), np.int64)
    for count in range(1, min(MAX_GROUPS, len(vectors)) + 1):
        labels, fit = _grouped_into(vectors, count)
        if fit >= COMPACT:
            break
    return labels


def _grouped_into(vectors: Float32Array, count: int) -> tuple[NDArray[np.int64], float]:
    """Return groups, and the mean cosine of the vectors to their centre in the least compact group."""
    centres = _first_centres(vectors, count)
    labels = np.full(len(vectors), -1, np.int64)
    for _ in range(ROUNDS):
        scores = vectors @ centres.T
        nearest = scores.argmax(axis=1)
        if np.array_equal(nearest, labels):
            break
        labels = nearest
        for number in range(count):
            total = vectors[labels == number].sum(axis=0)
            length = float(np.linalg.norm(total))
            if length > 0:
                centres[number] = total / length
    cosines = (vectors * centres[labels]).sum(axis=1)
    return labels, min(float(cosines[labels == number].mean()) for number in np.unique(labels))


def _first_centres(vectors: Float32Array, count: int) -> Float32Array:
    random = np.random.default_rng(SEED)
    chosen = [int(random.integers(len(vectors)))]
    while len(chosen) < count:
        distances = np.clip(1 - (vectors @ vectors[chosen].T).max(axis=1), 0, None).astype(np.float64)
        total = float(distances.sum())
        if total <= 0:  # all of them are among the chosen
            chosen.append(int(random.integers(len(vectors))))
            continue
        chosen.append(int(random.choice(len(vectors), p=distances / total)))
    return vectors[chosen].copy()
