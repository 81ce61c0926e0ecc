"""The options that several commands share."""

from typer.testing import CliRunner

from services.cli.main import app
from services.cli.options import Services

RUN = CliRunner()


def test_every_command_on_models_takes_the_addresses_of_the_services() -> None:
    for name in ("models", "compare-models", "promote", "rollback", "forget-model", "reembed", "import", "doctor"):
        text = RUN.invoke(app, [name, "--help"]).output
        assert all(f"--{field.replace('_', '-')}" in text for field in Services.__dataclass_fields__), name


def test_the_help_does_not_show_the_database_s_password() -> None:
    text = RUN.invoke(app, ["models", "--help"], env={"MONGO_URL": "mongodb://u:s3cret@db:1"}).output
    assert "s3cret" not in text
