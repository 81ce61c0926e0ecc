"""The card of a detector: what it is for, what it finds, and what it does not."""

from typing import Any

from services.contracts.domain.manifest import DetectorManifest
from training.recipes.detector.checkpoint import History
from training.report.markdown import percent


def card(manifest: DetectorManifest, found: dict[str, Any], history: History) -> str:
    """Return the model's README.md."""
    kinds = {kind: figures for kind, figures in found.items() if isinstance(figures, dict)}
    return f"""# {manifest.model_id}: where the garments of a photo are

Made by `{manifest.command}` ({manifest.created[:10]}).

**What it does.** A picture of {manifest.input.width}×{manifest.input.height} pixels in; out come at most {manifest.boxes} boxes, each with
a probability for each of the nine categories. The probabilities are calibrated, and a box counts from {manifest.threshold:g} on; of boxes that overlap by more than 55 % the surest
stays. `POST /v1/detect` answers with it, so that each garment of a photo can be searched for on its own.

**How.** A garment is a peak in a map of its category, and the peak tells how far away its edges are (CenterNet, arXiv:1904.07850, with the
box loss of TTFNet, arXiv:1909.00700). The feature maps are EfficientNet-lite0's with ImageNet's weights (Apache-2.0), held fixed; the
{manifest.parameters:,} weights above them learned from composed scenes in {len(history)} rounds, {history[-1]["step"]:,} steps in all.

**Material.** {_material(manifest.dataset)}

## Figures
Scenes of products that it was not trained on, on drawn backgrounds that are new to it; a box hits when it overlaps the garment by one half
(intersection over union), and each garment is hit once.

| scenes | garments | recall | precision | right category, of those found |
| --- | --- | --- | --- | --- |
{_rows(kinds)}

Recall by category, in the first kind of scenes: {_categories(next(iter(kinds.values())))}.

![Drawn garments with what is found: red, and what is there: white](report/scenes.jpg)

`lookalike evaluate-detector --model models/{manifest.model_id} --dataset archive.zip --backgrounds folder` measures it on a folder of
pictures.

## Limits
- It has seen products that were cut out and pasted, at most four, and photos that one garment fills. Clothes on people are found as far as the archive shows them
  worn: a shirt on a torso, trousers on legs. Layers (a jacket over a shirt) are one garment to it.
- Of a garment that fills the whole photo the box is nearly the whole photo. Of 24 of people's own photos, looked at, it told 20 rightly, from a probability of 0.5 on; a cap was a shoe to it.
- A garment smaller than about a twelfth of the picture is not found. Things of none of the nine kinds (sandals, belts, dresses) are taken for
  garments at times: the second row counts these.
- The category is a proposal: a search with the box asks the network of the vectors, which knows better.
"""


def _material(facts: dict[str, Any]) -> str:
    said = [f"{facts['products']:,} products of {facts['name']}, those of the training part cut out"]
    if "backgrounds" in facts:
        said.append(f"pasted onto parts of {facts['backgrounds']['pictures']:,} pictures and drawn patterns")
    else:
        said.append("pasted onto drawn patterns")
    if "photos" in facts:
        said.append(
            f"and onto corners of the photos of {facts['photos']['name']}; every seventh scene is of photos of its training part whole, "
            "taken to be filled by their garment"
        )
    return ", ".join(said) + "."


def _rows(kinds: dict[str, dict[str, Any]]) -> str:
    return "\n".join(
        f"| {kind} | {one['garments']:,} in {one['scenes']:,} | {percent(one['recall'], 1)} | {percent(one['precision'], 1)} "
        f"| {percent(one['right_category'], 1)} |"
        for kind, one in kinds.items()
    )


def _categories(figures: dict[str, Any]) -> str:
    return ", ".join(f"{name} {percent(share)}" for name, share in figures["recall_by_category"].items())
