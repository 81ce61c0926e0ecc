"""Pictures of the garments that a detector finds, each box with its category and score."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from services.catalogue.sources.formats.kaggle_archive import CATEGORIES
from services.contracts.domain.garments import DetectedGarments
from services.contracts.domain.manifest import InputSize
from services.contracts.images.preparation import prepare_image
from services.sample_shop.catalogue import sample_query_product
from training.data.composing.backgrounds import drawn
from training.data.composing.scenes import SceneOptions, SceneProducts, Scenes
from training.data.cutouts import alpha_of

COLUMNS, PRODUCTS_A_CATEGORY, PATTERNS = 6, 6, 60
SHOT_SIZE = InputSize(height=96, width=96)
TRUE_COLOUR, DETECTED_COLOUR = (255, 255, 255), (200, 20, 60)
Picture = NDArray[np.uint8]
Boxes = NDArray[np.float32]


def sample_scenes(seed: int) -> Scenes:
    """Return scenes of drawn garments on drawn patterns, without anyone's data."""
    numbers = range(PRODUCTS_A_CATEGORY)
    samples = [sample_query_product(number, category) for category in CATEGORIES for number in numbers]
    images = np.stack([prepare_image(sample.jpeg(), SHOT_SIZE)[0] for sample in samples])
    products = SceneProducts(
        images=images,
        alphas=np.stack([alpha_of(image) for image in images]),
        categories=np.array([CATEGORIES.index(sample.category) for sample in samples], np.int32),
    )
    patterns = np.stack(list(drawn(np.random.default_rng([seed, 6]), PATTERNS)))
    return Scenes(products, np.arange(len(samples)), patterns, SceneOptions(seed, empty=0.0, others=0.0))


def sheet(
    pictures: Sequence[Picture], detections: Sequence[DetectedGarments], path: Path, truths: Sequence[Boxes] = ()
) -> None:
    """Write pictures of one size in rows, with the detected boxes in red and the true boxes, where known, in white."""
    cells = []
    for place, (picture, detection) in enumerate(zip(pictures, detections, strict=True)):
        image = Image.fromarray(picture)
        for box in truths[place] if truths else ():
            ImageDraw.Draw(image).rectangle([float(side) for side in box], outline=TRUE_COLOUR)
        _draw_detected(image, detection)
        cells.append(np.asarray(image))
    cells += [np.full_like(cells[0], 255)] * (-len(cells) % COLUMNS)
    rows = [np.concatenate(cells[start : start + COLUMNS], 1) for start in range(0, len(cells), COLUMNS)]
    Image.fromarray(np.concatenate(rows)).save(path, quality=88)


def _draw_detected(image: Image.Image, detection: DetectedGarments) -> None:
    pen = ImageDraw.Draw(image)
    for box, category, score in zip(detection.boxes, detection.categories, detection.scores, strict=True):
        pen.rectangle([float(side) for side in box], outline=DETECTED_COLOUR)
        corner = (float(box[0]) + 2, float(box[1]) + 1)
        label = f"{CATEGORIES[category]} {score:.2f}"
        pen.rectangle(pen.textbbox(corner, label), fill=TRUE_COLOUR)
        pen.text(corner, label, fill=DETECTED_COLOUR)
