import numpy as np
import pytest

from tests.support.tiny_network import SIZE, backgrounds, batches, people, plan, studio
from training.data.training_images import NONE, UNKNOWN
from training.errors import TrainingError
from training.recipes.fashion.batches import Batches


def test_a_step_depends_on_its_number_and_the_seed_alone() -> None:
    pictures, targets = batches(plan())(3, SIZE)
    again, same = batches(plan())(3, SIZE)
    np.testing.assert_array_equal(pictures, again)
    assert all((targets[name] == same[name]).all() for name in targets)
    assert not np.array_equal(pictures, batches(plan())(4, SIZE)[0])
    assert not np.array_equal(pictures, batches(plan(seed=8))(3, SIZE)[0])


def test_a_step_holds_products_their_scenes_photos_and_backgrounds_in_this_order() -> None:
    step_batches = batches(plan())
    pictures, targets = step_batches(0, 16)
    assert pictures.shape == (8 + 4 + 4 + 2, 16, 16, 3)
    assert (targets["categories"][8:12] == targets["categories"][:4]).all()
    assert (targets["categories"][:8] == step_batches.studio.categories[targets["ids"]]).all()
    assert (targets["categories"][16:] == NONE).all()
    for name in ("kinds", "colours", "pairs", "genders"):
        assert (targets[name][12:] == UNKNOWN).all()
        assert (targets[name][8:12] == targets[name][:4]).all()


def test_each_product_is_drawn_once_an_epoch() -> None:
    step_batches = batches(plan(products=7))
    products = np.concatenate([step_batches(step, SIZE)[1]["ids"] for step in range(9)])
    assert sorted(products[:30]) == list(range(30))
    assert sorted(products[30:60]) == list(range(30))
    assert list(products[:30]) != list(products[30:60])


def test_a_step_may_hold_more_products_than_there_are() -> None:
    assert len(batches(plan(products=70))(0, SIZE)[1]["ids"]) == 70


def test_products_and_photos_outside_the_training_part_are_not_used() -> None:
    with pytest.raises(TrainingError, match="the training part has no products"):
        Batches(plan(), studio(part="test"), people(), backgrounds())
    with pytest.raises(TrainingError, match="the training part has no photos"):
        Batches(plan(), studio(), people(part="validation"), backgrounds())
