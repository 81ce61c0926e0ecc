"""Which catalogue a command is about."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from services.catalogue.store.model_note import ModelChangeRefused
from services.cli.main import app
from services.cli.models.run import ModelCommands, Where

RUN = CliRunner()


@pytest.mark.parametrize(
    "arguments",
    [
        ["import", "feed.csv", "--catalogue", "hats"],
        ["import", "feed.csv", "--catalogue", "hats", "--dry-run"],
        ["doctor", "--catalogue", "hats"],
        ["reembed", "--model", "2", "--catalogue", "hats"],
    ],
)
def test_a_catalogue_that_there_is_not_is_named_with_those_that_there_are(arguments: list[str]) -> None:
    done = RUN.invoke(app, arguments, env={"CATALOGUES": "shoes"})
    assert done.exit_code == 2
    assert done.output == "lookalike: there is no catalogue 'hats': CATALOGUES names default, shoes\n"


@pytest.mark.parametrize("arguments", [["import", "feed.csv"], ["doctor"], ["models"], ["reembed", "--model", "2"]])
def test_a_name_that_cannot_be_a_catalogue_is_said_to_be_the_settings(arguments: list[str]) -> None:
    done = RUN.invoke(app, arguments, env={"CATALOGUES": "Shoes"})
    assert done.exit_code == 2
    assert done.output.startswith("lookalike: setting CATALOGUES: 'Shoes' cannot be a catalogue")


def test_one_file_of_rejected_products_is_of_one_catalogue(tmp_path: Path) -> None:
    arguments = ["reembed", "--model", "2", "--rejected", str(tmp_path / "rejected")]
    done = RUN.invoke(app, arguments, env={"CATALOGUES": "shoes"})
    assert done.exit_code == 2
    assert "name the catalogue with --catalogue" in done.output


@pytest.mark.parametrize("served", [("default", "shoes", "hats"), ("default",)])
def test_a_model_is_not_promoted_where_the_gateway_has_other_catalogues_than_are_looked_at(
    served: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    commands = ModelCommands(Where("http://g", "http://e", "mongodb://m", "db", catalogues=("default", "shoes")), print)

    class Gateway:
        def catalogues(self) -> tuple[str, ...]:
            return served

    there: Any = commands
    there._gateway = Gateway()
    with pytest.raises(ModelChangeRefused, match="and CATALOGUES is set for default, shoes here: set it alike"):
        asyncio.run(commands._check_catalogues())
