"""How commands speak to people: results on stdout, the rest on stderr."""

import sys
from typing import NoReturn

import typer
from rich.console import Console

# Into a pipe or a file, nothing is cut or wrapped to a terminal's width.
out = Console(width=None if sys.stdout.isatty() else 200)
err = Console(stderr=True)


def fail(text: str, status: int = 1) -> NoReturn:
    """End the command with one sentence on stderr."""
    typer.echo(f"lookalike: {text}", err=True)
    raise typer.Exit(status)
