"""`lookalike events export`, `delete-visitor` and `status`."""

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeVar

import typer

from services.cli.catalogues import Catalogue, chosen, installed
from services.cli.dataclass_command import with_options
from services.cli.options import Database, Json
from services.cli.output import err, fail, out, print_json, sentence
from services.cli.own_stack import announce_target

if TYPE_CHECKING:
    from contextlib import AbstractContextManager
    from datetime import datetime

    from services.catalogue.store.database import CatalogueDatabase
    from services.catalogue.store.events.event_log import EventLog
    from services.cli.events.export import RowWriter

T = TypeVar("T")
app = typer.Typer(help="The log of searches and of what shoppers do with results.", no_args_is_help=True)
Since = Annotated[str | None, typer.Option(help="From this time on: 2026-11-01, or 30d for 30 days ago.")]
Until = Annotated[str | None, typer.Option(help="Until before this time.")]


@app.command("export")
@with_options
def export(
    database: Database,
    catalogue: Catalogue = None,
    of: Annotated[Literal["events", "searches"], typer.Option(help="What to export.")] = "events",
    since: Since = None,
    until: Until = None,
    format: Annotated[Literal["ndjson", "parquet"], typer.Option(help="The file's format.")] = "ndjson",
    output: Annotated[Path | None, typer.Option(help="The file to write. Default: stdout, for NDJSON.")] = None,
) -> None:
    """Write events or searches, in the terms of User Behavior Insights, in the order of time."""
    from datetime import UTC, datetime

    from services.cli.events.export import MissingLibrary, ndjson_writer, parquet_writer
    from services.cli.events.values import parse_period

    try:
        begin, end = parse_period(since, until, datetime.now(UTC))
    except ValueError as error:
        fail(str(error), 2)
    if format == "parquet" and output is None:
        fail("Parquet is not text: name the file with --output", 2)
    writer: AbstractContextManager[RowWriter] = (
        parquet_writer(output, is_events=of == "events")
        if format == "parquet" and output is not None
        else ndjson_writer(output)
    )

    async def work(store: "CatalogueDatabase") -> int:
        count = 0
        with writer as file:
            async for rows in _rows(store.of(chosen(catalogue)).events, of, begin, end):
                file.write(rows)
                count += len(rows)
        return count

    try:
        count = _run(work, database)
    except MissingLibrary as error:
        fail(str(error))
    err.print(f"{count:,} rows", highlight=False)


async def _rows(
    log: "EventLog", of: str, begin: "datetime | None", end: "datetime | None"
) -> AsyncIterator[list[dict[str, Any]]]:
    from services.catalogue.events.ubi import event_rows, query_row

    if of == "events":
        async for events in log.events(begin, end):
            yield [row for event in events for row in event_rows(event)]
    else:
        async for queries in log.queries(begin, end):
            yield [query_row(query) for query in queries]


@app.command("delete-visitor")
@with_options
def delete_visitor(
    database: Database,
    visitor: Annotated[str, typer.Argument(help="The visitor's id, client_id in exports.", show_default=False)],
    catalogue: Annotated[
        str | None, typer.Option("--catalogue", help="Only from this catalogue. Default: from every one.")
    ] = None,
    json: Json = False,
) -> None:
    """Remove every trace of a visitor: events and searches."""
    from services.catalogue.events.visitor import MAX_VISITOR, checked_visitor

    try:
        if len(checked_visitor(visitor)) > MAX_VISITOR:
            raise ValueError(f"a visitor's id has at most {MAX_VISITOR} characters")
    except ValueError as error:
        fail(str(error), 2)
    names = installed() if catalogue is None else (chosen(catalogue),)
    announce_target(database.mongo_url, database.mongo_database)

    async def work(store: "CatalogueDatabase") -> dict[str, int]:
        removed = [await store.of(name).events.delete_visitor(visitor) for name in names]
        return {"events": sum(r.events for r in removed), "searches": sum(r.queries for r in removed)}

    counts = _run(work, database)
    if json:
        print_json(counts)
    else:
        out.print(f"removed {counts['events']:,} events and {counts['searches']:,} searches", highlight=False)


@app.command("status")
@with_options
def status(database: Database, json: Json = False) -> None:
    """Print how much the log of each catalogue holds, and of which time."""

    async def work(store: "CatalogueDatabase") -> list[dict[str, Any]]:
        sizes = [(name, await store.of(name).events.size()) for name in installed()]
        return [
            {
                "catalogue": name,
                "events": size.events,
                "searches": size.queries,
                "first": size.first,
                "last": size.last,
            }
            for name, size in sizes
        ]

    logs = _run(work, database)
    if json:
        print_json(logs)
        return
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    for name in logs[0]:
        table.add_column(name, justify="right" if name in ("events", "searches") else "left", no_wrap=True)
    for log in logs:
        moments = [f"{log[end]:%Y-%m-%d %H:%M}" if log[end] else "–" for end in ("first", "last")]
        table.add_row(log["catalogue"], f"{log['events']:,}", f"{log['searches']:,}", *moments)
    out.print(table)


def _run(work: "Callable[[CatalogueDatabase], Awaitable[T]]", database: Database) -> T:
    """Return what `work` returns; end the command with a message if the database fails."""
    import asyncio

    from services.catalogue.store.database import CatalogueDatabase
    from services.contracts.domain.errors import LookalikeError

    async def run() -> T:
        async with CatalogueDatabase(database.mongo_url, database.mongo_database) as store:
            return await work(store)

    try:
        return asyncio.run(run())
    except LookalikeError as error:
        fail(sentence(error))
