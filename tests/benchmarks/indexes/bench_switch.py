"""A change of models under 20 searches a second: failures, responses that mix models, and response times.

The second model is models/fashion/2, or, where there is none, one made of the first. With DATASET the products are the
archive's, without it they are drawn. SWITCH_BENCH sets how many (300), SWITCH_RATE the searches a second.
"""

import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import orjson

from services.sample_shop.catalogue import sample_query, write_sample
from tests.support.pictures.altered import altered_model
from tests.support.servers.stack import ROOT
from tests.support.servers.switch import Done, ModelStack, Searches, Truth, running_models
from tests.support.waiting import eventually

COUNT = int(os.environ.get("SWITCH_BENCH", "300"))
RATE = float(os.environ.get("SWITCH_RATE", "20"))
DATASET = os.environ.get("DATASET")
SOAK_S = 10.0
PHOTOS = [sample_query(number) for number in range(20)]


def main() -> dict[str, object]:
    """Print and return the figures."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        first, second = models(folder / "fashion")
        with running_models(folder, first) as stack:
            products = fill(stack, folder)
            searches = Searches(stack, PHOTOS, RATE)
            phases = change(stack, searches)
            figures = measured(stack, searches, phases, (f"fashion/{first.name}", f"fashion/{second.name}"))
    print(f"{products:,} products, {RATE:g} searches a second, {len(searches.done):,} in all")
    for what, value in figures.items():
        print(f"  {what:<44} {value}")
    return {"products": products, **figures}


def models(folder: Path) -> tuple[Path, Path]:
    """Put two versions into one folder."""
    shipped = ROOT / "models" / "fashion"
    first = Path(shutil.copytree(shipped / "1", folder / "1"))
    if (shipped / "2" / "saved_model.pb").is_file():
        return first, Path(shutil.copytree(shipped / "2", folder / "2"))
    return first, altered_model(first)


def fill(stack: ModelStack, folder: Path) -> int:
    """Import products and wait until the index holds them; return their number."""
    source = Path(DATASET).resolve() if DATASET else write_sample(folder / "sample", per_category=max(1, COUNT // 9))
    ran(stack, "import", source, "--limit", str(COUNT), statuses=(0, 3))
    count = len(stack.documents())
    eventually(lambda: stack.api.get("/v1/stats").json()["products"] == count)
    return count


def change(stack: ModelStack, searches: Searches) -> dict[str, tuple[float, float]]:
    """Change the model and roll back while searches go on; return the start and the end of each phase."""
    phases: dict[str, tuple[float, float]] = {}

    @contextmanager
    def phase(name: str) -> Iterator[None]:
        started = time.monotonic()
        yield
        phases[name] = (started, time.monotonic())

    with searches.going_on():
        with phase("before"):
            time.sleep(SOAK_S)
        with phase("reembed"):
            ran(stack, "reembed", "--model", "2")
        with phase("promote"):
            ran(stack, "promote", "2")
        with phase("promoted"):
            time.sleep(SOAK_S)
        with phase("rollback"):
            ran(stack, "rollback")
        with phase("back"):
            time.sleep(SOAK_S)
    return phases


def ran(stack: ModelStack, command: str, *arguments: str | Path, statuses: tuple[int, ...] = (0,)) -> Done:
    """Run a command that must succeed, in a process of its own: the searches come from this one."""
    line = [sys.executable, "-m", "services.cli.main", command, *map(str, arguments), "--json"]
    environment = {**os.environ, **stack.addresses, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(line, env=environment, cwd=stack.folder, capture_output=True, check=False)
    assert done.returncode in statuses, done.stderr.decode()
    return Done(done.returncode, orjson.loads(done.stdout), done.stderr.decode())


def measured(
    stack: ModelStack, searches: Searches, phases: dict[str, tuple[float, float]], names: tuple[str, str]
) -> dict[str, object]:
    """Return the figures: failures, and medians and 99th percentiles in milliseconds."""
    truth = Truth(stack, PHOTOS, names)
    good = [search for search in searches.done if search.status == 200]
    objections = [objection for search in good if (objection := truth.objection(search))]
    differs = [truth.telling(search, names[1] if search.answer["model"] == names[0] else names[0]) for search in good]
    figures: dict[str, object] = {
        "failed": len(searches.failures),
        "why": sorted({str(failure.answer.get("detail")) for failure in searches.failures})[:3],
        "responses that mix models, or miss a product": len(objections),
        "of which": objections[:3],
        "responses that differ between the models": sum(differs),
        "responses by model": searches.counts(),
    }
    for name, (began, ended) in phases.items():
        times = sorted(search.took_s * 1000 for search in good if began <= search.at_s < ended)
        figures[f"{name}, s"] = round(ended - began, 2)
        if len(times) > 1:
            p50, p99 = statistics.median(times), statistics.quantiles(times, n=100)[98]
            figures[f"{name}: {len(times)} searches, ms p50, p99"] = f"{p50:.0f}, {p99:.0f}"
    return figures


if __name__ == "__main__":
    main()
