from dataclasses import dataclass
from typing import Annotated

import pytest
import typer
from typer.testing import CliRunner

from services.cli.dataclass_command import with_options


@dataclass(frozen=True)
class Greeting:
    name: Annotated[str, typer.Option(help="Who is greeted.")]
    times: Annotated[int, typer.Option(min=1, help="How often.")] = 1


@with_options(Greeting)
def greet(greeting: Greeting) -> None:
    """Greet someone."""
    typer.echo(" ".join([f"hello {greeting.name}"] * greeting.times))


@pytest.mark.parametrize(
    ("arguments", "status", "text"),
    [
        (["--name", "Ann"], 0, "hello Ann"),
        (["--name", "Ann", "--times", "2"], 0, "hello Ann hello Ann"),
        ([], 2, "Missing option '--name'"),
        (["--name", "Ann", "--times", "0"], 2, "Invalid value for '--times'"),
        (["--help"], 0, "Greet someone."),
        (["--help"], 0, "How often."),
    ],
)
def test_the_fields_are_the_options_of_the_command(arguments: list[str], status: int, text: str) -> None:
    app = typer.Typer()
    app.command()(greet)
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == status
    assert text in result.output
