"""Pictures of what a model finds: queries with their ten results, and the same product on several backgrounds."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from training.report.plots import FAINT, INK, save

RIGHT, HALF, WRONG = "#1a7f37", "#e08214", "#c0392b"
CELL = 0.92  # inches


@dataclass(frozen=True)
class Found:
    """One result: uint8 (h, w, 3), its cosine with the query, and in what it agrees with it; None where that is not known."""

    picture: NDArray[np.uint8]
    score: float
    same_kind: bool | None = None
    same_colour: bool | None = None


@dataclass(frozen=True)
class Answered:
    """A query with its results, best first."""

    picture: NDArray[np.uint8]
    caption: str
    found: Sequence[Found]

    def agreement(self) -> int:
        """Return how many results agree in both type and colour."""
        return sum(bool(one.same_kind and one.same_colour) for one in self.found)


def best_and_worst(answered: Sequence[Answered], each: int) -> list[Answered]:
    """Return the queries of which most and of which fewest results agree, the best first."""
    order = sorted(answered, key=lambda one: -one.agreement())
    return [*order[:each], *order[-each:]] if len(order) > 2 * each else order


def grid(rows: Sequence[Answered], path: Path) -> None:
    """Draw a row a query: the query, then its results with their cosines.

    A result's frame is green where type and colour agree with the query's, orange where one of them does, red where none.
    """
    columns = 1 + max(len(row.found) for row in rows)
    figure = Figure(figsize=(CELL * columns + 1.4, (CELL + 0.32) * len(rows)), layout="constrained")
    cells = figure.subplots(len(rows), columns, squeeze=False)
    for row, axes in zip(rows, cells, strict=True):
        _show(axes[0], row.picture, row.caption, INK, 2.5)
        for place, one in zip(axes[1:], row.found, strict=False):
            _show(place, one.picture, f"{one.score:.2f}", _frame(one), 2.0)
        for place in axes[1 + len(row.found) :]:
            place.axis("off")
    save(figure, path)


def on_backgrounds(products: Sequence[Sequence[Found]], path: Path) -> None:
    """Draw a row a product: its studio shot, then the same on backgrounds, each with its cosine to the studio shot."""
    columns = len(products[0])
    figure = Figure(figsize=(1.25 * CELL * columns, (CELL + 0.45) * len(products)), layout="constrained")
    cells = figure.subplots(len(products), columns, squeeze=False)
    for row, axes in zip(products, cells, strict=True):
        for place, one in zip(axes, row, strict=True):
            _show(place, one.picture, f"{one.score:.2f}", FAINT, 0.6)
    save(figure, path)


def _show(axes: Axes, picture: NDArray[np.uint8], caption: str, colour: str, width: float) -> None:
    axes.imshow(picture)
    axes.set_xticks([])
    axes.set_yticks([])
    axes.set_title(caption, fontsize=7.5, color=INK, pad=2)
    for spine in axes.spines.values():
        spine.set_color(colour)
        spine.set_linewidth(width)


def _frame(one: Found) -> str:
    if one.same_kind is None or one.same_colour is None:
        return FAINT
    return RIGHT if one.same_kind and one.same_colour else HALF if one.same_kind or one.same_colour else WRONG
