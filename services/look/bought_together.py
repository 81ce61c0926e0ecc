"""Which garments go together by the baskets of a catalogue: a kernel regression over pairs that were bought together.

The partners of the garments that look like a given one go with it, each as far as its garment looks like it (Nadaraya &
Watson, 1964). One basket therefore speaks for all products that look like those in it.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from services.look.compatibility import Float32Array, Garment

MAX_PAIRS = 50_000  # the last ones
WIDTH = 0.05  # of the kernel, in units of cosine similarity: a pair of a garment that is 0.05 less similar counts 0.37
HALF = 20.0  # pairs of garments like the given one, with which baskets have half of their greatest weight
LEAST_LENGTH = 1e-6


@dataclass(frozen=True)
class Partners:
    """The products of a category that go with garments, by baskets.

    Attributes:
        direction: mean of the partners' directions from the category's mean, shape (dimension,); the more they differ,
            the shorter it is.
        mean: of the category's products in baskets, shape (dimension,).
        weight: of the baskets, 0 to 1.
    """

    direction: NDArray[np.float64]
    mean: NDArray[np.float64]
    weight: float

    def blended_target(self, target: Float32Array | None) -> Float32Array | None:
        """Return the vector whose nearest neighbours go best with the garments, shape (dimension,); None without any.

        Args:
            target: the one without baskets, unit length.
        """
        length = float(np.linalg.norm(self.direction))
        own = self.direction / length if length > LEAST_LENGTH else np.zeros_like(self.direction)
        mixed = own if target is None else (1 - self.weight) * target + self.weight * own
        length = float(np.linalg.norm(mixed))
        return target if length < LEAST_LENGTH else np.asarray(mixed / length, np.float32)

    def blended_scores(self, scores: NDArray[np.float64], vectors: Float32Array) -> NDArray[np.float64]:
        """Return scores with the part that baskets have in them, shape (n,).

        Args:
            scores: those without baskets, shape (n,).
            vectors: of the products, shape (n, dimension), unit length.
        """
        by_baskets = _unit(vectors - self.mean) @ self.direction
        return np.asarray((1 - self.weight) * scores + self.weight * by_baskets)


@dataclass(frozen=True)
class BoughtTogether:
    """Pairs of products of different categories that are in one basket.

    Attributes:
        categories: of each product, shape (products,).
        vectors: of each product, shape (products, dimension), unit length.
        pairs: rows of the products, shape (pairs, 2).
    """

    categories: NDArray[np.int64]
    vectors: Float32Array
    pairs: NDArray[np.int64]

    @classmethod
    def of(cls, baskets: Iterable[Sequence[str]], products: Mapping[str, tuple[int, Float32Array]]) -> Self:
        """Return the pairs of baskets, the last MAX_PAIRS.

        Args:
            baskets: the ids of the products of each.
            products: category and vector by id; products that are not there do not count.
        """
        ids = sorted(products)
        rows = {key: row for row, key in enumerate(ids)}
        categories = np.array([products[key][0] for key in ids], np.int64)
        pairs = [
            (rows[first], rows[other])
            for basket in baskets
            for place, first in enumerate(basket)
            for other in basket[place + 1 :]
            if first in rows and other in rows and products[first][0] != products[other][0]
        ]
        vectors = np.array([products[key][1] for key in ids], np.float32)
        return cls(categories, vectors, np.array(pairs[-MAX_PAIRS:], np.int64).reshape(-1, 2))

    def __len__(self) -> int:
        return len(self.pairs)

    def partners(self, garments: Sequence[Garment], category: int, most: float = 1.0) -> Partners | None:
        """Return the partners of garments in a category; None if no basket has a garment of their categories with it.

        Args:
            garments: at least one, in vectors of the model that the products have.
            category: of the partners.
            most: the greatest weight of baskets. The weight is most · e / (e + HALF), where e is the number of pairs,
                each counted as far as its garment looks like the given one.
        """
        own = np.flatnonzero(self.categories == category)
        if not len(own) or not len(self.pairs):
            return None
        vectors = self.vectors[own].astype(np.float64)
        mean = vectors.mean(axis=0)
        weights = sum((self._weights(garment, category) for garment in garments), np.zeros(len(self.categories)))[own]
        evidence = float(weights.sum())
        if evidence < LEAST_LENGTH:
            return None
        direction = weights @ _unit(vectors - mean) / evidence
        return Partners(direction, mean, most * evidence / (evidence + HALF))

    def _weights(self, garment: Garment, category: int) -> NDArray[np.float64]:
        """Return how much each product speaks as a partner of a garment, shape (products,)."""
        total = np.zeros(len(self.categories))
        if garment.category == category:
            return total
        alike = np.exp((self.vectors @ garment.vector - 1.0) / WIDTH).astype(np.float64)
        for first, other in ((0, 1), (1, 0)):
            of, partners = self.pairs[:, first], self.pairs[:, other]
            chosen = (self.categories[of] == garment.category) & (self.categories[partners] == category)
            total += np.bincount(partners[chosen], weights=alike[of[chosen]], minlength=len(total))
        return total


def _unit(rows: NDArray[Any]) -> NDArray[np.float64]:
    """Return rows at unit length; a row without a length stays zero."""
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.asarray(rows / np.maximum(lengths, LEAST_LENGTH))
