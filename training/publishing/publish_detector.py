"""Writes a trained detector as a model version directory with its report, whole or not at all."""

import json
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from services.catalogue.sources.formats.kaggle_archive import CATEGORIES
from services.contracts.domain.garments import distinct
from services.contracts.domain.manifest import MANIFEST_NAME, DetectorManifest, InputSize
from training.context import TrainingContext
from training.data.archives.street_photos import StreetPhoto
from training.data.composing.scenes import Scene, SceneOptions
from training.data.composing.street_scenes import whole_scene
from training.evaluation.detector.evaluated_detector import EvaluatedDetector
from training.evaluation.detector.figures import (
    SCENE_KINDS,
    DetectorTestParts,
    background_patches,
    drawn_scenes,
    figures_on_test_parts,
)
from training.evaluation.detector.matching import best_threshold, correct_boxes
from training.networks.detector import PEAKS, SIDE, DetectorNetwork
from training.publishing.export_detector import IDENTITY, PlattScaling, export_detector
from training.publishing.warmup import write_warmup
from training.report.detector_card import card_markdown
from training.report.detector_sheet import sample_scenes, sheet
from training.run.checkpoint import History

ARCHITECTURE = "detector"
SCENES, SHEET_SCENES = 600, 18
INPUT = InputSize(height=SIDE, width=SIDE)


@dataclass(frozen=True)
class TrainedDetector:
    """A trained detector, ready to be published.

    Attributes:
        network: the network.
        history: the losses of each round.
        dataset: what the manifest records of the sources.
        backgrounds: of the training scenes.
    """

    network: DetectorNetwork
    history: History
    dataset: dict[str, Any]
    backgrounds: NDArray[np.uint8]


@dataclass(frozen=True)
class ValidationScenes:
    """What calibration and threshold are fitted on: composed scenes, and street photos if there are any."""

    composed: list[Scene]
    street: list[Scene]

    @property
    def sets(self) -> list[list[Scene]]:
        """The sets that are not empty; each has the same weight."""
        return [scenes for scenes in (self.composed, self.street) if scenes]


def publish_detector(
    context: TrainingContext, trained: TrainedDetector, parts: DetectorTestParts, street: Sequence[StreetPhoto]
) -> None:
    """Export, evaluate the exported network, and write manifest, report and card.

    Args:
        context: of the command.
        trained: the detector.
        parts: what it is evaluated on.
        street: the street photos of the validation part.

    Raises:
        TrainingError: the version exists and may not be replaced, or a part of the products is empty.
        OSError: the disk is full or the folder cannot be written.
    """
    options, terminal = context.options, context.terminal
    with context.version.written(options.force) as directory:
        scene_options = SceneOptions(options.seed + 2, empty=0.0)
        draw = drawn_scenes(parts.studio, "validation", trained.backgrounds, scene_options)
        composed = [draw(number) for number in range(SCENES)]
        validation = ValidationScenes(composed, [whole_scene(photo, SIDE) for photo in street])
        detector = _exported(context, trained, directory, validation)
        write_warmup(directory, context.version.name, INPUT)
        manifest = _manifest(context, trained, _threshold(detector, validation))
        patches = background_patches(None, options.seed, terminal)
        figures = figures_on_test_parts(detector, manifest, parts, patches, SCENES)
        manifest = manifest.model_copy(update={"metrics": {"test_parts": figures}})
        _write(directory, manifest, figures, trained.history)
        _draw_sheet(directory, detector, manifest)
    first = figures[next(iter(SCENE_KINDS))]
    recall, precision = 100 * first["recall"], 100 * first["precision"]
    terminal.line(f"recall {recall:.1f} %, precision {precision:.1f} % at an overlap of one half")


def _exported(
    context: TrainingContext, trained: TrainedDetector, directory: Path, validation: ValidationScenes
) -> EvaluatedDetector:
    """Export the detector with calibrated probabilities."""
    export_detector(trained.network.features, trained.network.head, directory)
    scaling = _fitted_scaling(EvaluatedDetector(directory, INPUT), validation)
    if scaling != IDENTITY:
        context.terminal.line(f"probabilities: {scaling.gain:.3f} × logit {scaling.shift:+.3f}")
        shutil.rmtree(directory)
        directory.mkdir()
        export_detector(trained.network.features, trained.network.head, directory, scaling)
    return EvaluatedDetector(directory, INPUT)


def _fitted_scaling(detector: EvaluatedDetector, validation: ValidationScenes) -> PlattScaling:
    """Return the scaling that fits the validation part; the identity if the scores do not indicate correct boxes."""
    boxes = [correct_boxes(detector(scenes), scenes) for scenes in validation.sets]
    scores, correct = (np.concatenate(values) for values in zip(*boxes, strict=True))
    if len(set(correct.tolist())) < 2:
        return IDENTITY
    weights = np.concatenate([np.full(len(of_set), 1 / max(len(of_set), 1)) for of_set, _ in boxes])
    logits = np.log(scores / (1 - scores).clip(1e-6))
    fitted = LogisticRegression(C=1e6).fit(logits[:, None], correct, weights * len(scores))
    gain, shift = float(fitted.coef_[0, 0]), float(fitted.intercept_[0])
    return PlattScaling(gain, shift) if gain > 0 else IDENTITY


def _threshold(detector: EvaluatedDetector, validation: ValidationScenes) -> float:
    """Return the threshold with the best F1 on scenes of the validation part."""
    return best_threshold([(detector(scenes), scenes) for scenes in validation.sets])


def _manifest(context: TrainingContext, trained: TrainedDetector, threshold: float) -> DetectorManifest:
    return DetectorManifest(
        name=context.version.name,
        version=context.version.version,
        architecture=ARCHITECTURE,
        input=INPUT,
        categories=CATEGORIES,
        parameters=_trained_parameters(trained.network),
        boxes=PEAKS,
        threshold=threshold,
        dataset=trained.dataset,
        seed=context.options.seed,
        command=context.options.command(),
        created=datetime.now(UTC).isoformat(timespec="seconds"),
    )


def _trained_parameters(network: DetectorNetwork) -> int:
    return int(network.head.count_params() + sum(np.prod(variable.shape) for variable in network.tuned))


def _write(directory: Path, manifest: DetectorManifest, figures: dict[str, Any], history: History) -> None:
    report = directory / "report"
    report.mkdir()
    text = json.dumps(manifest.model_dump(mode="json"), indent=2, ensure_ascii=False)
    (directory / MANIFEST_NAME).write_text(text + "\n", "utf-8")
    (directory / "README.md").write_text(card_markdown(manifest, figures, history), "utf-8")
    document = json.dumps({"figures": figures, "history": history}, indent=2, ensure_ascii=False)
    (report / "report.json").write_text(document + "\n", "utf-8")


def _draw_sheet(directory: Path, detector: EvaluatedDetector, manifest: DetectorManifest) -> None:
    """Draw the boxes that are detected in scenes of drawn garments."""
    draw_scene = sample_scenes(manifest.seed)
    scenes = [draw_scene(number) for number in range(SHEET_SCENES)]
    detections = [distinct(detection, manifest.threshold) for detection in detector(scenes)]
    pictures, truths = [scene.picture for scene in scenes], [scene.boxes for scene in scenes]
    sheet(pictures, detections, directory / "report" / "scenes.jpg", truths)
