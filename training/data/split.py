"""The training, validation and test parts, which depend on the product id and the seed alone."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from training.errors import TrainingError

TRAINING_SHARE = 0.8
VALIDATION_SHARE = 0.1


@dataclass(frozen=True)
class Split:
    """Positions of each part's products, int64, ascending. No product is in two parts."""

    training: NDArray[np.int64]
    validation: NDArray[np.int64]
    test: NDArray[np.int64]


def draw_of(name: str, seed: int) -> float:
    """Return a number from 0 to 1 that depends on the name and the seed alone."""
    digest = hashlib.sha256(f"{seed}:{name}".encode()).digest()
    return int.from_bytes(digest[:8], "big") / 2**64


def part_of(product_id: str, seed: int) -> str:
    """Return `training`, `validation` or `test`, which depends on the id and the seed alone."""
    draw = draw_of(product_id, seed)
    if draw < TRAINING_SHARE:
        return "training"
    return "validation" if draw < TRAINING_SHARE + VALIDATION_SHARE else "test"


def split(ids: Sequence[str], seed: int) -> Split:
    """Split the products 80 : 10 : 10."""
    parts = np.array([part_of(product_id, seed) for product_id in ids], dtype=object)
    return Split(*(np.flatnonzero(parts == name) for name in ("training", "validation", "test")))


def refuse_empty(parts: Split) -> None:
    """Raise TrainingError if a part has no product."""
    for part in ("training", "validation", "test"):
        if not len(getattr(parts, part)):
            raise TrainingError(f"the {part} part is empty: the archive has too few products")
