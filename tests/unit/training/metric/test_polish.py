from collections.abc import Iterator
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.unit.training.metric.tiny import SIZE, batches, network, plan
from training.metric.network import DROPPED, head_of
from training.metric.polish import POLISHED_NAME, Cache, load_polished, polish, save_polished
from training.metric.trainer import Trainer
from training.progress import Terminal

PLAN = plan(cached=6, joined=2, rounds=4)


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


def test_joined_steps_keep_each_products_scene_at_its_place() -> None:
    made = batches(PLAN)
    cache = Cache.of(network(), made, PLAN, Terminal())
    features, targets = cache(1)
    assert (len(features), len(targets["ids"]), len(targets["categories"])) == (36, 16, 36)
    whites, scenes = 16, 8  # of two steps with 8 products and 4 scenes each
    assert (targets["pairs"][whites : whites + scenes] == targets["pairs"][:scenes]).all()
    assert (made.studio.categories[targets["ids"]] == targets["categories"][:whites]).all()
    again = np.concatenate([cache(step)[1]["ids"] for step in range(3)])
    assert sorted(again) == sorted(cache.targets["ids"].ravel())


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
    assert changed == {"hidden", "kind_projection", "look_projection", "ten"}
    save_polished(whole, tmp_path)
    other = network()
    for name, weights in before.items():
        other.get_layer(name).set_weights(weights)
    assert load_polished(other, tmp_path)
    for name, value in answers(whole).items():
        np.testing.assert_allclose(value, answers(other)[name], atol=1e-5)


def test_a_run_without_polished_weights_or_with_damaged_ones_has_none(tmp_path: Path) -> None:
    assert not load_polished(network(), tmp_path)
    (tmp_path / POLISHED_NAME).write_bytes(b"half")
    assert not load_polished(network(), tmp_path)
