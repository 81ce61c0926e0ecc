"""`lookalike embed --engine ray` against `lookalike import` in the same run: rates, kills, and equality of the result.

RAY_BENCH is the number of products (default: 3,000), RAY_BENCH_KILLS that of kills in each run with kills (default: 6).
The rate with Ray is that between the first product and the last: Ray's start takes seconds, and is a figure of its own.
Workers and the reader are killed with SIGKILL at random instants during an import and during a re-embedding.
"""

import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC
from pathlib import Path
from typing import Any

import orjson
import pymongo

from services.catalogue.documents.product_document import from_document
from services.local.stack import Stack
from tests.benchmarks.imports.bench_import import drawn
from tests.support.servers.import_stack import Imported, finish
from tests.support.servers.ray_workers import IS_INSTALLED, differences, finish_with_kills
from tests.support.servers.stack import MODEL_DIR, ROOT, running_stack

COUNT = int(os.environ.get("RAY_BENCH", "3000"))
KILLS = int(os.environ.get("RAY_BENCH_KILLS", "6"))
SEED = 20261130
PAUSE_S = (1.0, 6.0)  # between two kills: a new worker needs seconds until it works
OTHER = "2"  # the version that the catalogue is embedded with again
Documents = Mapping[Any, Mapping[str, Any]]


class Figures(dict[str, float]):
    """Figures by their labels, printed when they are known."""

    def __setitem__(self, label: str, value: float) -> None:
        super().__setitem__(label, value)
        print(f"  {label:<54} {value:10,.2f}", flush=True)


@dataclass(frozen=True)
class Shop:
    """The stack, and the folder of the feed."""

    stack: Stack
    folder: Path

    def begin(self, database: str, command: str, *options: str | Path) -> "subprocess.Popen[bytes]":
        settings = self.stack.settings
        addresses = {"EMBEDDING_URL": settings.embedding_url, "MONGO_URL": settings.mongo_url}
        environment = {**os.environ, **addresses, "MONGO_DATABASE": database, "PYTHONPATH": str(ROOT)}
        line = [sys.executable, "-m", "services.cli.main", command, *map(str, options), "--wait", "600", "--json"]
        pipe = subprocess.PIPE
        return subprocess.Popen(line, env=environment, cwd=self.folder, stdout=pipe, stderr=pipe)

    def products(self, database: str) -> Documents:
        with pymongo.MongoClient[dict[str, Any]](self.stack.settings.mongo_url) as client:
            return {
                document["_id"]: document for document in client[database]["products"].find() if "vector" in document
            }


def drawn_feed(folder: Path) -> Path:
    """Write pictures, and a feed that names them and a picture that is missing."""
    rows = [{"id": str(number), "image": f"{number}.jpg", "title": f"Product {number}"} for number in range(COUNT)]
    for number in range(COUNT):
        (folder / f"{number}.jpg").write_bytes(drawn(number))
    feed = folder / "feed.ndjson"
    feed.write_bytes(b"\n".join(map(orjson.dumps, [*rows, {"id": "none", "image": "none.jpg"}])))
    return feed


def checked(ended: Imported) -> Imported:
    assert ended.status in (0, 3), ended.said
    return ended


def between(products: Documents) -> float:
    """Return products a second between the first write and the last."""
    times = sorted(product["updated_at"] for product in products.values())
    later = sum(time_s > times[0] for time_s in times)
    seconds = (times[-1] - times[0]).total_seconds()
    return float(later / seconds)


def rates(shop: Shop, feed: Path, figures: Figures) -> None:
    """Import the feed by each way into a database of its own; add the rates, the starts, and the differences."""
    figures["import, products/s"] = between(shop.products("plain"))
    own = ("--worker-model", MODEL_DIR)
    for name, options in {"own network": own, "service": ()}.items():
        for workers in (1, 2):
            database = f"{name.replace(' ', '-')}-{workers}"
            began = time.time()
            checked(finish(shop.begin(database, "embed", feed, "--workers", str(workers), *options)))
            products = shop.products(database)
            first = min(product["updated_at"] for product in products.values()).replace(tzinfo=UTC).timestamp()
            label = f"{name}, {workers} {'worker' if workers == 1 else 'workers'}"
            figures[f"{label}, products/s"] = between(products)
            figures[f"{label}, until the first product, s"] = first - began
            figures[f"{label}, differences from import"] = len(differences(shop.products("plain"), products))
    again = checked(finish(shop.begin("service-1", "embed", feed, "--workers", "1")))
    figures["run again, unchanged"] = again.summary["unchanged"]
    figures["run again, written"] = again.summary["imported"] + again.summary["updated"]


def kills(shop: Shop, feed: Path, figures: Figures) -> None:
    """Import and embed again with kills; add how many, and what is lost, twice or different."""
    chance = random.Random(SEED)
    process = shop.begin("killed", "embed", feed, "--workers", "2", "--worker-model", MODEL_DIR)
    done, killed = finish_with_kills(process, KILLS, chance, PAUSE_S)
    checked(done)
    products = shop.products("killed")
    figures["kills in an import"] = len(killed)
    figures["of these, the reader"] = sum("Read" in title for title in killed)
    figures["products"] = len(products)
    figures["lost in an import"] = COUNT - len(products)
    figures["rows counted twice or not at all"] = abs(done.summary["read"] - COUNT - 1)
    figures["differences from import"] = len(differences(shop.products("plain"), products))
    own = ("--engine", "ray", "--workers", "2", "--worker-model", MODEL_DIR)
    done, killed = finish_with_kills(shop.begin("killed", "reembed", "--model", OTHER, *own), KILLS, chance, PAUSE_S)
    checked(done)
    products = shop.products("killed")
    model = f"fashion/{OTHER}"
    with_vector = sum(from_document(item).product.embedded_by(model) is not None for item in products.values())
    figures["kills in a re-embedding"] = len(killed)
    figures["of these, the reader, in a re-embedding"] = sum("Read" in title for title in killed)
    figures["lost in a re-embedding"] = COUNT - with_vector
    checked(finish(shop.begin("plain", "reembed", "--model", OTHER)))
    figures["differences from reembed"] = len(differences(shop.products("plain"), products))


def main() -> dict[str, float]:
    """Print and return the figures."""
    if not IS_INSTALLED:
        sys.exit("Ray is not installed: pip install 'lookalike[ray]'")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        feed = drawn_feed(folder)
        with running_stack(folder / "stack") as stack:
            shop, figures = Shop(stack, folder), Figures()
            checked(finish(shop.begin("plain", "import", feed)))
            rates(shop, feed, figures)
            kills(shop, feed, figures)
    return figures


if __name__ == "__main__":
    main()
