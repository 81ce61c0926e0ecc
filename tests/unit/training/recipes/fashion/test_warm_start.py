from pathlib import Path

import numpy as np
import pytest

from tests.support.pictures.tiny_network import batches, network, plan
from training.errors import TrainingError
from training.recipes.fashion.trainer import FashionTrainer
from training.recipes.fashion.warm_start import take_backbone
from training.run.checkpoint import TrainingCheckpoint, save_checkpoint


def trainer(kinds: int) -> FashionTrainer:
    classes = {"kinds": kinds, "colours": 4, "pairs": 3, "genders": 2}
    return FashionTrainer(network(), {"classes": classes, "allowed": [[0], [0, 1]]}, plan())


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[np.ndarray]]:
    """An earlier run's checkpoint, and the running averages of its backbone."""
    run_dir, earlier = tmp_path_factory.mktemp("run"), trainer(5)
    for mean in earlier.averages:
        mean.assign(mean + 0.25)
    arrays = [variable.numpy() for variable in earlier.variables()]
    save_checkpoint(run_dir, TrainingCheckpoint({}, [], arrays))
    return run_dir / "checkpoint.npz", [mean.numpy() for mean in earlier.averages[: len(earlier.backbone)]]


def test_a_run_starts_with_the_running_average_of_another_backbone(
    checkpoint: tuple[Path, list[np.ndarray]],
) -> None:
    path, means = checkpoint
    later = trainer(9)  # whose other layers differ
    take_backbone(later, path)
    for variable, mean in zip(later.backbone, means, strict=True):
        np.testing.assert_array_equal(variable.numpy(), mean)


def test_a_file_that_is_not_a_checkpoint_of_this_backbone_is_refused(tmp_path: Path) -> None:
    (tmp_path / "text.npz").write_text("no checkpoint")
    np.savez(tmp_path / "other.npz", **{f"{n:04}": np.zeros(3) for n in range(400)})  # type: ignore[arg-type]
    for name, message in (("none", "not a checkpoint"), ("text", "not a checkpoint"), ("other", "of another backbone")):
        with pytest.raises(TrainingError, match=message):
            take_backbone(trainer(5), tmp_path / f"{name}.npz")


def test_the_running_average_starts_with_the_fitted_weights() -> None:
    learner = trainer(3)
    learner.fit_scaling(batches(plan())(0, 24)[0])
    for mean, variable in zip(learner.averages, learner.backbone + learner.others, strict=True):
        np.testing.assert_array_equal(mean.numpy(), variable.numpy())
