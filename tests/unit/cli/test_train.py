"""What `lookalike train --help` promises is what the recipes do."""

import typer.main

from services.cli.train import SHIPPED, train
from training.networks.architectures import ARCHITECTURES, DETECTOR
from training.options import DEFAULTS, OWN


def test_help_tells_the_recipes_own_defaults() -> None:
    app = typer.Typer()
    app.command()(train)
    told = {option.name: option for option in typer.main.get_command(app).params}
    for name in OWN:
        values = [str(own[name]) for own in DEFAULTS.values() if own.get(name) is not None]
        if values:
            assert told[name].show_default == ", ".join(values)  # type: ignore[attr-defined]


def test_each_network_has_a_version_directory_to_write() -> None:
    assert set(SHIPPED) == {*ARCHITECTURES, DETECTOR}
