"""The catalogue that a command works on."""

import os
from typing import Annotated

import typer

from services.cli.output import fail, sentence
from services.contracts.domain.catalogues import DEFAULT_CATALOGUE, SETTING, all_catalogues, known_catalogue
from services.contracts.domain.errors import UnknownCatalogue

Catalogue = Annotated[
    str | None, typer.Option("--catalogue", help="The catalogue to work on.", show_default=DEFAULT_CATALOGUE)
]


def installed() -> tuple[str, ...]:
    """Return the installation's catalogues, the default one first; end the command if the setting is not valid."""
    try:
        return all_catalogues(os.environ.get(SETTING, ""))
    except ValueError as error:
        fail(f"setting {SETTING}: {error}", 2)


def chosen(name: str | None) -> str:
    """Return a catalogue's name, the default one's for None; end the command if there is no such catalogue."""
    try:
        return known_catalogue(DEFAULT_CATALOGUE if name is None else name, installed())
    except UnknownCatalogue as error:
        fail(sentence(error), 2)
