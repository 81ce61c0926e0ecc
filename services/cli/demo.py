"""The steps of `lookalike demo`: a catalogue in, a search, its answer on the terminal."""

import hashlib
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import httpx
import orjson
import typer

from services.local.settings import StackSettings

INDEXED_WITHIN_S = 120.0


class DemoError(Exception):
    """The demo cannot go on. The text says why."""


@dataclass(frozen=True)
class DemoSource:
    """What the demo imports: the path, the catalogue's name, and the photo to search with."""

    path: Path
    name: str
    photo: bytes


def prepare(settings: StackSettings, dataset: Path | None) -> DemoSource:
    """Draw the sample catalogue, or look into the archive that is to be used instead.

    Raises:
        DemoError: the archive is missing or cannot be read.
    """
    if dataset is None:
        from services.sample_shop.catalogue import sample_query, write_sample

        return DemoSource(write_sample(settings.state_dir / "sample"), "sample", sample_query(1))
    from services.catalogue.sources.formats.kaggle_archive import ArchiveError, BadRow, KaggleArchive

    try:
        with KaggleArchive.open(dataset) as archive:
            rows = (row for row in archive.rows() if not isinstance(row, BadRow) and row.category is not None)
            photo = archive.read_image(next(rows).id)
    except (ArchiveError, OSError) as error:
        raise DemoError(str(error)) from None
    except StopIteration:
        raise DemoError(f"{dataset} holds no product of the nine categories") from None
    digest = hashlib.sha256(str(dataset.resolve()).encode()).hexdigest()[:8]
    return DemoSource(dataset, f"dataset-{digest}", photo)


def import_source(source: DemoSource, rejected: Path) -> int:
    """Import the catalogue through the program's own command. Return how many products it then holds.

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
        raise DemoError("the import failed: see above") from None
    if done.returncode not in (0, 3):
        raise DemoError("the import did not come to its end: see above")
    products = int(summary["imported"] + summary["updated"] + summary["unchanged"])
    typer.echo(
        f"{products:,} products in the catalogue ({summary['imported']:,} of them new); {summary['outside']:,} rows outside the "
        f"nine categories; {summary['rejected']:,} rejected; {summary['seconds']:.1f} s, {summary['rate']:,.0f} rows a second"
    )
    return products


def wait_until_indexed(settings: StackSettings, products: int) -> None:
    """Return when the index holds as many products.

    Raises:
        DemoError: it does not within two minutes.
    """
    deadline = time.monotonic() + INDEXED_WITHIN_S
    while time.monotonic() < deadline:
        answer = httpx.get(settings.gateway_url + "/v1/stats", timeout=10, trust_env=False)
        if answer.status_code == httpx.codes.OK and answer.json()["products"] >= products:
            return
        time.sleep(0.2)
    raise DemoError(f"the index does not hold the {products} products after {INDEXED_WITHIN_S:.0f} s")


def save_query(settings: StackSettings, source: DemoSource) -> Path:
    """Write the query photo, for a look at it and for `lookalike search`. Return its path."""
    path = settings.state_dir / "query.jpg"
    path.write_bytes(source.photo)
    return path


def show_search(settings: StackSettings, photo: Path) -> None:
    """Search with the photo and print the category, the URLs and where the page is."""
    from services.cli.search import request_search, show

    answer = request_search(settings.gateway_url, photo.read_bytes(), {"k": 10})
    typer.echo(f"\nlookalike search {photo}")
    show(answer)
    typer.echo(
        f"\nSearch page: {settings.gateway_url}/   API docs: {settings.gateway_url}/docs   Stop it all: make stop"
    )
