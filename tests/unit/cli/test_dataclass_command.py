"""Commands that take their options as dataclasses."""

from dataclasses import dataclass
from typing import Annotated

import typer
from typer.testing import CliRunner

from services.cli.dataclass_command import with_options


@dataclass(frozen=True)
class Server:
    """Three options."""

    user: Annotated[str, typer.Option()]
    host: Annotated[str, typer.Option(envvar="TEST_HOST", help="The host.")] = "localhost"
    port: Annotated[int, typer.Option(min=1)] = 80


@with_options
def connect(server: Server, name: Annotated[str, typer.Argument()], fast: bool = False) -> None:
    """Connect to a server."""
    typer.echo(f"{name} {server} {fast}")


def run(*arguments: str, **environment: str) -> str:
    program = typer.Typer()
    program.command()(connect)
    return CliRunner().invoke(program, arguments, env=environment).output


def test_the_fields_are_options_and_the_command_is_called_with_the_dataclass() -> None:
    assert run("x", "--user", "u", "--port", "8", "--fast", TEST_HOST="h") == (
        "x Server(user='u', host='h', port=8) True\n"
    )
    assert run("x", "--user", "u") == "x Server(user='u', host='localhost', port=80) False\n"


def test_a_field_without_a_default_is_a_required_option() -> None:
    assert "Missing option '--user'" in run("x")


def test_the_bounds_of_a_field_hold() -> None:
    assert "greater than or equal to 1" in run("x", "--user", "u", "--port", "0")


def test_the_help_has_the_command_s_text_and_the_fields_texts() -> None:
    assert "Connect to a server." in run("--help")
    assert "The host." in run("--help")
