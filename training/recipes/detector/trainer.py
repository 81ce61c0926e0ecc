"""The steps of the detector: its head with the optimizer."""

from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from training.recipes.detector.plan import DetectorPlan
from training.recipes.detector.targets import losses
from training.run.schedule import rate_share, refuse_not_finite

LOSSES = ("found", "edges")
WEIGHTS = (1.0, 2.0)
GREATEST_GRADIENT = 5.0  # norm over all variables; longer gradients are scaled to it


class DetectorTrainer:
    """Trains a head; `step` counts the steps done."""

    def __init__(self, head: Any, plan: DetectorPlan) -> None:
        self.head, self.plan, self.step = head, plan, 0
        self.optimizer = keras.optimizers.AdamW(plan.peak_rate, weight_decay=plan.decay)
        self.optimizer.build(head.trainable_variables)
        self._compiled = tf.function(self._step, jit_compile=False)

    def train(self, maps: list[NDArray[Any]], targets: dict[str, NDArray[np.float32]]) -> NDArray[np.float32]:
        """Take one step; return the losses, float32 (2,), in the order of LOSSES.

        Raises:
            TrainingError: a loss is no longer a number.
        """
        rate = self.plan.peak_rate * rate_share(self.step, self.plan.warm_up, self.plan.steps)
        self.optimizer.learning_rate.assign(rate)
        tensors = {name: tf.constant(values) for name, values in targets.items()}
        values = self._compiled([tf.constant(level) for level in maps], tensors).numpy()
        self.step += 1
        refuse_not_finite(values, f"step {self.step}")
        return np.asarray(values)

    def _step(self, maps: list[Any], targets: dict[str, Any]) -> Any:
        with tf.GradientTape() as tape:
            outputs = self.head([tf.cast(level, tf.float32) for level in maps], training=True)
            values = losses(outputs, targets)
            loss = tf.reduce_sum(values * tf.constant(WEIGHTS))
        variables = self.head.trainable_variables
        gradients, _ = tf.clip_by_global_norm(tape.gradient(loss, variables), GREATEST_GRADIENT)
        self.optimizer.apply(gradients, variables)
        return values

    def variables(self) -> list[Any]:
        """Return all variables that a checkpoint holds, in an order that stored checkpoints rely on."""
        return [*self.head.weights, *self.optimizer.variables]
