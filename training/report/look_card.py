"""The model card of a look model."""

from typing import Any

from services.look.compatibility import FEWEST_OUTFITS, LEARNED_OUTFITS
from services.look.manifest import LookManifest
from training.report.markdown import table

MEASURES = ("fill_in_the_blank", "auc")


def card_markdown(manifest: LookManifest) -> str:
    """Return the model's README.md."""
    figures = manifest.metrics
    pairs = sorted(manifest.pairs.items(), key=lambda pair: -pair[1])
    names = ", ".join(f"{name.replace('+', ' and ')} {count}" for name, count in pairs if count >= LEARNED_OUTFITS)
    rare = ", ".join(name for name in manifest.categories if manifest.outfits.get(name, 0) < FEWEST_OUTFITS)
    return f"""# {manifest.model_id}: which garments go together

Made by `{manifest.command}` ({manifest.created[:10]}).

**Purpose.** `GET /v1/products/{{id}}/look` and `POST /v1/look` find products of other categories
that go with a garment.
The model takes vectors of `{manifest.embedding_model}`, and works with no other.
Each category has a projection of {manifest.dimension} × {manifest.dimension} numbers;
two garments go together as far as their projections point the same way, and as far as their colours do.

**Training data.** Garments worn together in street photos: `{manifest.dataset["street"]["name"]}`
(Clothing Co-Parsing, Apache-2.0; some photos of bags are COCO's), the training part of the seed {manifest.seed}.
The parts are split by photo, as those of `{manifest.embedding_model}`, which has not seen the test part either.
Outfits with both categories: {names}.
Other pairs follow the projection that all categories share, and the harmony of colours (four times its usual weight).
Looks leave out categories with fewer than {FEWEST_OUTFITS} outfits ({rare or "none"}), unless a request names them.
`{manifest.dataset["studio"]["name"]}` (MIT licence) gives the mean of each category's shop pictures.

## Figures

{figures["worn"]["outfits"]} outfits of photos that are not in the training data.
Fill-in-the-blank: the worn garment among {figures["worn"]["candidates"]} of its category; chance is 25 %.
AUC: how likely the worn garment scores higher than another of its category; chance is 50 %.
In brackets: 95 % interval of the bootstrap over photos.

Garments as they are in the street, candidates cut out on white:

{_table(figures["worn"])}

Cut-outs only, so that the street behind the garments cannot give a hint:

{_table(figures["cutouts"])}

`lookalike evaluate-look --street street-garments.zip` measures it again.

**Limits.** The outfits are those of street-fashion sites, mostly women's, so looks follow their taste.
A photo's light is on all its garments, also on cut-outs: part of the figures may be that light.
Whether shoppers buy looks has not been measured.
"""


def _table(figures: dict[str, Any]) -> str:
    rows = [[name, *(_cell(measures[measure]) for measure in MEASURES)] for name, measures in figures["judges"].items()]
    gain = ["*look model, more than similarity*", *(_cell(figures["gain"][measure]) for measure in MEASURES)]
    return table(["judge", "fill-in-the-blank", "AUC"], [*rows, gain])


def _cell(value: dict[str, float]) -> str:
    mean, low, high = (100 * value[name] for name in ("mean", "low", "high"))
    return f"{mean:.1f} % ({low:.1f} to {high:.1f})"
