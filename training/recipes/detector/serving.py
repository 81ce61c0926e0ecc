"""The detector as it is served: pictures in, boxes out, all in one graph with its weights as constants."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from services.contracts.domain.manifest import InputSize
from training.networks.detector import peaks
from training.publishing.export import export_constant
from training.recipes.detector.scenes import SIZE
from training.recipes.fashion.serving import served_form

OUTPUTS = ("boxes", "probabilities")


@dataclass(frozen=True)
class Scale:
    """What makes of the head's logits those of probabilities that are as often right as they say: gain × logit + shift."""

    gain: float = 1.0
    shift: float = 0.0


PLAIN = Scale()


def export_detector(features: Any, head: Any, directory: Path, scale: Scale = PLAIN) -> None:
    """Write the SavedModel: `image` uint8 (n, 192, 192, 3) → `boxes` and `probabilities` as of `network.peaks`.

    Raises:
        TrainingError: it cannot be written.
    """
    below = served_form(features)

    def run(image: Any) -> dict[str, Any]:
        maps = head(below(image, training=False), training=False)
        found: dict[str, Any] = peaks({**maps, "chances": scale.gain * maps["chances"] + scale.shift})
        return found

    export_constant(run, InputSize(height=SIZE, width=SIZE), OUTPUTS, directory)
