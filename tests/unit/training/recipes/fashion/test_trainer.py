from collections.abc import Iterator

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.support.pictures.tiny_network import SIZE, batches, materials, network, plan
from training.errors import TrainingError
from training.recipes.fashion.plan import FashionPlan
from training.recipes.fashion.trainer import FashionTrainer

pytestmark = pytest.mark.usefixtures("narrow_networks")


@pytest.fixture(autouse=True)
def _eager() -> Iterator[None]:
    """Run each step operation by operation: making a graph of it first takes longer than the few steps here."""
    tf.config.run_functions_eagerly(True)
    yield
    tf.config.run_functions_eagerly(False)


def trainer(chosen: FashionPlan) -> FashionTrainer:
    keras.utils.set_random_seed(chosen.seed)
    return FashionTrainer(network(), materials().details(), chosen)


def test_the_losses_fall() -> None:
    chosen = plan(steps=10, warm_up=1, peak_rate=0.01, backbone_rate=1.0)
    step_batches, learner = batches(chosen), trainer(chosen)
    losses = [learner.train(*step_batches(step, SIZE)) for step in range(10)]
    assert losses[0].shape == (7,)
    assert np.mean(losses[-3:], axis=0)[1] < 0.85 * np.mean(losses[:3], axis=0)[1]
    assert learner.step == 10


def test_the_memory_holds_the_latest_products_and_their_vectors() -> None:
    chosen = plan(memory=16)
    step_batches, learner = batches(chosen), trainer(chosen)
    first, second = step_batches(0, SIZE), step_batches(1, SIZE)
    learner.train(*first)
    assert list(learner.memory_ids.numpy()[:11]) == list(first[1]["ids"])
    assert (learner.memory_ids.numpy()[11:] == -1).all()
    learner.train(*second)
    ids = learner.memory_ids.numpy()
    assert list(ids[11:]) + list(ids[:6]) == list(second[1]["ids"])
    np.testing.assert_allclose(np.linalg.norm(learner.memory.numpy(), axis=1), 1, atol=1e-4)


def test_the_rate_rises_then_falls_along_half_a_cosine() -> None:
    learner = trainer(plan(steps=100, warm_up=10))
    rates = []
    for learner.step in range(100):
        rates.append(learner.rate_share())
    assert rates[:10] == pytest.approx([(i + 1) / 10 for i in range(10)])
    assert rates[55] == pytest.approx(0.5)
    assert min(rates) == rates[-1] == 0.01


def test_the_weights_of_the_model_are_the_running_average() -> None:
    chosen = plan(average_decay=0.5)
    step_batches, learner = batches(chosen), trainer(chosen)
    before = learner.others[0].numpy()
    learner.train(*step_batches(0, SIZE))
    expected = 0.1 * before + 0.9 * learner.others[0].numpy()  # the first step's share is (1 + 0) / (10 + 0)
    np.testing.assert_allclose(learner.averages[len(learner.backbone)].numpy(), expected, atol=1e-6)
    learner.take_averages()
    np.testing.assert_allclose(learner.others[0].numpy(), expected, atol=1e-6)


def test_a_loss_that_is_not_a_number_ends_the_run() -> None:
    chosen = plan()
    learner, (pictures, targets) = trainer(chosen), batches(chosen)(0, SIZE)
    with pytest.raises(TrainingError, match="no longer a number in step 1"):
        learner.train(pictures * np.float32("nan"), targets)
