"""`lookalike evaluate-detector`: how many garments of composed scenes a detector finds."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from services.catalogue.sources.formats.kaggle_archive import CATEGORIES
from services.contracts.domain.garments import DetectedGarments, distinct
from services.contracts.domain.manifest import DetectorManifest, InputSize
from training.data.backgrounds import drawn, patches_of, pictures_in
from training.data.dataset import archive_sha256
from training.data.material import Studio, read_studio
from training.errors import TrainingError
from training.progress import Terminal
from training.recipes.detector.measure import Count, count, matches
from training.recipes.detector.scenes import Draw, Photos, Scene, Scenes, Shots
from training.recipes.detector.served import ServedDetector

SHOTS = InputSize(height=96, width=96)  # the size that studio shots are read at, before they are cut out
PATCHES = 6  # of one picture of the folder
DRAWN = 200
# What is drawn: the scenes, and harder ones.
KINDS: dict[str, dict[str, float]] = {
    "two to four garments, apart": {"empty": 0.0, "worn": 0.0, "others": 0.0},
    "with worn ones, and things that are no garments": {"empty": 0.0, "worn": 0.3, "others": 0.3},
}


@dataclass(frozen=True)
class Measured:
    """One kind of scenes with what the detector said of each."""

    scenes: list[Scene]
    answers: list[DetectedGarments]


def grounds_in(folder: Path | None, seed: int, terminal: Terminal) -> NDArray[np.uint8]:
    """Return backgrounds to measure on, uint8 (n, 128, 128, 3): of the folder's pictures, or drawn ones without a folder.

    Raises:
        TrainingError: the folder holds no picture.
    """
    rng = np.random.default_rng([seed, 5])
    if folder is None:
        return np.stack(list(drawn(rng, DRAWN)))
    files = pictures_in(folder)
    found = [
        patch for file in terminal.track(files, len(files), "backgrounds") for patch in patches_of(file, rng, PATCHES)
    ]
    if not found:
        raise TrainingError(f"{folder} holds no picture that can be read")
    return np.stack(found)


def evaluate_detector(
    directory: Path, dataset: Path, backgrounds: Path | None, scenes: int, terminal: Terminal
) -> dict[str, Any]:
    """Return a detector's figures on products that it was not trained on, ready for JSON.

    Raises:
        ManifestError, ArchiveError, TrainingError: the text is one sentence.
    """
    detector, manifest = ServedDetector.load(directory)
    if manifest.categories != CATEGORIES:
        raise TrainingError(f"{directory} tells other categories than the archive's nine: it cannot be measured on it")
    if backgrounds and not backgrounds.is_dir():
        raise TrainingError(f"there is no folder {backgrounds}")
    if backgrounds and archive_sha256(backgrounds) == manifest.dataset.get("backgrounds", {}).get("sha256"):
        raise TrainingError(
            f"{manifest.model_id} was trained on the pictures in {backgrounds}: it cannot be measured on them"
        )
    studio = read_studio(dataset, SHOTS, manifest.seed, terminal)
    grounds = grounds_in(backgrounds, manifest.seed, terminal)
    measured = {
        kind: measure(detector, drawn_scenes(studio, "test", grounds, Draw(manifest.seed + 1, **draw)), scenes)
        for kind, draw in KINDS.items()
    }
    return {"model": manifest.model_id, **figures(measured, manifest)}


def drawn_scenes(
    studio: Studio, part: str, grounds: NDArray[np.uint8], draw: Draw, photos: Photos | None = None
) -> Scenes:
    """Return scenes of the products of one part, and of people's photos.

    Raises:
        TrainingError: the part has no product of the nine categories.
    """
    positions = np.flatnonzero(studio.parts == part)
    found = Scenes(Shots(studio.images, studio.alphas, studio.categories), positions, grounds, draw, photos)
    if not found.groups:
        raise TrainingError(f"the {part} part is empty: the archive has too few products")
    return found


def measure(detector: ServedDetector, scenes: Scenes, number: int) -> Measured:
    """Return the first scenes with the detector's answers."""
    drawn = [scenes(place) for place in range(number)]
    return Measured(drawn, detector(drawn))


def figures(measured: dict[str, Measured], manifest: DetectorManifest) -> dict[str, Any]:
    """Return the figures of each kind of scenes at the manifest's threshold."""
    found: dict[str, Any] = {"threshold": manifest.threshold, "overlap": 0.5}
    for kind, one in measured.items():
        counted = count(one.answers, one.scenes, manifest.threshold)
        found[kind] = {
            "scenes": len(one.scenes),
            "garments": counted.there,
            "boxes": counted.told,
            **_rounded(counted),
            "recall_by_category": by_category(one, manifest.threshold),
        }
    return found


def by_category(measured: Measured, threshold: float) -> dict[str, float]:
    """Return the share of each category's garments that are found, whatever the detector takes them for."""
    there, hit = np.zeros(len(CATEGORIES), int), np.zeros(len(CATEGORIES), int)
    for found, scene in zip(measured.answers, measured.scenes, strict=True):
        np.add.at(there, scene.categories, 1)
        garments = [garment for garment in matches(distinct(found, threshold), scene) if garment >= 0]
        np.add.at(hit, scene.categories[garments], 1)
    return {name: round(float(h / t), 4) for name, h, t in zip(CATEGORIES, hit, there, strict=True) if t}


def _rounded(counted: Count) -> dict[str, float]:
    return {name: round(value, 4) for name, value in counted.figures().items()}
