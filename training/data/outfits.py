"""Outfits: the garments that are worn together in a street photo."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from training.data.archives.street import StreetGarments

Outfit = dict[int, int]  # category → position of the garment


@dataclass(frozen=True)
class WornGarments:
    """Garments with their vectors in two pictures: as they are in the street, and cut out on white.

    Attributes:
        categories: int64 (n,).
        photos: str (n,).
        parts: str (n,).
        worn: vectors of the crops, float32 (n, dimension).
        cutouts: vectors of the cut-outs, those of the crops where there is none.
        colours: median CIELAB of the cut-outs, float64 (n, 3); NaN where there is none.
    """

    categories: NDArray[np.int64]
    photos: NDArray[np.str_]
    parts: NDArray[np.str_]
    worn: NDArray[np.float32]
    cutouts: NDArray[np.float32]
    colours: NDArray[np.float64]

    def outfits(self, *parts: str) -> list[Outfit]:
        """Return the outfits of parts with at least two categories, each category with its first garment."""
        by_photo: dict[str, Outfit] = {}
        for position in np.flatnonzero(np.isin(self.parts, parts)).tolist():
            by_photo.setdefault(str(self.photos[position]), {}).setdefault(int(self.categories[position]), position)
        return [outfit for outfit in by_photo.values() if len(outfit) > 1]


def single_crops(garments: StreetGarments, categories: int) -> StreetGarments:
    """Return the garments of the categories, each once though several crops may show it."""
    _, first = np.unique(garments.items, return_index=True)
    kept = np.sort(first)
    return garments.take(kept[garments.categories[kept] < categories])


def pairs(outfits: Sequence[Outfit]) -> dict[tuple[int, int], NDArray[np.int64]]:
    """Return the garments of each pair of categories that are worn together, int64 (n, 2), the smaller id first."""
    worn: dict[tuple[int, int], list[tuple[int, int]]] = {}
    for outfit in outfits:
        for first in sorted(outfit):
            for other in sorted(outfit):
                if first < other:
                    worn.setdefault((first, other), []).append((outfit[first], outfit[other]))
    return {pair: np.array(positions, np.int64) for pair, positions in sorted(worn.items())}
