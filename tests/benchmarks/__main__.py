"""`make bench`: runs each benchmark in its own process, and keeps the figures of every run in var/bench.json.

`python -m tests.benchmarks.report` writes docs/performance.md and a page of plots of them.
"""

import importlib
import json
import os
import platform
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

from tests.benchmarks.results import OUT, Run, keep

FOLDER = Path(__file__).parent
MARK = "@@figures "
LIBRARIES = ("faiss-cpu", "tensorflow-cpu", "numpy", "pillow", "uvicorn", "httptools", "fastapi", "pydantic", "grpcio")


def modules() -> dict[str, str]:
    """Return the module of each benchmark by its name: those called `bench_*.py` in the folders below this one."""
    return {
        path.stem.removeprefix("bench_"): f"tests.benchmarks.{path.parent.name}.{path.stem}"
        for path in sorted(FOLDER.glob("*/bench_*.py"))
    }


def machine() -> str:
    """Return the hardware and the versions that the figures belong to."""
    lines = Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []
    model = next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "")
    versions = ", ".join(f"{name} {version(name)}" for name in LIBRARIES)
    return (
        f"{model or platform.machine()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}; "
        f"Python {platform.python_version()}, {versions}"
    )


def run(name: str) -> dict[str, object] | None:
    """Run one benchmark in its own process and return its figures; None if it failed."""
    print(f"\n== {name} ==", flush=True)
    command = [sys.executable, "-m", "tests.benchmarks", "--one", name]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        figures = None
        for line in process.stdout or ():
            if line.startswith(MARK):
                figures = json.loads(line.removeprefix(MARK))
            else:
                print(line, end="", flush=True)
    return figures if process.returncode == 0 else None


def main() -> int:
    """Run the named benchmarks, or all. Return the exit status: 1 if one failed."""
    if sys.argv[1:2] == ["--one"]:
        figures = importlib.import_module(modules()[sys.argv[2]]).main()
        print(MARK + json.dumps(figures, default=str))
        return 0
    known = modules()
    wanted = sys.argv[1:] or sorted(known)
    if unknown := set(wanted) - set(known):
        text = f"there is no benchmark {', '.join(sorted(unknown))}: there are {', '.join(sorted(known))}"
        print(text, file=sys.stderr)
        return 2
    print(machine())
    results = {name: run(name) for name in wanted}
    keep(Run.now(machine(), {name: figures for name, figures in results.items() if figures is not None}))
    print(f"\nfigures: {OUT}")
    return int(any(figures is None for figures in results.values()))


if __name__ == "__main__":
    sys.exit(main())
