"""The options of `lookalike import` and `lookalike embed`: where a catalogue comes from and what becomes of it."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

import typer

from services.cli.catalogues import Catalogue, chosen
from services.cli.options import AllowHost, Json, OnePart, Services, Wait
from services.contracts.domain.parts import WHOLE

if TYPE_CHECKING:
    from services.catalogue.sources.records.money import DecimalSeparator
    from services.cli.imports.run import ImportRequest

Source = Annotated[
    Path, typer.Argument(help="The Kaggle archive (zip or folder), a folder of images, or a feed of any format.")
]


@dataclass(frozen=True)
class ImportFlags:
    """What both commands are given, apart from the source and the services."""

    catalogue: Catalogue = None
    mapping: Annotated[Path | None, typer.Option(help="JSON or TOML: the feed's names of columns and categories.")] = (
        None
    )
    images: Annotated[
        Path | None,
        typer.Option(
            help="The folder of the feed's image paths, which cannot leave it.", show_default="the feed's folder"
        ),
    ] = None
    url_template: Annotated[
        str | None, typer.Option(help="The address of a product page, with {id} in it, for rows without one.")
    ] = None
    decimal_separator: Annotated[
        str | None,
        typer.Option(
            help="The decimal separator of prices such as 1.299: a point or a comma.", show_default="1.299 is 1299"
        ),
    ] = None
    currency: Annotated[str | None, typer.Option(help="The currency of prices without one, such as USD.")] = None
    encoding: Annotated[
        str | None,
        typer.Option(help="The encoding of the feed, such as windows-1252.", show_default="UTF-8, or detected"),
    ] = None
    format_: Annotated[
        str | None,
        typer.Option(
            "--format",
            help="The format of a table: csv, google, meta, shopify, woocommerce, magento or prestashop.",
            show_default="by its columns",
        ),
    ] = None
    image_base_url: Annotated[
        str | None, typer.Option(help="The web address that the feed's image paths are relative to.")
    ] = None
    rejected: Annotated[
        Path | None, typer.Option(help="The file for rejected rows.", show_default="./SOURCE.rejected.ndjson")
    ] = None
    limit: Annotated[int | None, typer.Option(min=1, help="Import at most this number of products.")] = None
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only read and check the source; write nothing to the database.")
    ] = False
    allow_host: AllowHost = None
    per_host: Annotated[int, typer.Option(min=1, max=32, help="Images fetched from one server at a time.")] = 8
    sync: Annotated[bool, typer.Option("--sync", help="Also remove the products that the feed no longer has.")] = False
    sync_limit: Annotated[
        float, typer.Option(min=0, max=1, help="With --sync: the largest share of the products that may be removed.")
    ] = 0.2
    part: OnePart = None
    wait: Wait = 60.0
    json: Json = False

    def request(self, source: Path, services: Services) -> "ImportRequest":
        """Return the import to run."""
        from services.cli.imports.run import ImportRequest

        return ImportRequest(
            source=source,
            services=services,
            catalogue=chosen(self.catalogue),
            mapping=self.mapping,
            images=self.images,
            url_template=self.url_template,
            decimal_separator=cast("DecimalSeparator | None", self.decimal_separator),  # checked by `run`
            currency=self.currency,
            encoding=self.encoding,
            format=self.format_,
            image_base_url=self.image_base_url,
            rejected=self.rejected or Path(f"{source.resolve().name}.rejected.ndjson"),
            limit=self.limit,
            dry_run=self.dry_run,
            sync=self.sync,
            sync_limit=self.sync_limit,
            part=self.part or WHOLE,
            allow_hosts=tuple(self.allow_host or ()),
            per_host=self.per_host,
            wait_s=self.wait,
        )
