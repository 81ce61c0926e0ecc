import numpy as np
import pytest

from tests.support.pictures.tiny_network import SIZE, backgrounds, batches, materials, people, plan, studio
from training.data.contents import NO_CLOTHING, UNKNOWN
from training.errors import TrainingError
from training.recipes.fashion.batches import Batches
from training.recipes.fashion.materials import STREET_IDS, Materials, allowed_types, balanced_shares


def test_a_step_depends_on_its_number_and_the_seed_alone() -> None:
    pictures, targets = batches(plan())(3, SIZE)
    again, same = batches(plan())(3, SIZE)
    np.testing.assert_array_equal(pictures, again)
    assert all((targets[name] == same[name]).all() for name in targets)
    assert not np.array_equal(pictures, batches(plan())(4, SIZE)[0])
    assert not np.array_equal(pictures, batches(plan(seed=8))(3, SIZE)[0])


def test_a_step_holds_what_the_plan_says_in_this_order() -> None:
    step_batches = batches(plan())
    pictures, targets = step_batches(0, 16)
    assert pictures.shape == (step_batches.plan.images, 16, 16, 3) == (2 * (8 + 3) + 2 + 4 + 2 + 2, 16, 16, 3)
    assert {len(targets[name]) for name in ("categories", "kinds", "colours")} == {len(pictures)}
    for name in ("categories", "kinds", "colours", "pairs", "genders"):
        assert (targets[name][:11] == targets[name][11:22]).all()  # the same products and garments, seen again
    ids, sources = targets["ids"], step_batches.materials
    assert (targets["categories"][:8] == sources.studio.contents[ids[:8]]).all()
    assert sources.street is not None
    garments = ids[8:] - STREET_IDS
    assert sources.street.has_cutout[garments].all() and (sources.street.parts[garments] == "training").all()
    assert (targets["categories"][8:11] == sources.street.categories[garments]).all()
    assert (targets["categories"][28:] == NO_CLOTHING).all()
    for name in ("colours", "pairs", "genders"):
        assert (targets[name][22:] == UNKNOWN).all()


def test_products_with_rare_types_and_more_pixels_are_drawn_more_often_than_their_share() -> None:
    shares = balanced_shares([(np.array(["a"] * 9 + ["b"]), -0.5)], np.array([1.0] * 8 + [3.0] + [1.0]))
    assert shares.sum() == pytest.approx(1)
    assert shares[9] == pytest.approx(3 * shares[0]) and shares[8] == pytest.approx(3 * shares[0])


def test_a_label_allows_the_archives_types_that_it_may_be() -> None:
    allowed, rows = allowed_types(("Jeans", "Shirts", "Tops", "Tshirts"))
    assert (allowed[:4] == np.eye(4, dtype=bool)).all()
    assert list(allowed[rows["photo", "T-Shirt"]]) == [False, False, False, True]
    assert list(allowed[rows["street", "blouse"]]) == [False, True, True, False]
    assert ("photo", "Hat") not in rows  # none of its types is there


def test_a_photos_label_is_its_target_and_a_label_without_types_is_unknown() -> None:
    sources = materials()
    kinds = Batches(plan(photos=12), sources)(0, SIZE)[1]["kinds"][24:36]
    photo_kinds = sources.photo_kinds
    assert set(kinds) == set(photo_kinds) == {UNKNOWN, photo_kinds[0]}
    assert sources.allowed[photo_kinds[0]].tolist() == [False, False, True]


def test_a_step_may_hold_more_products_than_there_are() -> None:
    assert len(batches(plan(products=70))(0, SIZE)[1]["ids"]) == 70 + 3


def test_images_of_sources_that_are_not_there_are_left_out() -> None:
    step_batches = Batches(plan(), Materials(studio(), people(), backgrounds()))
    pictures, targets = step_batches(0, SIZE)
    assert len(pictures) == len(targets["categories"]) == 8 + 8 + 4 + 2
    assert len(targets["ids"]) == 8


def test_products_and_photos_outside_the_training_part_are_not_used() -> None:
    with pytest.raises(TrainingError, match="the training part has no products"):
        Materials(studio(part="test"), people(), backgrounds())
    with pytest.raises(TrainingError, match="the training part has no photos"):
        Materials(studio(), people(part="validation"), backgrounds())
