"""Draws the dashboards of deploy/monitoring from recorded metrics."""

import math
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import orjson

from tests.alerts.prometheus import RULES, Prometheus

COLUMNS = 3
GAP_MIN = 0.1  # minutes; the step between two points is 2 s


def draw(prometheus: Prometheus, start: float, end: float, folder: Path) -> None:
    """Write a picture of each dashboard into a folder."""
    for path in sorted((RULES / "grafana").glob("*.json")):
        _draw(prometheus, start, end, orjson.loads(path.read_bytes()), folder / f"dashboard-{path.stem}.png")


def points(values: Sequence[tuple[float, str]], start: float) -> tuple[list[float], list[float]]:
    """Return the minutes and the values of a series. A gap has a point without a value, so that no line crosses it."""
    minutes: list[float] = []
    numbers: list[float] = []
    for when, value in values:
        minute = (when - start) / 60
        if minutes and minute - minutes[-1] > GAP_MIN:
            minutes.append(minute)
            numbers.append(math.nan)
        minutes.append(minute)
        numbers.append(float(value))
    return minutes, numbers


def _draw(prometheus: Prometheus, start: float, end: float, dashboard: dict[str, Any], path: Path) -> None:
    from matplotlib.figure import Figure

    panels = dashboard["panels"]
    rows = -(-len(panels) // COLUMNS)
    figure = Figure(figsize=(16, 3.2 * rows), layout="constrained")
    figure.suptitle(dashboard["title"])
    grid: Any = figure.subplots(rows, COLUMNS, squeeze=False)
    for place, axes in enumerate(grid.flat):
        if place >= len(panels):
            axes.set_axis_off()
            continue
        panel = panels[place]
        axes.set_title(panel["title"], fontsize=10)
        for target in panel["targets"]:
            # The rules' ranges were divided; those of the panels have to fit the recorded minutes.
            expression = re.sub(r"\[\w+\]", "[20s]", target["expr"])
            for series in prometheus.ranges(expression, start, end):
                label = re.sub(r"\{\{(\w+)\}\}", lambda m, s=series: s["metric"].get(m[1], ""), target["legendFormat"])  # type: ignore[misc]
                axes.plot(*points(series["values"], start), label=label.strip(), linewidth=1)
        axes.set_xlim(0, (end - start) / 60)
        axes.set_ylim(0, 1.4 * axes.get_ylim()[1])  # with room for the legend
        axes.tick_params(labelsize=7)
        axes.grid(alpha=0.3)
        if axes.get_legend_handles_labels()[0]:
            axes.legend(fontsize=6, ncols=2, loc="upper left")
    figure.savefig(path, dpi=80)
