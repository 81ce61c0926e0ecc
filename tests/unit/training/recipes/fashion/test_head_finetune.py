from collections.abc import Iterator
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.support.pictures.tiny_network import SIZE, batches, network, plan
from training.networks.fashion import head_network
from training.progress import Terminal
from training.recipes.fashion import look_finetune
from training.recipes.fashion.head_finetune import (
    DROPOUT,
    HEAD_NAME,
    FeatureCache,
    finetune_head,
    load_head,
    reduce_rank,
    save_head,
)
from training.recipes.fashion.trainer import FashionTrainer

pytestmark = pytest.mark.usefixtures("narrow_networks")
PLAN = plan(finetune_products=8, finetune_epochs=4)
QUICK = plan(finetune_products=8, finetune_epochs=1)


@pytest.fixture(autouse=True)
def _eager(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(look_finetune, "EPOCHS", 2)
    tf.config.run_functions_eagerly(True)
    yield
    tf.config.run_functions_eagerly(False)


def outputs(network: object) -> dict[str, np.ndarray]:
    images = np.random.default_rng(1).uniform(0, 255, (4, SIZE, SIZE, 3)).astype(np.float32)
    return {name: value.numpy() for name, value in network(images, training=False).items()}  # type: ignore[operator]


def test_a_head_has_the_outputs_of_the_whole_network() -> None:
    whole = network()
    images = np.random.default_rng(1).uniform(0, 255, (4, SIZE, SIZE, 3)).astype(np.float32)
    features = keras.Model(whole.input, whole.get_layer("features").output)(images, training=False)
    for name, value in head_network(whole, DROPOUT)(features, training=False).items():
        np.testing.assert_allclose(value, whole(images, training=False)[name], atol=1e-5)


def test_a_step_has_the_features_of_a_step_of_the_whole_network_in_its_order() -> None:
    step_batches, whole = batches(PLAN), network()
    cache = FeatureCache.of(whole, step_batches, Terminal())
    products, scenes = cache.groups["products"], cache.groups["scenes"]
    assert (products.views.shape[:2], scenes.views.shape[:2]) == ((1, 30), (2, 30))
    assert cache.groups["photos"].views.shape[:2] == (3, 12)
    body = keras.Model(whole.input, whole.get_layer("features").output)
    on_white = body(step_batches.materials.studio.images.astype(np.float32), training=False).numpy()
    np.testing.assert_allclose(products.views[0], on_white, atol=0.02)  # float16
    assert (scenes.views[0] != scenes.views[1]).any() and (scenes.views[0] != products.views[0]).any()
    features, targets = cache(1)
    assert len(features) == len(targets["categories"]) == cache.plan.images
    ids, shown = targets["ids"], cache.plan.shown
    assert len(ids) == shown == 8 + 3
    assert (features[:8] == products.views[0][ids[:8]]).all()
    for row, place in zip(features[shown : shown + 8], ids[:8], strict=True):
        assert (row == scenes.views[:, place]).all(1).any()


def test_products_without_a_scene_have_the_features_of_their_studio_shot() -> None:
    half = plan(finetune_scene_share=0.5)
    groups = FeatureCache.of(network(), batches(half), Terminal()).groups
    scenes, on_white = groups["scenes"].views, groups["products"].views[0]
    unchanged = (scenes == on_white).all(axis=2)
    assert list(unchanged.sum(axis=1)) == [15, 15]
    assert (unchanged[0] != unchanged[1]).any()


def test_scenes_depend_on_the_seed_and_the_number_alone() -> None:
    scenes = [batches(PLAN).scenes(np.arange(4), number).numpy() for number in (3, 3, 4)]
    assert (scenes[0] == scenes[1]).all() and (scenes[0] != scenes[2]).any()


def test_the_last_stage_changes_the_layers_after_the_features_alone(tmp_path: Path) -> None:
    keras.utils.set_random_seed(1)
    step_batches, whole = batches(QUICK), network()
    trainer = FashionTrainer(whole, step_batches.materials.details(), QUICK)
    before = {layer.name: layer.get_weights() for layer in whole.layers if layer.weights}
    finetune_head(trainer, step_batches, Terminal())
    changed = {
        name
        for name, weights in before.items()
        if any((a != b).any() for a, b in zip(weights, whole.get_layer(name).get_weights(), strict=True))
    }
    assert changed == {"similarity_hidden", "kind_projection", "look_projection", "hidden", "content_logits"} | {
        "type_anchors",
        "pair_anchors",
    }
    kinds = step_batches.materials.studio.kinds
    assert (whole.get_layer("type_anchors").get_weights()[1][:3] == np.sort(np.bincount(kinds))[::-1]).all()
    save_head(whole, tmp_path)
    other = network()
    for name, weights in before.items():
        other.get_layer(name).set_weights(weights)
    assert load_head(other, tmp_path)
    for name, value in outputs(whole).items():
        np.testing.assert_allclose(value, outputs(other)[name], atol=1e-5)


def test_the_layers_of_the_vectors_start_with_new_weights_of_the_seed() -> None:
    trained: list[dict[str, np.ndarray]] = []
    for _ in range(2):
        keras.utils.set_random_seed(1)
        step_batches, whole = batches(QUICK), network()
        trainer = FashionTrainer(whole, step_batches.materials.details(), QUICK)
        layer = whole.get_layer("similarity_hidden")
        layer.set_weights([weights + len(trained) for weights in layer.get_weights()])
        keras.utils.set_random_seed(2 + len(trained))
        finetune_head(trainer, step_batches, Terminal())
        trained.append(outputs(whole))
    for name, value in trained[0].items():
        np.testing.assert_allclose(value, trained[1][name], atol=1e-5)


def test_the_rank_of_a_layer_is_reduced_to_that_of_its_inputs() -> None:
    rng = np.random.default_rng(3)
    inputs = (rng.normal(size=(500, 6)) @ rng.normal(size=(6, 30)) + rng.normal(size=30)).astype(np.float16)
    layer = keras.layers.Dense(40, activation="relu")
    before = layer(inputs.astype(np.float32)).numpy()
    reduce_rank(layer, [inputs[:200], inputs[200:]], 6)
    assert np.linalg.matrix_rank(layer.get_weights()[0], tol=1e-3) == 6
    np.testing.assert_allclose(layer(inputs.astype(np.float32)), before, atol=0.02)
    reduce_rank(layer, [inputs], 5)
    changed = layer(inputs.astype(np.float32)).numpy() - before
    assert 0.02 < np.abs(changed).mean() < np.abs(before).mean() / 2


def test_missing_and_damaged_weights_of_a_head_are_not_loaded(tmp_path: Path) -> None:
    assert not load_head(network(), tmp_path)
    (tmp_path / HEAD_NAME).write_bytes(b"half")
    assert not load_head(network(), tmp_path)
