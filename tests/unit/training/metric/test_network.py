import keras
import numpy as np
import pytest

from tests.unit.training.metric.tiny import PARAMETERS, SIZE, STAGES, network
from training.metric.backbone import Backbone
from training.metric.network import FROZEN, Proxies
from training.metric.weights import folded, pretrained_path, read_weights


@pytest.fixture(scope="module")
def said() -> dict[str, np.ndarray]:
    keras.utils.set_random_seed(1)
    images = np.random.default_rng(1).uniform(0, 255, (5, SIZE, SIZE, 3)).astype(np.float32)
    return {name: value.numpy() for name, value in network()(images, training=False).items()}


def test_nine_probabilities_add_up_to_one_and_vectors_have_length_one(said: dict[str, np.ndarray]) -> None:
    assert said["probabilities"].shape == (5, 9)
    np.testing.assert_allclose(said["probabilities"].sum(axis=1), 1, atol=1e-5)
    assert said["vector"].shape == (5, 64)
    np.testing.assert_allclose(np.linalg.norm(said["vector"], axis=1), 1, atol=1e-5)


def test_the_share_of_none_of_these_is_spread_evenly(said: dict[str, np.ndarray]) -> None:
    shares = np.exp(said["ten"]) / np.exp(said["ten"]).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(said["probabilities"], shares[:, :9] + shares[:, 9:] / 9, atol=1e-6)


def test_a_network_takes_pictures_of_any_size() -> None:
    built = network()
    for size in (16, 40):
        assert built(np.zeros((1, size, size, 3), np.float32))["vector"].shape == (1, 64)


def test_the_first_layers_are_frozen() -> None:
    built = network()
    assert sum(int(v.shape.num_elements()) for v in built.trainable_variables) == PARAMETERS
    assert not [v.path for v in built.trainable_variables if v.path.startswith(FROZEN)]


def test_pretrained_weights_go_to_the_layers_they_belong_to() -> None:
    backbone = Backbone()
    image = keras.Input((None, None, 3))
    model = keras.Model(image, backbone(image))
    backbone.load(model, pretrained_path())
    stored = read_weights(pretrained_path())
    kernel, bias = folded(stored, "_blocks.3._depthwise_conv", "_blocks.3._bn1")
    ours = [w.numpy() for w in model.get_layer("block3_depthwise").weights]
    np.testing.assert_array_equal(ours[0][:, :, :, 0], kernel[:, 0].transpose(1, 2, 0))
    np.testing.assert_array_equal(ours[1], bias)
    assert len(backbone.sources) == len([layer for layer in model.layers if layer.weights])


def test_a_backbone_keeps_the_output_of_each_stage() -> None:
    backbone = Backbone(STAGES)
    backbone(keras.Input((SIZE, SIZE, 3)))
    assert [tuple(stage.shape[1:]) for stage in backbone.stages] == [
        (12, 12, 4), (6, 6, 4), (3, 3, 8), (3, 3, 8), (3, 3, 8), (2, 2, 12),
    ]  # fmt: skip


def test_proxies_are_scaled_cosines() -> None:
    proxies = Proxies(3)
    vector = np.array([[0.6, 0.8]], np.float32)
    logits = proxies(vector).numpy()
    directions = proxies.directions.numpy()
    cosines = vector @ directions / np.linalg.norm(directions, axis=0)
    np.testing.assert_allclose(logits, 12 * cosines, rtol=1e-5)
