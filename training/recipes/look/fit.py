"""Fits the projections of a look model.

Of all garments of a category in the training part, the one that is worn with a given garment is to have the highest
score: a softmax over the part, in both directions, for every pair of categories. The projection of a category is the
identity, plus a matrix that all categories share, plus one of its own; both are drawn towards zero, the own one more,
so that rare categories follow the others. The whole problem has 40,960 numbers and is solved by L-BFGS.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from training.data.outfits import Outfit, WornGarments, pairs

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class FitOptions:
    """How projections are fitted; chosen on the validation part (training/EXPERIMENTS.md, "Looks").

    Attributes:
        identity: weight of the identity, which means plain similarity.
        shared, own: penalties of the squares of the shared matrix and of those of the categories.
        sharpness: of the softmax.
        steps: of L-BFGS, at most.
    """

    identity: float = 1.0
    shared: float = 1e-2
    own: float = 3e-2
    sharpness: float = 5.0
    steps: int = 150


def fit_projections(
    garments: WornGarments, outfits: list[Outfit], means: Floats, options: FitOptions, seed: int
) -> tuple[Floats, float]:
    """Return the projections, shape (categories, dimension, dimension), and the loss that is reached.

    Args:
        garments: with their vectors.
        outfits: of the training part.
        means: of each category's vectors, shape (categories, dimension).
        options: of the fit.
        seed: of the first guess.
    """
    count, dimension = means.shape
    centred = [vectors - means[garments.categories] for vectors in (garments.worn, garments.cutouts)]
    views = ((centred[0], centred[1]), (centred[1], centred[0]), (centred[1], centred[1]))
    together = {pair: positions for pair, positions in pairs(outfits).items() if len(positions) > 1}
    start = np.random.default_rng(seed).normal(0, 3e-3, (count + 1) * dimension * dimension)

    def objective(numbers: Floats) -> tuple[float, Floats]:
        parts = numbers.reshape(count + 1, dimension, dimension)
        projections = options.identity * np.eye(dimension) + parts[0] + parts[1:]
        gradient, loss, terms = np.zeros_like(parts), 0.0, 0
        for (first, other), positions in together.items():
            for left, right in views:
                x, y = left[positions[:, 0]], right[positions[:, 1]]
                value, of_one, of_other = _choice(x, y, projections[first], projections[other], options.sharpness)
                loss, terms = loss + value, terms + 2 * len(positions)
                gradient[0] += of_one + of_other
                gradient[1 + first] += of_one
                gradient[1 + other] += of_other
        weights = np.array([options.shared, *[options.own] * count])[:, None, None]
        total = loss / terms + float((weights * parts**2).sum())
        return total, (gradient / terms + 2 * weights * parts).ravel()

    result = minimize(objective, start, jac=True, method="L-BFGS-B", options={"maxiter": options.steps})
    parts = result.x.reshape(count + 1, dimension, dimension)
    return options.identity * np.eye(dimension) + parts[0] + parts[1:], float(result.fun)


def _choice(x: Floats, y: Floats, first: Floats, other: Floats, sharpness: float) -> tuple[float, Floats, Floats]:
    """Return the loss of choosing each garment's partner among all, and its gradients by both projections."""
    left, right = x @ first.T, y @ other.T
    scores = sharpness * left @ right.T
    loss, by_score = 0.0, np.zeros_like(scores)
    for axis in (0, 1):
        shifted = scores - scores.max(axis=axis, keepdims=True)
        share = np.exp(shifted)
        share /= share.sum(axis=axis, keepdims=True)
        loss -= float(np.log(np.diag(share).clip(1e-30)).sum())
        by_score += share - np.eye(len(scores))
    by_score *= sharpness
    return loss, (by_score @ right).T @ x, (by_score.T @ left).T @ y


def fit_colour(vectors: Floats, colours: Floats) -> Floats:
    """Return the matrix that reads CIELAB out of vectors, shape (dimension + 1, 3): ridge regression."""
    inputs = np.c_[vectors, np.ones(len(vectors))]
    penalty = 0.3 * np.diag([*np.ones(vectors.shape[1]), 0])
    return np.asarray(np.linalg.solve(inputs.T @ inputs + penalty, inputs.T @ colours))
