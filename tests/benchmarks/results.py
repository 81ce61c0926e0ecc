"""The figures of all runs of the benchmarks, in one file: var/bench.json."""

import json
import subprocess
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

OUT = Path("var/bench.json")


@dataclass(frozen=True)
class Run:
    """A run: when, of which commit, on which machine, and the figures by the benchmarks' names."""

    time: str
    commit: str
    machine: str
    figures: Mapping[str, Mapping[str, Any]]

    @classmethod
    def now(cls, machine: str, figures: Mapping[str, Mapping[str, Any]]) -> "Run":
        """Return the run of these figures, of the commit that is checked out."""
        git = ["git", "rev-parse", "--short", "HEAD"]
        commit = subprocess.run(git, capture_output=True, text=True, check=False).stdout.strip()
        return cls(datetime.now(UTC).isoformat(timespec="seconds"), commit or "unknown", machine, figures)


def runs(path: Path = OUT) -> list[Run]:
    """Return the runs, the oldest first; none without a file of them."""
    if not path.exists():
        return []
    document = json.loads(path.read_bytes())
    return [Run(**run) for run in document.get("runs", [])]


def keep(run: Run, path: Path = OUT) -> None:
    """Add a run to the file."""
    path.parent.mkdir(exist_ok=True)
    every = [asdict(each) for each in (*runs(path), run)]
    path.write_text(json.dumps({"runs": every}, indent=2, default=str))


def latest(name: str, every: list[Run]) -> tuple[Run, Mapping[str, Any]] | None:
    """Return the last run of a benchmark and its figures; None if there is none."""
    for run in reversed(every):
        if name in run.figures:
            return run, run.figures[name]
    return None
