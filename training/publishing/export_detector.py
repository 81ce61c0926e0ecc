"""Writes a trained detector as a SavedModel: images in, boxes out, in one graph with its weights as constants."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from services.contracts.domain.manifest import InputSize
from training.networks.detector import SIDE, peaks
from training.publishing.export import export_constant
from training.publishing.served_form import served_form

OUTPUTS = ("boxes", "probabilities")


@dataclass(frozen=True)
class PlattScaling:
    """Calibrates probabilities: gain × logit + shift (Platt, 1999)."""

    gain: float = 1.0
    shift: float = 0.0


IDENTITY = PlattScaling()


def export_detector(features: Any, head: Any, directory: Path, scaling: PlattScaling = IDENTITY) -> None:
    """Write the SavedModel: `image` uint8 (n, SIDE, SIDE, 3) → `boxes` and `probabilities`, see
    `networks.detector.peaks`.

    Raises:
        TrainingError: the SavedModel cannot be written.
    """
    served_features = served_form(features)

    def run(image: Any) -> dict[str, Any]:
        maps = head(served_features(image, training=False), training=False)
        calibrated = scaling.gain * maps["chances"] + scaling.shift
        outputs: dict[str, Any] = peaks({**maps, "chances": calibrated})
        return outputs

    export_constant(run, InputSize(height=SIDE, width=SIDE), OUTPUTS, directory)
