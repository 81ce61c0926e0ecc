"""The served form of a network against Keras's own."""

from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.support.pictures.tiny_network import ARCHITECTURE, SIZE
from training.networks.architectures import BuiltNetwork
from training.networks.fashion import place_anchors
from training.publishing import served_form
from training.publishing.served_form import export_served_form
from training.recipes.fashion.head_finetune import reduce_rank
from training.recipes.fashion.temperature import logits_of, probabilities

IMAGES = np.random.default_rng(1).integers(0, 256, (7, SIZE, SIZE, 3), np.uint8)


@pytest.fixture(scope="module")
def network(narrow_networks: None) -> BuiltNetwork:
    keras.utils.set_random_seed(1)
    whole = ARCHITECTURE.build(ARCHITECTURE.input, 9)
    kinds = whole(IMAGES.astype(np.float32), training=False)["kind"].numpy()
    place_anchors(whole, kinds, {"kinds": np.zeros(7, int), "pairs": np.array([0, 0, 0, 0, -1, -1, -1])})
    return BuiltNetwork(ARCHITECTURE, whole, whole)


def outputs(directory: Path) -> dict[str, np.ndarray]:
    serve = tf.saved_model.load(str(directory)).signatures["serving_default"]
    assert serve.structured_input_signature[1]["image"].shape.as_list() == [None, SIZE, SIZE, 3]
    return {name: value.numpy() for name, value in serve(image=tf.constant(IMAGES)).items()}


def test_the_served_form_has_the_outputs_of_the_trained_network(network: BuiltNetwork, tmp_path: Path) -> None:
    export_served_form(network, tmp_path / "1")
    ours, theirs = outputs(tmp_path / "1"), network.whole(IMAGES.astype(np.float32), training=False)
    assert set(ours) == {"probabilities", "vector", "other_clothing"}
    for name, value in ours.items():
        np.testing.assert_allclose(value, theirs[name], atol=1e-5)
    assert (tmp_path / "1" / "variables").is_dir()
    assert not (tmp_path / "1" / "fingerprint.pb").exists()


def test_weights_of_a_low_rank_are_served_as_two_narrow_products(
    network: BuiltNetwork, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(served_form, "LEAST_WIDTH", 64)
    layer = network.whole.get_layer("similarity_hidden")
    whole = layer.get_weights()
    export_served_form(network, tmp_path / "1")
    try:
        reduce_rank(layer, [np.random.default_rng(2).normal(size=(300, whole[0].shape[0])).astype(np.float16)], 4)
        export_served_form(network, tmp_path / "2")
        theirs = network.whole(IMAGES.astype(np.float32), training=False)
    finally:
        layer.set_weights(whole)
    for name, value in outputs(tmp_path / "2").items():
        np.testing.assert_allclose(value, theirs[name], atol=1e-4)
    sizes = [(tmp_path / version / "saved_model.pb").stat().st_size for version in "12"]
    assert sizes[0] - sizes[1] > 3 * whole[0].size  # bytes: nearly all of four each


def test_the_temperature_is_in_the_graph(network: BuiltNetwork, tmp_path: Path) -> None:
    export_served_form(network, tmp_path / "1", temperature=0.6)
    expected = probabilities(logits_of(network.whole, IMAGES), 0.6)
    np.testing.assert_allclose(outputs(tmp_path / "1")["probabilities"], expected, atol=1e-5)
