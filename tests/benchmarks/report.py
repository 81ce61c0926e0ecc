"""Writes the figures of var/bench.json into docs/performance.md and docs/scale.md, and a page of their course.

The page is var/bench.html. In the documents, a figure block begins with `<!-- figures: NAME -->` and ends with
`<!-- end of figures -->`: the text between is replaced by the last figures of the benchmark NAME. A block without
figures stays as it is.
"""

import html
import io
import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import matplotlib as mpl

from tests.benchmarks.results import Run, latest, runs

mpl.use("svg")
from matplotlib import pyplot

DOCUMENTS = (Path("docs/performance.md"), Path("docs/scale.md"))
PAGE = Path("var/bench.html")
IMAGES = Path("docs/images")
HEAD = """<!doctype html><html lang=en><meta charset=utf-8><title>Benchmarks</title><style>
body { font: 15px system-ui, sans-serif; margin: 2rem; }
section > div { display: grid; grid-template-columns: repeat(auto-fill, minmax(20rem, 1fr)); gap: 1rem; }
figure { margin: 0; }
figcaption { font-size: 13px; }
svg { max-width: 100%; }
</style>
"""
TABLES = ("rates", "rows")  # the figures of a benchmark that are rows of a table
MILVUS = {
    "faiss": "FAISS",
    "flat": "Milvus `flat`",
    "flat to faiss": "to FAISS",
    "hnsw": "Milvus `hnsw`",
    "hnsw to faiss": "to FAISS",
}
BLOCK = re.compile(r"(<!-- figures: ([a-z]+) -->\n).*?(<!-- end of figures -->)", re.DOTALL)


class Point(NamedTuple):
    """A figure of a run: the number, and the quarters of its rounds."""

    value: float
    low: float
    high: float


def main() -> int:
    """Write both; return the exit status."""
    every = runs()
    if not every:
        print("there are no figures: run make bench first", file=sys.stderr)
        return 1
    for document in DOCUMENTS:
        text = document.read_text()
        document.write_text(
            BLOCK.sub(lambda block: block[1] + (_block(block[2], every) or _body(block)) + block[3], text)
        )
    if run := latest("load", every):
        _load_plot(run[1])
    if run := latest("peers", every):
        _peers_plot(run[1])
    if run := latest("size", every):
        _size_plot(run[1]["rows"])
    PAGE.write_text(page(every))
    print(f"{', '.join(map(str, DOCUMENTS))} and {PAGE}")
    return 0


def _body(block: re.Match[str]) -> str:
    return block[0][len(block[1]) : -len(block[3])]


def _block(name: str, every: list[Run]) -> str | None:
    """Return the table of a benchmark's last figures; None if there are none."""
    if name == "milvus":
        return _milvus(every)
    actual = latest(name, every)
    if actual is None:
        return None
    run, figures = actual
    rows = next((figures[name] for name in TABLES if name in figures), None)
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


def _milvus(every: list[Run]) -> str | None:
    """Return a table for each number of products, of the last run with it, the largest first; None without a run."""
    by_size = {run.figures["milvus"]["products"]: run for run in every if "milvus" in run.figures}
    tables = []
    for size, run in sorted(by_size.items(), reverse=True):
        rows = run.figures["milvus"]["table"]
        lines = [f"| {size:,} products | {' | '.join(MILVUS.values())} |", f"| --- |{' ---: |' * len(MILVUS)}"]
        lines += [
            f"| {name} | {' | '.join(_number(row[each]) if each in row else '' for each in MILVUS)} |"
            for name, row in rows.items()
        ]
        tables.append("\n".join([*lines, "", f"{run.time[:10]}, commit {run.commit}, {run.machine}."]))
    return "\n" + "\n\n".join(tables) + "\n" if tables else None


def _peers(figures: Mapping[str, Mapping[str, Mapping[str, Any]]]) -> str:
    tables = []
    for label, engines in figures.items():
        names = list(next(row for row in engines.values() if "left out" not in row))
        lines = [f"{label}:", "", f"| engine | {' | '.join(names)} |", f"| --- |{' ---: |' * len(names)}"]
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


def _size_plot(rows: list[Mapping[str, Any]]) -> None:
    figure, (of_time, of_rate) = pyplot.subplots(1, 2, figsize=(10, 3.5))
    products = [row["products"] for row in rows]
    for axes, ending, label in ((of_time, ", ms", "ms a search"), (of_rate, " clients", "searches a second")):
        for name in (name for name in rows[0] if name.endswith(ending)):
            values = [float("nan") if row[name] is None else row[name] for row in rows]
            axes.plot(products, values, marker="o", label=name.removeprefix("searches/s, ").removesuffix(", ms"))
        axes.set(xscale="log", yscale="log", xlabel="products in the category", ylabel=label)
        axes.legend()
    figure.tight_layout()
    figure.savefig(IMAGES / "performance-size.svg", bbox_inches="tight", metadata={"Date": None})
    pyplot.close(figure)


def _peers_plot(figures: Mapping[str, Mapping[str, Mapping[str, Any]]]) -> None:
    figure, all_axes = pyplot.subplots(1, len(figures), figsize=(5 * len(figures), 3.5), squeeze=False)
    for axes, (label, engines) in zip(all_axes[0], figures.items(), strict=True):
        shown = {name: row["p50 ms"] for name, row in engines.items() if "p50 ms" in row}
        axes.barh(list(shown), list(shown.values()))
        axes.invert_yaxis()
        axes.set(xscale="log", xlabel="p50 of a search, ms", title=label)
        axes.set_xlim(left=min(shown.values()) / 4)
    figure.tight_layout()
    figure.savefig(IMAGES / "performance-peers.svg", bbox_inches="tight", metadata={"Date": None})
    pyplot.close(figure)


def page(every: list[Run]) -> str:
    """Return a page with a plot of each figure over the runs, by benchmark."""
    names = sorted({name for run in every for name in run.figures})
    links = " · ".join(f'<a href="#{name}">{name}</a>' for name in names)
    with mpl.rc_context({"svg.fonttype": "none"}):  # texts, not outlines of letters: a tenth of the bytes
        sections = "".join(_section(name, every) for name in names)
    text = f"{len(every)} runs, {every[0].time[:10]} to {every[-1].time[:10]}. Grey: the middle half of the rounds."
    return f"{HEAD}<h1>Benchmarks</h1><p>{text}</p><nav>{links}</nav>{sections}"


def _section(name: str, every: list[Run]) -> str:
    courses: dict[str, list[tuple[Run, Point]]] = {}
    for run in every:
        for label, point in points(run.figures.get(name, {})):
            courses.setdefault(label, []).append((run, point))
    plots = "".join(
        f"<figure><figcaption>{html.escape(label)}: <b>{_number(course[-1][1].value)}</b></figcaption>"
        f"{_course(course)}</figure>"
        for label, course in courses.items()
    )
    return f'<section id="{name}"><h2>{name}</h2><div>{plots}</div></section>'


def points(figures: object, label: str = "") -> Iterator[tuple[str, Point]]:
    """Yield all numbers in figures, however deep they are, with their labels."""
    if isinstance(figures, Mapping) and "median" in figures:
        yield label, Point(figures["median"], figures["low"], figures["high"])
    elif isinstance(figures, Mapping):
        for name, value in figures.items():
            yield from points(value, name if label in ("", *TABLES) else f"{label}: {name}")
    elif isinstance(figures, list):
        for row in (row for row in figures if isinstance(row, Mapping)):
            (first, number), *others = row.items()
            yield from points(dict(others), f"{first} {_number(number)}")
    elif isinstance(figures, int | float) and not isinstance(figures, bool) and figures == figures:
        yield label, Point(figures, figures, figures)


def _course(course: list[tuple[Run, Point]]) -> str:
    """Return the plot of a figure in SVG."""
    figure, axes = pyplot.subplots(figsize=(3.4, 1.3))
    figure.subplots_adjust(left=0.14, right=0.99, top=0.96, bottom=0.28)
    places, (lows, values, highs) = range(len(course)), zip(*((p.low, p.value, p.high) for _, p in course), strict=True)
    axes.fill_between(places, lows, highs, color="0.85")
    axes.plot(places, values, marker="o", markersize=3)
    labels = [f"{run.time[5:16].replace('T', ' ')}\n{run.commit[:7]}" for run, _ in course]
    shown = sorted({0, len(course) - 1})
    axes.set_xticks(shown, [labels[place] for place in shown])
    axes.set_xlim(-0.5, max(1, len(course) - 1) + 0.5)
    axes.set_ylim(0, max(*highs, 0) * 1.15 or 1)
    axes.tick_params(labelsize=7)
    axes.spines[["top", "right"]].set_visible(False)
    file = io.StringIO()
    figure.savefig(file)
    pyplot.close(figure)
    return "<svg" + file.getvalue().partition("<svg")[2]


if __name__ == "__main__":
    sys.exit(main())
