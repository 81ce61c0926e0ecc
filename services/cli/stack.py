"""`lookalike up`, `down`, `status` and `demo`: the stack without Docker."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from services.cli.options import Key
from services.cli.output import err, fail, out, sentence
from services.contracts.domain.errors import LookalikeError, validation_message

if TYPE_CHECKING:
    from services.local.stack import Stack

DataName = Annotated[str, typer.Option("--data", help="The name of a local database, separate from others.")]


def up(data: DataName = "default") -> None:
    """Start the stack in the background, without Docker, and wait until it is ready."""
    stack = _stack()
    _start(stack, data)
    out.print(f"ready: search page {stack.settings.gateway_url}/, API docs {stack.settings.gateway_url}/docs")


def down() -> None:
    """Stop the stack."""
    from services.local.stack import StackError

    try:
        stopped = _stack().down()
    except StackError as error:
        fail(str(error))
    out.print("stopped" if stopped else "the stack is not running")


def status() -> None:
    """Print the state of each process of the stack."""
    out.print(_stack().status(), highlight=False, markup=False)


def demo(
    dataset: Annotated[
        Path | None,
        typer.Option(help="The Kaggle archive to import, a zip or a folder.", show_default="drawn sample products"),
    ] = None,
    key: Key = None,
) -> None:
    """Start the stack, import a catalogue, search it with a photo, and print the address of the search page."""
    from services.cli import demo as steps

    stack = _stack()
    try:
        source = steps.prepare(stack.settings, dataset)
        _start(stack, source.name)
        os.environ.update(EMBEDDING_URL=stack.settings.embedding_url, MONGO_URL=stack.settings.mongo_url)
        err.print(f"importing {source.path}", highlight=False, markup=False)
        products = steps.import_source(source, stack.settings.state_dir / "rejected.ndjson")
        steps.wait_until_indexed(stack.settings, products, key)
    except steps.DemoError as error:
        fail(str(error))
    steps.show_search(stack.settings, steps.save_query(stack.settings, source), key)


def _stack() -> "Stack":
    from pydantic import ValidationError

    from services.local.settings import StackSettings
    from services.local.stack import Stack

    try:
        return Stack(StackSettings())
    except ValidationError as error:
        first = error.errors()[0]
        fail(f"setting {'.'.join(map(str, first['loc']))}: {validation_message(first)}", 2)


def _start(stack: "Stack", data: str) -> None:
    from services.cli.keys.metrics_key import write_metrics_key
    from services.local.stack import StackError

    err.print("starting the stack (MongoDB and TensorFlow Serving stand-ins, embedding, index, gateway)")
    try:
        stack.up(data, err.print)
        if (key_file := stack.settings.metrics_key_file) is not None:
            write_metrics_key(stack.settings.mongo_url, key_file)
    except StackError as error:
        fail(str(error))
    except LookalikeError as error:
        fail(sentence(error))
    if stack.settings.observe:
        err.print(f"Prometheus with the alerts: {stack.settings.prometheus_url}", highlight=False, markup=False)
