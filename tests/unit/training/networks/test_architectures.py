import keras
import numpy as np
import pytest

from training.errors import TrainingError
from training.networks import architectures as networks


@pytest.fixture(scope="module")
def baseline() -> networks.BuiltNetwork:
    return networks.build("baseline", 9)


def test_the_baseline_has_the_published_number_of_parameters(baseline: networks.BuiltNetwork) -> None:
    assert sum(int(np.prod(w.shape)) for w in baseline.whole.trainable_variables) == 701_161


def test_the_baselines_layers_are_those_of_the_design(baseline: networks.BuiltNetwork) -> None:
    described: list[tuple[object, ...]] = []
    for layer in baseline.whole.layers:
        match layer:
            case keras.layers.Conv2D():
                described.append(("conv", layer.filters, layer.kernel_size, layer.padding, layer.activation.__name__))
            case keras.layers.MaxPooling2D():
                described.append(("pool", layer.pool_size))
            case keras.layers.Dense():
                described.append(("dense", layer.units, layer.activation.__name__))
            case keras.layers.Dropout():
                described.append(("dropout", layer.rate))
    assert described == [
        ("conv", 32, (3, 3), "valid", "relu"),
        ("pool", (2, 2)),
        ("conv", 32, (3, 3), "valid", "relu"),
        ("pool", (2, 2)),
        ("conv", 64, (3, 3), "same", "relu"),
        ("pool", (2, 2)),
        ("dense", 128, "relu"),
        ("dense", 64, "relu"),
        ("dropout", 0.5),
        ("dense", 9, "softmax"),
    ]


def test_the_outputs_are_named_and_shaped_as_the_contract_says(baseline: networks.BuiltNetwork) -> None:
    outputs = baseline.whole.predict(np.zeros((2, 80, 80, 3), np.uint8), verbose=0)
    assert {name: value.shape for name, value in outputs.items()} == {"probabilities": (2, 9), "vector": (2, 64)}
    assert outputs["probabilities"].sum(axis=1) == pytest.approx([1, 1], abs=1e-5)


def test_scaling_to_one_is_inside_the_graph(baseline: networks.BuiltNetwork) -> None:
    scale = keras.Model(baseline.whole.input, baseline.whole.get_layer("scale").output)
    assert scale.predict(np.full((1, 80, 80, 3), 255, np.uint8), verbose=0).max() == pytest.approx(1.0)


def test_the_classifier_shares_its_weights_with_the_whole(baseline: networks.BuiltNetwork) -> None:
    assert all(a is b for a, b in zip(baseline.classifier.weights, baseline.whole.weights, strict=True))


def test_the_error_for_an_unknown_network_has_the_known_names() -> None:
    with pytest.raises(TrainingError, match="no network called 'resnet': the names are baseline"):
        networks.build("resnet", 9)


def test_a_network_with_an_unexpected_number_of_parameters_is_refused() -> None:
    with pytest.raises(TrainingError, match=r"701,226 trainable parameters; 701,161"):
        networks.build("baseline", 10)
