"""Starting with the head of an earlier run."""

from pathlib import Path

import numpy as np
import pytest

from training.errors import TrainingError
from training.networks.detector import detector_head
from training.recipes.detector.warm_start import take_head
from training.run.checkpoint import CHECKPOINT_NAME, Checkpoint, save_checkpoint


def test_the_head_has_the_weights_of_the_checkpoint(tmp_path: Path) -> None:
    earlier, head = detector_head(9), detector_head(9)
    arrays = [weight.numpy() + 1 for weight in earlier.weights]
    save_checkpoint(tmp_path, Checkpoint({}, [], [*arrays, np.zeros(3)]))
    take_head(head, tmp_path / CHECKPOINT_NAME)
    assert all((weight.numpy() == array).all() for weight, array in zip(head.weights, arrays, strict=True))


def test_a_checkpoint_of_another_head_is_refused(tmp_path: Path) -> None:
    save_checkpoint(tmp_path, Checkpoint({}, [], [np.zeros((2, 2))]))
    with pytest.raises(TrainingError, match="is of another head"):
        take_head(detector_head(9), tmp_path / CHECKPOINT_NAME)


def test_a_file_that_is_no_checkpoint_is_refused(tmp_path: Path) -> None:
    (tmp_path / "notes.npz").write_bytes(b"no archive")
    with pytest.raises(TrainingError, match="is not a checkpoint of an earlier run"):
        take_head(detector_head(9), tmp_path / "notes.npz")
