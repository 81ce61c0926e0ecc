"""`lookalike learn train`, `report`, `promote`, `rollback` and `status`."""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from services.cli.catalogues import Catalogue, chosen
from services.cli.dataclass_command import with_options
from services.cli.options import Database, Json
from services.cli.output import err, fail, sentence
from services.cli.own_stack import announce_target

if TYPE_CHECKING:
    from services.catalogue.store.database import CatalogueDatabase
    from services.catalogue.store.learned_orders import OrderVersion
    from services.cli.learn.session import LearnSession

T = TypeVar("T")
app = typer.Typer(help="The order of results that is learned from what shoppers click and buy.", no_args_is_help=True)
EXIT_NO_GAIN = 3
Version = Annotated[str | None, typer.Argument(help="A version of the learned order.", show_default="the latest")]


@app.command("train")
@with_options
def train(
    database: Database,
    catalogue: Catalogue = None,
    days: Annotated[float, typer.Option(min=1, max=3660, help="Days of the log to learn from.")] = 90,
    held_out_days: Annotated[
        int, typer.Option(min=1, max=365, help="The last days, which the report is about and the trees do not see.")
    ] = 7,
    bound: Annotated[
        float,
        typer.Option(
            min=0, max=2, envvar="GATEWAY_LEARNED_BOUND", help="How far similarity may be overruled, as in searches."
        ),
    ] = 0.05,
    half_life: Annotated[
        float, typer.Option(min=0.1, max=3660, help="Days after which a click counts half in click rates.")
    ] = 14.0,
    debias: Annotated[bool, typer.Option(help="Weight clicks by how likely shoppers look at their position.")] = True,
    seed: Annotated[int, typer.Option(min=0, max=2**31 - 1, help="Of all draws.")] = 7,
    json: Json = False,
) -> None:
    """Learn an order from the event log, and report what it is worth on held-out days. Searches do not use it yet.

    Exit status: 0 learned; 1 it cannot be learned, for example because the log has too few clicks.
    """
    from services.catalogue.learning.training import LearningOptions
    from services.cli.learn.display import show_report
    from services.cli.learn.session import searches_of

    options = LearningOptions(held_out_days, bound, half_life, debias, seed)

    async def work(session: "LearnSession", store: "CatalogueDatabase") -> "OrderVersion":
        with err.status("reading the log") as status:
            searches = await searches_of(store, days)
            status.update(f"learning from {len(searches):,} searches")
            return await session.train(searches, options)

    announce_target(database.mongo_url, database.mongo_database, chosen(catalogue))
    version = _run(work, database, catalogue)
    show_report(version, as_json=json)
    typer.echo(f"searches do not use it yet: lookalike learn promote {version.version}", err=True)


@app.command("report")
@with_options
def report(database: Database, version: Version = None, catalogue: Catalogue = None, json: Json = False) -> None:
    """Print the report of a version: what it is worth on the days that were held out."""
    from services.cli.learn.display import show_report

    async def work(session: "LearnSession", _: "CatalogueDatabase") -> "OrderVersion":
        return (await session.orders()).named(version)

    show_report(_run(work, database, catalogue), as_json=json)


@app.command("promote")
@with_options
def promote(
    database: Database,
    version: Version = None,
    catalogue: Catalogue = None,
    force: Annotated[
        bool, typer.Option("--force", help="Also a version that is not known to be better than similarity alone.")
    ] = False,
    json: Json = False,
) -> None:
    """Let searches use a version. It has to be better than the plain order, the whole 95 % interval.

    Exit status: 0 searches use it; 1 there is no such version; 3 it is not known to be better.
    """
    from services.cli.learn.display import show_note
    from services.cli.learn.session import NoGain

    announce_target(database.mongo_url, database.mongo_database, chosen(catalogue))
    try:
        _, note = _run(lambda session, _: session.promote(version, force=force), database, catalogue)
    except NoGain as error:
        fail(str(error), EXIT_NO_GAIN)
    show_note(note, as_json=json)


@app.command("rollback")
@with_options
def rollback(database: Database, catalogue: Catalogue = None, json: Json = False) -> None:
    """Let searches use the version before again, or the plain order if there was none, within seconds."""
    from services.cli.learn.display import show_note

    announce_target(database.mongo_url, database.mongo_database, chosen(catalogue))
    show_note(_run(lambda session, _: session.rollback(), database, catalogue), as_json=json)


@app.command("status")
@with_options
def status(database: Database, catalogue: Catalogue = None, json: Json = False) -> None:
    """List the versions, and print which one searches use."""
    from services.cli.learn.display import show_orders

    show_orders(_run(lambda session, _: session.orders(), database, catalogue), as_json=json)


def _run(
    work: "Callable[[LearnSession, CatalogueDatabase], Awaitable[T]]", database: Database, catalogue: str | None
) -> T:
    """Return what `work` returns; end the command with a message if it fails.

    Raises:
        NoGain: as `LearnSession.promote`.
    """
    import asyncio

    from services.catalogue.learning.lightgbm_training import LearningUnavailable
    from services.catalogue.learning.training import NotEnoughEvents
    from services.catalogue.store.database import CatalogueDatabase
    from services.cli.learn.session import LearnSession, NoGain, OrderRefused
    from services.contracts.domain.errors import LookalikeError

    name = chosen(catalogue)

    async def run() -> T:
        async with CatalogueDatabase(database.mongo_url, database.mongo_database, catalogue=name) as store:
            return await work(LearnSession(store.learned_orders), store)

    try:
        return asyncio.run(run())
    except NoGain:
        raise
    except (OrderRefused, NotEnoughEvents, LearningUnavailable) as error:
        fail(str(error))
    except LookalikeError as error:
        fail(sentence(error))
