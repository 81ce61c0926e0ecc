"""What events, learning, taste, looks and rules cost while they are off: the commit before them against this one.

Both versions run as whole stacks at the same time, with the same products and the same network, and are searched in
turns: processor time of a search, its duration, the gateway's memory, and whether the results are the same.
OFF_BEFORE is the other commit (default: the last one without events), OFF_ROUNDS the number of rounds (default: 12).
"""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
from rich.console import Console
from rich.table import Table

from services.local.own_processes import end, name_of, own_processes
from services.local.stack import Stack
from tests.benchmarks.paired import Ratio
from tests.benchmarks.process_times import cpu_of, resident_mb
from tests.benchmarks.raw_client import RawClient
from tests.benchmarks.searches.bench_cost import fill, query_photo, unit_vectors
from tests.support.servers.stack import ROOT, running_stack, stack_settings

BEFORE = os.environ.get("OFF_BEFORE", "f91e670e3dfb55f81a5537fb2366dfdbf9092fca")
ROUNDS = int(os.environ.get("OFF_ROUNDS", "12"))
SEARCHES = 40  # of a round, of each kind
PRODUCTS = 5000
PROCESSES = ("gateway", "embedding", "index", "tfs")
KINDS = ("photo", "product")
IGNORED = ("request_id", "timings_ms")  # fields that differ from search to search
# The scale of similarity is fitted while the products come: it depends on how many have come by then.
FITTED = ("similarity", "outcome")
START = """
import sys
from pathlib import Path
from services.local.settings import StackSettings
from services.local.stack import Stack
Stack(StackSettings.model_validate_json(sys.argv[1])).up("test", print)
"""


@dataclass(frozen=True)
class Version:
    """A running version."""

    pids: dict[str, int]
    clients: dict[str, RawClient]

    def spent(self) -> dict[str, float]:
        """Return the processor time so far, in milliseconds: of the gateway, and of all processes."""
        times = cpu_of(self.pids)
        return {"gateway": times["gateway"], "all": sum(times.values())}


@dataclass(frozen=True)
class Round:
    """What one round of searches cost each: processor milliseconds by process, and the duration of each search."""

    processor: dict[str, float]
    durations: list[float]


def version(stack: Stack, photo: bytes) -> Version:
    """Fill a running stack; return it with clients that search it."""
    url = stack.settings.gateway_url
    fill(stack, photo, unit_vectors(PRODUCTS))
    pids = {name_of(process): process.pid for process in own_processes(stack.settings.state_dir.resolve())}
    clients = {
        "photo": RawClient(f"{url}/v1/search", photo, {"Content-Type": "image/jpeg"}),
        "product": RawClient(f"{url}/v1/products/7/similar"),
    }
    return Version({name: pids[name] for name in PROCESSES}, clients)


@contextmanager
def running_before(folder: Path) -> Iterator[Stack]:
    """Run the stack of the other commit for as long as the block."""
    tree = folder / "tree"
    tree.mkdir(parents=True)
    archive = folder / "tree.tar"
    subprocess.run(["git", "archive", "--output", str(archive), BEFORE, "services"], cwd=ROOT, check=True)
    subprocess.run(["tar", "--extract", "--file", str(archive), "--directory", str(tree)], check=True)
    settings = stack_settings(folder / "state")
    command = [sys.executable, "-c", START, settings.model_dump_json()]
    state = settings.state_dir.resolve()
    try:
        subprocess.run(command, cwd=tree, env={**os.environ, "PYTHONPATH": str(tree)}, check=True)
        yield Stack(settings)
    finally:
        end(own_processes(state))


def rounds(versions: tuple[Version, Version], kind: str) -> tuple[list[Round], list[Round]]:
    """Return the rounds of both versions; which one comes first alternates."""
    measured: tuple[list[Round], list[Round]] = [], []
    for number in range(ROUNDS):
        for side in (0, 1) if number % 2 == 0 else (1, 0):
            first = versions[side]
            before = first.spent()
            durations = [first.clients[kind].timed_ms() for _ in range(SEARCHES)]
            spent = {name: (ms - before[name]) / SEARCHES for name, ms in first.spent().items()}
            measured[side].append(Round(spent, durations))
    return measured


def comparable(body: bytes) -> dict[str, Any]:
    """Return the fields of a response that do not differ from search to search."""
    fields: dict[str, Any] = _without((*IGNORED, *FITTED), orjson.loads(body))
    return fields


def _without(names: tuple[str, ...], value: Any) -> Any:
    """Return a JSON value without the fields of these names."""
    if isinstance(value, list):
        return [_without(names, item) for item in value]
    if isinstance(value, dict):
        return {name: _without(names, item) for name, item in value.items() if name not in names}
    return value


def compared(versions: tuple[Version, Version]) -> dict[str, Any]:
    """Return the figures of both versions."""
    figures: dict[str, Any] = {}
    for kind in KINDS:
        responses = [comparable(version.clients[kind].send()) for version in versions]
        figures[f"{kind}: results are the same"] = responses[0]["results"] == responses[1]["results"]
        fields = sorted(
            name for name in {*responses[0], *responses[1]} if responses[0].get(name) != responses[1].get(name)
        )
        figures[f"{kind}: other fields that differ"] = ", ".join(fields) or "none"
        before, now = rounds(versions, kind)
        for name in ("gateway", "all"):
            spent = [[[each.processor[name]] for each in side] for side in (before, now)]
            figures[f"{kind}: processor time, {name}, now / before"] = Ratio.of(spent[0], spent[1])
        figures[f"{kind}: p50, now / before"] = Ratio.of([r.durations for r in before], [r.durations for r in now])
    return figures


def main() -> dict[str, Any]:
    """Print and return the figures."""
    photo = query_photo()
    with ExitStack() as opened:
        folder = Path(opened.enter_context(tempfile.TemporaryDirectory()))
        stacks = (
            opened.enter_context(running_before(folder / "before")),
            opened.enter_context(running_stack(folder / "now")),
        )
        versions = version(stacks[0], photo), version(stacks[1], photo)
        idle = [resident_mb(version.pids["gateway"]) for version in versions]
        figures = compared(versions)
        used = [resident_mb(version.pids["gateway"]) for version in versions]
    for name, (before, now) in (("after the start", idle), ("after the searches", used)):
        figures[f"gateway's memory {name}, MB, before and now"] = f"{before:.1f}, {now:.1f}"
    figures |= {name: str(value) for name, value in figures.items() if isinstance(value, Ratio)}
    table = Table("figure", "value", box=None)
    for name, value in figures.items():
        table.add_row(name, str(value))
    Console().print(table)
    return figures
