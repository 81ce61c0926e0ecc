"""`lookalike reembed --model 2`: the vectors of another model, while the one in use serves."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from services.cli.catalogues import chosen, installed
from services.cli.imports.command import EXIT_REJECTED, EXIT_STATUS
from services.cli.output import fail
from services.contracts.domain.catalogues import DEFAULT_CATALOGUE

if TYPE_CHECKING:
    from services.catalogue.model_switch.reembedding_report import ReembedSummary


def reembed(
    model: Annotated[str, typer.Option(help="The model: its version, 2, or its name, fashion/2.")],
    catalogue: Annotated[str | None, typer.Option(help="This catalogue only; all of them unless set.")] = None,
    rate: Annotated[float | None, typer.Option(min=0.01, help="So many products a second at most.")] = None,
    rejected: Annotated[
        Path | None, typer.Option(help="Where products go that have no vector; else a file in this folder.")
    ] = None,
    image_url_template: Annotated[
        str | None,
        typer.Option(
            envvar="GATEWAY_IMAGE_URL_TEMPLATE", help="A picture's address, {id} in it, for products without one."
        ),
    ] = None,
    allow_host: Annotated[
        list[str] | None, typer.Option(help="host:port of an image server that is not public. May be given again.")
    ] = None,
    per_host: Annotated[int, typer.Option(min=1, max=64, help="Images fetched from one server at a time.")] = 8,
    unversioned_model: Annotated[
        str, typer.Option(envvar="INDEX_UNVERSIONED_MODEL", help="The model of documents that name none.")
    ] = "fashion/1",
    wait: Annotated[float, typer.Option(min=0, help="Seconds to wait for a service that is away.")] = 60.0,
    json: Annotated[bool, typer.Option("--json", help="Print the summary as JSON.")] = False,
    embedding_url: Annotated[str, typer.Option(envvar="EMBEDDING_URL")] = "http://127.0.0.1:8001",
    mongo_url: Annotated[str, typer.Option(envvar="MONGO_URL", show_default=False)] = "mongodb://127.0.0.1:27017",
    mongo_database: Annotated[str, typer.Option(envvar="MONGO_DATABASE")] = "lookalike",
) -> None:
    """Compute the vectors of a model that lies beside the one in use, which goes on serving. Run it again to go on.

    From now on whatever is written gets the vectors of both. Searches use the new model after lookalike promote.

    Exit status: 0 every product has a vector; 1 it failed; 3 some products were rejected; 130 it was interrupted.
    """
    from services.cli.models.reembed_display import show, show_json
    from services.cli.models.reembed_run import ReembedRequest, run

    if image_url_template is not None and "{id}" not in image_url_template:
        fail("--image-url-template needs {id} where the product's id goes", 2)
    names = installed() if catalogue is None else (chosen(catalogue),)
    if rejected is not None and len(names) > 1:
        fail("--rejected is one catalogue's file: name the catalogue with --catalogue", 2)
    request = ReembedRequest(
        model=model,
        rate=rate,
        rejected=rejected or Path(),
        image_url_template=image_url_template or None,
        allow_hosts=tuple(allow_host or ()),
        per_host=per_host,
        unversioned_model=unversioned_model,
        wait_s=wait,
        embedding_url=embedding_url,
        mongo_url=mongo_url,
        mongo_database=mongo_database,
    )
    summaries: list[ReembedSummary] = []
    for name in names:
        of = "" if name == DEFAULT_CATALOGUE else f"-{name}"
        file = rejected or Path(f"reembed-{model.replace('/', '-')}{of}.rejected.ndjson")
        try:
            summaries.append(run(replace(request, catalogue=name, rejected=file)))
        except ValueError as error:
            fail(str(error), 2)
        show(summaries[-1], as_json=json)
        if summaries[-1].status != "done":
            break
    if json:
        show_json(summaries, several=len(names) > 1)
    if summaries[-1].status != "done":
        raise typer.Exit(EXIT_STATUS[summaries[-1].status])
    some = any(summary.tally.rejected or summary.tally.images_rejected for summary in summaries)
    raise typer.Exit(EXIT_REJECTED if some else 0)
