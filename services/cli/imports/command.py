"""`lookalike import SOURCE`: imports a shop's catalogue."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

import typer

from services.cli.catalogues import Catalogue, chosen
from services.cli.dataclass_command import with_options
from services.cli.options import AllowHost, Json, OnePart, Services, Wait
from services.cli.output import fail
from services.cli.own_stack import announce_target
from services.contracts.domain.parts import WHOLE

if TYPE_CHECKING:
    from services.catalogue.importing.report import Summary
    from services.catalogue.sources.records.money import DecimalSeparator

EXIT_STATUS = {"done": 0, "failed": 1, "interrupted": 130, "cancelled": 130}
EXIT_REJECTED = 3


@with_options
def import_(
    source: Annotated[
        Path, typer.Argument(help="The Kaggle archive (zip or folder), a folder of images, or a feed of any format.")
    ],
    services: Services,
    catalogue: Catalogue = None,
    mapping: Annotated[
        Path | None, typer.Option(help="JSON or TOML: the feed's names of columns and categories.")
    ] = None,
    images: Annotated[
        Path | None,
        typer.Option(
            help="The folder of the feed's image paths, which cannot leave it.", show_default="the feed's folder"
        ),
    ] = None,
    url_template: Annotated[
        str | None, typer.Option(help="The address of a product page, with {id} in it, for rows without one.")
    ] = None,
    decimal_separator: Annotated[
        str | None,
        typer.Option(
            help="The decimal separator of prices such as 1.299: a point or a comma.", show_default="1.299 is 1299"
        ),
    ] = None,
    currency: Annotated[str | None, typer.Option(help="The currency of prices without one, such as USD.")] = None,
    encoding: Annotated[
        str | None,
        typer.Option(help="The encoding of the feed, such as windows-1252.", show_default="UTF-8, or detected"),
    ] = None,
    format_: Annotated[
        str | None,
        typer.Option(
            "--format",
            help="The format of a table: csv, google, meta, shopify, woocommerce, magento or prestashop.",
            show_default="by its columns",
        ),
    ] = None,
    image_base_url: Annotated[
        str | None, typer.Option(help="The web address that the feed's image paths are relative to.")
    ] = None,
    rejected: Annotated[
        Path | None, typer.Option(help="The file for rejected rows.", show_default="./SOURCE.rejected.ndjson")
    ] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Import at most this number of products.")] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only read and check the source; write nothing to the database.")
    ] = False,
    allow_host: AllowHost = None,
    per_host: Annotated[int, typer.Option(min=1, max=32, help="Images fetched from one server at a time.")] = 8,
    sync: Annotated[bool, typer.Option("--sync", help="Also remove the products that the feed no longer has.")] = False,
    sync_limit: Annotated[
        float, typer.Option(min=0, max=1, help="With --sync: the largest share of the products that may be removed.")
    ] = 0.2,
    part: OnePart = None,
    wait: Wait = 60.0,
    json: Json = False,
) -> None:
    """Import a catalogue. Run it again at any time: unchanged products are skipped.

    Exit status: 0 everything is imported; 1 the import failed; 3 some rows were rejected; 130 the import was
    interrupted or cancelled.
    """
    from services.cli.imports.display import show
    from services.cli.imports.run import ImportRequest, UsageError, run

    request = ImportRequest(
        source=source,
        services=services,
        catalogue=chosen(catalogue),
        mapping=mapping,
        images=images,
        url_template=url_template,
        decimal_separator=cast("DecimalSeparator | None", decimal_separator),  # checked by `run`
        currency=currency,
        encoding=encoding,
        format=format_,
        image_base_url=image_base_url,
        rejected=rejected or Path(f"{source.resolve().name}.rejected.ndjson"),
        limit=limit,
        dry_run=dry_run,
        sync=sync,
        sync_limit=sync_limit,
        part=part or WHOLE,
        allow_hosts=tuple(allow_host or ()),
        per_host=per_host,
        wait_s=wait,
    )
    if not dry_run:
        announce_target(services.mongo_url, services.mongo_database, request.catalogue)
    try:
        summary = run(request)
    except UsageError as error:
        fail(str(error), 2)
    show(summary, as_json=json)
    raise typer.Exit(exit_status(summary))


def exit_status(summary: "Summary") -> int:
    """Return the command's exit status: 0, 1, 3 or 130, as its help says."""
    if summary.status == "done" and summary.tally.rejected:
        return EXIT_REJECTED
    return EXIT_STATUS[summary.status]
