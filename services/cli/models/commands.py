"""`lookalike models`, `compare-models`, `promote`, `rollback` and `forget-model`: changing the model while searches go on."""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from services.cli.catalogues import installed
from services.cli.output import err, fail

if TYPE_CHECKING:
    from services.catalogue.model_switch.comparison import ModelReport
    from services.cli.models.run import ModelCommands

T = TypeVar("T")
Name = Annotated[str, typer.Argument(help="The model: its version, 2, or its name, fashion/2.")]
Queries = Annotated[int, typer.Option(min=0, max=10_000, help="Products whose ten results are compared.")]
Json = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]
Wait = Annotated[float, typer.Option(min=0, help="Seconds to wait for the index.")]
Unversioned = Annotated[
    str, typer.Option(envvar="INDEX_UNVERSIONED_MODEL", help="The model of documents that name none.")
]
Gateway = Annotated[str | None, typer.Option(envvar="GATEWAY_URL", help="The gateway's address.")]
EmbeddingUrl = Annotated[str, typer.Option(envvar="EMBEDDING_URL")]
MongoUrl = Annotated[str, typer.Option(envvar="MONGO_URL", show_default=False)]
MongoDatabase = Annotated[str, typer.Option(envvar="MONGO_DATABASE")]
EMBEDDING, MONGO, DATABASE, FIRST = (
    "http://127.0.0.1:8001",
    "mongodb://127.0.0.1:27017",
    "lookalike",
    "fashion/1",
)
EXIT_NOT_COVERED = 3


def models(
    json: Json = False,
    gateway: Gateway = None,
    embedding_url: EmbeddingUrl = EMBEDDING,
    mongo_url: MongoUrl = MONGO,
    mongo_database: MongoDatabase = DATABASE,
) -> None:
    """List the models: which one searches use, which stands beside it, and how many products have their vectors."""
    from services.cli.models.display import show_models

    found = _run(lambda commands: commands.overview(), gateway, embedding_url, mongo_url, mongo_database)
    show_models(found, as_json=json)


def compare_models(
    model: Annotated[str | None, typer.Argument(help="The model, 2 or fashion/2; the candidate unless given.")] = None,
    queries: Queries = 200,
    json: Json = False,
    wait: Wait = 60.0,
    unversioned_model: Unversioned = FIRST,
    gateway: Gateway = None,
    embedding_url: EmbeddingUrl = EMBEDDING,
    mongo_url: MongoUrl = MONGO,
    mongo_database: MongoDatabase = DATABASE,
) -> None:
    """Say what would change with another model: results, categories, products without a vector. Nothing is changed."""
    from services.cli.models.display import show_report

    report = _run(
        lambda commands: commands.compare(model, queries),
        gateway,
        embedding_url,
        mongo_url,
        mongo_database,
        unversioned_model=unversioned_model,
        wait_s=wait,
    )
    show_report(report, as_json=json)


def promote(
    model: Name,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only report: as compare-models does.")] = False,
    min_coverage: Annotated[
        float, typer.Option(min=0, max=1, help="The least share of products that must have a vector of the model.")
    ] = 1.0,
    queries: Queries = 200,
    json: Json = False,
    wait: Wait = 60.0,
    unversioned_model: Unversioned = FIRST,
    gateway: Gateway = None,
    embedding_url: EmbeddingUrl = EMBEDDING,
    mongo_url: MongoUrl = MONGO,
    mongo_database: MongoDatabase = DATABASE,
) -> None:
    """Report, and let searches use another model from now on. The one before is kept for lookalike rollback.

    Exit status: 0 searches use it; 1 it cannot be promoted; 3 too few products have a vector of it.
    """
    from services.cli.models.display import show_report

    async def work(commands: "ModelCommands") -> Any:
        if dry_run:
            return await commands.compare(model, queries), None
        return await commands.promote(model, queries, min_coverage)

    services = (gateway, embedding_url, mongo_url, mongo_database)
    report, note = _run(work, *services, unversioned_model=unversioned_model, wait_s=wait)
    show_report(report, as_json=json, promoted=None if dry_run else note is not None)
    if note is None and not dry_run:
        missing = report.products - report.covered
        typer.echo(
            f"lookalike: {missing:,} of {report.products:,} products have no vector of {report.model}{_where(report)}: run lookalike reembed "
            f"--model {model} again, or let so many go without being found with --min-coverage {_down(report.coverage)}",
            err=True,
        )
        raise typer.Exit(EXIT_NOT_COVERED)


def _where(report: "ModelReport") -> str:
    """Say which of several catalogues lack how many."""
    lacking = [
        f"{there - covered:,} of {name}" for name, (there, covered) in report.catalogues.items() if covered < there
    ]
    return f" ({', '.join(lacking)})" if len(report.catalogues) > 1 else ""


def rollback(
    json: Json = False,
    wait: Wait = 60.0,
    gateway: Gateway = None,
    embedding_url: EmbeddingUrl = EMBEDDING,
    mongo_url: MongoUrl = MONGO,
    mongo_database: MongoDatabase = DATABASE,
) -> None:
    """Let searches use the model of before the last promotion again, at once."""
    from services.cli.models.display import show_rollback

    note, lacking = _run(
        lambda commands: commands.rollback(), gateway, embedding_url, mongo_url, mongo_database, wait_s=wait
    )
    show_rollback(note, lacking, as_json=json)


def forget_model(
    model: Name,
    json: Json = False,
    gateway: Gateway = None,
    embedding_url: EmbeddingUrl = EMBEDDING,
    mongo_url: MongoUrl = MONGO,
    mongo_database: MongoDatabase = DATABASE,
) -> None:
    """Give up a model beside the active one, and its vectors: a candidate, or the one before. Run it again to go on."""
    from services.cli.models.display import show_forgotten

    done = _run(lambda commands: commands.forget(model), gateway, embedding_url, mongo_url, mongo_database)
    show_forgotten(*done, as_json=json)


def _run(
    work: "Callable[[ModelCommands], Awaitable[T]]",
    gateway: str | None,
    embedding_url: str,
    mongo_url: str,
    mongo_database: str,
    **more: Any,
) -> T:
    import asyncio

    from services.catalogue.store.model_note import ModelChangeRefused
    from services.cli.gateway_client import GatewayError
    from services.cli.models.run import ModelCommands, Where
    from services.cli.search import default_gateway
    from services.contracts.domain.errors import LookalikeError

    services = (gateway or default_gateway(), embedding_url, mongo_url, mongo_database)
    where = Where(*services, catalogues=installed(), **more)

    async def run() -> T:
        with err.status("asking the services") as status:
            async with ModelCommands(where, status.update) as commands:
                return await work(commands)

    try:
        return asyncio.run(run())
    except (ModelChangeRefused, GatewayError) as error:
        fail(str(error))
    except LookalikeError as error:
        fail(error.detail)
    except ValueError as error:
        fail(str(error), 2)


def _down(share: float) -> str:
    """Return a share in few digits, never more than it is."""
    return f"{int(share * 10_000) / 10_000:g}"
