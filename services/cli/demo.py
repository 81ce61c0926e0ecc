"""The steps of `lookalike demo`: import a catalogue, search it, print the results."""

import hashlib
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import httpx
import orjson
import typer

from services.cli.gateway_client import GatewayClient, GatewayError
from services.contracts.domain.catalogues import DEFAULT_CATALOGUE
from services.local.settings import StackSettings

INDEXED_WITHIN_S = 600.0


class DemoError(Exception):
    """The demo cannot continue. The text says why."""


@dataclass(frozen=True)
class DemoSource:
    """The source that the demo imports, the catalogue's name, and the photo to search with."""

    path: Path
    name: str
    photo: bytes


def prepare(settings: StackSettings, dataset: Path | None) -> DemoSource:
    """Draw the sample catalogue, or open the archive.

    Raises:
        DemoError: the archive is missing or cannot be read, or the folder for the sample catalogue has other files.
    """
    if dataset is None:
        from services.sample_shop.catalogue import SampleError, sample_query, write_sample

        try:
            return DemoSource(write_sample(settings.state_dir / "sample"), "sample", sample_query(1))
        except SampleError as error:
            raise DemoError(str(error)) from None
    from services.catalogue.sources.formats.kaggle_archive import ArchiveError, BadRow, KaggleArchive

    try:
        with KaggleArchive.open(dataset) as archive:
            rows = (row for row in archive.rows() if not isinstance(row, BadRow) and row.category is not None)
            photo = archive.read_image(next(rows).id)
    except ArchiveError as error:
        raise DemoError(str(error)) from None
    except StopIteration:
        raise DemoError(f"{dataset} has no product of the nine categories") from None
    digest = hashlib.sha256(str(dataset.resolve()).encode()).hexdigest()[:8]
    return DemoSource(dataset, f"dataset-{digest}", photo)


def import_source(source: DemoSource, rejected: Path) -> int:
    """Import the catalogue with `lookalike import`. Return the number of products that it then holds.

    Raises:
        DemoError: the import failed.
    """
    command = [
        sys.executable,
        "-m",
        "services.cli.main",
        "import",
        str(source.path),
        "--json",
        "--rejected",
        str(rejected),
    ]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=False)  # noqa: S603
    try:
        summary = orjson.loads(done.stdout)
    except orjson.JSONDecodeError:
        raise DemoError("the import failed: see the messages above") from None
    if done.returncode not in (0, 3):
        raise DemoError("the import did not finish: see the messages above")
    products = int(summary["imported"] + summary["updated"] + summary["unchanged"])
    typer.echo(
        f"{products:,} products in the catalogue ({summary['imported']:,} of them new); {summary['skipped']:,} rows "
        f"skipped, outside the nine categories; {summary['rejected']:,} rejected; {summary['seconds']:.1f} s, "
        f"{summary['rate']:,.0f} products a second"
    )
    return products


def wait_until_indexed(settings: StackSettings, products: int, key: str | None = None) -> None:
    """Wait until the index holds a number of products.

    Raises:
        DemoError: it does not within ten minutes, or the gateway refuses the key.
    """
    deadline = time.monotonic() + INDEXED_WITHIN_S
    with GatewayClient(settings.gateway_url, key) as gateway:
        while time.monotonic() < deadline:
            try:
                if gateway.stats(DEFAULT_CATALOGUE)["products"] >= products:
                    return
            except GatewayError as error:
                if error.status in (httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN):
                    raise DemoError(f"the gateway refuses the demo: {error} (--key, or GATEWAY_ADMIN_KEY)") from None
            time.sleep(0.2)
    raise DemoError(f"the index does not hold {products:,} products after {INDEXED_WITHIN_S:.0f} s")


def save_query(settings: StackSettings, source: DemoSource) -> Path:
    """Write the photo to search with to a file, for `lookalike search`. Return its path."""
    path = settings.state_dir / "query.jpg"
    path.write_bytes(source.photo)
    return path


def show_search(settings: StackSettings, photo: Path, key: str | None = None) -> None:
    """Search with the photo; print the category, the URLs and the address of the search page."""
    from services.cli.search import request_search, show

    response = request_search(settings.gateway_url, photo.read_bytes(), {"k": 10}, key)
    typer.echo(f"\nlookalike search {photo}")
    show(response)
    typer.echo(
        f"\nSearch page: {settings.gateway_url}/   API docs: {settings.gateway_url}/docs   Stop everything: make stop"
    )
