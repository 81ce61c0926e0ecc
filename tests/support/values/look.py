"""A small look model: three categories, vectors of four numbers."""

import numpy as np

from services.look.compatibility import Compatibility
from services.look.manifest import LookManifest

NAMES = ("Topwear", "Shoes", "Bags")
MANIFEST = LookManifest(
    name="look",
    version=1,
    embedding_model="fashion/1",
    categories=NAMES,
    dimension=4,
    outfits={"Topwear": 40, "Shoes": 50, "Bags": 3},
    pairs={"Topwear+Shoes": 35, "Topwear+Bags": 3},
    seed=7,
    command="lookalike train --model look",
    created="2026-11-30T00:00:00+00:00",
)


def make_look_model() -> Compatibility:
    """Return a model in which a garment goes with shoes whose first two numbers are swapped, and with equal bags."""
    projections = np.tile(np.eye(4, dtype=np.float32), (3, 1, 1))
    projections[1] = projections[1][[1, 0, 2, 3]]
    zero = np.zeros((3, 4), np.float32)
    colour = np.zeros((5, 3), np.float32)
    colour[-1] = (50, 0, 0)  # every garment is grey
    return Compatibility(MANIFEST, projections, {"worn": zero, "studio": zero}, colour)
