"""`lookalike embed SOURCE`: imports a shop's catalogue by many workers."""

from typing import Annotated

import typer

from services.cli.bulk.options import EmbedFlags, checked
from services.cli.dataclass_command import with_options
from services.cli.imports.command import run_import
from services.cli.imports.options import ImportFlags, Source
from services.cli.options import Services


@with_options
def embed(
    source: Source,
    options: ImportFlags,
    workers: EmbedFlags,
    services: Services,
    restart: Annotated[
        bool, typer.Option("--restart", help="Begin at the first row, also after an interrupted run.")
    ] = False,
) -> None:
    """Import a catalogue as lookalike import does, by many workers on Ray. After an interruption, run it again.

    A run that was interrupted continues where it was. One that was not begins at the first row and skips unchanged
    products.

    Exit status: as lookalike import.
    """
    request = options.request(source, services)
    if request.dry_run:
        run_import(request, as_json=options.json)
    bulk = checked(workers.options())
    from services.cli.bulk.run import BulkRun  # in no image: checked before

    run_import(request, BulkRun(request, bulk, restarts=restart), as_json=options.json)
