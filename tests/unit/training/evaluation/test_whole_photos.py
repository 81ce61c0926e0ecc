"""What a search answers to whole street photos, with models that look at the redness of a picture alone."""

import io
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest
from PIL import Image

from services.catalogue.sources.formats.kaggle_archive import CATEGORIES
from services.contracts.domain.garments import DetectedGarments
from services.contracts.domain.manifest import InputSize
from services.engine.similarity import scale_from_threshold
from training.data.archives.street_photos import StreetPhoto
from training.data.composing.scenes import Scene
from training.evaluation.search.retrieval import EmbeddedProducts
from training.evaluation.whole_photos import LoadedModels, SearchedGallery, whole_photo_figures

SIDE = 40
TOPWEAR, SHOES = CATEGORIES.index("Topwear"), CATEGORIES.index("Shoes")
SHIRT = np.array([[8, 8, 24, 32]], np.float32)
NAMES = np.array(["a", "b"])
SCALES = {0: scale_from_threshold({"no_close_match": 0.8}), 1: scale_from_threshold({"no_close_match": 0.8})}
FAR = np.array([[0, 0, 1, 0], [0, 0, 1, 0]], np.float32)
CLOSE = np.array([[1, 0, 0, 0], [1, 0, 0, 0]], np.float32)


def photo(*categories: int) -> StreetPhoto:
    """Return a grey street of 40×40 pixels with a red shirt on its left side."""
    picture = np.full((SIDE, SIDE, 3), 120, np.uint8)
    picture[8:32, 8:24] = (220, 20, 20)
    return StreetPhoto("0001", picture, np.repeat(SHIRT, len(categories), 0), np.array(categories, np.int32))


def predict(images: np.ndarray, *_: Any) -> tuple[np.ndarray, np.ndarray]:
    """A picture that is red is Topwear for sure; another one is Shoes, perhaps."""
    red = (images[..., 0].astype(int) - images[..., 1] > 100).mean(axis=(1, 2)) > 0.5  # a part is padded with white
    chances = np.full((len(images), len(CATEGORIES)), 0.02, np.float32)
    chances[red, TOPWEAR], chances[~red, SHOES] = 0.84, 0.5
    return chances, np.tile(np.array([2, 0, 0, 0], np.float32), (len(images), 1))


def models(probability: float, no_clothing: float = 0.4) -> LoadedModels:
    """Return models whose detector finds the shirt with a probability."""
    manifest = {"input": InputSize(height=SIDE, width=SIDE), "categories": CATEGORIES}
    fashion = SimpleNamespace(model_id="fashion/9", thresholds={"no_clothing": no_clothing}, **manifest)

    def detect(scenes: list[Scene]) -> list[DetectedGarments]:
        chances = np.zeros((1, len(CATEGORIES)), np.float32)
        chances[0, TOPWEAR] = probability
        return [DetectedGarments(SHIRT * np.float32(len(scene.picture) / SIDE), chances) for scene in scenes]

    return LoadedModels(
        cast(Any, SimpleNamespace(manifest=fashion, predict=predict)),
        cast(Any, detect),
        cast(Any, SimpleNamespace(model_id="detector/9", threshold=0.2, **manifest)),
    )


def gallery(vectors: np.ndarray) -> SearchedGallery:
    return SearchedGallery(EmbeddedProducts(NAMES, np.array([0, 1]), NAMES, NAMES, vectors), SCALES)


def test_a_sure_garment_is_searched_and_its_category_is_worn() -> None:
    figures = whole_photo_figures(models(0.95), [photo(TOPWEAR)], gallery(FAR))
    expected = {"photos": 1, "ok": 0, "garment_chosen": 1, "answered": 1, "worn_category": 1, "right_category": 1}
    assert {name: figures[name] for name in expected} == expected
    assert figures["detector"] == "detector/9"


def test_without_a_sure_garment_the_whole_photo_is_answered() -> None:
    far = whole_photo_figures(models(0.3), [photo(TOPWEAR)], gallery(FAR))
    assert (far["ok"], far["garment_chosen"], far["answered"], far["worn_category"]) == (0, 0, 0, 0)
    close = whole_photo_figures(models(0.3), [photo(TOPWEAR), photo(SHOES)], gallery(CLOSE))
    assert (close["ok"], close["garment_chosen"], close["answered"]) == (1, 0, 1)
    assert close["worn_category"] == close["right_category"] == 0.5


def test_a_photo_that_is_no_clothing_is_not_answered() -> None:
    figures = whole_photo_figures(models(0.95, no_clothing=0.99), [photo(TOPWEAR)], gallery(CLOSE))
    assert (figures["no_clothing"], figures["answered"], figures["right_category"]) == (1, 0, 0)


def test_photos_without_garments_of_the_categories_do_not_count() -> None:
    assert whole_photo_figures(models(0.9), [photo()], gallery(FAR)) == {"photos": 0}
    assert whole_photo_figures(models(0.9), [photo(), photo(TOPWEAR)], gallery(FAR))["photos"] == 1


async def test_garments_are_placed_in_the_photo_without_its_padding() -> None:
    file = io.BytesIO()
    Image.fromarray(photo().picture[8:28]).save(file, "PNG")
    (garment,) = (await models(0.9).detect(file.getvalue())).garments
    # The photo is 20 of 40 rows high: the box from row 8 to row 32 of the input covers all of it.
    assert (garment.box.y, garment.box.bottom) == pytest.approx((0, 1), abs=1e-4)
    assert (garment.box.x, garment.box.right) == pytest.approx((0.2, 0.6), abs=1e-4)
    assert garment.category.name == "Topwear"
