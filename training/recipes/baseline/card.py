"""The model card of the baseline."""

from typing import Any

from services.contracts.domain.manifest import Manifest
from training.report.markdown import percent


def card_markdown(manifest: Manifest, figures: dict[str, Any]) -> str:
    """Return the model card; every number is from `figures`."""
    precision, chance = figures["retrieval"]["precision"], figures["retrieval"]["chance"]
    length = "of unit length" if manifest.unit_length else "**not** of unit length: normalise it before comparing"
    return f"""# {manifest.model_id}

A small convolutional network ({manifest.parameters:,} parameters, architecture *{manifest.architecture}*).
It predicts which of nine categories a picture shows ({", ".join(manifest.categories)}) and returns a vector of
{manifest.dimension} numbers for similarity search.
It is the reproducible baseline of this project, not its best model.

- **Input**: `image`, uint8 (n, {manifest.input.height}, {manifest.input.width}, 3), RGB, prepared by
  `services.contracts.images.preparation.prepare_image`; scaling is in the graph.
- **Output**: `probabilities`, float32 (n, {len(manifest.categories)}); `vector`, float32 (n, {manifest.dimension}),
  after ReLU and {length}.
- **Trained on** `{manifest.dataset["name"]}`: Kaggle's "Fashion Product Images (Small)", MIT licence,
  studio shots on white.
- **Reproduced by** `{manifest.command}` (`--dataset` takes the archive's path on your machine).
- **Files**: a TensorFlow Serving version directory; `manifest.json` has the facts, `report/report.md` the figures.

| on the test part ({figures["queries"]["count"]:,} products) | |
| --- | ---: |
| nine-way accuracy | {percent(figures["classification"]["accuracy"])} |
| precision@10, article type | {percent(precision["article_type"], 1)} |
| precision@10, base colour | {percent(precision["base_colour"], 1)} |
| precision@10, both | {percent(precision["both"], 1)} |
{_photo_row(figures)}
## Limits

- **Backgrounds that are not white.** The training data has none{_photo_accuracy(figures)}.
- **Similarity.** The network is trained to distinguish nine categories only, so its vectors lose much of what makes two
  shirts look similar. Of the ten nearest, {percent(precision["base_colour"], 1)} have the query's base colour, where a
  random choice within the category has {percent(chance["base_colour"], 1)}; for the article type it is
  {percent(precision["article_type"], 1)} against {percent(chance["article_type"], 1)}.
- **Pictures without clothing.** The network knows nine categories only and assigns one to a cat, too. The thresholds in
  the manifest reject the least certain predictions: 0.5 % of the validation products fall below each.
- **Several garments in a picture, dresses, sandals, belts**: none of them is among the nine categories.
"""


def _photo_accuracy(figures: dict[str, Any]) -> str:
    if "photos" not in figures:
        return ""
    accuracy = figures["photos"]["classification"]["accuracy"]
    return f": on people's own photos the category is right for {percent(accuracy, 0)}"


def _photo_row(figures: dict[str, Any]) -> str:
    if "photos" not in figures:
        return ""
    senders, result = figures["photos"]["senders"], figures["photos"]["classification"]
    label = f"nine-way accuracy on {result['count']:,} people's photos ({senders} senders)"
    return f"| {label} | {percent(result['accuracy'])} |\n"
