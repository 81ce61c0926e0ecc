"""What commands print: results on stdout, everything else on stderr."""

import sys
from typing import Any, NoReturn

import orjson
import typer
from rich.console import Console

# In a pipe or a file, nothing is cut or wrapped to a terminal's width.
out = Console(width=None if sys.stdout.isatty() else 200)
err = Console(stderr=True)


def print_json(document: Any) -> None:
    """Print a document as indented JSON."""
    typer.echo(orjson.dumps(document, option=orjson.OPT_INDENT_2))


def print_line(text: str) -> None:
    """Print a line as it is: no markup, no colours, no line breaks."""
    out.print(text, markup=False, highlight=False, soft_wrap=True)


def fail(text: str, status: int = 1) -> NoReturn:
    """End the command with an error message on stderr."""
    typer.echo(f"lookalike: {text}", err=True)
    raise typer.Exit(status)
