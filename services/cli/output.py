"""How commands speak to people: results on stdout, the rest on stderr."""

from typing import NoReturn

import typer
from rich.console import Console

out = Console()
err = Console(stderr=True)


def fail(text: str, status: int = 1) -> NoReturn:
    """End the command with one sentence on stderr."""
    typer.echo(f"lookalike: {text}", err=True)
    raise typer.Exit(status)
