import keras
import numpy as np
import pytest

from tests.support.pictures.tiny_network import PARAMETERS, SIZE, STAGES, network
from training.networks.backbone import Backbone
from training.networks.fashion import (
    FROZEN,
    KINDS,
    LOOK_SHARE,
    MOST_ANCHORS,
    Anchors,
    AttentionPooling,
    ChannelScaling,
    Proxies,
    fit_channel_scaling,
    place_anchors,
)
from training.networks.imagenet_weights import folded, pretrained_path, read_weights


@pytest.fixture(scope="module")
def outputs() -> dict[str, np.ndarray]:
    keras.utils.set_random_seed(1)
    images = np.random.default_rng(1).uniform(0, 255, (5, SIZE, SIZE, 3)).astype(np.float32)
    return {name: value.numpy() for name, value in network()(images, training=False).items()}


def test_nine_probabilities_add_up_to_one_and_vectors_have_length_one(outputs: dict[str, np.ndarray]) -> None:
    assert outputs["probabilities"].shape == (5, 9)
    np.testing.assert_allclose(outputs["probabilities"].sum(axis=1), 1, atol=1e-5)
    assert outputs["vector"].shape == (5, 64)
    np.testing.assert_allclose(np.linalg.norm(outputs["vector"], axis=1), 1, atol=1e-5)


def test_the_shares_of_other_clothing_and_of_no_clothing_are_spread_evenly(outputs: dict[str, np.ndarray]) -> None:
    logits = np.exp(outputs["content_logits"])
    shares = logits / logits.sum(axis=1, keepdims=True)
    assert shares.shape == (5, 11)
    spread = shares[:, 9:].sum(axis=1, keepdims=True) / 9
    np.testing.assert_allclose(outputs["probabilities"], shares[:, :9] + spread, atol=1e-6)
    np.testing.assert_allclose(outputs["other_clothing"], shares[:, 9], atol=1e-6)


def test_a_network_takes_pictures_of_any_size() -> None:
    built = network()
    for size in (16, 40):
        assert built(np.zeros((1, size, size, 3), np.float32))["vector"].shape == (1, 64)


def test_the_first_layers_are_frozen() -> None:
    built = network()
    assert sum(int(v.shape.num_elements()) for v in built.trainable_variables) == PARAMETERS
    assert not [v.path for v in built.trainable_variables if v.path.startswith(FROZEN)]


def test_pretrained_weights_are_given_to_their_layers() -> None:
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


def unit_vectors(count: int, width: int = KINDS) -> np.ndarray:
    vectors = np.random.default_rng(4).normal(size=(count, width)).astype(np.float32)
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True))


def test_without_anchors_nothing_is_near() -> None:
    assert not Anchors()(unit_vectors(3)).numpy().any()


def test_the_nearest_anchor_has_the_largest_share() -> None:
    layer, means = Anchors(), unit_vectors(2, 3)
    layer(means)
    layer.place(np.repeat(means, 5, axis=0), np.repeat([0, 1], 5))
    np.testing.assert_allclose(layer(means), means, atol=1e-3)


def test_of_two_anchors_at_the_same_distance_the_larger_class_has_the_larger_share() -> None:
    layer = Anchors()
    layer(np.eye(2, dtype=np.float32))
    layer.place(np.repeat(np.eye(2, dtype=np.float32), (12, 4), axis=0), np.repeat([0, 1], (12, 4)))
    between = np.full((1, 2), 0.5**0.5, np.float32)
    np.testing.assert_allclose(layer(between), [[0.75, 0.25]], atol=1e-5)


def test_small_classes_and_vectors_without_a_class_make_no_anchor() -> None:
    layer, vectors = Anchors(), unit_vectors(12)
    layer(vectors)
    layer.place(vectors, np.array([2] * 5 + [1] * 3 + [-1] * 4))
    anchors, sizes = layer.get_weights()
    mean = vectors[:5].mean(axis=0)
    np.testing.assert_allclose(anchors[0], mean / np.linalg.norm(mean), atol=1e-5)
    assert sizes[0] == 5 and not sizes[1:].any() and not anchors[1:].any()


def test_the_largest_classes_make_the_anchors_where_there_are_too_many() -> None:
    classes = np.repeat(np.arange(MOST_ANCHORS + 1), [4] * MOST_ANCHORS + [6])
    layer, vectors = Anchors(), unit_vectors(len(classes))
    layer(vectors[:1])
    layer.place(vectors, classes)
    sizes = layer.get_weights()[1]
    assert len(sizes) == MOST_ANCHORS and sizes[0] == 6 and sizes.min() == 4


def test_vectors_of_a_class_are_nearer_to_each_other_with_anchors() -> None:
    built = network()
    pictures = np.random.default_rng(1).uniform(0, 255, (12, SIZE, SIZE, 3)).astype(np.float32)
    before = {name: value.numpy() for name, value in built(pictures, training=False).items()}
    classes = np.arange(12) % 2
    place_anchors(built, before["kind"], {"kinds": classes, "pairs": classes})
    after = built(pictures, training=False)
    np.testing.assert_allclose(after["kind"], before["kind"], atol=1e-6)
    np.testing.assert_allclose(np.linalg.norm(after["vector"], axis=1), 1, atol=1e-5)
    same = classes[:, None] == classes[None, :]
    assert (after["vector"].numpy() @ after["vector"].numpy().T)[same].mean() > (before["vector"] @ before["vector"].T)[
        same
    ].mean()


def test_a_similarity_is_a_weighted_mean_of_kind_and_look(outputs: dict[str, np.ndarray]) -> None:
    assert outputs["kind"].shape == (5, KINDS)
    similarity = {name: outputs[name] @ outputs[name].T for name in ("vector", "kind", "look")}
    expected = (1 - LOOK_SHARE) * similarity["kind"] + LOOK_SHARE * similarity["look"]
    np.testing.assert_allclose(similarity["vector"], expected, atol=1e-5)


def test_fitted_maps_have_mean_zero_and_deviation_one() -> None:
    built = network()
    pictures = np.random.default_rng(1).uniform(0, 255, (6, SIZE, SIZE, 3)).astype(np.float32)
    fit_channel_scaling(built, pictures)
    scaled = [layer for layer in built.layers if isinstance(layer, ChannelScaling)]
    assert len(scaled) == 2
    for layer in scaled:
        maps = keras.Model(built.input, layer.output)(pictures, training=False).numpy()
        np.testing.assert_allclose(maps.mean(axis=(0, 1, 2)), 0, atol=1e-3)
        alive = maps.std(axis=(0, 1, 2)) > 0
        np.testing.assert_allclose(maps.std(axis=(0, 1, 2))[alive], 1, atol=0.1)


def test_attention_pooling_is_a_mean_weighted_by_the_scores() -> None:
    maps = np.arange(8, dtype=np.float32).reshape(1, 2, 2, 2)
    scores = np.zeros((1, 2, 2, 2), np.float32)
    scores[0, 1, 0, 1] = 50  # the second map scores one place, the first all places alike
    np.testing.assert_allclose(AttentionPooling()(scores, maps).numpy(), [[3, 4, 4, 5]], atol=1e-5)
