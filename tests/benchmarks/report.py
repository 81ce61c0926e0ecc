"""Writes the figures of var/bench.json into docs/performance.md, and a page of their course, var/bench.html.

In the document, a figure block begins with `<!-- figures: NAME -->` and ends with `<!-- end of figures -->`: the text
between is replaced by the last figures of the benchmark NAME. A block without figures stays as it is.
"""

import html
import io
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import matplotlib as mpl

from tests.benchmarks.results import Run, latest, runs

mpl.use("svg")
from matplotlib import pyplot

DOCUMENT = Path("docs/performance.md")
PAGE = Path("var/bench.html")
IMAGES = Path("docs/images")
BLOCK = re.compile(r"(<!-- figures: ([a-z]+) -->\n).*?(<!-- end of figures -->)", re.DOTALL)


def main() -> int:
    """Write both; return the exit status."""
    every = runs()
    if not every:
        print("there are no figures: run make bench first", file=sys.stderr)
        return 1
    text = DOCUMENT.read_text()
    DOCUMENT.write_text(BLOCK.sub(lambda block: block[1] + (_block(block[2], every) or _body(block)) + block[3], text))
    if found := latest("load", every):
        _load_plot(found[1])
    if found := latest("peers", every):
        _peers_plot(found[1])
    PAGE.write_text(page(every))
    print(f"{DOCUMENT} and {PAGE}")
    return 0


def _body(block: re.Match[str]) -> str:
    return block[0][len(block[1]) : -len(block[3])]


def _block(name: str, every: list[Run]) -> str | None:
    """Return the table of a benchmark's last figures; None if there are none."""
    found = latest(name, every)
    if found is None:
        return None
    run, figures = found
    rows = figures["rates"] if name == "load" else None
    table = table_of_rows(rows) if rows else _peers(figures) if name == "peers" else table_of(figures)
    return f"\n{table}\n\n{run.time[:10]}, commit {run.commit}, {run.machine}.\n"


def table_of(figures: Mapping[str, Any]) -> str:
    """Return figures as a table: the median with the quarters, or the number."""
    lines = ["| | median | quarters |", "| --- | ---: | ---: |"]
    for name, value in figures.items():
        if isinstance(value, Mapping) and "median" in value:
            lines.append(
                f"| {name} | {_number(value['median'])} | {_number(value['low'])} to {_number(value['high'])} |"
            )
        elif isinstance(value, Mapping):
            lines += [f"| {name}: {part} | {_number(number)} | |" for part, number in value.items()]
        else:
            lines.append(f"| {name} | {_number(value)} | |")
    return "\n".join(lines)


def table_of_rows(rows: list[Mapping[str, Any]]) -> str:
    """Return rows of the same fields as a table."""
    names = list(rows[0])
    lines = [f"| {' | '.join(names)} |", f"|{' ---: |' * len(names)}"]
    lines += [f"| {' | '.join(_number(row.get(name)) for name in names)} |" for row in rows]
    return "\n".join(lines)


def _peers(figures: Mapping[str, Mapping[str, Mapping[str, Any]]]) -> str:
    tables = []
    for size, engines in figures.items():
        names = list(next(row for row in engines.values() if "left out" not in row))
        lines = [f"{int(size):,} vectors:", "", f"| engine | {' | '.join(names)} |", f"| --- |{' ---: |' * len(names)}"]
        for engine, row in engines.items():
            cells = (
                ["left out", *[""] * (len(names) - 1)] if "left out" in row else [_number(row[name]) for name in names]
            )
            lines.append(f"| {engine} | {' | '.join(cells)} |")
        tables.append("\n".join(lines))
    return "\n\n".join(tables)


def _number(value: object) -> str:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return "–" if value is None else str(value)
    if value != value:  # not a number
        return "–"
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def _load_plot(figures: Mapping[str, Any]) -> None:
    rows = figures["rates"]
    figure, axes = pyplot.subplots(figsize=(7, 3.5))
    for name in ("p50 ms", "p90 ms", "p99 ms"):
        axes.plot([row["planned a second"] for row in rows], [row[name] for row in rows], marker="o", label=name)
    axes.set(xlabel="searches a second, planned", ylabel="ms", yscale="log")
    axes.legend()
    figure.savefig(IMAGES / "performance-load.svg", bbox_inches="tight", metadata={"Date": None})
    pyplot.close(figure)


def _peers_plot(figures: Mapping[str, Mapping[str, Mapping[str, Any]]]) -> None:
    figure, all_axes = pyplot.subplots(1, len(figures), figsize=(5 * len(figures), 3.5), squeeze=False)
    for axes, (size, engines) in zip(all_axes[0], figures.items(), strict=True):
        shown = {name: row["p50 ms"] for name, row in engines.items() if "p50 ms" in row}
        axes.barh(list(shown), list(shown.values()))
        axes.invert_yaxis()
        axes.set(xscale="log", xlabel="p50 of a search, ms", title=f"{int(size):,} vectors")
    figure.tight_layout()
    figure.savefig(IMAGES / "performance-peers.svg", bbox_inches="tight", metadata={"Date": None})
    pyplot.close(figure)


def page(every: list[Run]) -> str:
    """Return a page with a plot of each figure over the runs."""
    courses: dict[str, list[tuple[str, float]]] = {}
    for run in every:
        for name, figures in run.figures.items():
            for label, value in figures.items():
                number = value.get("median") if isinstance(value, Mapping) else value
                if isinstance(number, int | float):
                    courses.setdefault(f"{name}: {label}", []).append((f"{run.time[:16]} {run.commit}", number))
    plots = "".join(f"<h2>{html.escape(name)}</h2>{_course(points)}" for name, points in courses.items())
    return f"<!doctype html><meta charset=utf-8><title>Benchmarks</title><h1>Benchmarks</h1>{plots}"


def _course(points: list[tuple[str, float]]) -> str:
    figure, axes = pyplot.subplots(figsize=(8, 1.8))
    axes.plot(range(len(points)), [number for _, number in points], marker="o")
    axes.set_xticks(range(len(points)), [label for label, _ in points], rotation=20, fontsize=6, ha="right")
    axes.set_ylim(bottom=0)
    file = io.StringIO()
    figure.savefig(file, bbox_inches="tight")
    pyplot.close(figure)
    return file.getvalue().partition("<svg")[1] + file.getvalue().partition("<svg")[2]


if __name__ == "__main__":
    sys.exit(main())
