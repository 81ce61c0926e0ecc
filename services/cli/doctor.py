"""`lookalike doctor`: looks for problems in the catalogue."""

from typing import TYPE_CHECKING, Annotated

import typer

from services.cli.catalogues import Catalogue, chosen
from services.cli.dataclass_command import with_options
from services.cli.options import AllowHost, Json, Services
from services.cli.output import err, fail, out, print_json, print_line, sentence

if TYPE_CHECKING:
    from services.catalogue.health.doctor import Report
    from services.catalogue.store.database import CatalogueDatabase
    from services.contracts.images.fetch import ImageFetcher
    from services.contracts.wire.embedding import ModelFacts

EXIT_FINDINGS = 3
SCAN_BATCH = 1000
URL_BATCH = 200  # products between two reads from the database, which ends a scan after minutes without a read
MODEL_TIMEOUT_S = 2.0


@with_options
def doctor(
    services: Services,
    catalogue: Catalogue = None,
    check_urls: Annotated[
        bool, typer.Option("--check-urls", help="Also request every image and product page.")
    ] = False,
    allow_host: AllowHost = None,
    show: Annotated[int, typer.Option(min=0, help="Number of examples of each problem.")] = 20,
    json: Json = False,
) -> None:
    """Look for problems in the catalogue, and store the report for the catalogue page. Changes no product.

    Exit status: 0 there are no problems; 1 the catalogue cannot be read; 3 there are problems.
    """
    import asyncio
    from datetime import UTC, datetime

    from services.catalogue.store.database import CatalogueDatabase
    from services.catalogue.store.notes import LAST_EXAMINATION
    from services.contracts.domain.errors import LookalikeError
    from services.contracts.images.fetch import ImageFetcher

    async def run() -> "Report":
        async with CatalogueDatabase(services.mongo_url, services.mongo_database, catalogue=chosen(catalogue)) as store:
            facts = await model_facts(
                services.embedding_url, (await store.models.note()).active, services.service_token
            )
            fetcher = ImageFetcher(allowed_hosts=allow_host or ()) if check_urls else None
            report = await examine(store, facts, fetcher, show)
            await store.notes.put(LAST_EXAMINATION, {"finished_at": datetime.now(UTC), **report.document()})
            return report

    try:
        report = asyncio.run(run())
    except LookalikeError as error:
        fail(sentence(error))
    except ValueError as error:
        fail(str(error), 2)
    if json:
        print_json(report.document())
    else:
        print_report(report)
    raise typer.Exit(0 if report.healthy else EXIT_FINDINGS)


async def model_facts(embedding_url: str, promoted: str | None, token: str | None = None) -> "ModelFacts":
    """Return the facts of the model that searches use: the promoted model, or that of the embedding service's settings.

    If the embedding service is unavailable, return the shipped models' categories.
    """
    from services.cli.imports.run import SHIPPED
    from services.contracts.clients.embedding_client import EmbeddingClient
    from services.contracts.domain.errors import LookalikeError

    client = EmbeddingClient(embedding_url, MODEL_TIMEOUT_S, token=token)
    try:
        return await client.model(promoted)
    except LookalikeError:
        if promoted is not None:
            return SHIPPED.model_copy(update={"model": promoted})
        typer.echo(
            "the embedding service is unavailable: the model of most products counts as the active one", err=True
        )
        return SHIPPED
    finally:
        await client.close()


async def examine(
    store: "CatalogueDatabase", facts: "ModelFacts", fetcher: "ImageFetcher | None", shown: int
) -> "Report":
    """Return the report on a catalogue; with a fetcher, on its URLs too."""
    import asyncio

    from services.catalogue.health.doctor import Examination
    from services.catalogue.health.url_check import UrlCheck

    examination = Examination(facts, shown)
    urls = None if fetcher is None else UrlCheck(fetcher, examination)
    try:
        with err.status("examining the catalogue") as status:
            async for entries in store.products.scan(SCAN_BATCH if urls is None else URL_BATCH):
                await asyncio.to_thread(examination.add, entries)
                if urls is not None:
                    await urls.check(entries)
                status.update(f"{examination.products:,} products")
        return await asyncio.to_thread(examination.report)
    finally:
        examination.close()
        if fetcher is not None:
            await fetcher.close()


def print_report(report: "Report") -> None:
    """Print a report as a table, with examples below it."""
    from rich.table import Table

    from services.catalogue.health.doctor import KINDS

    out.print(f"{report.products:,} products, model {report.model or 'unknown'}", style="bold", highlight=False)
    if report.urls_checked or report.urls_unchecked:
        out.print(f"{report.urls_checked:,} URLs checked, {report.urls_unchecked:,} are paths", highlight=False)
    table = Table(show_header=False, box=None)
    for kind, finding in report.findings.items():
        table.add_row(KINDS[kind], f"{finding.count:,}", style="red" if finding.count else "green")
    out.print(table)
    for kind, finding in report.findings.items():
        if finding.examples:
            out.print(f"\n{KINDS[kind]}", style="bold", highlight=False)
        for example in finding.examples:
            print_line(f"  {example}")
