import keras
import numpy as np
import pytest

from training.recipes.fashion import look_finetune
from training.recipes.fashion.head_finetune import ViewFeatures
from training.recipes.fashion.look_finetune import ImagePairs, finetune_look, scene_pairs, street_pairs

WIDTH, COUNT = 12, 40


def head() -> keras.Model:
    keras.utils.set_random_seed(1)
    features = keras.Input((WIDTH,))
    wide = keras.layers.Dense(64, activation="relu", name="wide")(features)
    return keras.Model(features, keras.layers.Dense(8, name="look_projection")(wide))


def pairs(seed: int, scatter: float) -> ImagePairs:
    """Return things in two views: their features differ by noise, and by a direction that says nothing about them."""
    rng = np.random.default_rng(seed)
    things, world = rng.normal(size=(1, COUNT, WIDTH)), 3 * rng.normal(size=(WIDTH,))
    queries = things + world + scatter * rng.normal(size=(2, COUNT, WIDTH))
    return ImagePairs(queries.astype(np.float16), things.astype(np.float16), (np.arange(COUNT) % 2).astype(np.int32))


def found(model: keras.Model, shown: ImagePairs) -> float:
    looks = [model(views[0].astype(np.float32)).numpy() for views in (shown.queries, shown.gallery)]
    first, second = (look / np.linalg.norm(look, axis=1, keepdims=True) for look in looks)
    similar = np.where(shown.categories[:, None] == shown.categories, first @ second.T, -2)
    return float((similar.argmax(axis=1) == np.arange(COUNT)).mean())


def test_pairs_find_each_other_and_only_the_projection_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(look_finetune, "PEAK_RATE", 1e-2)
    model, street = head(), pairs(2, 0.1)
    before, wide = found(model, street), model.get_layer("wide").get_weights()
    finetune_look(model, street, street, seed=7)
    assert found(model, street) > before + 0.3
    for ours, theirs in zip(model.get_layer("wide").get_weights(), wide, strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_the_training_depends_on_the_seed_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(look_finetune, "EPOCHS", 3)
    weights = []
    for seed in (7, 7, 8):
        model = head()
        finetune_look(model, pairs(2, 0.1), pairs(3, 0.1), seed)
        weights.append(model.get_layer("look_projection").get_weights()[0])
    np.testing.assert_allclose(weights[0], weights[1], atol=1e-6)
    assert (weights[0] != weights[2]).any()


def test_a_crop_is_paired_with_its_own_cutout() -> None:
    crops = np.arange(12, dtype=np.float16).reshape(2, 6, 1)
    groups = {
        "crops": ViewFeatures(np.array([1, 2, 4, 5, 8, 9]), crops),
        "cutouts": ViewFeatures(np.array([2, 8]), np.array([[[20], [80]]], np.float16)),
    }
    street = street_pairs(groups, np.array([0, 0, 3, 0, 0, 0, 0, 0, 5, 0], np.int32))
    assert street.queries.tolist() == [[[1], [4]], [[7], [10]]]
    assert street.gallery.tolist() == [[[20], [80]]]
    assert street.categories.tolist() == [3, 5]


def test_products_without_a_scene_make_no_pair() -> None:
    white, scenes = np.array([[[1], [2], [3]]], np.float16), np.array([[[1], [9], [8]]], np.float16)
    positions = np.array([4, 6, 7])
    groups = {"products": ViewFeatures(positions, white), "scenes": ViewFeatures(positions, scenes)}
    shown = scene_pairs(groups, np.arange(8, dtype=np.int32))
    assert (shown.queries.tolist(), shown.gallery.tolist()) == ([[[9], [8]]], [[[2], [3]]])
    assert shown.categories.tolist() == [6, 7]
