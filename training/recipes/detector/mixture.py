"""The detector's training scenes: street photos, and composed scenes at the size of the network's input."""

from collections.abc import Callable

import numpy as np

from training.data.composing.scenes import Scene
from training.recipes.detector.plan import DetectorPlan

DrawScene = Callable[[int], Scene]


def mixed(composed: DrawScene, street: DrawScene | None, plan: DetectorPlan) -> DrawScene:
    """Return the drawing of both kinds; without street photos, every scene is composed."""

    def draw(number: int) -> Scene:
        if street is not None and np.random.default_rng([plan.seed, 12, number]).random() < plan.street:
            return street(number)
        return composed(number).resized(plan.side)

    return draw
