"""What unusual pictures get: photos of screens, drawings, collages, product sheets, faces, walls, dressed animals."""

import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from services.catalogue.sources.formats.kaggle_archive import CATEGORIES
from services.contracts.domain.manifest import InputSize
from services.contracts.images.preparation import DECODE_ERRORS, prepare_image
from training.data.archives.photos import LABELS, photo_files
from training.data.composing.unusual import CHANGES, COLLAGE, DRAWINGS, Picture, collage, dressed
from training.data.cutouts import alpha_of
from training.data.evaluation_images import Predicate
from training.errors import TrainingError
from training.evaluation.evaluated_model import EvaluatedModel
from training.evaluation.outcomes import Scales, outcomes
from training.evaluation.search.retrieval import EmbeddedProducts, unit
from training.progress import Terminal

MOST_PHOTOS = 300
DRAWN = 100  # drawings of each kind
MOST_PETS = 100
UNCHANGED = "as they are"
SWEATERS = ("Sweaters", "Sweatshirts")
Answers = list[frozenset[int]]


@dataclass(frozen=True)
class UnusualPictures:
    """Pictures of one kind: uint8 (n, h, w, 3), and the categories that are right for each; none for no clothing."""

    images: NDArray[np.uint8]
    right: Answers


def unusual_pictures(
    path: Path,
    sender: Predicate,
    animals: NDArray[np.uint8] | None,
    garments: NDArray[np.uint8],
    size: InputSize,
    seed: int,
) -> dict[str, UnusualPictures]:
    """Return the pictures by kind, as the network's input.

    Args:
        path: the archive of people's photos.
        sender: whose photos to take.
        animals: pictures of animals, uint8 (n, h, w, 3); None without them.
        garments: studio shots of sweaters, uint8 (m, n, n, 3).
        size: of the network's input.
        seed: of all draws.

    Raises:
        TrainingError: the path is not such an archive, or has no usable photo of the nine categories.
    """
    photos, right = _photos(path, sender)
    rng = np.random.default_rng([seed, 13])
    kinds = {UNCHANGED: UnusualPictures(_prepared(photos, size), right)}
    for name, change in CHANGES.items():
        kinds[name] = UnusualPictures(_prepared([change(photo, rng) for photo in photos], size), right)
    starts = range(0, len(photos) - COLLAGE + 1, COLLAGE)
    if starts:
        collages = [collage(photos[start : start + COLLAGE]) for start in starts]
        shown = [frozenset[int]().union(*right[start : start + COLLAGE]) for start in starts]
        kinds["collages of four photos"] = UnusualPictures(_prepared(collages, size), shown)
    for name, drawing in DRAWINGS.items():
        kinds[name] = UnusualPictures(_prepared([drawing(rng) for _ in range(DRAWN)], size), [frozenset()] * DRAWN)
    if animals is not None and len(animals) and len(garments):
        pets = [_dressed(pet, garments, rng) for pet in animals[:MOST_PETS]]
        topwear = frozenset({CATEGORIES.index("Topwear")})
        kinds["animals in sweaters, composed"] = UnusualPictures(_prepared(pets, size), [topwear] * len(pets))
    return kinds


def unusual_figures(
    model: EvaluatedModel,
    kinds: dict[str, UnusualPictures],
    gallery: EmbeddedProducts,
    scales: Scales,
    terminal: Terminal,
) -> dict[str, Any]:
    """Return the share of each outcome, and the share in a right category where there is one, ready for JSON."""
    least, figures = model.manifest.thresholds.get("no_clothing", 0.0), {}
    for name, pictures in kinds.items():
        probabilities, vectors = model.predict(pictures.images, terminal, f"network over {name}")
        figures[name] = outcomes(probabilities, unit(vectors), gallery, scales, least)
        if any(pictures.right):
            pairs = zip(probabilities.argmax(axis=1).tolist(), pictures.right, strict=True)
            figures[name]["right"] = float(np.mean([predicted in right for predicted, right in pairs]))
    return figures


def _photos(path: Path, sender: Predicate) -> tuple[list[Picture], Answers]:
    photos: list[Picture] = []
    right: Answers = []
    for photo, category in _readable(path, sender):
        photos.append(photo)
        right.append(frozenset({CATEGORIES.index(category)}))
        if len(photos) == MOST_PHOTOS:
            break
    if not photos:
        raise TrainingError(
            f"{path} has no usable photo of the nine categories of a sender that the model has not seen"
        )
    return photos, right


def _readable(path: Path, sender: Predicate) -> Iterator[tuple[Picture, str]]:
    for _, name, label, data in photo_files(path):
        if data is None or label not in LABELS or not sender(name):
            continue
        try:
            photo = Image.open(io.BytesIO(data), formats=("JPEG",)).convert("RGB")
        except DECODE_ERRORS:
            continue
        yield photo, LABELS[label]


def _dressed(pet: NDArray[np.uint8], garments: NDArray[np.uint8], rng: np.random.Generator) -> Picture:
    garment = garments[int(rng.integers(len(garments)))]
    return dressed(pet, garment, alpha_of(garment))


def _prepared(pictures: list[Picture], size: InputSize) -> NDArray[np.uint8]:
    images = []
    for picture in pictures:
        file = io.BytesIO()
        picture.save(file, "PNG")
        images.append(prepare_image(file.getvalue(), size)[0])
    return np.stack(images)
