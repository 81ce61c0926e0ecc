"""`lookalike import SOURCE`: imports a shop's catalogue."""

from typing import TYPE_CHECKING

import typer

from services.cli.dataclass_command import with_options
from services.cli.imports.options import ImportFlags, Source
from services.cli.options import Services
from services.cli.output import fail
from services.cli.own_stack import announce_target

if TYPE_CHECKING:
    from services.catalogue.importing.report import Summary
    from services.cli.imports.run import ImportRequest, Workers

EXIT_STATUS = {"done": 0, "failed": 1, "interrupted": 130, "cancelled": 130}
EXIT_REJECTED = 3


@with_options
def import_(source: Source, options: ImportFlags, services: Services) -> None:
    """Import a catalogue. Run it again at any time: unchanged products are skipped.

    Exit status: 0 everything is imported; 1 the import failed; 3 some rows were rejected; 130 the import was
    interrupted or cancelled.
    """
    run_import(options.request(source, services), as_json=options.json)


def run_import(request: "ImportRequest", workers: "Workers | None" = None, *, as_json: bool) -> None:
    """Run an import, in this process or by workers, print its summary and end the command."""
    from services.cli.imports.display import show
    from services.cli.imports.run import UsageError, run

    if not request.dry_run:
        announce_target(request.services.mongo_url, request.services.mongo_database, request.catalogue)
    try:
        summary = run(request, workers)
    except UsageError as error:
        fail(str(error), 2)
    show(summary, as_json=as_json)
    raise typer.Exit(exit_status(summary))


def exit_status(summary: "Summary") -> int:
    """Return the command's exit status: 0, 1, 3 or 130, as its help says."""
    if summary.status == "done" and summary.tally.rejected:
        return EXIT_REJECTED
    return EXIT_STATUS[summary.status]
