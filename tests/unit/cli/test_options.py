"""Commands that take their options as dataclasses."""

from dataclasses import dataclass
from typing import Annotated

import typer
from typer.testing import CliRunner

from services.cli.main import app
from services.cli.options import Services, with_options

RUN = CliRunner()


@dataclass(frozen=True)
class Server:
    """Two options."""

    host: Annotated[str, typer.Option(envvar="TEST_HOST", help="The host.")] = "localhost"
    port: Annotated[int, typer.Option(min=1)] = 80


@with_options
def connect(server: Server, name: Annotated[str, typer.Argument()], fast: bool = False) -> None:
    """Connect to a server."""
    typer.echo(f"{name} {server} {fast}")


def run(*arguments: str, **environment: str) -> str:
    program = typer.Typer()
    program.command()(connect)
    return RUN.invoke(program, arguments, env=environment).output


def test_the_fields_are_options_and_the_command_is_called_with_the_dataclass() -> None:
    assert run("x", "--port", "8", "--fast", TEST_HOST="h") == "x Server(host='h', port=8) True\n"
    assert run("x") == "x Server(host='localhost', port=80) False\n"


def test_the_bounds_of_a_field_hold() -> None:
    assert "greater than or equal to 1" in run("x", "--port", "0")


def test_the_help_has_the_command_s_text_and_the_fields_texts() -> None:
    assert "Connect to a server." in run("--help")
    assert "The host." in run("--help")


def test_every_command_on_models_takes_the_addresses_of_the_services() -> None:
    for name in ("models", "compare-models", "promote", "rollback", "forget-model", "reembed", "import", "doctor"):
        text = RUN.invoke(app, [name, "--help"]).output
        assert all(f"--{field.replace('_', '-')}" in text for field in Services.__dataclass_fields__), name


def test_the_help_does_not_show_the_database_s_password() -> None:
    text = RUN.invoke(app, ["models", "--help"], env={"MONGO_URL": "mongodb://u:s3cret@db:1"}).output
    assert "s3cret" not in text
