"""What commands print: results on stdout, everything else on stderr."""

import sys
from typing import Any, NoReturn

import orjson
import typer
from rich.console import Console

from services.contracts.domain.errors import LookalikeError

# In a pipe or a file, nothing is cut or wrapped to a terminal's width.
out = Console(width=None if sys.stdout.isatty() else 200)
err = Console(stderr=True)


def print_json(document: Any) -> None:
    """Print a document as indented JSON."""
    typer.echo(orjson.dumps(document, option=orjson.OPT_INDENT_2))


def print_line(text: str) -> None:
    """Print a line as it is: no markup, no colours, no line breaks."""
    out.print(text, markup=False, highlight=False, soft_wrap=True)


def sentence(error: BaseException) -> str:
    """Return an error's text with the addresses, of it or of its cause, that only the people of an installation see."""
    known = error if isinstance(error, LookalikeError) else error.__cause__
    inside = known.inside if isinstance(known, LookalikeError) else {}
    facts = ", ".join(f"{name} at {value}" for name, value in inside.items())
    return f"{error} ({facts})" if facts else str(error)


def system_error(error: OSError) -> str:
    """Return an error of the operating system as a line: the file, if there is one, and the reason."""
    place = f"{error.filename}: " if error.filename else ""
    return f"{place}{error.strerror or error}"


def fail(text: str, status: int = 1) -> NoReturn:
    """End the command with an error message on stderr."""
    typer.echo(f"lookalike: {text}", err=True)
    raise typer.Exit(status)
