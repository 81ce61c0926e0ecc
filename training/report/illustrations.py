"""Pictures of search results: queries with their ten results, and a product on several backgrounds."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from training.report.plots import GREY, INK, save

AGREES, AGREES_PARTLY, DISAGREES = "#1a7f37", "#e08214", "#c0392b"
CELL = 0.92  # inches


@dataclass(frozen=True)
class ResultCell:
    """A result: uint8 (h, w, 3), its cosine with the query, and whether it agrees with the query; None if not known."""

    picture: NDArray[np.uint8]
    score: float
    same_kind: bool | None = None
    same_colour: bool | None = None


@dataclass(frozen=True)
class QueryRow:
    """A query with its results, best first."""

    picture: NDArray[np.uint8]
    caption: str
    results: Sequence[ResultCell]

    def agreement(self) -> int:
        """Return how many results agree in both type and colour."""
        return sum(bool(result.same_kind and result.same_colour) for result in self.results)


def best_and_worst(rows: Sequence[QueryRow], count: int) -> list[QueryRow]:
    """Return the queries with the most and with the fewest results that agree, `count` of each, the best first."""
    order = sorted(rows, key=lambda row: -row.agreement())
    return [*order[:count], *order[-count:]] if len(order) > 2 * count else order


def grid(rows: Sequence[QueryRow], path: Path) -> None:
    """Draw a row a query: the query, then its results with their cosines.

    A result's frame is green if type and colour agree with the query, orange if one of them does, red if neither does.
    """
    columns = 1 + max(len(row.results) for row in rows)
    figure = Figure(figsize=(CELL * columns + 1.4, (CELL + 0.32) * len(rows)), layout="constrained")
    cells = figure.subplots(len(rows), columns, squeeze=False)
    for row, axes in zip(rows, cells, strict=True):
        _show(axes[0], row.picture, row.caption, INK, 2.5)
        for place, result in zip(axes[1:], row.results, strict=False):
            _show(place, result.picture, f"{result.score:.2f}", _frame_colour(result), 2.0)
        for place in axes[1 + len(row.results) :]:
            place.axis("off")
    save(figure, path)


def on_backgrounds(products: Sequence[Sequence[ResultCell]], path: Path) -> None:
    """Draw a row a product: its studio shot, then the same on backgrounds, each with its cosine to the studio shot."""
    columns = len(products[0])
    figure = Figure(figsize=(1.25 * CELL * columns, (CELL + 0.45) * len(products)), layout="constrained")
    cells = figure.subplots(len(products), columns, squeeze=False)
    for row, axes in zip(products, cells, strict=True):
        for place, cell in zip(axes, row, strict=True):
            _show(place, cell.picture, f"{cell.score:.2f}", GREY, 0.6)
    save(figure, path)


def _show(axes: Axes, picture: NDArray[np.uint8], caption: str, colour: str, width: float) -> None:
    axes.imshow(picture)
    axes.set_xticks([])
    axes.set_yticks([])
    axes.set_title(caption, fontsize=7.5, color=INK, pad=2)
    for spine in axes.spines.values():
        spine.set_color(colour)
        spine.set_linewidth(width)


def _frame_colour(result: ResultCell) -> str:
    if result.same_kind is None or result.same_colour is None:
        return GREY
    if result.same_kind and result.same_colour:
        return AGREES
    return AGREES_PARTLY if result.same_kind or result.same_colour else DISAGREES
