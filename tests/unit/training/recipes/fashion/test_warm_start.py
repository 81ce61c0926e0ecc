from pathlib import Path

import numpy as np
import pytest

from tests.support.tiny_network import batches, network, plan
from training.errors import TrainingError
from training.recipes.fashion.checkpoint import RunSettings, save_checkpoint
from training.recipes.fashion.trainer import Trainer
from training.recipes.fashion.warm_start import take_backbone

SETTINGS = RunSettings("tiny", "a", "b", None, None, plan())


def trainer(kinds: int) -> Trainer:
    return Trainer(network(), {"kinds": kinds, "colours": 4, "pairs": 3, "genders": 2}, plan())


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[np.ndarray]]:
    """An earlier run's checkpoint, and the running means of its backbone."""
    run_dir, earlier = tmp_path_factory.mktemp("run"), trainer(5)
    for mean in earlier.means:
        mean.assign(mean + 0.25)
    save_checkpoint(run_dir, SETTINGS, earlier, [])
    return run_dir / "checkpoint.npz", [mean.numpy() for mean in earlier.means[: len(earlier.deep)]]


def test_a_run_begins_with_the_running_mean_of_another_ones_backbone(
    checkpoint: tuple[Path, list[np.ndarray]],
) -> None:
    path, means = checkpoint
    later = trainer(9)  # whose other layers differ
    take_backbone(later, path)
    for variable, mean in zip(later.deep, means, strict=True):
        np.testing.assert_array_equal(variable.numpy(), mean)


def test_what_is_no_checkpoint_of_this_backbone_is_refused(tmp_path: Path) -> None:
    (tmp_path / "text.npz").write_text("no checkpoint")
    np.savez(tmp_path / "other.npz", **{f"{n:04}": np.zeros(3) for n in range(400)})  # type: ignore[arg-type]
    for name, told in (("none", "no checkpoint"), ("text", "no checkpoint"), ("other", "of another backbone")):
        with pytest.raises(TrainingError, match=told):
            take_backbone(trainer(5), tmp_path / f"{name}.npz")


def test_the_running_mean_begins_with_the_settled_weights() -> None:
    learner = trainer(3)
    learner.settle(batches(plan())(0, 24)[0])
    for mean, variable in zip(learner.means, learner.deep + learner.shallow, strict=True):
        np.testing.assert_array_equal(mean.numpy(), variable.numpy())
