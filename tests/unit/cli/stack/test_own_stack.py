"""Commands find the stack of their own folder, and say where they write."""

from pathlib import Path
from typing import Any

import pytest
import typer.main
from click.testing import CliRunner

from services.cli.main import app
from services.cli.own_stack import announce_target, default_map
from services.local.addresses import StackAddresses, read_addresses, remove_addresses, write_addresses

OWN = StackAddresses(
    gateway="http://127.0.0.1:8100", embedding_url="http://127.0.0.1:8101", mongo_url="mongodb://127.0.0.1:27117"
)
COMMAND: Any = typer.main.get_command(app)
VARIABLES = (
    *("MONGO_URL", "EMBEDDING_URL", "GATEWAY_URL", "LOOKALIKE_STATE"),
    *("MONGO_PORT", "EMBEDDING_PORT", "GATEWAY_PORT"),
)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The present folder, whose state folder is `var`."""
    monkeypatch.chdir(tmp_path)
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "var").mkdir()
    return tmp_path


def values(name: str, *arguments: str) -> dict[str, Any]:
    """Return the parameters that a command would run with."""
    command = COMMAND.commands[name]
    with COMMAND.make_context("lookalike", [name, *arguments], default_map=default_map(COMMAND.commands)) as parent:
        return dict(command.make_context(name, list(arguments), parent=parent).params)


def test_addresses_are_read_as_they_were_written(tmp_path: Path) -> None:
    assert read_addresses(tmp_path) is None
    write_addresses(tmp_path, OWN)
    assert read_addresses(tmp_path) == OWN
    remove_addresses(tmp_path)
    remove_addresses(tmp_path)
    assert read_addresses(tmp_path) is None
    (tmp_path / "addresses.json").write_text("{")
    assert read_addresses(tmp_path) is None


def test_a_command_uses_the_stack_of_its_folder(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert values("import", "feed.csv")["mongo_url"] == "mongodb://127.0.0.1:27017"
    write_addresses(folder / "var", OWN)
    parameters = values("import", "feed.csv")
    assert (parameters["mongo_url"], parameters["embedding_url"]) == (OWN.mongo_url, OWN.embedding_url)
    assert values("search", "photo.jpg")["gateway"] == OWN.gateway
    monkeypatch.chdir(folder / "var")  # another folder: another installation
    assert values("import", "feed.csv")["mongo_url"] == "mongodb://127.0.0.1:27017"


def test_the_state_folder_may_be_named(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other = folder / "other"
    other.mkdir()
    write_addresses(other, OWN)
    monkeypatch.setenv("LOOKALIKE_STATE", str(other))
    assert values("import", "feed.csv")["mongo_url"] == OWN.mongo_url


def test_options_and_variables_come_before_the_stack(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_addresses(folder / "var", OWN)
    assert values("import", "feed.csv", "--mongo-url", "mongodb://a")["mongo_url"] == "mongodb://a"
    monkeypatch.setenv("MONGO_URL", "mongodb://b")
    assert values("import", "feed.csv")["mongo_url"] == "mongodb://b"


def test_without_a_running_stack_the_variables_of_its_ports_count(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, port in {"MONGO_PORT": "27118", "EMBEDDING_PORT": "8111", "GATEWAY_PORT": "8110"}.items():
        monkeypatch.setenv(name, port)
    parameters = values("import", "feed.csv")
    assert parameters["mongo_url"] == "mongodb://127.0.0.1:27118"
    assert parameters["embedding_url"] == "http://127.0.0.1:8111"
    assert values("search", "photo.jpg")["gateway"] == "http://127.0.0.1:8110"
    write_addresses(folder / "var", OWN)  # the running stack is the one of the folder
    assert values("import", "feed.csv")["mongo_url"] == OWN.mongo_url
    remove_addresses(folder / "var")
    monkeypatch.setenv("MONGO_PORT", " ")
    assert values("import", "feed.csv")["mongo_url"] == "mongodb://127.0.0.1:27017"


def test_commands_in_a_group_use_it_too(folder: Path) -> None:
    write_addresses(folder / "var", OWN)
    assert default_map(COMMAND.commands)["keys"]["create"]["mongo_url"] == OWN.mongo_url


def test_a_command_that_writes_says_where_without_the_password(capsys: pytest.CaptureFixture[str]) -> None:
    announce_target("mongodb://user:secret@db.example:27018/?tls=true", "shop", "shoes")
    error = capsys.readouterr().err
    assert "catalogue shoes" in error
    assert "db.example:27018" in error
    assert "shop" in error
    assert "secret" not in error


def test_an_import_says_where_it_writes(folder: Path) -> None:
    write_addresses(folder / "var", OWN)
    (folder / "feed.csv").write_text("id,image_url\n")
    result = CliRunner().invoke(
        COMMAND, ["import", "feed.csv", "--wait", "0"], default_map=default_map(COMMAND.commands)
    )
    assert "writing to catalogue default in" in result.output
    assert "27117" in result.output
