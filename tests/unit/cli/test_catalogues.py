"""The catalogue that a command works on."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from services.cli.main import app

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
def test_an_unknown_catalogue_is_named_with_the_known_ones(arguments: list[str]) -> None:
    done = RUN.invoke(app, arguments, env={"CATALOGUES": "shoes"})
    assert done.exit_code == 2
    assert done.output == "lookalike: there is no catalogue 'hats': CATALOGUES names default, shoes\n"


@pytest.mark.parametrize("arguments", [["import", "feed.csv"], ["doctor"], ["models"], ["reembed", "--model", "2"]])
def test_a_setting_that_names_no_catalogue_is_named(arguments: list[str]) -> None:
    done = RUN.invoke(app, arguments, env={"CATALOGUES": "Shoes"})
    assert done.exit_code == 2
    assert done.output.startswith("lookalike: setting CATALOGUES: 'Shoes' cannot be a catalogue")


def test_a_file_of_rejected_products_needs_one_catalogue(tmp_path: Path) -> None:
    arguments = ["reembed", "--model", "2", "--rejected", str(tmp_path / "rejected")]
    done = RUN.invoke(app, arguments, env={"CATALOGUES": "shoes"})
    assert done.exit_code == 2
    assert "name the catalogue with --catalogue" in done.output
