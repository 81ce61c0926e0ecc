"""Pictures of what a detector finds, each box with its category and how sure it is."""

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
from training.data.backgrounds import drawn
from training.data.cutouts import alpha_of
from training.recipes.detector.scenes import Draw, Scenes, Shots

COLUMNS, EACH, PATTERNS = 6, 6, 60
SHOT = InputSize(height=96, width=96)
TRUE, TOLD = (255, 255, 255), (200, 20, 60)


def sample_scenes(seed: int) -> Scenes:
    """Return scenes of drawn garments on drawn patterns: nothing of anyone's data is in them."""
    products = [sample_query_product(number, category) for category in CATEGORIES for number in range(EACH)]
    images = np.stack([prepare_image(product.jpeg(), SHOT)[0] for product in products])
    shots = Shots(
        images=images,
        alphas=np.stack([alpha_of(image) for image in images]),
        categories=np.array([CATEGORIES.index(product.category) for product in products], np.int32),
    )
    patterns = np.stack(list(drawn(np.random.default_rng([seed, 6]), PATTERNS)))
    return Scenes(shots, np.arange(len(products)), patterns, Draw(seed, empty=0.0, others=0.0))


def sheet(
    pictures: Sequence[NDArray[np.uint8]],
    found: Sequence[DetectedGarments],
    path: Path,
    truths: Sequence[NDArray[np.float32]] = (),
) -> None:
    """Write pictures of one size beside each other: in red what was found, in white, where it is known, what is there."""
    cells = []
    for place, (picture, told) in enumerate(zip(pictures, found, strict=True)):
        image = Image.fromarray(picture)
        pen = ImageDraw.Draw(image)
        for box in truths[place] if truths else ():
            pen.rectangle([float(side) for side in box], outline=TRUE)
        for box, category, score in zip(told.boxes, told.categories, told.scores, strict=True):
            pen.rectangle([float(side) for side in box], outline=TOLD)
            left, top = float(box[0]) + 2, float(box[1]) + 1
            label = f"{CATEGORIES[category]} {score:.2f}"
            pen.rectangle(pen.textbbox((left, top), label), fill=TRUE)
            pen.text((left, top), label, fill=TOLD)
        cells.append(np.asarray(image))
    blank = np.full_like(cells[0], 255)
    cells += [blank] * (-len(cells) % COLUMNS)
    rows = [np.concatenate(cells[start : start + COLUMNS], 1) for start in range(0, len(cells), COLUMNS)]
    Image.fromarray(np.concatenate(rows)).save(path, quality=88)
