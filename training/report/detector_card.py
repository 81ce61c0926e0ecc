"""The model card of a detector."""

from typing import Any

from services.contracts.domain.manifest import DetectorManifest
from training.evaluation.detector.figures import STREET_KIND
from training.report.markdown import percent, table


def card_markdown(manifest: DetectorManifest, figures: dict[str, Any], history: list[dict[str, float]]) -> str:
    """Return the model's README.md; `history` has the losses of each round."""
    kinds = {kind: values for kind, values in figures.items() if isinstance(values, dict) and kind != STREET_KIND}
    width, height = manifest.input.width, manifest.input.height
    return f"""# {manifest.model_id}: the garments of a photo

Made by `{manifest.command}` ({manifest.created[:10]}).

**Purpose.** The detector takes a picture of {width}×{height} pixels and returns at most {manifest.boxes} boxes,
each with a probability for each of the nine categories.
The probabilities are calibrated, and boxes from {manifest.threshold:g} on are used.
Of boxes that overlap by more than 55 %, the one with the highest probability is used.
`POST /v1/detect` returns these boxes, so that each garment of a photo can be searched for separately,
and a search without a box may look at the surest garment by itself.

**Network.** A garment is a peak in a map of its category, and the maps at the peak give the distances to its edges
(CenterNet, arXiv:1904.07850, with the box loss of TTFNet, arXiv:1909.00700).
Garments that a larger one of their category covers, such as a shirt under a jacket, have maps of their own.
The feature maps are EfficientNet-lite0's, which start from ImageNet's weights (Apache-2.0).
{_trained_part(manifest, history)}

**Training data.** {_training_data(manifest.dataset)}

## Figures

{_street(figures.get(STREET_KIND))}
The scenes have products that are not in the training data, on drawn backgrounds that are not in it either.
People's photos are of senders that are not in it; each garment is assumed to fill its photo.
A box is a hit if it overlaps a garment by one half (intersection over union); each garment is hit once.

{_figures_table(kinds)}

Recall by category, in the first kind of scenes: {_by_category(next(iter(kinds.values())))}.

![Drawn garments: detected boxes in red, true boxes in white](report/scenes.jpg)

`lookalike evaluate-detector --model models/{manifest.model_id} --dataset archive.zip --street-photos street-photos.zip`
measures it again.

## Limits

- The street photos are of dressed people, standing, whole, in daylight. Groups of people, people who sit, photos from
  above and dark photos are not in the training data.
- Of two garments that are worn one above the other, such as a jacket over a shirt, often only one is found.
  A pair of shoes is one garment.
- The box of a bag has its straps in the training data. Bags that are worn across the body are often missed.
- Watches, jewellery and socks in whole street photos are mostly smaller than a twentieth of the picture: few are found.
- Dresses, hats, belts and scarves belong to none of the nine categories. They are sometimes detected as garments.
- The box of a garment that fills the whole photo is nearly the whole photo.
"""


def _trained_part(manifest: DetectorManifest, history: list[dict[str, float]]) -> str:
    rounds = f"in {len(history)} rounds, {history[-1]['step']:,} steps in all"
    start = manifest.dataset.get("start")
    if start is None:
        return f"They are fixed. The {manifest.parameters:,} weights of the head are trained {rounds}."
    return (
        f"The head was trained first, with fixed maps, then together with the backbone's later stages.\n"
        f"This run starts with the weights of the checkpoint `{start['name']}` (SHA-256 `{start['sha256'][:12]}…`);\n"
        f"it trained {manifest.parameters:,} weights {rounds}."
    )


def _street(figures: dict[str, Any] | None) -> str:
    if figures is None:
        return ""
    rows = [
        [
            name,
            str(count),
            percent(figures["recall_by_category"][name]),
            percent(figures["precision_by_category"].get(name)),
        ]
        for name, count in figures["garments_by_category"].items()
    ]
    rows.append(["**all**", str(figures["garments"]), percent(figures["recall"], 1), percent(figures["precision"], 1)])
    return f"""Street photos: {figures["photos"]} photos that are not in the training data.
A box counts if it overlaps a garment of its own category by one half.

{table(["category", "garments", "recall", "precision"], rows)}
"""


def _training_data(facts: dict[str, Any]) -> str:
    sentences = [f"{facts['products']:,} products of {facts['name']}; those of the training part are cut out."]
    if "backgrounds" in facts:
        pictures, name = facts["backgrounds"]["pictures"], facts["backgrounds"]["name"]
        sentences.append(f"They are pasted onto parts of {pictures:,} pictures (`{name}`) and onto drawn patterns.")
    else:
        sentences.append("They are pasted onto drawn patterns.")
    if "photos" in facts:
        sentences.append(f"Corners of the photos of {facts['photos']['name']} are backgrounds too.")
        sentences.append(
            "Every seventh composed scene is made of whole photos of its training part, each assumed to be one garment."
        )
    if "street_photos" in facts:
        sentences.append(
            f"Most of the scenes are street photos of {facts['street_photos']['name']}, of its training part:\n"
            "whole, or parts of them, mirrored and in another light, with the boxes of their garments,\n"
            "and with garments of other photos and products pasted onto them.\n"
            "If the photos have masks, a layer that is not served is trained to say what each place shows\n"
            "(Clothing Co-Parsing, Apache-2.0; some photos of bags are COCO's)."
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
