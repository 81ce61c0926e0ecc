"""The steps of the detector: its trained part with the optimizers."""

from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from training.networks.detector import DetectorNetwork
from training.recipes.detector.plan import DetectorPlan
from training.recipes.detector.targets import losses
from training.run.schedule import rate_share, refuse_not_finite

LOSSES = ("found", "edges", "labels")
GREATEST_GRADIENT = 5.0  # norm over all variables; longer gradients are scaled to it


class DetectorTrainer:
    """Trains a detector; `step` counts the steps done. Head and backbone have an optimizer each."""

    def __init__(self, network: DetectorNetwork, plan: DetectorPlan) -> None:
        self.network, self.plan, self.step = network, plan, 0
        self._reader = [] if network.reader is None else network.reader.trainable_variables
        self._groups = [([*network.head.trainable_variables, *self._reader], 1.0)]
        if network.tuned:
            self._groups.append((network.tuned, plan.backbone_rate))
        self._optimizers = [
            keras.optimizers.AdamW(
                plan.peak_rate, weight_decay=plan.decay, use_ema=plan.averaging > 0, ema_momentum=plan.averaging
            )
            for _ in self._groups
        ]
        for optimizer, (variables, _) in zip(self._optimizers, self._groups, strict=True):
            optimizer.build(variables)
        self._compiled = tf.function(self._step, jit_compile=False)

    def train(self, maps: list[NDArray[Any]], targets: dict[str, NDArray[Any]]) -> NDArray[np.float32]:
        """Take one step; return the losses, float32 (3,), in the order of LOSSES.

        Raises:
            TrainingError: a loss is no longer a number.
        """
        rate = self.plan.peak_rate * rate_share(self.step, self.plan.warm_up, self.plan.steps)
        for optimizer, (_, share) in zip(self._optimizers, self._groups, strict=True):
            optimizer.learning_rate.assign(rate * share)
        tensors = {name: tf.constant(values) for name, values in targets.items()}
        values = self._compiled([tf.constant(level) for level in maps], tensors).numpy()
        self.step += 1
        refuse_not_finite(values, f"step {self.step}")
        return np.asarray(values)

    def _step(self, maps: list[Any], targets: dict[str, Any]) -> Any:
        with tf.GradientTape() as tape:
            outputs = self.network.trained([tf.cast(level, tf.float32) for level in maps], training=True)
            values = losses(outputs, targets)
            loss = tf.reduce_sum(values * tf.constant((1.0, self.plan.edges, self.plan.labels)))
        variables = [variable for group, _ in self._groups for variable in group]
        gradients, _ = tf.clip_by_global_norm(tape.gradient(loss, variables), GREATEST_GRADIENT)
        begin = 0
        for optimizer, (group, _) in zip(self._optimizers, self._groups, strict=True):
            optimizer.apply(gradients[begin : begin + len(group)], group)
            begin += len(group)
        return values

    def settle(self) -> None:
        """Give the network the mean weights, if the plan asks for them (Polyak & Juditsky, 1992)."""
        for optimizer, (variables, _) in zip(self._optimizers, self._groups, strict=True):
            optimizer.finalize_variable_values(variables)

    def variables(self) -> list[Any]:
        """Return all variables that a checkpoint holds, in an order that stored checkpoints rely on."""
        network = self.network
        optimizers = (variable for optimizer in self._optimizers for variable in optimizer.variables)
        return [*network.head.weights, *network.tuned, *self._reader, *optimizers]
