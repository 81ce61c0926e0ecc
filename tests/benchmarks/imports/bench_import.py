"""The rate of an import against that of the network alone, in the same run; and the delay until the index has it all.

With DATASET, the images are the archive's; without it, they are drawn. IMPORT_BENCH is the number of products (default:
5,000).
"""

import contextlib
import io
import os
import random
import resource
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
from tests.support.servers.stack import MODEL_DIR, running_stack

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
    """Import with the command; return the summary."""
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
    """Return the seconds until the index holds this number of products."""
    started = time.perf_counter()
    with httpx.Client(base_url=stack.settings.gateway_url, timeout=20, trust_env=False) as api:
        while time.perf_counter() - started < 60:
            response = api.get("/v1/stats")
            if response.status_code == httpx.codes.OK and response.json()["products"] >= products:
                return time.perf_counter() - started
            time.sleep(0.05)
    raise AssertionError(f"the index does not hold {products} products a minute after the import")


def processor_s(stack: Stack) -> dict[str, float]:
    """Return the seconds of processor time of each process of the stack and of all imports so far (Linux)."""
    runner = (stack.settings.state_dir / "supervisord.pid").read_text().strip()
    used: dict[str, float] = {}
    for process in Path("/proc").iterdir():
        if not process.name.isdigit():
            continue
        with contextlib.suppress(OSError):  # the process may end meanwhile
            fields = (process / "stat").read_text().rsplit(")", 1)[1].split()
            if fields[1] == runner:
                command = (process / "cmdline").read_bytes().decode()
                name = next((part for part in command.split("\0") if part.startswith("services.")), command)
                used[name] = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return {**used, "import": children.ru_utime + children.ru_stime}


def main() -> dict[str, float]:
    """Print and return images a second: the network alone, the import and a second import; and their ratio.

    The processor time of all processes is printed too: it holds on a machine that is busy with other work.
    """
    before = network_alone.figures(MODEL_DIR)
    with tempfile.TemporaryDirectory() as folder:
        source = Path(DATASET) if DATASET else drawn_feed(Path(folder))
        with running_stack(Path(folder) / "stack") as stack:
            idle = processor_s(stack)
            first = imported(stack, source)
            lag = until_indexed(stack, int(first["imported"]))
            used = {name: seconds - idle[name] for name, seconds in processor_s(stack).items()}
            second = imported(stack, source)
    after = network_alone.figures(MODEL_DIR)
    alone, alone_ms = ((before[name] + after[name]) / 2 for name in ("rate", "cpu_ms"))
    each = {f"processor time, {name}, ms a product": s * 1000 / first["imported"] for name, s in used.items()}
    figures = {
        "products": first["imported"],
        "network alone, images/s": alone,
        "import, products/s": first["rate"],
        "import ÷ network alone": first["rate"] / alone,
        "import again, unchanged, products/s": second["rate"],
        "index behind the import's end, s": lag,
        "processor time, network alone, ms an image": alone_ms,
        "processor time, all processes, ms a product": sum(each.values()),
        **each,
    }
    rates = f"{before['rate']:.0f}, {after['rate']:.0f}"
    print(f"{'the archive' if DATASET else 'drawn images'}; the network alone before and after: {rates} images/s")
    for name, value in figures.items():
        print(f"  {name:<54} {value:10,.2f}")
    return figures


if __name__ == "__main__":
    main()
