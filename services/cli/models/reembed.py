"""`lookalike reembed --model 2`: computes the vectors of another model while the active one serves."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from services.cli.bulk.options import ReembedFlags, checked
from services.cli.catalogues import chosen, installed
from services.cli.dataclass_command import with_options
from services.cli.imports.command import EXIT_REJECTED, EXIT_STATUS
from services.cli.options import FIRST_MODEL, AllowHost, Json, OnePart, Services, UnversionedModel, Wait
from services.cli.output import fail
from services.cli.own_stack import announce_target
from services.contracts.domain.parts import WHOLE

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from services.catalogue.model_switch.reembedding_report import ReembedSummary
    from services.cli.models.reembed_run import ReembedRequest


@with_options
def reembed(
    services: Services,
    workers: ReembedFlags,
    model: Annotated[str, typer.Option(help="The model: its version, 2, or its name, fashion/2.")],
    catalogue: Annotated[str | None, typer.Option(help="Only this catalogue.", show_default="all catalogues")] = None,
    rate: Annotated[float | None, typer.Option(min=0.01, help="The largest number of products a second.")] = None,
    rejected: Annotated[
        Path | None,
        typer.Option(help="The file for products without a vector.", show_default="./reembed-MODEL.rejected.ndjson"),
    ] = None,
    image_url_template: Annotated[
        str | None,
        typer.Option(
            envvar="GATEWAY_IMAGE_URL_TEMPLATE",
            help="The address of a picture, with {id} in it, for products without one.",
        ),
    ] = None,
    allow_host: AllowHost = None,
    per_host: Annotated[int, typer.Option(min=1, max=64, help="Images fetched from one server at a time.")] = 8,
    unversioned_model: UnversionedModel = FIRST_MODEL,
    part: OnePart = None,
    wait: Wait = 60.0,
    json: Json = False,
) -> None:
    """Compute the vectors of another model, while the active one serves. After an interruption, run it again.

    From now on, products are written with the vectors of both models. Searches use the new model after
    lookalike promote.

    Exit status: 0 every product has a vector; 1 it failed; 3 some products were rejected; 130 it was interrupted.
    """
    from services.cli.models.reembed_display import show_json
    from services.cli.models.reembed_run import ReembedRequest

    if image_url_template is not None and "{id}" not in image_url_template:
        fail("--image-url-template must contain {id}, in the place of the product's id", 2)
    names = installed() if catalogue is None else (chosen(catalogue),)
    if rejected is not None and len(names) > 1:
        fail("--rejected is the file of one catalogue: name the catalogue with --catalogue", 2)
    try:
        bulk = workers.chosen()
    except ValueError as error:
        fail(str(error), 2)
    if bulk is not None:
        checked(bulk)
    request = ReembedRequest(
        model=model,
        services=services,
        rate=rate,
        rejected=rejected,
        image_url_template=image_url_template or None,
        allow_hosts=tuple(allow_host or ()),
        per_host=per_host,
        unversioned_model=unversioned_model,
        part=part or WHOLE,
        wait_s=wait,
        bulk=bulk,
    )
    announce_target(services.mongo_url, services.mongo_database)
    try:
        summaries = list(_summaries(request, names, as_json=json))
    except ValueError as error:
        fail(str(error), 2)
    if json:
        show_json(summaries, several=len(names) > 1)
    raise typer.Exit(exit_status(summaries))


def exit_status(summaries: "Sequence[ReembedSummary]") -> int:
    """Return the command's exit status: 0, 1, 3 or 130, as its help says."""
    if summaries[-1].status != "done":
        return EXIT_STATUS[summaries[-1].status]
    rejected = any(summary.tally.rejected or summary.tally.images_rejected for summary in summaries)
    return EXIT_REJECTED if rejected else 0


def _summaries(request: "ReembedRequest", names: "Sequence[str]", *, as_json: bool) -> "Iterator[ReembedSummary]":
    """Run each catalogue in turn, and print and yield its summary; the first one that is not done is the last."""
    from services.cli.models.reembed_display import show
    from services.cli.models.reembed_run import run

    for name in names:
        summary = run(replace(request, catalogue=name))
        show(summary, as_json=as_json)
        yield summary
        if summary.status != "done":
            return
