"""The steps of the fashion network: the network with its proxies, optimizers, running average and memory."""

from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from training.networks.fashion import BACKBONE_LAYERS, Proxies, fit_channel_scaling
from training.recipes.fashion.losses import (
    ShownProducts,
    aligned,
    allowed_cross_entropy,
    masked_cross_entropy,
    same_product,
)
from training.recipes.fashion.plan import FashionPlan
from training.run.schedule import rate_share, refuse_not_finite

GREATEST_GRADIENT = 5.0  # norm over all variables; longer gradients are scaled to it
# The layers after the features in the order of stored checkpoints. Keras's order depends on the layers' depths.
HEAD_ORDER = ("hidden", "similarity_hidden", "content_logits", "kind_projection", "look_projection")
STORED_LAST = {name: place for place, name in enumerate(HEAD_ORDER)}
SMOOTHING = 0.05  # of the attributes' targets: the archive's types and colours are not always right


class FashionTrainer:
    """Trains a network with the outputs `content_logits`, `kind` and `look`.

    The weights that are kept are a running average of the weights of about the last thousand steps.
    """

    def __init__(self, network: Any, details: dict[str, Any], plan: FashionPlan) -> None:
        """Build the proxies and the optimizers.

        Args:
            network: the network to train.
            details: how many classes each attribute has, in the order of the losses, and the classes of `kinds` that
                each label allows: see `Materials.details`.
            plan: the numbers of the run.
        """
        classes: dict[str, int] = details["classes"]
        self.details = details
        self.allowed = tf.constant(_masks(details["allowed"], classes["kinds"]))
        self.plan, self.network, self.step = plan, network, 0
        dimension = network.output["kind"].shape[-1]
        self.heads = {name: Proxies(count, name=name) for name, count in classes.items()}
        for head in self.heads.values():
            head.build((None, dimension))
        trainable = network.trainable_variables
        self.backbone = [v for v in trainable if v.path.startswith(BACKBONE_LAYERS)]
        others = [v for v in trainable if not v.path.startswith(BACKBONE_LAYERS)]
        self.others = sorted(others, key=lambda v: STORED_LAST.get(v.path.partition("/")[0], -1))
        self.others += [v for head in self.heads.values() for v in head.trainable_variables]
        self.optimizers = [
            keras.optimizers.AdamW(plan.peak_rate * rate, weight_decay=plan.decay, beta_2=0.99)
            for rate in (plan.backbone_rate, 1.0)
        ]
        for optimizer, variables in zip(self.optimizers, (self.backbone, self.others), strict=True):
            optimizer.build(variables)
        self.averages = [tf.Variable(v.value) for v in self.backbone + self.others]
        self.memory = tf.Variable(tf.zeros((plan.memory, network.output["look"].shape[-1])))
        self.memory_ids = tf.Variable(tf.fill([plan.memory], tf.constant(-1, tf.int64)))
        self.memory_categories = tf.Variable(tf.zeros([plan.memory], tf.int32))
        self._compiled: dict[int, Any] = {}

    def rate_share(self) -> float:
        """Return the share of the peak learning rate at this step."""
        return rate_share(self.step, self.plan.warm_up, self.plan.steps)

    def backbone_share(self) -> float:
        """Return the backbone's share of its rate: 0 while the layers after it warm up, then an equally long rise."""
        return min(1.0, max(0.0, self.step / self.plan.warm_up - 1))

    def fit_scaling(self, images: Any) -> None:
        """Fit the channel scaling to these images, float32 (n, h, w, 3), and start the running average there."""
        fit_channel_scaling(self.network, images)
        for average, variable in zip(self.averages, self.backbone + self.others, strict=True):
            average.assign(variable)

    def train(self, images: Any, targets: dict[str, Any]) -> NDArray[np.float32]:
        """Take one step; return the losses, float32 (7,), in the order of LOSSES.

        Raises:
            TrainingError: a loss is no longer a number.
        """
        plan = self.plan
        for optimizer, share in zip(self.optimizers, (plan.backbone_rate * self.backbone_share(), 1.0), strict=True):
            optimizer.learning_rate.assign(plan.peak_rate * share * self.rate_share())
        self._reseed_dropout()
        size = int(images.shape[1])
        if size not in self._compiled:
            self._compiled[size] = tf.function(self._step, jit_compile=False)
        place = tf.constant(self.step * plan.shown % plan.memory)
        tensors = {name: tf.constant(value) for name, value in targets.items()}
        decay = min(plan.average_decay, (1 + self.step) / (10 + self.step))
        losses = self._compiled[size](images, tensors, place, tf.constant(decay, tf.float32)).numpy()
        self.step += 1
        refuse_not_finite(losses, f"step {self.step}")
        return np.asarray(losses)

    def _reseed_dropout(self) -> None:
        """Set the dropout's state to that of this step, which does not depend on interruptions."""
        for layer in self.network.layers:
            if isinstance(layer, keras.layers.Dropout):
                state = layer.seed_generator.state
                state.assign(tf.stack([state[0], tf.cast(self.step, state.dtype)]))

    def _step(self, images: Any, targets: dict[str, Any], place: Any, decay: Any) -> Any:
        with tf.GradientTape() as tape:
            outputs = self.network(images, training=True)
            losses = self._losses(outputs, targets)
            loss = tf.reduce_sum(losses * tf.constant(self.plan.weights))
        variables = self.backbone + self.others
        gradients, _ = tf.clip_by_global_norm(tape.gradient(loss, variables), GREATEST_GRADIENT)
        self.optimizers[0].apply(gradients[: len(self.backbone)], self.backbone)
        self.optimizers[1].apply(gradients[len(self.backbone) :], self.others)
        for average, variable in zip(self.averages, variables, strict=True):
            average.assign(decay * average + (1 - decay) * variable)
        self._remember(outputs["look"][: self.plan.shown], targets, place)
        return losses

    def _losses(self, outputs: dict[str, Any], targets: dict[str, Any]) -> Any:
        kinds, looks, shown = outputs["kind"], outputs["look"], self.plan.shown
        losses = [masked_cross_entropy(outputs["content_logits"], targets["categories"])]
        for name, head in self.heads.items():
            if name == "kinds":
                losses.append(allowed_cross_entropy(head(kinds), targets[name], self.allowed, SMOOTHING))
            else:
                losses.append(masked_cross_entropy(head(kinds), targets[name], SMOOTHING))
        gallery = tf.concat([looks[:shown], self.memory], 0)
        ids, categories = targets["ids"], targets["categories"][:shown]
        gallery_products = ShownProducts(
            tf.concat([ids, self.memory_ids], 0), tf.concat([categories, self.memory_categories], 0)
        )
        queries, temperature = looks[shown : 2 * shown], self.plan.same_product_temperature
        losses.append(same_product(queries, gallery, ShownProducts(ids, categories), gallery_products, temperature))
        losses.append(aligned(kinds[shown : 2 * shown], kinds[:shown]))
        return tf.stack(losses)

    def _remember(self, looks: Any, targets: dict[str, Any], place: Any) -> None:
        shown = self.plan.shown
        rows = ((place + tf.range(shown)) % self.plan.memory)[:, None]
        latest = (looks, targets["ids"], targets["categories"][:shown])
        for memory, values in zip((self.memory, self.memory_ids, self.memory_categories), latest, strict=True):
            memory.assign(tf.tensor_scatter_nd_update(memory, rows, tf.stop_gradient(values)))

    def take_averages(self) -> None:
        """Give the network the running average of its weights."""
        for average, variable in zip(self.averages, self.backbone + self.others, strict=True):
            variable.assign(average)

    def variables(self) -> list[Any]:
        """Return all variables that a checkpoint holds, in an order that stored checkpoints rely on."""
        optimizers = [v for optimizer in self.optimizers for v in optimizer.variables]
        memory = [self.memory, self.memory_ids, self.memory_categories]
        return [*self.backbone, *self.others, *self.averages, *optimizers, *memory]


def _masks(allowed: list[list[int]], classes: int) -> NDArray[np.bool_]:
    masks = np.zeros((len(allowed), classes), bool)
    for mask, places in zip(masks, allowed, strict=True):
        mask[places] = True
    return masks
