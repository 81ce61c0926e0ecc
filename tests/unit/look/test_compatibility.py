"""A look model: what it says, and how it is stored."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from services.contracts.domain.manifest import ManifestError
from services.look.colours import NEUTRAL
from services.look.compatibility import (
    LEARNED_PRIOR,
    UNLEARNED_PRIOR,
    WEIGHTS_NAME,
    Compatibility,
    Garment,
)
from services.look.manifest import LookManifest
from tests.support.values.look import MANIFEST, make_look_model

TOP = Garment(0, np.array([1, 0, 0, 0], np.float32))
AXES = np.eye(4, dtype=np.float32)


def test_products_are_scored_by_their_projections_and_colours() -> None:
    model = make_look_model()
    shoes = model.scores([TOP], 1, AXES)
    np.testing.assert_allclose(shoes, np.array([0, 1, 0, 0]) + LEARNED_PRIOR * NEUTRAL, atol=1e-3)
    bags = model.scores([TOP], 2, AXES)
    np.testing.assert_allclose(bags, np.array([1, 0, 0, 0]) + UNLEARNED_PRIOR * NEUTRAL, atol=1e-2)


def test_a_product_is_to_go_with_every_garment_of_an_outfit() -> None:
    model, other = make_look_model(), Garment(0, np.array([0, 0, 1, 0], np.float32))
    both = model.scores([TOP, other], 1, AXES)
    np.testing.assert_allclose(both, (model.scores([TOP], 1, AXES) + model.scores([other], 1, AXES)) / 2)


@pytest.mark.parametrize("category", [1, 2])
def test_the_nearest_to_the_target_are_those_that_score_best(category: int) -> None:
    rng = np.random.default_rng(4)
    random = {name: rng.standard_normal((3, 4)).astype(np.float32) for name in ("worn", "studio")}
    projections = rng.standard_normal((3, 4, 4)).astype(np.float32)
    model = replace(make_look_model(), projections=projections, means=random)  # type: ignore[arg-type]
    vectors = rng.standard_normal((50, 4)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    garments = [Garment(0, vectors[0]), Garment(0, vectors[1], "studio")]
    target = model.target(garments, category)
    assert target is not None
    assert np.linalg.norm(target) == pytest.approx(1)
    np.testing.assert_array_equal(np.argsort(vectors @ target), np.argsort(model.scores(garments, category, vectors)))


def test_a_garment_at_the_mean_of_its_category_has_no_target() -> None:
    model = make_look_model()
    assert model.target([Garment(0, np.zeros(4, np.float32))], 1) is None


def test_looks_have_the_categories_that_are_worn_together_the_usual_ones_first() -> None:
    model = make_look_model()
    assert model.worn_together == (1, 0)
    assert (model.is_learned(1, 0), model.is_learned(0, 2), model.is_learned(1, 2)) == (True, False, False)


def test_the_least_number_of_outfits_is_enough() -> None:
    outfits = {"Topwear": 9, "Shoes": 10}  # and no bag in any
    pairs = {"Topwear+Shoes": 30, "Topwear+Bags": 29}
    model = replace(make_look_model(), manifest=MANIFEST.model_copy(update={"outfits": outfits, "pairs": pairs}))
    assert model.worn_together == (1,)
    assert (model.is_learned(0, 1), model.is_learned(0, 2)) == (True, False)


@pytest.mark.parametrize("setting", ["worn", "studio"])
def test_a_product_at_the_mean_of_its_category_is_scored_by_its_colour_alone(setting: Any) -> None:
    model = make_look_model()
    means = {**model.means, setting: np.array([AXES[0], AXES[1], AXES[2]])}
    scores = replace(model, means=means).scores([replace(TOP, vector=AXES[3])], 1, AXES[1:2], setting)
    np.testing.assert_allclose(scores, LEARNED_PRIOR * NEUTRAL, atol=1e-3)


def test_colours_weigh_a_tenth_for_learned_pairs_and_four_tenths_for_others() -> None:
    zero = np.zeros((1, 4), np.float32)  # the projections say nothing
    model = make_look_model()
    assert model.scores([TOP], 1, zero) == pytest.approx(0.1 * NEUTRAL, abs=0.01)
    assert model.scores([TOP], 2, zero) == pytest.approx(0.4 * NEUTRAL, abs=0.01)


def test_the_colour_of_a_vector_is_read_by_the_rows_of_the_colour_matrix() -> None:
    colour = np.array([[1, 2, 3], [4, 5, 6], [7, 8, 9], [10, 11, 12], [50, -20, 30]], np.float32)
    model = replace(make_look_model(), colour=colour)
    np.testing.assert_allclose(model.colours(AXES), colour[:4] + np.array([50, -20, 30]))
    np.testing.assert_allclose(model.colours(AXES[2]), [57, -12, 39])


def test_a_model_is_read_as_it_was_stored(tmp_path: Path) -> None:
    model = make_look_model()
    model.save(tmp_path)
    read = Compatibility.load(tmp_path)
    assert read.manifest == MANIFEST
    assert '\n  "name": "look"' in (tmp_path / "manifest.json").read_text()  # for people to read
    assert read.manifest.model_id == "look/1"
    np.testing.assert_array_equal(read.projections, model.projections)
    np.testing.assert_array_equal(read.scores([TOP], 1, AXES), model.scores([TOP], 1, AXES))


@pytest.mark.parametrize(
    ("name", "least", "less"), [("version", 1, 0), ("dimension", 1, 0), ("categories", ("a", "b"), ("a",))]
)
def test_a_manifest_has_numbers_that_are_possible(name: str, least: Any, less: Any) -> None:
    assert getattr(LookManifest.model_validate({**MANIFEST.model_dump(), name: least}), name) == least
    with pytest.raises(ValidationError, match=name):
        LookManifest.model_validate({**MANIFEST.model_dump(), name: less})


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"projections": np.zeros((3, 4, 5), np.float32)}, "does not fit its manifest"),
        ({"colour": np.full((5, 3), np.nan, np.float32)}, "does not fit its manifest"),
        ({"manifest": MANIFEST.model_copy(update={"dimension": 5})}, "does not fit its manifest"),
    ],
)
def test_a_model_whose_parts_do_not_fit_together_is_refused(changes: dict[str, Any], text: str, tmp_path: Path) -> None:
    replace(make_look_model(), **changes).save(tmp_path)
    with pytest.raises(ManifestError, match=text):
        Compatibility.load(tmp_path)


def test_a_folder_without_a_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ManifestError, match="is no look model"):
        Compatibility.load(tmp_path)
    make_look_model().save(tmp_path)
    (tmp_path / WEIGHTS_NAME).write_bytes(b"no numbers")
    with pytest.raises(ManifestError, match="is no look model"):
        Compatibility.load(tmp_path)
    (tmp_path / "manifest.json").write_text("{}")
    with pytest.raises(ManifestError, match=r"manifest\.json"):
        Compatibility.load(tmp_path)


def test_the_shipped_model_is_for_the_shipped_network() -> None:
    model = Compatibility.load(Path(__file__).parents[3] / "models" / "look" / "1")
    assert model.manifest.embedding_model == "fashion/3"
    assert [model.manifest.categories[number] for number in model.worn_together][:3] == [
        "Shoes",
        "Topwear",
        "Bottomwear",
    ]
    figures = model.manifest.metrics["worn"]
    assert figures["judges"]["look model"]["fill_in_the_blank"]["low"] > 1 / figures["candidates"]
    assert figures["gain"]["auc"]["low"] > 0
