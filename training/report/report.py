"""The report of a training run: `report.md`, `report.json` and pictures, and the model card beside them."""

import json
from pathlib import Path
from typing import Any

from services.contracts.domain.manifest import Manifest
from training.report import plots
from training.report.markdown import percent, table
from training.report.sections import alike, beside_baseline, calibrated, nothing, other_backgrounds, sample_pictures
from training.report.training_story import Story


def write_report(
    directory: Path, manifest: Manifest, story: Story, figures: dict[str, Any], drawn: bool = False
) -> None:
    """Write everything into `directory`, which is made; `drawn` says that pictures of the sample catalogue will be there."""
    directory.mkdir(parents=True, exist_ok=True)
    document = {"model": manifest.model_id, "command": manifest.command, "run": story.document()} | figures
    (directory / "report.json").write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n", "utf-8")
    (directory / "report.md").write_text(report_markdown(manifest, story, figures, drawn), "utf-8")
    story.draw(directory)
    plots.confusion(figures["classification"]["confusion"], manifest.categories, directory / "confusion.png")
    plots.retrieval(figures["retrieval"], directory / "retrieval.png")
    if "photos" in figures:
        matrix = figures["photos"]["classification"]["confusion"]
        plots.confusion(matrix, manifest.categories, directory / "confusion_photos.png", "Photos")
    if "calibration" in figures:
        plots.reliability(figures["calibration"], directory / "calibration.png")
    if "nothing" in figures:
        plots.scores(figures["nothing"], directory / "scores.png")


def _categories(figures: dict[str, Any]) -> str:
    rows = [
        [c["category"], percent(c["precision"]), percent(c["recall"]), percent(c["f1"]), f"{c['support']:,}"]
        for c in figures["classification"]["per_category"]
    ]
    return table(["category", "precision", "recall", "F1", "products"], rows)


def _retrieval(figures: dict[str, Any]) -> str:
    found = figures["retrieval"]
    kinds = ("article_type", "base_colour", "both")
    rows = [["**all**", *(f"**{percent(found['precision'][kind], 1)}**" for kind in kinds), f"{found['queries']:,}"]]
    rows += [["picked at random", *(percent(found["chance"][kind], 1) for kind in kinds), f"{found['queries']:,}"]]
    rows += [
        [c["category"], *(percent(c[kind], 1) for kind in kinds), f"{c['queries']:,}"] for c in found["per_category"]
    ]
    return table(["precision@10", "article type", "base colour", "both", "queries"], rows)


def _worst(figures: dict[str, Any], categories: tuple[str, ...]) -> str:
    matrix = figures["classification"]["confusion"]
    wrong = [(matrix[t][p], t, p) for t in range(len(matrix)) for p in range(len(matrix)) if t != p and matrix[t][p]]
    names = [f"{categories[t]} taken for {categories[p]} ({n})" for n, t, p in sorted(wrong, reverse=True)[:5]]
    return "; ".join(names) if names else "none"


def _photos(figures: dict[str, Any]) -> str:
    if "photos" not in figures:
        return ""
    photos = figures["photos"]
    said = photos["classification"]
    rows = [[c["category"], percent(c["recall"], 1), f"{c['support']:,}"] for c in said["per_category"] if c["support"]]
    return f"""
## People's own photos

Accuracy **{percent(said["accuracy"])}** over the {said["count"]:,} photos of `{photos["archive"]}` whose label maps to one of the
nine categories, from {_senders(photos)}; training saw none of them.

{table(["category", "recall", "photos"], rows)}

![Confusion matrix of the photos](confusion_photos.png)
"""


def _senders(photos: dict[str, Any]) -> str:
    count, left_out = photos["senders"], photos.get("senders_left_out", 0)
    return (
        f"{count} senders in that archive of {count + left_out}" if left_out else f"all {count} senders in that archive"
    )


def report_markdown(manifest: Manifest, story: Story, figures: dict[str, Any], drawn: bool = False) -> str:
    """Return the report as Markdown; every number is from `figures` and the run's history."""
    queries, gallery = figures["queries"], figures["gallery"]
    return f"""# {manifest.model_id}: training report

The network *{manifest.architecture}* ({manifest.parameters:,} trainable parameters), trained on
`{manifest.dataset["name"]}` ({manifest.dataset["products"]:,} products of the nine categories, SHA-256
`{manifest.dataset["sha256"]}`), split by product id with seed {manifest.seed}.

```
{manifest.command}
```

**Accuracy on the test part: {percent(figures["classification"]["accuracy"])}** of {queries["count"]:,} products that
training has not seen. Most frequent errors: {_worst(figures, manifest.categories)}.

{beside_baseline(figures)}
## Training

{story.markdown()}

## Categories

{_categories(figures)}

![Confusion matrix](confusion.png)

## Retrieval

Queries: the {queries["part"]} part, {queries["count"]:,} products. Gallery: the {gallery["part"]} parts, {gallery["count"]:,} products.
The search is exact, by cosine similarity, within the query's true category; a hit is a neighbour with the same article
type, the same base colour, or both; the figure is the share of hits among the ten nearest, mean over queries.

{_retrieval(figures)}

![Precision at ten](retrieval.png)
{alike(figures)}{_photos(figures)}{other_backgrounds(figures)}{nothing(figures)}{calibrated(figures)}{sample_pictures() if drawn else ""}"""


def card_markdown(manifest: Manifest, figures: dict[str, Any]) -> str:
    """Return the model card."""
    found, chance = figures["retrieval"]["precision"], figures["retrieval"]["chance"]
    return f"""# {manifest.model_id}

A small convolutional network ({manifest.parameters:,} parameters, architecture *{manifest.architecture}*) that says which of
nine kinds of clothing a picture shows ({", ".join(manifest.categories)}) and gives a vector of {manifest.dimension} numbers to
search similar products by. It is the reproducible baseline of this project, not its best answer.

- **Input**: `image`, uint8 (n, {manifest.input.height}, {manifest.input.width}, 3), RGB, made by
  `services.contracts.images.preparation.prepare_image`; scaling is in the graph.
- **Output**: `probabilities`, float32 (n, {len(manifest.categories)}); `vector`, float32 (n, {manifest.dimension}), after ReLU
  and {"of unit length" if manifest.unit_length else "**not** of unit length: normalise it before comparing"}.
- **Trained on** `{manifest.dataset["name"]}`: Kaggle's "Fashion Product Images (Small)", MIT licence, studio shots on white.
- **Made again by** `{manifest.command}` (`--dataset` takes the archive's path on your machine).
- **Files**: a TensorFlow Serving version directory; `manifest.json` says the rest; `report/report.md` has the figures.

| on the test part ({figures["queries"]["count"]:,} products) | |
| --- | ---: |
| nine-way accuracy | {percent(figures["classification"]["accuracy"])} |
| precision@10, article type | {percent(found["article_type"], 1)} |
| precision@10, base colour | {percent(found["base_colour"], 1)} |
| precision@10, both | {percent(found["both"], 1)} |
{_photo_row(figures)}
## What it fails at

- **Backgrounds that are not white.** It has seen nothing else{_on_photos(figures)}.
- **Similarity.** It is trained to tell nine categories apart and nothing more, so its vectors drop much of what makes two shirts
  look alike: of the ten nearest {percent(found["base_colour"], 1)} have the query's base colour, where picking at random within
  the category finds {percent(chance["base_colour"], 1)}; by article type it is {percent(found["article_type"], 1)} against
  {percent(chance["article_type"], 1)}.
- **Pictures without clothing.** It knows nine categories and nothing else; it will name one for a cat. The thresholds in the
  manifest turn away the least certain answers: they are set so that 0.5 % of the validation products fall below each.
- **Several garments in a picture, dresses, sandals, belts**: none of them is among the nine.
"""


def _on_photos(figures: dict[str, Any]) -> str:
    if "photos" not in figures:
        return ""
    return f": on people's own photos its category is right for {percent(figures['photos']['classification']['accuracy'], 0)}"


def _photo_row(figures: dict[str, Any]) -> str:
    if "photos" not in figures:
        return ""
    photos = figures["photos"]
    said = photos["classification"]
    return f"| nine-way accuracy on {said['count']:,} people's photos ({photos['senders']} senders) | {percent(said['accuracy'])} |\n"
