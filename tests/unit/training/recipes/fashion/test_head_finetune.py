from collections.abc import Iterator
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.support.tiny_network import SIZE, batches, network, plan
from training.data.material import NONE
from training.networks.fashion import DROPPED, head_of
from training.progress import Terminal
from training.recipes.fashion.head_finetune import POLISHED_NAME, Cache, load_polished, narrow, polish, save_polished
from training.recipes.fashion.trainer import Trainer

PLAN = plan(together=8, rounds=4)


@pytest.fixture(autouse=True)
def _eager() -> Iterator[None]:
    tf.config.run_functions_eagerly(True)
    yield
    tf.config.run_functions_eagerly(False)


def answers(network: object) -> dict[str, np.ndarray]:
    images = np.random.default_rng(1).uniform(0, 255, (4, SIZE, SIZE, 3)).astype(np.float32)
    return {name: value.numpy() for name, value in network(images, training=False).items()}  # type: ignore[operator]


def test_a_head_answers_as_the_whole_network() -> None:
    whole = network()
    images = np.random.default_rng(1).uniform(0, 255, (4, SIZE, SIZE, 3)).astype(np.float32)
    features = keras.Model(whole.input, whole.get_layer("features").output)(images, training=False)
    for name, value in head_of(whole, DROPPED)(features, training=False).items():
        np.testing.assert_allclose(value, whole(images, training=False)[name], atol=1e-5)


def test_a_step_has_products_of_the_nine_on_white_and_then_the_same_in_scenes() -> None:
    made, whole = batches(PLAN), network()
    cache = Cache.of(whole, made, PLAN, Terminal())
    sold = np.flatnonzero(made.studio.categories != NONE)
    assert (cache.white.shape[0], cache.scenes.shape[:2]) == (len(sold), (2, len(sold)))
    cut = keras.Model(whole.input, whole.get_layer("features").output)
    looked_at = cut(made.studio.images[sold].astype(np.float32), training=False).numpy()
    np.testing.assert_allclose(cache.white, looked_at, atol=0.02)  # float16
    assert (cache.scenes[0] != cache.scenes[1]).any() and (cache.scenes[0] != cache.white).any()
    features, targets = cache(1)
    assert (len(features), len(targets["ids"]), len(targets["categories"])) == (16, 8, 16)
    for name in ("pairs", "categories"):
        assert (targets[name][:8] == targets[name][8:]).all()
        assert (getattr(made.studio, name)[targets["ids"]] == targets[name][:8]).all()
    places = np.searchsorted(sold, targets["ids"])
    assert (features[:8] == cache.white[places]).all()
    assert all((row == cache.scenes[:, place]).all(1).any() for row, place in zip(features[8:], places, strict=True))
    around = [cache(step)[1]["ids"] for step in range(len(sold) // 8)]
    assert len(set(np.concatenate(around))) == len(sold) // 8 * 8


def test_scenes_depend_on_the_seed_and_the_number_alone() -> None:
    scenes = [batches(PLAN).scenes(np.arange(4), number).numpy() for number in (3, 3, 4)]
    assert (scenes[0] == scenes[1]).all() and (scenes[0] != scenes[2]).any()


def test_the_last_stage_changes_what_comes_after_the_features_alone(tmp_path: Path) -> None:
    keras.utils.set_random_seed(1)
    made, whole = batches(PLAN), network()
    trainer = Trainer(whole, made.studio.classes(), PLAN)
    before = {layer.name: layer.get_weights() for layer in whole.layers if layer.weights}
    polish(trainer, made, Terminal())
    changed = {
        name
        for name, weights in before.items()
        if any((a != b).any() for a, b in zip(weights, whole.get_layer(name).get_weights(), strict=True))
    }
    assert changed == {"seen", "kind_projection", "look_projection"}
    save_polished(whole, tmp_path)
    other = network()
    for name, weights in before.items():
        other.get_layer(name).set_weights(weights)
    assert load_polished(other, tmp_path)
    for name, value in answers(whole).items():
        np.testing.assert_allclose(value, answers(other)[name], atol=1e-5)


def test_the_vectors_layers_begin_anew_by_the_seed() -> None:
    told = []
    for _ in range(2):
        keras.utils.set_random_seed(1)
        made, whole = batches(PLAN), network()
        trainer = Trainer(whole, made.studio.classes(), PLAN)
        layer = whole.get_layer("seen")
        layer.set_weights([weights + len(told) for weights in layer.get_weights()])
        keras.utils.set_random_seed(2 + len(told))
        polish(trainer, made, Terminal())
        told.append(answers(whole))
    for name, value in told[0].items():
        np.testing.assert_allclose(value, told[1][name], atol=1e-5)


def test_a_layer_is_narrowed_to_what_its_inputs_tell_apart() -> None:
    rng = np.random.default_rng(3)
    inputs = (rng.normal(size=(500, 6)) @ rng.normal(size=(6, 30)) + rng.normal(size=30)).astype(np.float16)
    layer = keras.layers.Dense(40, activation="relu")
    before = layer(inputs.astype(np.float32)).numpy()
    narrow(layer, [inputs[:200], inputs[200:]], 6)
    assert np.linalg.matrix_rank(layer.get_weights()[0], tol=1e-3) == 6
    np.testing.assert_allclose(layer(inputs.astype(np.float32)), before, atol=0.02)
    narrow(layer, [inputs], 5)
    changed = layer(inputs.astype(np.float32)).numpy() - before
    assert 0.02 < np.abs(changed).mean() < np.abs(before).mean() / 2


def test_a_run_without_polished_weights_or_with_damaged_ones_has_none(tmp_path: Path) -> None:
    assert not load_polished(network(), tmp_path)
    (tmp_path / POLISHED_NAME).write_bytes(b"half")
    assert not load_polished(network(), tmp_path)
