"""`lookalike import SOURCE`: a shop's catalogue into Lookalike."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from services.cli.catalogues import Catalogue, chosen
from services.cli.output import fail

if TYPE_CHECKING:
    from services.catalogue.importing.report import Summary

EXIT_STATUS = {"done": 0, "failed": 1, "interrupted": 130, "cancelled": 130}
EXIT_REJECTED = 3


def import_(
    source: Annotated[
        Path, typer.Argument(help="The Kaggle archive (zip or folder), a folder of images, or a feed of any kind.")
    ],
    catalogue: Catalogue = None,
    mapping: Annotated[
        Path | None, typer.Option(help="JSON or TOML: what the feed's columns and categories are called here.")
    ] = None,
    images: Annotated[
        Path | None,
        typer.Option(help="The folder a feed's image paths are relative to and may not leave; else its own."),
    ] = None,
    url_template: Annotated[
        str | None, typer.Option(help="A product page's address, {id} in it, for rows without one.")
    ] = None,
    rejected: Annotated[
        Path | None, typer.Option(help="Where rejected rows go; else SOURCE.rejected.ndjson in this folder.")
    ] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Take this many products at most.")] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only read and check; ask no service, write nothing.")
    ] = False,
    allow_host: Annotated[
        list[str] | None, typer.Option(help="host:port of an image server that is not public. May be given again.")
    ] = None,
    per_host: Annotated[int, typer.Option(min=1, max=32, help="Images to fetch from one web server at a time.")] = 8,
    sync: Annotated[bool, typer.Option("--sync", help="Also remove products that the feed no longer has.")] = False,
    sync_limit: Annotated[
        float, typer.Option(min=0, max=1, help="With --sync: remove nothing if more than this share would go.")
    ] = 0.2,
    wait: Annotated[float, typer.Option(min=0, help="Seconds to wait for a service that is away.")] = 60.0,
    json: Annotated[bool, typer.Option("--json", help="Print the summary as JSON.")] = False,
    embedding_url: Annotated[str, typer.Option(envvar="EMBEDDING_URL")] = "http://127.0.0.1:8001",
    mongo_url: Annotated[str, typer.Option(envvar="MONGO_URL", show_default=False)] = "mongodb://127.0.0.1:27017",
    mongo_database: Annotated[str, typer.Option(envvar="MONGO_DATABASE")] = "lookalike",
) -> None:
    """Import a catalogue. It can be run again at any time: what has not changed is skipped.

    Exit status: 0 all is in; 1 the import failed; 3 some rows were rejected; 130 it was interrupted
    or cancelled.
    """
    from services.cli.imports.display import show
    from services.cli.imports.run import ImportRequest, UsageError, run

    request = ImportRequest(
        source=source,
        catalogue=chosen(catalogue),
        mapping=mapping,
        images=images,
        url_template=url_template,
        rejected=rejected or Path(f"{source.resolve().name}.rejected.ndjson"),
        limit=limit,
        dry_run=dry_run,
        sync=sync,
        sync_limit=sync_limit,
        allow_hosts=tuple(allow_host or ()),
        per_host=per_host,
        wait_s=wait,
        embedding_url=embedding_url,
        mongo_url=mongo_url,
        mongo_database=mongo_database,
    )
    try:
        summary = run(request)
    except UsageError as error:
        fail(str(error), 2)
    show(summary, as_json=json)
    raise typer.Exit(exit_status(summary))


def exit_status(summary: "Summary") -> int:
    """Return what the shell is told: 0, 1, 3 or 130, as the command's help says."""
    if summary.status == "done" and summary.tally.rejected:
        return EXIT_REJECTED
    return EXIT_STATUS[summary.status]
