"""The report's plots."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

INK, GREY = "#222222", "#8a8f98"
BLUE, ORANGE = "#2166ac", "#e08214"
DPI = 110


def save(figure: Figure, path: Path) -> None:
    """Write a figure as PNG."""
    # Without date and software version the same run gives the same file.
    figure.savefig(path, dpi=DPI, metadata={"Software": None})


def _tidy(axes: Axes, title: str) -> None:
    axes.set_title(title, loc="left", color=INK, fontsize=11, fontweight="bold")
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(colors=INK)


def curves(history: Sequence[dict[str, float]], best_epoch: int, path: Path) -> None:
    """Draw loss and accuracy by epoch, training and validation, and mark the epoch of the model's weights."""
    figure = Figure(figsize=(11, 4.2), layout="constrained")
    epochs = np.arange(1, len(history) + 1)
    panels = zip(figure.subplots(1, 2), ("loss", "accuracy"), ("Cross-entropy loss", "Nine-way accuracy"), strict=True)
    for axes, key, title in panels:
        axes.plot(
            epochs,
            [h[key] for h in history],
            color=ORANGE,
            marker="o",
            markersize=3,
            label="training (augmented, dropout)",
        )
        axes.plot(epochs, [h[f"val_{key}"] for h in history], color=BLUE, marker="o", markersize=3, label="validation")
        axes.axvline(best_epoch, color=GREY, linestyle="--", linewidth=1, label=f"weights of epoch {best_epoch}")
        _tidy(axes, title)
        axes.set_xlabel("epoch")
        axes.grid(alpha=0.25)
        axes.xaxis.get_major_locator().set_params(integer=True)
        if key == "loss":
            axes.set_ylim(bottom=0)
        axes.legend(frameon=False, fontsize=9)
    save(figure, path)


def losses(history: Sequence[dict[str, float]], names: Sequence[str], full_size_from: float, path: Path) -> None:
    """Draw each loss by step, and mark the step from which on the images have their full size."""
    figure = Figure(figsize=(11, 5.6), layout="constrained")
    steps = [entry["step"] for entry in history]
    for axes, name in zip(figure.subplots(2, -(-len(names) // 2)).flat, names, strict=False):
        axes.plot(steps, [entry[name] for entry in history], color=BLUE, linewidth=1.2)
        axes.axvline(full_size_from, color=GREY, linestyle="--", linewidth=1)
        _tidy(axes, name)
        axes.set_xlabel("step")
        axes.set_ylim(bottom=0)
        axes.grid(alpha=0.25)
    save(figure, path)


def confusion(
    matrix: Sequence[Sequence[int]], categories: Sequence[str], path: Path, counted: str = "Products"
) -> None:
    """Draw the confusion matrix twice: counts, under the title `counted`, and shares of each true category."""
    counts = np.array(matrix)
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    figure = Figure(figsize=(15, 7), layout="constrained")
    left, right = figure.subplots(1, 2)
    _matrix(left, shares, [[f"{n:,}" if n else "·" for n in row] for row in counts], categories, counted)
    text = [[f"{100 * s:.1f}" if s else "·" for s in row] for row in shares]
    _matrix(right, shares, text, categories, "Per cent of the true category")
    save(figure, path)


def _matrix(
    axes: Axes, shares: NDArray[np.float64], text: list[list[str]], categories: Sequence[str], title: str
) -> None:
    # The square root makes rare errors visible: on a linear scale a share of 1 % is white.
    axes.imshow(np.sqrt(shares), cmap="Blues", vmin=0, vmax=1)
    for row, cells in enumerate(text):
        for column, cell in enumerate(cells):
            colour = "white" if shares[row, column] > 0.35 else (GREY if cell == "·" else INK)
            axes.text(column, row, cell, ha="center", va="center", color=colour, fontsize=10)
    axes.set_xticks(range(len(categories)), categories, rotation=40, ha="right", rotation_mode="anchor")
    axes.set_yticks(range(len(categories)), categories)
    axes.set_xlabel("predicted")
    axes.set_ylabel("true")
    axes.set_title(title, loc="left", color=INK, fontsize=12, fontweight="bold")
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)


def retrieval(figures: dict[str, Any], path: Path) -> None:
    """Draw precision@k next to that of a random choice within the category."""
    kinds = {"article_type": "article type", "base_colour": "base colour", "both": "both"}
    figure = Figure(figsize=(7.5, 3.4), layout="constrained")
    axes = figure.subplots()
    places = np.arange(len(kinds))
    series = (("this model", "precision", BLUE, -0.19), ("random choice", "chance", "#c4c8cf", 0.19))
    for name, key, colour, offset in series:
        values = [100 * (figures[key][kind] or 0.0) for kind in kinds]
        bars = axes.barh(places + offset, values, height=0.36, color=colour, label=name)
        axes.bar_label(bars, fmt="%.1f %%", padding=3, color=INK, fontsize=9)
    axes.set_yticks(places, list(kinds.values()))
    axes.invert_yaxis()
    axes.set_xlim(0, 100)
    axes.set_xlabel(f"of the {figures['k']} nearest, share that agrees with the query, %")
    _tidy(axes, f"precision@{figures['k']} within the category")
    axes.legend(frameon=False, fontsize=9, loc="lower right")
    save(figure, path)


def reliability(calibrations: dict[str, Any], path: Path) -> None:
    """Draw accuracy by confidence for each kind of picture, with the number of pictures in each bin."""
    kinds = {name: figures for name, figures in calibrations.items() if "bins" in figures}
    figure = Figure(figsize=(5.2 * len(kinds), 4.6), layout="constrained")
    for axes, (name, kind) in zip(figure.subplots(1, len(kinds), squeeze=False)[0], kinds.items(), strict=True):
        points = [(bin_["confidence"], bin_["accuracy"]) for bin_ in kind["bins"]]
        axes.plot([0, 1], [0, 1], color=GREY, linestyle="--", linewidth=1, label="perfect calibration")
        axes.plot(*zip(*points, strict=True), color=BLUE, marker="o", label="measured")
        for point, bin_ in zip(points, kind["bins"], strict=True):
            text, offset = f"{bin_['count']:,}", (0, -13)
            axes.annotate(text, point, offset, textcoords="offset points", ha="center", fontsize=7, color=INK)
        _tidy(axes, f"{name}: calibration error {100 * kind['ece']:.1f} %")
        axes.set(xlim=(0, 1.03), ylim=(-0.05, 1.05), xlabel="highest probability", ylabel="share that is right")
        axes.grid(alpha=0.25)
        axes.legend(frameon=False, fontsize=9, loc="lower right", bbox_to_anchor=(1, 0.08))
    save(figure, path)


def scores(rejection: dict[str, Any], path: Path) -> None:
    """Draw for each kind of picture, with and without clothing, the share whose score is below a value."""
    figure = Figure(figsize=(8.5, 4.6), layout="constrained")
    axes = figure.subplots()
    for kind, style in (("clothing", "-"), ("no_clothing", "--")):
        for name, values in rejection["quantiles"][kind].items():
            label = name if kind == "clothing" else f"{name}: none of the nine"
            axes.plot(values, np.linspace(0, 1, len(values)), linestyle=style, label=label)
    if rejection["at_threshold"]:
        axes.axvline(rejection["at_threshold"]["threshold"], color=INK, linewidth=1, label="threshold in the manifest")
    _tidy(axes, "Share of pictures below a score")
    axes.set(xlim=(0.1, 1.01), ylim=(0, 1.02), xlabel=rejection["score"])
    axes.grid(alpha=0.25)
    axes.legend(frameon=False, fontsize=8, loc="center", bbox_to_anchor=(0.62, 0.45))
    save(figure, path)
