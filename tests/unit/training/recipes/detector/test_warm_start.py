"""Starting with the weights of an earlier run."""

from pathlib import Path

import numpy as np
import pytest

from training.errors import TrainingError
from training.networks import detector
from training.networks.backbone import Backbone, Stages
from training.networks.detector import LAYERS, DetectorNetwork, detector_network
from training.recipes.detector.warm_start import take_weights
from training.run.checkpoint import CHECKPOINT_NAME, TrainingCheckpoint, save_checkpoint

STAGES: Stages = ((1, 3, 1, 1, 4), (1, 3, 2, 2, 4), (1, 3, 2, 2, 8), (1, 3, 2, 2, 8), (1, 3, 1, 2, 8), (1, 3, 2, 2, 12))


@pytest.fixture
def network(monkeypatch: pytest.MonkeyPatch) -> DetectorNetwork:
    monkeypatch.setattr(detector, "DEPTHS", (4, 8, 8, 12))
    return detector_network(Backbone(STAGES), 9, is_tuned=True)


def test_the_head_and_the_backbone_have_the_weights_of_the_checkpoint(network: DetectorNetwork, tmp_path: Path) -> None:
    trained = [weight.numpy() + 1 for weight in (*network.head.weights, *network.tuned)]
    save_checkpoint(tmp_path, TrainingCheckpoint({}, [], [*trained, np.zeros(3)]))
    take_weights(network, tmp_path / CHECKPOINT_NAME)
    weights = (*network.head.weights, *network.tuned)
    assert all((weight.numpy() == array).all() for weight, array in zip(weights, trained, strict=True))


def test_a_checkpoint_of_a_head_leaves_the_backbone_as_it_is(network: DetectorNetwork, tmp_path: Path) -> None:
    backbone = [variable.numpy() for variable in network.tuned]
    heads = [weight.numpy() + 1 for weight in network.head.weights]
    save_checkpoint(tmp_path, TrainingCheckpoint({}, [], [*heads, np.zeros(()), *heads]))
    take_weights(network, tmp_path / CHECKPOINT_NAME)
    assert all((weight.numpy() == array).all() for weight, array in zip(network.head.weights, heads, strict=True))
    assert all((variable.numpy() == array).all() for variable, array in zip(network.tuned, backbone, strict=True))


def test_a_head_of_one_layer_gives_its_weights_to_the_first_layer(network: DetectorNetwork, tmp_path: Path) -> None:
    heads = [weight.numpy() + 1 for weight in network.head.weights]
    first = [array[..., : array.shape[-1] // LAYERS] if array.shape[-1] in (18, 8) else array for array in heads]
    assert sum(narrow.shape != wide.shape for narrow, wide in zip(first, heads, strict=True)) == 4
    second = [weight.numpy()[..., weight.shape[-1] // LAYERS :] for weight in network.head.weights]
    save_checkpoint(tmp_path, TrainingCheckpoint({}, [], first))
    take_weights(network, tmp_path / CHECKPOINT_NAME)
    for weight, narrow, kept in zip(network.head.weights, first, second, strict=True):
        assert (weight.numpy()[..., : narrow.shape[-1]] == narrow).all()
        if narrow.shape != tuple(weight.shape):
            assert (weight.numpy()[..., narrow.shape[-1] :] == kept).all()


def test_a_checkpoint_of_another_head_is_refused(network: DetectorNetwork, tmp_path: Path) -> None:
    save_checkpoint(tmp_path, TrainingCheckpoint({}, [], [np.zeros((2, 2))]))
    with pytest.raises(TrainingError, match="is of another head"):
        take_weights(network, tmp_path / CHECKPOINT_NAME)


def test_a_file_that_is_no_checkpoint_is_refused(network: DetectorNetwork, tmp_path: Path) -> None:
    (tmp_path / "notes.npz").write_bytes(b"no archive")
    with pytest.raises(TrainingError, match="is not a checkpoint of an earlier run"):
        take_weights(network, tmp_path / "notes.npz")
