"""`lookalike demand`: what shoppers did not find."""

from typing import TYPE_CHECKING, Annotated, Literal

import typer

from services.cli.catalogues import Catalogue, chosen
from services.cli.dataclass_command import with_options
from services.cli.events.commands import Since, Until
from services.cli.options import Database
from services.cli.output import err, fail, out, print_json, sentence

if TYPE_CHECKING:
    from services.catalogue.demand.report import DemandReport

DEFAULT_DAYS = 30


@with_options
def demand(
    database: Database,
    catalogue: Catalogue = None,
    since: Since = f"{DEFAULT_DAYS}d",
    until: Until = None,
    category: Annotated[str | None, typer.Option(help="The only category to examine, by name.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="Number of clusters to show.")] = 20,
    format: Annotated[Literal["table", "csv", "json"], typer.Option(help="How to print the report.")] = "table",
    by: Annotated[Literal["cluster", "day"], typer.Option(help="The rows of a table or a CSV.")] = "cluster",
) -> None:
    """Print the searches that had no close match or no click, clustered, or counted by day and category.

    The log of searches is kept while GATEWAY_EVENTS_ENABLED is set.
    """
    import asyncio
    from datetime import UTC, datetime, timedelta

    from services.catalogue.demand.examination import examine
    from services.catalogue.demand.report import csv_of
    from services.catalogue.store.database import CatalogueDatabase
    from services.cli.events.values import parse_period
    from services.contracts.domain.errors import LookalikeError

    now = datetime.now(UTC)
    try:
        begin, end = parse_period(since, until, now)
    except ValueError as error:
        fail(str(error), 2)

    async def run() -> "DemandReport":
        async with CatalogueDatabase(database.mongo_url, database.mongo_database) as store:
            log = store.of(chosen(catalogue))
            stop = end or now + timedelta(seconds=1)
            start = begin or stop - timedelta(days=DEFAULT_DAYS)
            return await examine(log.events, log.products, start, stop, category=category, limit=limit)

    try:
        report = asyncio.run(run())
    except LookalikeError as error:
        fail(sentence(error))
    if format == "json":
        print_json(report)
    elif format == "csv":
        typer.echo(csv_of(report, by), nl=False)
    else:
        _print_table(report, by)


def _print_table(report: "DemandReport", by: str) -> None:
    from rich.markup import escape
    from rich.table import Table

    _print_summary(report)
    table = Table(box=None, pad_edge=False)
    if by == "day":
        for name in ("day", "category", "searches", "ok", "no match", "other clothing", "no clothing", "no click"):
            table.add_column(name, justify="left" if name in ("day", "category") else "right")
        for day in report.days:
            outcomes = (day.ok, day.no_close_match, day.other_clothing, day.no_clothing, day.without_click)
            table.add_row(str(day.day), escape(day.category), *map(str, (day.searches, *outcomes)))
        out.print(table)
        return
    for name in ("searches", "no match", "no click", "category", "type", "colour", "gap", "nearest products"):
        table.add_column(name, justify="right" if name in ("searches", "no match", "no click", "gap") else "left")
    for cluster in report.clusters:
        names = ", ".join(product.title or product.id for product in cluster.nearest)
        counts = (cluster.searches, cluster.no_close_match, cluster.without_click)
        gap = "–" if cluster.gap is None else f"{cluster.gap:.2f}"
        texts = (cluster.category, cluster.type or "–", cluster.colour or "–", gap, names or "–")
        table.add_row(*map(str, counts), *map(escape, texts))
    out.print(table)
    if report.clusters_left_out:
        err.print(f"{report.clusters_left_out:,} smaller clusters are left out: --limit shows more", highlight=False)


def _print_summary(report: "DemandReport") -> None:
    period = f"{report.since:%Y-%m-%d} to {report.until:%Y-%m-%d}"
    err.print(f"{period}: {report.searches:,} searches, {report.unmet:,} of them unmet", highlight=False)
    if report.is_cut:
        err.print("the log has more searches in this time: these are the latest", highlight=False)
    if report.searches and not report.knows_clicks:
        err.print("no clicks are known: send events (docs/events.md)", highlight=False)
