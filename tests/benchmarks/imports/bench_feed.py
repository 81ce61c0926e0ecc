"""A shop's whole feed: the rate of its import, the importer's memory, and a kill in the middle that loses nothing.

FEED_BENCH is the number of products (default: 100,000), each with its own picture in a file; in a second part, the
pictures of a tenth of them come from a web server. FEED_BENCH_MB is the size of the feeds that are only read (default:
200).
"""

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pymongo
from bson import Binary

from services.local.stack import Stack
from tests.benchmarks.imports.bench_import import drawn
from tests.support.feeds.generated import KINDS
from tests.support.servers.stack import running_stack
from tests.support.web.http import ImageServer

COUNT = int(os.environ.get("FEED_BENCH", "100000"))
READ_MB = int(os.environ.get("FEED_BENCH_MB", "200"))
PARTS = (0.25, 0.5, 1.0)
KILL_AT = 0.4
MB = 1 << 20
HOLE = 4 * 1024 * MB
Vectors = dict[str, np.ndarray[Any, Any]]  # by the product's id
READER = """
import sys
from pathlib import Path
from services.catalogue.sources.open_source import open_source
from services.catalogue.sources.records.rows import SourceRow
source = open_source(Path(sys.argv[1]))
total, parts, count = source.progress()[1], [float(part) for part in sys.argv[2].split(",")], 0
def peak():
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM"))
for row in source.rows():
    count += isinstance(row, SourceRow)
    while parts and source.progress()[0] >= parts[0] * total:
        parts.pop(0)
        print(peak(), flush=True)
print(count)
"""


@dataclass
class Run:
    """One import in its own process: exit status, peak memory (kB) by number of imported products, and summary."""

    status: int
    peaks_kb: dict[int, int] = field(default_factory=dict)
    summary: dict[str, Any] = field(default_factory=dict)


def write_feed(folder: Path, count: int) -> Path:
    """Write pictures, all different, and the feed that names them."""
    feed = folder / "feed.ndjson"
    with feed.open("wb") as file:
        for number in range(count):
            picture = folder / "pictures" / f"{number // 1000}" / f"{number}.jpg"
            picture.parent.mkdir(parents=True, exist_ok=True)
            picture.write_bytes(drawn(number))
            file.write(row(number, image=str(picture.relative_to(folder))))
    return feed


def row(number: int, **more: str) -> bytes:
    """Return a feed's line."""
    facts = {"id": f"p{number}", "title": f"Product {number}", "url": f"https://shop.example/p/{number}"}
    kept = {"gender": ("Men", "Women")[number % 2], "price": f"{number % 200}.90 EUR", "brand": f"Brand {number % 300}"}
    return orjson.dumps({**facts, **kept, **more}) + b"\n"


def run_import(stack: Stack, database: str, feed: Path, *options: str, kill_at: int | None = None) -> Run:
    """Import with the command; with `kill_at`, end it with SIGKILL after this number of products."""
    environment = {
        **os.environ,
        "EMBEDDING_URL": stack.settings.embedding_url,
        "MONGO_URL": stack.settings.mongo_url,
        "MONGO_DATABASE": database,
    }
    rejected = str(stack.settings.state_dir / "rejected.ndjson")
    command = [sys.executable, "-m", "services.cli.main", "import", str(feed), "--json", "--rejected", rejected]
    with subprocess.Popen([*command, *options], env=environment, stdout=subprocess.PIPE) as process:
        peaks = dict(watched(stack, database, process, kill_at))
        said = process.stdout.read() if process.stdout is not None else b""
    return Run(process.returncode, peaks, orjson.loads(said) if said else {})


def watched(
    stack: Stack, database: str, process: "subprocess.Popen[bytes]", kill_at: int | None
) -> Iterator[tuple[int, int]]:
    """Yield the process's peak memory, in kB, each time that another part of the products is imported."""
    parts = [int(part * COUNT) for part in PARTS]
    last = 0
    with pymongo.MongoClient[dict[str, Any]](stack.settings.mongo_url) as client:
        products = client[database]["products"]
        while process.poll() is None:
            last = peak_kb(process.pid) or last
            there = products.estimated_document_count()
            while parts and there >= parts[0]:
                yield parts.pop(0), last
            if kill_at is not None and there >= kill_at:
                process.kill()
            time.sleep(0.1)
    if parts and kill_at is None:
        yield parts[-1], last


def peak_kb(pid: int) -> int:
    """Return the peak memory of a process, in kB; 0 if it has ended."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith("VmHWM")), 0)


def vectors(stack: Stack, database: str) -> tuple[Vectors, int]:
    """Return the vectors of all products by their `id`, and the number of documents."""
    collected: Vectors = {}
    count = 0
    with pymongo.MongoClient[dict[str, Any]](stack.settings.mongo_url) as client:
        for document in client[database]["products"].find({}, {"id": 1, "vector": 1}, batch_size=5000):
            count += 1
            collected[document["id"]] = np.asarray(Binary(document["vector"], 9).as_vector().data)
    return collected, count


def killed_and_resumed(stack: Stack, feed: Path, whole: Vectors) -> dict[str, float]:
    """Import into another database, end it in the middle, import again, and compare the two databases.

    Raises:
        AssertionError: a product is lost, doubled, or not as it should be.
    """
    killed = run_import(stack, "killed", feed, kill_at=int(KILL_AT * COUNT))
    assert killed.status == -signal.SIGKILL, f"the import was to be killed, and ended with {killed.status}"
    there = vectors(stack, "killed")[1]
    resumed = run_import(stack, "killed", feed).summary
    actual, documents = vectors(stack, "killed")
    with pymongo.MongoClient[dict[str, Any]](stack.settings.mongo_url) as client:
        pictures = client["killed"]["images"].count_documents({})
    apart = max(float(np.abs(actual[key] - vector).max()) for key, vector in whole.items() if key in actual)
    figures = {
        "killed with SIGKILL at, products": there,
        "resumed: imported": resumed["imported"],
        "resumed: unchanged": resumed["unchanged"],
        "products lost": len(whole.keys() - actual.keys()),
        "products doubled": documents - len(actual),
        "pictures lost or doubled": abs(pictures - COUNT),
        "largest difference of a number in a vector": apart,
    }
    wrong = [figures[name] for name in ("products lost", "products doubled", "pictures lost or doubled")]
    assert wrong == [0, 0, 0], figures
    assert apart < 1e-4, figures
    assert 0 < there < COUNT, figures
    assert (resumed["imported"], resumed["unchanged"], resumed["rejected"]) == (COUNT - there, there, 0), figures
    return figures


def from_the_web(stack: Stack, folder: Path, count: int) -> dict[str, float]:
    """Import images from a web server, twice; the second time it has nothing new."""
    pages = {f"/{number}.jpg": drawn(number) for number in range(count)}
    with ImageServer(pages) as server:
        server.tags = True
        feed = folder / "web.ndjson"
        feed.write_bytes(b"".join(row(number, image_url=server.url(f"/{number}.jpg")) for number in range(count)))
        options = ("--allow-host", server.host)
        first = run_import(stack, "web", feed, *options).summary
        second = run_import(stack, "web", feed, *options).summary
    assert (first["imported"], second["not_modified"]) == (count, count), (first, second)
    return {
        "images from a web server, products": count,
        "import from a web server, products/s": first["rate"],
        "again, each answered with 304, products/s": second["rate"],
    }


def only_read(folder: Path) -> dict[str, float]:
    """Read a long feed of each kind, and one of four gigabytes without a line's end, each in a process of its own."""
    figures: dict[str, float] = {}
    for name, make in KINDS.items():
        path = folder / name
        each = len(b"".join(make(range(1000)))) / 1000
        with path.open("wb") as file:
            file.writelines(make(range(int(READ_MB * MB / each))))
        figures |= read_in_a_process(path, f"{name} of {READ_MB} MB")
    path = folder / "hole.ndjson"
    with path.open("wb") as file:
        file.seek(HOLE)
        file.write(b"\n" + row(1, image="1.jpg"))
    return figures | read_in_a_process(path, "a hole of 4 GB and a line")


def read_in_a_process(path: Path, label: str) -> dict[str, float]:
    """Return how fast a feed is read, in MB/s, and the reader's peak memory at each part of it, in MB."""
    began = time.perf_counter()
    command = [sys.executable, "-c", READER, str(path), ",".join(map(str, PARTS))]
    *peaks, count = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout.split()
    figures = {f"{label}, MB/s": path.stat().st_size / MB / (time.perf_counter() - began)}
    assert int(count) > 0
    path.unlink()
    parts = zip(PARTS[-len(peaks) :], peaks, strict=True)
    return figures | {f"{label}, peak memory at {part:.0%}, MB": int(peak) / 1024 for part, peak in parts}


def main() -> dict[str, float]:
    """Print and return the figures; fail where a product is lost, doubled or not as it should be."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        feed = write_feed(folder, COUNT)
        with running_stack(folder / "stack") as stack:
            whole = run_import(stack, "lookalike", feed)
            assert (whole.status, whole.summary["imported"]) == (0, COUNT), whole.summary
            figures: dict[str, float] = {"products": COUNT, "import, products/s": whole.summary["rate"]}
            figures |= {f"importer's peak memory at {at:,}, MB": kb / 1024 for at, kb in whole.peaks_kb.items()}
            again = run_import(stack, "lookalike", feed)
            figures["import again, unchanged, products/s"] = again.summary["rate"]
            figures |= killed_and_resumed(stack, feed, vectors(stack, "lookalike")[0])
            figures |= from_the_web(stack, folder, max(1, COUNT // 10))
        figures |= only_read(folder)
    for label, value in figures.items():
        print(f"  {label:<60} {value:14,.2f}" if value >= 0.01 or value == 0 else f"  {label:<60} {value:14.1e}")
    return figures


if __name__ == "__main__":
    main()
