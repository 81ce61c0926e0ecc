"""`lookalike evaluate-detector`: how many garments a detector finds in composed scenes, people's and street photos."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from services.catalogue.sources.formats.kaggle_archive import CATEGORIES
from services.contracts.domain.garments import DetectedGarments, distinct
from services.contracts.domain.manifest import DetectorManifest, InputSize
from training.data.archives.street_photos import StreetPhoto, read_street_photos
from training.data.archives.training_images import PeoplePhotos, StudioShots, read_people, read_studio
from training.data.composing.backgrounds import drawn
from training.data.composing.scenes import SIZE, Scene, SceneOptions, ScenePhotos, SceneProducts, Scenes
from training.data.composing.street_scenes import whole_scene
from training.data.contents import NONE
from training.data.evaluation_images import DRAWN, folder_patches, refuse_training_folder
from training.errors import TrainingError
from training.evaluation.detector.evaluated_detector import EvaluatedDetector
from training.evaluation.detector.matching import OVERLAP, DetectionCounts, count_detections, matches
from training.evaluation.detector.street_photos import street_figures
from training.progress import Terminal

SHOT_SIZE = InputSize(height=96, width=96)  # of the studio shots before they are cut out
PHOTOS_KIND = "people's photos that one garment fills, alone or in pairs"
STREET_KIND = "street photos"
# The shares of `SceneOptions` for each kind of scenes.
SCENE_KINDS: dict[str, dict[str, float]] = {
    "two to four garments, apart": {"empty": 0.0, "worn": 0.0, "others": 0.0},
    "with worn garments, and things that are no garments": {"empty": 0.0, "worn": 0.3, "others": 0.3},
}


@dataclass(frozen=True)
class DetectorOutputs:
    """Scenes with the boxes that a detector returns for each."""

    scenes: list[Scene]
    detections: list[DetectedGarments]


@dataclass(frozen=True)
class DetectorEvaluation:
    """An archive, a folder of backgrounds (None: drawn patterns), the number of composed scenes of each kind, and the
    archives of people's photos and of street photos, if any.
    """

    dataset: Path
    backgrounds: Path | None = None
    scenes: int = 1000
    photos: Path | None = None
    street_photos: Path | None = None


def evaluate_detector(directory: Path, evaluation: DetectorEvaluation, terminal: Terminal) -> dict[str, Any]:
    """Return a detector's figures on products and photos of its test part, ready for JSON.

    Raises:
        ManifestError, ArchiveError, TrainingError: the text is one sentence.
    """
    detector, manifest = EvaluatedDetector.load(directory)
    if manifest.categories != CATEGORIES:
        raise TrainingError(f"{directory} has other categories than the archive's nine: it cannot be evaluated on it")
    if evaluation.backgrounds:
        refuse_training_folder(evaluation.backgrounds, manifest)
    seed = manifest.seed
    parts = DetectorTestParts(
        studio=read_studio(evaluation.dataset, SHOT_SIZE, seed, terminal),
        photos=None
        if evaluation.photos is None
        else photos_of(read_scene_people(evaluation.photos, seed, terminal), "test"),
        street=read_street_photos(evaluation.street_photos, seed, terminal)["test"] if evaluation.street_photos else [],
    )
    patches = background_patches(evaluation.backgrounds, seed, terminal)
    return {"model": manifest.model_id, **figures_on_test_parts(detector, manifest, parts, patches, evaluation.scenes)}


@dataclass(frozen=True)
class DetectorTestParts:
    """What a detector is evaluated on: studio shots, of which the test part is used; photos of the test parts."""

    studio: StudioShots
    photos: ScenePhotos | None
    street: Sequence[StreetPhoto]


def figures_on_test_parts(
    detector: EvaluatedDetector,
    manifest: DetectorManifest,
    parts: DetectorTestParts,
    backgrounds: NDArray[np.uint8],
    number: int,
) -> dict[str, Any]:
    """Return the figures on `number` composed scenes of each kind, as many of people's photos, and all street photos.

    Raises:
        TrainingError: the test part has no product of the nine categories.
    """
    detected = {}
    for kind, shares in SCENE_KINDS.items():
        scenes = drawn_scenes(parts.studio, "test", backgrounds, SceneOptions(manifest.seed + 1, **shares))
        detected[kind] = detect(detector, scenes, number)
    if parts.photos is not None:
        options = SceneOptions(manifest.seed + 1, photos=1.0)
        scenes = drawn_scenes(parts.studio, "test", backgrounds, options, parts.photos)
        detected[PHOTOS_KIND] = detect(detector, scenes, number)
    figures = detection_figures(detected, manifest)
    if parts.street:
        streets = [whole_scene(photo, manifest.input.width) for photo in parts.street]
        figures[STREET_KIND] = street_figures(detector(streets), streets, manifest.threshold)
    return figures


def read_scene_people(path: Path, seed: int, terminal: Terminal) -> PeoplePhotos:
    """Return people's photos at the size of composed scenes; errors as `read_people`."""
    return read_people(path, InputSize(height=SIZE, width=SIZE), seed, terminal)


def photos_of(people: PeoplePhotos, part: str) -> ScenePhotos:
    """Return a part's photos of garments of the nine categories."""
    used = (people.parts == part) & (people.categories != NONE)
    return ScenePhotos(people.images[used], people.categories[used])


def background_patches(folder: Path | None, seed: int, terminal: Terminal) -> NDArray[np.uint8]:
    """Return backgrounds, uint8 (n, 128, 128, 3): parts of the folder's pictures, or drawn patterns without a folder.

    Raises:
        TrainingError: the folder holds no picture.
    """
    rng = np.random.default_rng([seed, 5])
    return np.stack(list(drawn(rng, DRAWN))) if folder is None else folder_patches(folder, rng, terminal)


def drawn_scenes(
    studio: StudioShots,
    part: str,
    backgrounds: NDArray[np.uint8],
    options: SceneOptions,
    photos: ScenePhotos | None = None,
) -> Scenes:
    """Return scenes of the products of one part, and of people's photos.

    Raises:
        TrainingError: the part has no product of the nine categories.
    """
    positions = np.flatnonzero(studio.parts == part)
    products = SceneProducts(studio.images, studio.alphas, studio.categories)
    scenes = Scenes(products, positions, backgrounds, options, photos)
    if not scenes.groups:
        raise TrainingError(f"the {part} part is empty: the archive has too few products")
    return scenes


def detect(detector: EvaluatedDetector, scenes: Scenes, number: int) -> DetectorOutputs:
    """Return the first scenes with the detector's boxes."""
    first = [scenes(place) for place in range(number)]
    return DetectorOutputs(first, detector(first))


def detection_figures(detected: dict[str, DetectorOutputs], manifest: DetectorManifest) -> dict[str, Any]:
    """Return the figures of each kind of scenes at the manifest's threshold."""
    figures: dict[str, Any] = {"threshold": manifest.threshold, "overlap": OVERLAP}
    for kind, outputs in detected.items():
        counts = count_detections(outputs.detections, outputs.scenes, manifest.threshold)
        figures[kind] = {
            "scenes": len(outputs.scenes),
            "garments": counts.garments,
            "boxes": counts.boxes,
            **_rounded(counts),
            "recall_by_category": recall_by_category(outputs, manifest.threshold),
        }
    return figures


def recall_by_category(outputs: DetectorOutputs, threshold: float) -> dict[str, float]:
    """Return the share of each category's garments that are found, with any predicted category."""
    garments, hits = np.zeros(len(CATEGORIES), int), np.zeros(len(CATEGORIES), int)
    for detection, scene in zip(outputs.detections, outputs.scenes, strict=True):
        np.add.at(garments, scene.categories, 1)
        matched = [garment for garment in matches(distinct(detection, threshold), scene) if garment >= 0]
        np.add.at(hits, scene.categories[matched], 1)
    rows = zip(CATEGORIES, hits, garments, strict=True)
    return {name: round(float(hit / count), 4) for name, hit, count in rows if count}


def _rounded(counts: DetectionCounts) -> dict[str, float]:
    return {name: round(value, 4) for name, value in counts.figures().items()}
