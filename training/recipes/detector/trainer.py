"""One step after the other: the detector's head with its optimizer."""

from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from training.errors import TrainingError
from training.recipes.detector.plan import DetectorPlan
from training.recipes.detector.targets import losses

LOSSES = ("found", "edges")
WEIGHTS = (1.0, 2.0)
GREATEST_GRADIENT = 5.0  # norm over all variables; longer ones are cut to it
LEAST_RATE = 0.01  # share of the peak learning rate at the very end


class DetectorTrainer:
    """Trains a head; `step` counts the steps taken."""

    def __init__(self, head: Any, plan: DetectorPlan) -> None:
        self.head, self.plan, self.step = head, plan, 0
        self.optimizer = keras.optimizers.AdamW(plan.peak_rate, weight_decay=plan.decay)
        self.optimizer.build(head.trainable_variables)
        self._compiled = tf.function(self._step, jit_compile=False)

    def rate(self) -> float:
        """Return the share of the peak learning rate at this step: a short rise, then half a cosine."""
        if self.step < self.plan.warm_up:
            return (self.step + 1) / self.plan.warm_up
        done = (self.step - self.plan.warm_up) / max(1, self.plan.steps - self.plan.warm_up)
        return float(max(LEAST_RATE, 0.5 * (1 + np.cos(np.pi * min(1.0, done)))))

    def train(self, maps: list[NDArray[Any]], wanted: dict[str, NDArray[np.float32]]) -> NDArray[np.float32]:
        """Take one step; return the losses, float32 (2,), in the order of LOSSES.

        Raises:
            TrainingError: a loss is no longer a number.
        """
        self.optimizer.learning_rate.assign(self.plan.peak_rate * self.rate())
        tensors = {name: tf.constant(values) for name, values in wanted.items()}
        each = self._compiled([tf.constant(level) for level in maps], tensors).numpy()
        self.step += 1
        if not np.isfinite(each).all():
            raise TrainingError(f"the loss is no longer a number in step {self.step}: try another --seed")
        return np.asarray(each)

    def _step(self, maps: list[Any], wanted: dict[str, Any]) -> Any:
        with tf.GradientTape() as tape:
            said = self.head([tf.cast(level, tf.float32) for level in maps], training=True)
            each = losses(said, wanted)
            loss = tf.reduce_sum(each * tf.constant(WEIGHTS))
        variables = self.head.trainable_variables
        gradients, _ = tf.clip_by_global_norm(tape.gradient(loss, variables), GREATEST_GRADIENT)
        self.optimizer.apply(gradients, variables)
        return each

    def variables(self) -> list[Any]:
        """Return all that a checkpoint holds, in an order that old checkpoints rely on."""
        return [*self.head.weights, *self.optimizer.variables]
