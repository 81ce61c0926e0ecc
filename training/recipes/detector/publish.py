"""A trained detector becomes a model version directory with its report: whole or not at all."""

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
from training.data.material import Studio
from training.networks.detector import PEAKS
from training.options import TrainOptions
from training.progress import Terminal
from training.publishing.publish import ModelName, whole_or_nothing
from training.publishing.warmup import write_warmup
from training.recipes.detector.card import card
from training.recipes.detector.checkpoint import History
from training.recipes.detector.evaluate import KINDS, drawn_scenes, figures, grounds_in, measure
from training.recipes.detector.measure import best_threshold, told_right
from training.recipes.detector.pictures import sample_scenes, sheet
from training.recipes.detector.scenes import SIZE, Draw, Scenes
from training.recipes.detector.served import ServedDetector
from training.recipes.detector.serving import Scale, export_detector

ARCHITECTURE = "detector"
SCENES, SHOWN = 600, 18
INPUT = InputSize(height=SIZE, width=SIZE)


@dataclass(frozen=True)
class Trained:
    """What training leaves: the fixed part, the head, losses, facts of the material, and the backgrounds it was trained on."""

    features: Any
    head: Any
    history: History
    material: dict[str, Any]
    grounds: NDArray[np.uint8]


def publish_detector(
    name: ModelName, trained: Trained, studio: Studio, options: TrainOptions, terminal: Terminal
) -> None:
    """Export, measure what was exported, and write manifest, report and card.

    Raises:
        TrainingError: the version exists and may not be replaced, or a part of the products is empty.
        OSError: the disk is full or the folder cannot be written.
    """
    with whole_or_nothing(name, options.force) as directory:
        held = drawn_scenes(studio, "validation", trained.grounds, Draw(options.seed + 2, empty=0.0))
        detector = _exported(trained, directory, held, terminal)
        write_warmup(directory, name.name, INPUT)
        manifest = _manifest(name, trained, options, _threshold(detector, held))
        grounds = grounds_in(None, options.seed, terminal)
        measured = {
            kind: measure(detector, drawn_scenes(studio, "test", grounds, Draw(options.seed + 1, **draw)), SCENES)
            for kind, draw in KINDS.items()
        }
        found = figures(measured, manifest)
        manifest = manifest.model_copy(update={"metrics": {"drawn_backgrounds": found}})
        _write(directory, manifest, found, trained.history)
        _draw(directory, detector, manifest)
    said = found[next(iter(KINDS))]
    terminal.line(
        f"recall {100 * said['recall']:.1f} %, precision {100 * said['precision']:.1f} % at an overlap of one half"
    )


def _exported(trained: Trained, directory: Path, held: Scenes, terminal: Terminal) -> ServedDetector:
    """Export with probabilities that are as often right as they say, on scenes of the validation part (Platt's scaling)."""
    export_detector(trained.features, trained.head, directory)
    plain = measure(ServedDetector(directory), held, SCENES)
    scores, right = told_right(plain.answers, plain.scenes)
    scale = Scale()
    if len(set(right.tolist())) == 2:
        logits = np.log(scores / (1 - scores).clip(1e-6))
        fitted = LogisticRegression(C=1e6).fit(logits[:, None], right)
        scale = Scale(float(fitted.coef_[0, 0]), float(fitted.intercept_[0]))
    if scale.gain <= 0:  # after a few steps nothing is sure of anything
        return ServedDetector(directory)
    terminal.line(f"probabilities: {scale.gain:.3f} × logit {scale.shift:+.3f}")
    shutil.rmtree(directory)
    directory.mkdir()
    export_detector(trained.features, trained.head, directory, scale)
    return ServedDetector(directory)


def _threshold(detector: ServedDetector, held: Scenes) -> float:
    """Return the least sureness at which most is right, on scenes of the validation part."""
    measured = measure(detector, held, SCENES)
    return best_threshold(measured.answers, measured.scenes)


def _manifest(name: ModelName, trained: Trained, options: TrainOptions, threshold: float) -> DetectorManifest:
    return DetectorManifest(
        name=name.name,
        version=name.version,
        architecture=ARCHITECTURE,
        input=INPUT,
        categories=CATEGORIES,
        parameters=trained.head.count_params(),
        boxes=PEAKS,
        threshold=threshold,
        dataset=trained.material,
        seed=options.seed,
        command=options.command(),
        created=datetime.now(UTC).isoformat(timespec="seconds"),
    )


def _write(directory: Path, manifest: DetectorManifest, found: dict[str, Any], history: History) -> None:
    report = directory / "report"
    report.mkdir()
    text = json.dumps(manifest.model_dump(mode="json"), indent=2, ensure_ascii=False)
    (directory / MANIFEST_NAME).write_text(text + "\n", "utf-8")
    (directory / "README.md").write_text(card(manifest, found, history), "utf-8")
    numbers = json.dumps({"figures": found, "history": history}, indent=2, ensure_ascii=False)
    (report / "report.json").write_text(numbers + "\n", "utf-8")


def _draw(directory: Path, detector: ServedDetector, manifest: DetectorManifest) -> None:
    """Write the picture of what is found in scenes of drawn garments."""
    draw = sample_scenes(manifest.seed)
    scenes = [draw(number) for number in range(SHOWN)]
    told = [distinct(found, manifest.threshold) for found in detector(scenes)]
    sheet([s.picture for s in scenes], told, directory / "report" / "scenes.jpg", [s.boxes for s in scenes])
