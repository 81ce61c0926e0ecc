"""The loop with the learner of each recipe: an interrupted run ends as an uninterrupted one."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from itertools import count
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from services.catalogue.sources.formats.kaggle_archive import CATEGORIES
from services.contracts.domain.manifest import InputSize
from tests.support.pictures import detector_scenes
from tests.support.pictures.tiny_network import batches, materials, network, people, plan, studio
from training.data.archives.dataset import Dataset, DatasetCounts
from training.data.split import Split
from training.errors import TrainingError
from training.networks.architectures import Architecture, BuiltNetwork, baseline
from training.networks.detector import DetectorNetwork
from training.progress import Terminal
from training.recipes.baseline.learner import BaselineLearner, BaselinePlan, best_epoch
from training.recipes.detector.learner import DetectorLearner, DetectorMaterial
from training.recipes.detector.plan import DetectorPlan
from training.recipes.detector.trainer import DetectorTrainer
from training.recipes.fashion import learner as fashion_learner
from training.recipes.fashion.learner import FashionLearner
from training.recipes.fashion.trainer import FashionTrainer
from training.run.checkpoint import CHECKPOINT_NAME, History
from training.run.loop import Learner, TrainingRun, train_to_end
from training.run.settings import RunSettings

pytestmark = pytest.mark.usefixtures("narrow_networks")
SETTINGS = RunSettings("tiny", {"dataset": "aa"}, {"seed": 7})
SIZE = InputSize(height=24, width=24)


@pytest.fixture(scope="module", autouse=True)
def _eager() -> Iterator[None]:
    """Run each step operation by operation: making a graph of it takes longer than the few steps here."""
    tf.config.run_functions_eagerly(True)
    yield
    tf.config.run_functions_eagerly(False)


def baseline_learner() -> Learner:
    keras.utils.set_random_seed(7)
    rng = np.random.default_rng(1)
    images, labels = rng.integers(0, 256, (24, 24, 24, 3), np.uint8), rng.integers(0, 9, 24)
    text = np.array([""] * 24)
    data = Dataset("tiny", "aa", "bb", tuple(map(str, range(24))), images, labels, text, text, DatasetCounts())
    architecture = Architecture("tiny", SIZE, 64, False, 0, baseline)
    whole = baseline(SIZE, len(CATEGORIES))
    built = BuiltNetwork(architecture, whole, keras.Model(whole.input, whole.output["probabilities"]))
    parts = Split(np.arange(16), np.arange(16, 20), np.arange(20, 24))
    return BaselineLearner(built, data, parts, BaselinePlan(7, epochs=4, batch_size=8), Terminal())


def fashion() -> Learner:
    chosen = plan(steps=4)
    keras.utils.set_random_seed(chosen.seed)
    whole = network()
    built = BuiltNetwork(Architecture("tiny", SIZE, 64, True, 0, lambda *_: whole), whole, whole)
    trainer = FashionTrainer(whole, materials().details(), chosen)
    return FashionLearner(built, trainer, lambda: batches(chosen))


def detector(is_tuned: bool = False) -> Learner:
    keras.utils.set_random_seed(7)
    image, levels = keras.Input((None, None, 3)), [keras.Input((24, 24, 3)) for _ in range(2)]
    features = keras.Model(image, [pooling(8)(image) for pooling in (layers.AveragePooling2D, layers.MaxPooling2D)])
    maps = layers.Concatenate()(levels)
    head = keras.Model(levels, {"chances": layers.Conv2D(9, 1)(maps), "edges": layers.Conv2D(4, 1)(maps)})
    later = [layers.Conv2D(3, 1) for _ in levels]
    tuned = keras.Model(levels, head([layer(level) for layer, level in zip(later, levels, strict=True)]))
    variables = [variable for layer in later for variable in layer.trainable_variables] if is_tuned else []
    trained = DetectorNetwork(features, head, features, tuned if is_tuned else head, variables)
    chosen = DetectorPlan(steps=4, scenes=2, round_scenes=2, epochs=1, warm_up=2, backbone_rate=0.25)
    grounds, scenes = detector_scenes.backgrounds(), detector_scenes.scenes()
    material = DetectorMaterial(studio(), people(), grounds, {}, scenes, trained)
    return DetectorLearner(DetectorTrainer(trained, chosen), material)


LEARNERS: dict[str, Callable[[], Learner]] = {
    "baseline": baseline_learner,
    "fashion": fashion,
    "detector": detector,
    "detector with its backbone": partial(detector, is_tuned=True),
}


@pytest.fixture(scope="module", params=LEARNERS)
def make(request: pytest.FixtureRequest, narrow_networks: None) -> Iterator[Callable[[], Learner]]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fashion_learner, "ROUND_STEPS", 1)
        yield LEARNERS[request.param]


def run(folder: Path) -> TrainingRun:
    return TrainingRun(SETTINGS, folder, Terminal())


@dataclass(frozen=True)
class CompleteRun:
    """A run that has trained to its end, each round in a second of its clock."""

    folder: Path
    learner: Learner
    history: History


@pytest.fixture(scope="module")
def complete(make: Callable[[], Learner], tmp_path_factory: pytest.TempPathFactory) -> CompleteRun:
    learner, folder, ticks = make(), tmp_path_factory.mktemp("complete"), count()
    history = train_to_end(learner, replace(run(folder), clock=lambda: float(next(ticks))))
    return CompleteRun(folder, learner, history)


class Interrupted:
    """A learner that is interrupted after some rounds."""

    def __init__(self, learner: Learner, rounds: int) -> None:
        self._learner, self._rounds = learner, rounds

    def __getattr__(self, name: str) -> object:
        return getattr(self._learner, name)

    def train_round(self, history: History) -> dict[str, float]:
        if len(history) == self._rounds:
            raise KeyboardInterrupt
        return self._learner.train_round(history)


def test_an_interrupted_run_ends_as_an_uninterrupted_one(
    make: Callable[[], Learner], complete: CompleteRun, tmp_path: Path
) -> None:
    whole, history = complete.learner, complete.history
    with pytest.raises(KeyboardInterrupt):
        train_to_end(Interrupted(make(), 3), run(tmp_path / "broken"))  # type: ignore[arg-type]
    checkpoint = run(tmp_path / "broken").checkpoint()
    assert checkpoint is not None
    assert len(checkpoint.history) == 3 // whole.rounds_per_checkpoint * whole.rounds_per_checkpoint
    resumed = make()
    resumed_history = train_to_end(resumed, run(tmp_path / "broken"), checkpoint)
    assert len(resumed_history) == len(history) == 4
    for ours, theirs in zip(resumed_history, history, strict=True):
        assert {**ours, "seconds": 0} == pytest.approx({**theirs, "seconds": 0}, abs=1e-4)
    for variable, expected in zip(resumed.variables(), whole.variables(), strict=True):
        np.testing.assert_allclose(variable.numpy(), expected.numpy(), atol=1e-4)


def test_a_complete_run_is_not_trained_again(make: Callable[[], Learner], complete: CompleteRun) -> None:
    again, known = make(), run(complete.folder)
    assert train_to_end(Interrupted(again, 0), known, known.checkpoint()) == complete.history  # type: ignore[arg-type]
    for variable, expected in zip(again.variables(), complete.learner.variables(), strict=True):
        np.testing.assert_array_equal(variable.numpy(), expected.numpy())


def test_each_round_has_its_figures_and_seconds(complete: CompleteRun) -> None:
    assert [entry["seconds"] for entry in complete.history] == [1.0] * 4
    assert all(np.isfinite(list(entry.values())).all() for entry in complete.history)
    assert "4/4" in complete.learner.progress(complete.history)


def test_a_discarded_run_has_no_checkpoint(make: Callable[[], Learner], tmp_path: Path) -> None:
    run(tmp_path).save(make(), [])
    assert (tmp_path / CHECKPOINT_NAME).exists()
    run(tmp_path).discard()
    assert run(tmp_path).checkpoint() is None


def test_the_checkpoint_of_another_network_is_refused(tmp_path: Path) -> None:
    run(tmp_path).save(detector(), [])
    with pytest.raises(TrainingError, match="of another network"):
        train_to_end(fashion(), run(tmp_path), run(tmp_path).checkpoint())


def test_the_details_of_a_fashion_run_are_its_classes() -> None:
    assert fashion().details == materials().details()


@pytest.mark.parametrize(
    ("losses", "best", "finished"),
    [((0.5,), 1, False), ((0.5, 0.6), 1, False), ((0.5, 0.6, 0.7), 1, True), ((5, 4, 3, 2), 4, True)],
)
def test_the_baseline_ends_with_its_epochs_or_its_patience(
    losses: tuple[float, ...], best: int, finished: bool
) -> None:
    learner = baseline_learner()
    learner.plan = replace(learner.plan, patience=2)  # type: ignore[attr-defined]
    history = [{"val_loss": loss} for loss in losses]
    assert (best_epoch(history), learner.finished(history)) == (best, finished)


def test_the_baseline_takes_the_weights_of_its_best_epoch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    losses = iter([0.5, 0.3, 0.4, 0.6])
    monkeypatch.setattr(BaselineLearner, "_validate", lambda _: {"val_loss": next(losses), "val_accuracy": 0.1})
    learner = baseline_learner()
    assert isinstance(learner, BaselineLearner)
    history: History = []
    weights = []
    for _ in range(4):
        history.append(learner.train_round(history))
        weights.append([weight.numpy() for weight in learner.network.classifier.weights])
    learner.take_best()
    for best, second, last in zip(learner.network.classifier.weights, weights[1], weights[3], strict=True):
        np.testing.assert_array_equal(best.numpy(), second)
        assert (second != last).any()
