"""`lookalike models`, `compare-models`, `promote`, `rollback` and `forget-model`."""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from services.cli.catalogues import installed
from services.cli.dataclass_command import with_options
from services.cli.options import FIRST_MODEL, GatewayServices, Json, UnversionedModel, Wait
from services.cli.output import err, fail, sentence
from services.cli.own_stack import announce_target

if TYPE_CHECKING:
    from services.catalogue.model_switch.comparison import ModelReport
    from services.catalogue.store.model_note import ModelNote
    from services.cli.models.session import ModelSession

T = TypeVar("T")
ModelName = Annotated[str, typer.Argument(help="The model: its version, 2, or its name, fashion/2.")]
Queries = Annotated[int, typer.Option(min=0, max=10_000, help="Number of products whose ten results are compared.")]
EXIT_NOT_COVERED = 3


@with_options
def models(services: GatewayServices, json: Json = False) -> None:
    """List the models: which one searches use, which are kept in addition, and how many products have their vectors."""
    from services.cli.models.display import show_models

    overview = _run(lambda session: session.overview(), services)
    show_models(overview, as_json=json)


@with_options
def compare_models(
    services: GatewayServices,
    model: Annotated[
        str | None, typer.Argument(help="The model, 2 or fashion/2.", show_default="the candidate")
    ] = None,
    queries: Queries = 200,
    json: Json = False,
    wait: Wait = 60.0,
    unversioned_model: UnversionedModel = FIRST_MODEL,
) -> None:
    """Report what another model would change: results, categories, products without a vector. Changes nothing."""
    from services.cli.models.display import show_report

    report = _run(lambda session: session.compare(model, queries), services, wait, unversioned_model)
    show_report(report, as_json=json)


@with_options
def promote(
    services: GatewayServices,
    model: ModelName,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only report, as compare-models does.")] = False,
    min_coverage: Annotated[
        float, typer.Option(min=0, max=1, help="The smallest share of products that must have a vector of the model.")
    ] = 1.0,
    queries: Queries = 200,
    json: Json = False,
    wait: Wait = 60.0,
    unversioned_model: UnversionedModel = FIRST_MODEL,
) -> None:
    """Report what another model changes, then let searches use it. lookalike rollback goes back to the previous one.

    Exit status: 0 searches use it; 1 it cannot be promoted; 3 too few products have a vector of it.
    """
    from services.cli.models.display import show_report

    async def work(session: "ModelSession") -> "tuple[ModelReport, ModelNote | None]":
        if dry_run:
            return await session.compare(model, queries), None
        return await session.promote(model, queries, min_coverage)

    if not dry_run:
        announce_target(services.mongo_url, services.mongo_database)
    report, note = _run(work, services, wait, unversioned_model)
    show_report(report, as_json=json, promoted=None if dry_run else note is not None)
    if note is None and not dry_run:
        missing = report.products - report.covered
        typer.echo(
            f"lookalike: {missing:,} of {report.products:,} products have no vector of "
            f"{report.model}{_by_catalogue(report)}: run lookalike reembed --model {model} again, or accept that "
            f"searches do not find these products with --min-coverage {_round_down(report.coverage)}",
            err=True,
        )
        raise typer.Exit(EXIT_NOT_COVERED)


@with_options
def rollback(services: GatewayServices, json: Json = False, wait: Wait = 60.0) -> None:
    """Let searches use the previous model again, at once."""
    from services.cli.models.display import show_rollback

    announce_target(services.mongo_url, services.mongo_database)
    note, without_vector = _run(lambda session: session.rollback(), services, wait)
    show_rollback(note, without_vector, as_json=json)


@with_options
def forget_model(services: GatewayServices, model: ModelName, json: Json = False) -> None:
    """Remove the candidate or the previous model, and its vectors. If it was interrupted, run it again to continue."""
    from services.cli.models.display import show_forgotten

    announce_target(services.mongo_url, services.mongo_database)
    name, changed, unsearchable = _run(lambda session: session.forget(model), services)
    show_forgotten(name, changed, unsearchable, as_json=json)


def _run(
    work: "Callable[[ModelSession], Awaitable[T]]",
    services: GatewayServices,
    wait_s: float = 60.0,
    unversioned_model: str = FIRST_MODEL,
) -> T:
    """Return what `work` returns; end the command with a message if it fails."""
    import asyncio

    from services.catalogue.store.model_note import ModelSwitchRefused
    from services.cli.gateway_client import GatewayError
    from services.cli.models.session import ModelSession
    from services.contracts.domain.errors import LookalikeError

    catalogues = installed()

    async def run() -> T:
        with err.status("connecting to the services") as status:
            session = ModelSession(services, catalogues, wait_s, unversioned_model, on_progress=status.update)
            async with session:
                return await work(session)

    try:
        return asyncio.run(run())
    except (ModelSwitchRefused, GatewayError) as error:
        fail(str(error))
    except LookalikeError as error:
        fail(sentence(error))
    except ValueError as error:
        fail(str(error), 2)


def _by_catalogue(report: "ModelReport") -> str:
    """Return the number of products without a vector in each catalogue; empty if there is one catalogue."""
    missing = [
        f"{products - covered:,} of {name}"
        for name, (products, covered) in report.catalogues.items()
        if covered < products
    ]
    return f" ({', '.join(missing)})" if len(report.catalogues) > 1 else ""


def _round_down(share: float) -> str:
    """Return a share with four decimals, never more than it is."""
    return f"{int(share * 10_000) / 10_000:g}"
