"""Which catalogue a command is about."""

import os
from typing import Annotated

import typer

from services.cli.output import fail
from services.contracts.domain.catalogues import DEFAULT, SETTING, all_catalogues, known_catalogue
from services.contracts.domain.errors import UnknownCatalogue

Catalogue = Annotated[str, typer.Option("--catalogue", help="Which catalogue, where there are several.")]


def installed() -> tuple[str, ...]:
    """Return the installation's catalogues, the default one first; end the command if the setting is wrong."""
    try:
        return all_catalogues(os.environ.get(SETTING, ""))
    except ValueError as error:
        fail(f"setting {SETTING}: {error}", 2)


def chosen(name: str = DEFAULT) -> str:
    """Return a catalogue's name; end the command if there is none of that name."""
    try:
        return known_catalogue(name, installed())
    except UnknownCatalogue as error:
        fail(error.detail, 2)
