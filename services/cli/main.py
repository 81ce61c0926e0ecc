"""The program `lookalike`. Heavy modules are imported when their command runs."""

import sys
from typing import Any

import structlog
import typer
import typer.main

from services.cli import backup, doctor, search, stack, train
from services.cli.bulk import command as bulk
from services.cli.events import commands as events
from services.cli.events import demand
from services.cli.imports import command as import_
from services.cli.keys import commands as keys
from services.cli.learn import commands as learn
from services.cli.models import commands as models
from services.cli.models import reembed
from services.cli.output import system_error
from services.cli.own_stack import default_map
from services.cli.rules import commands as rules

app = typer.Typer(
    help="Reverse image search for fashion shops: finds the products that look most like a photo.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("up")(stack.up)
app.command("down")(stack.down)
app.command("status")(stack.status)
app.command("demo")(stack.demo)
app.command("import")(import_.import_)
app.command("embed")(bulk.embed)
app.command("doctor")(doctor.doctor)
app.command("backup")(backup.backup)
app.command("restore")(backup.restore)
app.command("models")(models.models)
app.command("reembed")(reembed.reembed)
app.command("compare-models")(models.compare_models)
app.command("promote")(models.promote)
app.command("rollback")(models.rollback)
app.command("forget-model")(models.forget_model)
app.command("search")(search.search)
app.add_typer(keys.app, name="keys")
app.add_typer(rules.app, name="rules")
app.add_typer(events.app, name="events")
app.command("demand")(demand.demand)
app.add_typer(learn.app, name="learn")
app.command("train")(train.train)
app.command("evaluate")(train.evaluate)
app.command("evaluate-detector")(train.evaluate_detector)
app.command("evaluate-look")(train.evaluate_look)


@app.command()
def version() -> None:
    """Print the version."""
    from services.contracts.web.app import VERSION

    typer.echo(VERSION)


def logs_to_stderr() -> None:
    """Send log lines to stderr, apart from a command's results: structlog's default is stdout."""
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))


def main() -> None:
    """Run the program. Ctrl-C and errors of the operating system end it without a traceback."""
    logs_to_stderr()
    command: Any = typer.main.get_command(app)
    try:
        command(default_map=default_map(command.commands))
    except KeyboardInterrupt:
        sys.exit(130)  # the status that shells expect
    except BrokenPipeError:
        sys.exit(1)
    except OSError as error:  # a full or read-only disk, a folder of another user
        sys.stderr.write(f"lookalike: {system_error(error)}\n")
        sys.exit(1)


if __name__ == "__main__":
    main()
