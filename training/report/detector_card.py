"""The model card of a detector."""

from typing import Any

from services.contracts.domain.manifest import DetectorManifest
from training.report.markdown import percent, table


def card_markdown(manifest: DetectorManifest, figures: dict[str, Any], history: list[dict[str, float]]) -> str:
    """Return the model's README.md; `history` has the losses of each round."""
    kinds = {kind: values for kind, values in figures.items() if isinstance(values, dict)}
    width, height = manifest.input.width, manifest.input.height
    return f"""# {manifest.model_id}: the garments of a photo

Made by `{manifest.command}` ({manifest.created[:10]}).

**Purpose.** The detector takes a picture of {width}×{height} pixels and returns at most {manifest.boxes} boxes,
each with a probability for each of the nine categories.
The probabilities are calibrated, and boxes from {manifest.threshold:g} on are used.
Of boxes that overlap by more than 55 %, the one with the highest probability is used.
`POST /v1/detect` returns these boxes, so that each garment of a photo can be searched for separately.

**Network.** A garment is a peak in a map of its category, and the maps at the peak give the distances to its edges
(CenterNet, arXiv:1904.07850, with the box loss of TTFNet, arXiv:1909.00700).
The feature maps are EfficientNet-lite0's with ImageNet's weights (Apache-2.0), which are fixed.
The {manifest.parameters:,} weights of the head are trained on composed scenes in {len(history)} rounds,
{history[-1]["step"]:,} steps in all.

**Training data.** {_training_data(manifest.dataset)}

## Figures

The scenes have products that are not in the training data, on drawn backgrounds that are not in it either.
A box is a hit if it overlaps a garment by one half (intersection over union); each garment is hit once.

{_figures_table(kinds)}

Recall by category, in the first kind of scenes: {_by_category(next(iter(kinds.values())))}.

![Drawn garments: detected boxes in red, true boxes in white](report/scenes.jpg)

`lookalike evaluate-detector --model models/{manifest.model_id} --dataset archive.zip --backgrounds folder`
evaluates it on a folder of pictures.

## Limits

- The training data has at most four products that are cut out and pasted, and photos that one garment fills. Clothes on
  people are found as far as the archive shows them worn: a shirt on a torso, trousers on legs. Layers (a jacket over a
  shirt) are one garment.
- The box of a garment that fills the whole photo is nearly the whole photo. Of 24 of people's own photos, checked by
  eye, 20 have the right category with a probability from 0.5 on; a cap was detected as a shoe.
- A garment smaller than about a twelfth of the picture is not found. Things of none of the nine categories (sandals,
  belts, dresses) are sometimes detected as garments: the second row counts them.
- The category is a proposal: a search with the box uses the network of the vectors, which is more accurate.
"""


def _training_data(facts: dict[str, Any]) -> str:
    sentences = [f"{facts['products']:,} products of {facts['name']}; those of the training part are cut out."]
    if "backgrounds" in facts:
        pictures = facts["backgrounds"]["pictures"]
        sentences.append(f"They are pasted onto parts of {pictures:,} pictures and onto drawn patterns.")
    else:
        sentences.append("They are pasted onto drawn patterns.")
    if "photos" in facts:
        sentences.append(f"Corners of the photos of {facts['photos']['name']} are backgrounds too.")
        sentences.append(
            "Every seventh scene is made of whole photos of its training part, each assumed to be one garment."
        )
    return "\n".join(sentences)


def _figures_table(kinds: dict[str, dict[str, Any]]) -> str:
    rows = [
        [kind, f"{row['garments']:,} in {row['scenes']:,}"]
        + [percent(row[name], 1) for name in ("recall", "precision", "right_category")]
        for kind, row in kinds.items()
    ]
    return table(["scenes", "garments", "recall", "precision", "right category, of the hits"], rows)


def _by_category(figures: dict[str, Any]) -> str:
    return ", ".join(f"{name} {percent(share)}" for name, share in figures["recall_by_category"].items())
