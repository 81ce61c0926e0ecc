"""The served form of a network against Keras's own."""

from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.unit.training.metric.tiny import ARCHITECTURE, SIZE
from training.metric.serving import export_served_form
from training.metric.temperature import logits, probabilities
from training.networks import Network

IMAGES = np.random.default_rng(1).integers(0, 256, (7, SIZE, SIZE, 3), np.uint8)


@pytest.fixture(scope="module")
def network() -> Network:
    keras.utils.set_random_seed(1)
    whole = ARCHITECTURE.build(ARCHITECTURE.input, 9)
    return Network(ARCHITECTURE, whole, whole)


def answers(directory: Path) -> dict[str, np.ndarray]:
    serve = tf.saved_model.load(str(directory)).signatures["serving_default"]
    assert serve.structured_input_signature[1]["image"].shape.as_list() == [None, SIZE, SIZE, 3]
    return {name: value.numpy() for name, value in serve(image=tf.constant(IMAGES)).items()}


def test_the_served_form_answers_as_the_trained_network(network: Network, tmp_path: Path) -> None:
    export_served_form(network, tmp_path / "1")
    ours, theirs = answers(tmp_path / "1"), network.whole(IMAGES.astype(np.float32), training=False)
    assert set(ours) == {"probabilities", "vector"}
    for name, value in ours.items():
        np.testing.assert_allclose(value, theirs[name], atol=1e-5)
    assert (tmp_path / "1" / "variables").is_dir()
    assert not (tmp_path / "1" / "fingerprint.pb").exists()


def test_the_temperature_is_in_the_graph(network: Network, tmp_path: Path) -> None:
    export_served_form(network, tmp_path / "1", temperature=0.6)
    wanted = probabilities(logits(network.whole, IMAGES), 0.6)
    np.testing.assert_allclose(answers(tmp_path / "1")["probabilities"], wanted, atol=1e-5)
