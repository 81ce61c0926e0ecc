"""Importing against the network alone, on the same machine in the same run; and how soon the index has it all.

With DATASET the images are the archive's, without it they are drawn. IMPORT_BENCH sets how many (5,000).
"""

import io
import os
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import httpx
import orjson
from PIL import Image, ImageDraw

from services.local.stack import Stack
from tests.benchmarks import network_alone
from tests.support.stack import MODEL_DIR, running_stack

COUNT = int(os.environ.get("IMPORT_BENCH", "5000"))
DATASET = os.environ.get("DATASET")


def drawn(number: int) -> bytes:
    """Return a small JPEG, like a product's thumbnail in size and in bytes."""
    chance = random.Random(number)
    image = Image.new("RGB", (60, 80), "white")
    brush = ImageDraw.Draw(image)
    for _ in range(12):
        corner = (chance.randrange(5, 50), chance.randrange(5, 70))
        colour = tuple(chance.randrange(256) for _ in range(3))
        brush.ellipse((*corner, corner[0] + chance.randrange(3, 30), corner[1] + chance.randrange(3, 40)), fill=colour)
    file = io.BytesIO()
    image.save(file, "JPEG", quality=90)
    return file.getvalue()


def drawn_feed(folder: Path) -> Path:
    """Write images and the feed that names them."""
    rows = []
    for number in range(COUNT):
        (folder / f"{number}.jpg").write_bytes(drawn(number))
        rows.append(orjson.dumps({"id": str(number), "image": f"{number}.jpg", "title": f"Product {number}"}))
    feed = folder / "feed.ndjson"
    feed.write_bytes(b"\n".join(rows))
    return feed


def imported(stack: Stack, source: Path, database: str = "lookalike") -> dict[str, float]:
    """Import, as a user does; return the summary."""
    environment = {
        **os.environ,
        "EMBEDDING_URL": stack.settings.embedding_url,
        "MONGO_URL": stack.settings.mongo_url,
        "MONGO_DATABASE": database,
    }
    options = ["--json", "--limit", str(COUNT), "--rejected", str(stack.settings.state_dir / "rejected.ndjson")]
    command = [sys.executable, "-m", "services.cli.main", "import", str(source), *options]
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, check=True)
    summary: dict[str, float] = orjson.loads(done.stdout)
    return summary


def until_indexed(stack: Stack, products: int) -> float:
    """Return the seconds until the index holds as many products."""
    started = time.perf_counter()
    with httpx.Client(base_url=stack.settings.gateway_url, timeout=20, trust_env=False) as api:
        while time.perf_counter() - started < 60:
            answer = api.get("/v1/stats")
            if answer.status_code == httpx.codes.OK and answer.json()["products"] >= products:
                return time.perf_counter() - started
            time.sleep(0.05)
    raise AssertionError(f"the index does not hold {products} products a minute after the import")


def main() -> dict[str, float]:
    """Print and return images a second: the network alone, the import and a second import; and their ratio."""
    before = network_alone.rate(MODEL_DIR)
    with tempfile.TemporaryDirectory() as folder:
        source = Path(DATASET) if DATASET else drawn_feed(Path(folder))
        with running_stack(Path(folder) / "stack") as stack:
            first = imported(stack, source)
            lag = until_indexed(stack, int(first["imported"]))
            second = imported(stack, source)
    after = network_alone.rate(MODEL_DIR)
    alone = (before + after) / 2
    figures = {
        "products": first["imported"],
        "network alone, images/s": alone,
        "import, products/s": first["rate"],
        "import ÷ network alone": first["rate"] / alone,
        "import again, unchanged, products/s": second["rate"],
        "index behind the import's end, s": lag,
    }
    print(
        f"{'the archive' if DATASET else 'drawn images'}; the network alone before and after: {before:.0f}, {after:.0f}"
    )
    for name, value in figures.items():
        print(f"  {name:<38} {value:10,.2f}")
    return figures


if __name__ == "__main__":
    main()
