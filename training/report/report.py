"""The report of a training run: `report.md`, `report.json` and pictures."""

import json
from pathlib import Path
from typing import Any

from services.contracts.domain.manifest import Manifest
from training.report import plots
from training.report.markdown import percent, table
from training.report.photo_sections import outcomes_section, photos_section, street_section, unseen_kinds_section
from training.report.sections import (
    backgrounds_section,
    calibration_section,
    comparison_section,
    rejection_section,
    sample_section,
    similarity_section,
)
from training.report.training_section import TrainingSection

KINDS = ("article_type", "base_colour", "both")


def write_report(
    directory: Path,
    manifest: Manifest,
    section: TrainingSection,
    figures: dict[str, Any],
    sample_pictures: bool = False,
) -> None:
    """Write the report into `directory`, which is created.

    Args:
        directory: of the report.
        manifest: of the model.
        section: about the training.
        figures: of the evaluation.
        sample_pictures: whether pictures of the sample catalogue are written there too.
    """
    directory.mkdir(parents=True, exist_ok=True)
    document = {"model": manifest.model_id, "command": manifest.command, "run": section.document()} | figures
    (directory / "report.json").write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n", "utf-8")
    (directory / "report.md").write_text(report_markdown(manifest, section, figures, sample_pictures), "utf-8")
    section.draw(directory)
    plots.confusion(figures["classification"]["confusion"], manifest.categories, directory / "confusion.png")
    plots.retrieval(figures["retrieval"], directory / "retrieval.png")
    if "photos" in figures:
        matrix = figures["photos"]["classification"]["confusion"]
        plots.confusion(matrix, manifest.categories, directory / "confusion_photos.png", "Photos")
    if "calibration" in figures:
        plots.reliability(figures["calibration"], directory / "calibration.png")
    if "rejection" in figures:
        plots.scores(figures["rejection"], directory / "scores.png")


def report_markdown(
    manifest: Manifest, section: TrainingSection, figures: dict[str, Any], sample_pictures: bool = False
) -> str:
    """Return the report as Markdown; every number is from `figures` and the run's history."""
    queries, gallery = figures["queries"], figures["gallery"]
    return f"""# {manifest.model_id}: training report

The network *{manifest.architecture}* has {manifest.parameters:,} trainable parameters.
It is trained on `{manifest.dataset["name"]}`: {manifest.dataset["products"]:,} products of the nine categories,
split by product id with seed {manifest.seed}, SHA-256 `{manifest.dataset["sha256"]}`.

```
{manifest.command}
```

**Accuracy on the test part: {percent(figures["classification"]["accuracy"])}** of {queries["count"]:,} products
that are not in the training data.
Most frequent errors: {_worst(figures, manifest.categories)}.

{comparison_section(figures)}
## Training

{section.markdown()}

## Categories

{_categories(figures)}

![Confusion matrix](confusion.png)

## Retrieval

Queries: the {queries["part"]} part, {queries["count"]:,} products.
Gallery: the {gallery["part"]} parts, {gallery["count"]:,} products.
The search is exact, by cosine similarity, within the query's true category.
A result is a hit if it has the query's article type, its base colour, or both.
The figure is the share of hits among the ten nearest, as a mean over the queries.

{_retrieval(figures)}

![Precision at ten](retrieval.png)
{_after_retrieval(figures)}{sample_section() if sample_pictures else ""}"""


def _after_retrieval(figures: dict[str, Any]) -> str:
    sections = (
        *(similarity_section, outcomes_section, photos_section, street_section, backgrounds_section),
        *(rejection_section, unseen_kinds_section, calibration_section),
    )
    return "".join(section(figures) for section in sections)


def _categories(figures: dict[str, Any]) -> str:
    rows = [
        [c["category"], percent(c["precision"]), percent(c["recall"]), percent(c["f1"]), f"{c['support']:,}"]
        for c in figures["classification"]["per_category"]
    ]
    return table(["category", "precision", "recall", "F1", "products"], rows)


def _retrieval(figures: dict[str, Any]) -> str:
    retrieval = figures["retrieval"]
    count = f"{retrieval['queries']:,}"
    rows = [["**all**", *(f"**{percent(retrieval['precision'][kind], 1)}**" for kind in KINDS), count]]
    rows += [["random choice", *(percent(retrieval["chance"][kind], 1) for kind in KINDS), count]]
    rows += [
        [c["category"], *(percent(c[kind], 1) for kind in KINDS), f"{c['queries']:,}"]
        for c in retrieval["per_category"]
    ]
    return table(["precision@10", "article type", "base colour", "both", "queries"], rows)


def _worst(figures: dict[str, Any], categories: tuple[str, ...]) -> str:
    matrix = figures["classification"]["confusion"]
    errors = [(matrix[t][p], t, p) for t in range(len(matrix)) for p in range(len(matrix)) if t != p and matrix[t][p]]
    names = [f"{categories[t]} predicted as {categories[p]} ({n})" for n, t, p in sorted(errors, reverse=True)[:5]]
    return "; ".join(names) if names else "none"
