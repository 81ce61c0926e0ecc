from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest

from services.catalogue.sources.formats.kaggle_archive import CATEGORIES
from services.contracts.domain.manifest import InputSize
from tests.support.pictures.archives import make_photos
from tests.support.pictures.tiny_network import archives
from training.data.composing.unusual import CHANGES, DRAWINGS
from training.errors import TrainingError
from training.evaluation import unusual
from training.evaluation.evaluated_model import EvaluatedModel
from training.evaluation.search.retrieval import EmbeddedProducts
from training.evaluation.unusual import UNCHANGED, UnusualPictures, unusual_figures, unusual_pictures
from training.progress import Terminal

SIZE = InputSize(height=24, width=24)


@pytest.fixture(autouse=True)
def _few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unusual, "DRAWN", 2)
    monkeypatch.setattr(unusual, "MOST_PHOTOS", 9)


def everyone(sender: str) -> bool:
    return True


def pictures(folder: Path, sender: Callable[[str], bool] = everyone, **given: Any) -> dict[str, UnusualPictures]:
    _, photos = archives(folder)
    options = {"animals": None, "garments": np.zeros((0, 24, 24, 3), np.uint8)} | given
    return unusual_pictures(photos, sender, size=SIZE, seed=7, **options)


def test_each_kind_has_its_pictures_and_the_categories_that_are_right(tmp_path: Path) -> None:
    kinds = pictures(tmp_path)
    assert set(kinds) == {UNCHANGED, *CHANGES, "collages of four photos", *DRAWINGS}
    names = [{CATEGORIES[place] for place in right} for right in kinds[UNCHANGED].right]
    assert names[:5] == [{"Topwear"}, {"Bottomwear"}, {"Shoes"}, {"Innerwear"}, {"Topwear"}]  # a dress is none
    assert kinds["at night"].right == kinds[UNCHANGED].right
    assert len(kinds["collages of four photos"].images) == 2
    assert kinds["collages of four photos"].right[0] == frozenset().union(*kinds[UNCHANGED].right[:4])
    assert kinds["faces, drawn"].right == [frozenset()] * 2
    assert all(len(kind.images) == len(kind.right) for kind in kinds.values())


def test_pets_are_dressed_where_there_are_animals(tmp_path: Path) -> None:
    animals = np.full((3, 24, 24, 3), 80, np.uint8)
    garment = np.full((1, 24, 24, 3), 255, np.uint8)
    garment[0, 4:20, 4:20] = (200, 20, 20)
    pets = pictures(tmp_path, animals=animals, garments=garment)["animals in sweaters, composed"]
    assert len(pets.images) == 3 and pets.right == [frozenset({CATEGORIES.index("Topwear")})] * 3
    assert (pets.images[:, :8] == 80).all() and (pets.images[:, 17, 12, 0] > 150).all()


def test_photos_of_senders_that_were_trained_on_are_left_out(tmp_path: Path) -> None:
    _, photos = archives(tmp_path)
    with pytest.raises(TrainingError, match="no usable photo"):
        unusual_pictures(photos, lambda sender: False, None, np.zeros((0, 24, 24, 3), np.uint8), SIZE, 7)


def test_a_damaged_photo_is_left_out(tmp_path: Path) -> None:
    path = make_photos(tmp_path / "p.zip", ("broken,1,T-Shirt,False",), {"broken": b"no picture"})
    with pytest.raises(TrainingError, match="no usable photo"):
        unusual_pictures(path, lambda sender: True, None, np.zeros((0, 24, 24, 3), np.uint8), SIZE, 7)


class StubModel:
    """Predicts Shoes for a dark picture with 0.9, otherwise Bags with 0.4."""

    manifest = SimpleNamespace(thresholds={"no_clothing": 0.5})

    def predict(self, images: np.ndarray, terminal: Terminal, description: str = "") -> tuple[np.ndarray, np.ndarray]:
        probabilities = np.zeros((len(images), 9), np.float32)
        dark = images.mean(axis=(1, 2, 3)) < 100
        probabilities[dark, 1], probabilities[~dark, 2] = 0.9, 0.4
        return probabilities, np.ones((len(images), 2), np.float32)


def test_the_figures_are_shares_of_outcomes_and_of_right_categories() -> None:
    images = np.stack([np.full((4, 4, 3), level, np.uint8) for level in (10, 20, 30, 200)])
    shoes = frozenset({1})
    kinds = {"photos": UnusualPictures(images, [shoes, shoes, frozenset({0}), shoes])}
    kinds["walls"] = UnusualPictures(images[3:], [frozenset()])
    empty = np.zeros(0, np.int64)
    gallery = EmbeddedProducts(empty.astype(str), empty, empty.astype(str), empty.astype(str), np.zeros((0, 2), "f4"))
    figures = unusual_figures(cast(EvaluatedModel, StubModel()), kinds, gallery, {}, Terminal())
    assert figures["photos"] == {"count": 4, "ok": 0, "no_close_match": 0.75, "no_clothing": 0.25, "right": 0.5}
    assert figures["walls"] == {"count": 1, "ok": 0, "no_close_match": 0, "no_clothing": 1}
