"""The recipes by name."""

from typing import Any

from training.networks.architectures import recipe_name
from training.recipes.baseline.recipe import BaselineRecipe
from training.recipes.detector.recipe import DetectorRecipe
from training.recipes.fashion.recipe import FashionRecipe
from training.recipes.recipe import Recipe

RECIPES: dict[str, Recipe[Any]] = {
    "baseline": BaselineRecipe(),
    "fashion": FashionRecipe(),
    "detector": DetectorRecipe(),
}


def recipe_of(model: str) -> Recipe[Any]:
    """Return the recipe that trains a network.

    Raises:
        TrainingError: there is no network of that name.
    """
    return RECIPES[recipe_name(model)]
