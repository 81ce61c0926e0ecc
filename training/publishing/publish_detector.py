"""Writes a trained detector as a model version directory with its report, whole or not at all."""

import json
import shutil
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
from training.data.scenes import SIZE, SceneOptions, Scenes
from training.data.training_images import StudioShots
from training.evaluation.detection import best_threshold, correct_boxes
from training.evaluation.detector import SCENE_KINDS, background_patches, detect, detection_figures, drawn_scenes
from training.evaluation.evaluated_detector import EvaluatedDetector
from training.networks.detector import PEAKS
from training.publishing.export_detector import IDENTITY, PlattScaling, export_detector
from training.publishing.warmup import write_warmup
from training.report.detector_card import card_markdown
from training.report.detector_sheet import sample_scenes, sheet
from training.run.checkpoint import History

ARCHITECTURE = "detector"
SCENES, SHEET_SCENES = 600, 18
INPUT = InputSize(height=SIZE, width=SIZE)


@dataclass(frozen=True)
class TrainedDetector:
    """A trained detector, ready to be published.

    Attributes:
        features: the fixed part of the network.
        head: the trained part.
        history: the losses of each round.
        dataset: what the manifest records of the sources.
        backgrounds: of the training scenes.
    """

    features: Any
    head: Any
    history: History
    dataset: dict[str, Any]
    backgrounds: NDArray[np.uint8]


def publish_detector(context: TrainingContext, trained: TrainedDetector, studio: StudioShots) -> None:
    """Export, evaluate the exported network, and write manifest, report and card.

    Raises:
        TrainingError: the version exists and may not be replaced, or a part of the products is empty.
        OSError: the disk is full or the folder cannot be written.
    """
    options, terminal = context.options, context.terminal
    with context.version.written(options.force) as directory:
        scene_options = SceneOptions(options.seed + 2, empty=0.0)
        validation = drawn_scenes(studio, "validation", trained.backgrounds, scene_options)
        detector = _exported(context, trained, directory, validation)
        write_warmup(directory, context.version.name, INPUT)
        manifest = _manifest(context, trained, _threshold(detector, validation))
        figures = _test_figures(context, detector, manifest, studio)
        manifest = manifest.model_copy(update={"metrics": {"drawn_backgrounds": figures}})
        _write(directory, manifest, figures, trained.history)
        _draw_sheet(directory, detector, manifest)
    first = figures[next(iter(SCENE_KINDS))]
    recall, precision = 100 * first["recall"], 100 * first["precision"]
    terminal.line(f"recall {recall:.1f} %, precision {precision:.1f} % at an overlap of one half")


def _exported(
    context: TrainingContext, trained: TrainedDetector, directory: Path, validation: Scenes
) -> EvaluatedDetector:
    """Export the detector with calibrated probabilities."""
    export_detector(trained.features, trained.head, directory)
    scaling = _fitted_scaling(EvaluatedDetector(directory), validation)
    if scaling != IDENTITY:
        context.terminal.line(f"probabilities: {scaling.gain:.3f} × logit {scaling.shift:+.3f}")
        shutil.rmtree(directory)
        directory.mkdir()
        export_detector(trained.features, trained.head, directory, scaling)
    return EvaluatedDetector(directory)


def _fitted_scaling(detector: EvaluatedDetector, validation: Scenes) -> PlattScaling:
    """Return the scaling that fits the validation part; the identity if the scores do not indicate correct boxes."""
    detected = detect(detector, validation, SCENES)
    scores, correct = correct_boxes(detected.detections, detected.scenes)
    if len(set(correct.tolist())) < 2:
        return IDENTITY
    logits = np.log(scores / (1 - scores).clip(1e-6))
    fitted = LogisticRegression(C=1e6).fit(logits[:, None], correct)
    gain, shift = float(fitted.coef_[0, 0]), float(fitted.intercept_[0])
    return PlattScaling(gain, shift) if gain > 0 else IDENTITY


def _threshold(detector: EvaluatedDetector, validation: Scenes) -> float:
    """Return the threshold with the best F1 on scenes of the validation part."""
    detected = detect(detector, validation, SCENES)
    return best_threshold(detected.detections, detected.scenes)


def _test_figures(
    context: TrainingContext, detector: EvaluatedDetector, manifest: DetectorManifest, studio: StudioShots
) -> dict[str, Any]:
    """Return the figures on scenes of the test part, on drawn backgrounds."""
    seed = context.options.seed
    backgrounds = background_patches(None, seed, context.terminal)
    detected = {
        kind: detect(detector, drawn_scenes(studio, "test", backgrounds, SceneOptions(seed + 1, **shares)), SCENES)
        for kind, shares in SCENE_KINDS.items()
    }
    return detection_figures(detected, manifest)


def _manifest(context: TrainingContext, trained: TrainedDetector, threshold: float) -> DetectorManifest:
    return DetectorManifest(
        name=context.version.name,
        version=context.version.version,
        architecture=ARCHITECTURE,
        input=INPUT,
        categories=CATEGORIES,
        parameters=trained.head.count_params(),
        boxes=PEAKS,
        threshold=threshold,
        dataset=trained.dataset,
        seed=context.options.seed,
        command=context.options.command(),
        created=datetime.now(UTC).isoformat(timespec="seconds"),
    )


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
