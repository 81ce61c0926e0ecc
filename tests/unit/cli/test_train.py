"""The defaults in `lookalike train --help` are those of the recipes."""

import typer.main

from services.cli.train import SHIPPED, train
from training.networks.architectures import ARCHITECTURES, DETECTOR
from training.options import RECIPE_OPTIONS
from training.recipes.registry import RECIPES


def test_help_has_the_defaults_of_the_recipes() -> None:
    app = typer.Typer()
    app.command()(train)
    options = {option.name: option for option in typer.main.get_command(app).params}
    for name in RECIPE_OPTIONS:
        defaults = [recipe.defaults.get(name) for recipe in RECIPES.values()]
        values = [str(default) for default in defaults if default is not None]
        if values:
            assert options[name].show_default == ", ".join(values)  # type: ignore[attr-defined]


def test_each_network_has_a_version_directory_to_write() -> None:
    assert set(SHIPPED) == {*ARCHITECTURES, DETECTOR}


def test_each_network_has_a_recipe() -> None:
    assert {known.recipe for known in ARCHITECTURES.values()} | {DETECTOR} == set(RECIPES)
