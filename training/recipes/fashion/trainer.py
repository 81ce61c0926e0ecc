"""One step after the other: the network with its proxies, optimizers, running mean and memory."""

from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from training.errors import TrainingError
from training.networks.fashion import DEEP, Proxies, settle
from training.recipes.fashion.losses import Sought, masked_cross_entropy, same_product
from training.recipes.fashion.plan import Plan

GREATEST_GRADIENT = 5.0  # norm over all variables; longer ones are cut to it
SMOOTHING = 0.05  # of the attributes' targets: the archive's words for colours and types are not always right
LEAST_RATE = 0.01  # share of the peak learning rate at the very end


class Trainer:
    """Trains a network with the outputs `ten`, `kind` and `look`.

    The weights that are kept are a running mean of those of the last thousand steps or so.
    """

    def __init__(self, network: Any, classes: dict[str, int], plan: Plan) -> None:
        """Build the proxies of `classes`, by attribute in the order of the losses, and the optimizers.

        `step` counts the steps taken.
        """
        self.plan, self.network, self.step = plan, network, 0
        dimension = network.output["kind"].shape[-1]
        self.heads = {name: Proxies(count, name=name) for name, count in classes.items()}
        for head in self.heads.values():
            head.build((None, dimension))
        whole = network.trainable_variables
        self.deep = [v for v in whole if v.path.startswith(DEEP)]
        self.shallow = [v for v in whole if not v.path.startswith(DEEP)]
        self.shallow += [v for head in self.heads.values() for v in head.trainable_variables]
        self.optimizers = [
            keras.optimizers.AdamW(plan.peak_rate * rate, weight_decay=plan.decay, beta_2=0.99)
            for rate in (plan.backbone_rate, 1.0)
        ]
        for optimizer, variables in zip(self.optimizers, (self.deep, self.shallow), strict=True):
            optimizer.build(variables)
        self.means = [tf.Variable(v.value) for v in self.deep + self.shallow]
        self.memory = tf.Variable(tf.zeros((plan.memory, network.output["look"].shape[-1])))
        self.memory_ids = tf.Variable(tf.fill([plan.memory], tf.constant(-1, tf.int64)))
        self.memory_categories = tf.Variable(tf.zeros([plan.memory], tf.int32))
        self._compiled: dict[int, Any] = {}

    def rate(self) -> float:
        """Return the share of the peak learning rate at this step: a short rise, then half a cosine."""
        if self.step < self.plan.warm_up:
            return (self.step + 1) / self.plan.warm_up
        done = (self.step - self.plan.warm_up) / max(1, self.plan.steps - self.plan.warm_up)
        return float(max(LEAST_RATE, 0.5 * (1 + np.cos(np.pi * min(1.0, done)))))

    def stirred(self) -> float:
        """Return the backbone's share of its rate: nothing while the layers after it warm up, then a rise as short."""
        return min(1.0, max(0.0, self.step / self.plan.warm_up - 1))

    def settle(self, pictures: Any) -> None:
        """Begin: settle the network's scales on these pictures, float32 (n, h, w, 3), and the running mean on its weights."""
        settle(self.network, pictures)
        for mean, variable in zip(self.means, self.deep + self.shallow, strict=True):
            mean.assign(variable)

    def train(self, pictures: Any, targets: dict[str, Any]) -> NDArray[np.float32]:
        """Take one step; return the losses, float32 (6,), in the order of LOSSES.

        Raises:
            TrainingError: a loss is no longer a number.
        """
        for optimizer, share in zip(self.optimizers, (self.plan.backbone_rate * self.stirred(), 1.0), strict=True):
            optimizer.learning_rate.assign(self.plan.peak_rate * share * self.rate())
        self._reseed_dropout()
        size = int(pictures.shape[1])
        if size not in self._compiled:
            self._compiled[size] = tf.function(self._step, jit_compile=False)
        place = tf.constant(self.step * self.plan.products % self.plan.memory)
        tensors = {name: tf.constant(value) for name, value in targets.items()}
        decay = min(self.plan.mean, (1 + self.step) / (10 + self.step))
        losses = self._compiled[size](pictures, tensors, place, tf.constant(decay, tf.float32)).numpy()
        self.step += 1
        if not np.isfinite(losses).all():
            raise TrainingError(f"the loss is no longer a number in step {self.step}: try another --seed")
        return np.asarray(losses)

    def _reseed_dropout(self) -> None:
        """Set the dropout's state to what it is at this step, in a run that was interrupted too."""
        for layer in self.network.layers:
            if isinstance(layer, keras.layers.Dropout):
                state = layer.seed_generator.state
                state.assign(tf.stack([state[0], tf.cast(self.step, state.dtype)]))

    def _step(self, pictures: Any, targets: dict[str, Any], place: Any, decay: Any) -> Any:
        with tf.GradientTape() as tape:
            said = self.network(pictures, training=True)
            losses = self._losses(said, targets)
            loss = tf.reduce_sum(losses * tf.constant(self.plan.weights))
        variables = self.deep + self.shallow
        gradients, _ = tf.clip_by_global_norm(tape.gradient(loss, variables), GREATEST_GRADIENT)
        self.optimizers[0].apply(gradients[: len(self.deep)], self.deep)
        self.optimizers[1].apply(gradients[len(self.deep) :], self.shallow)
        for mean, variable in zip(self.means, variables, strict=True):
            mean.assign(decay * mean + (1 - decay) * variable)
        self._remember(said["look"][: self.plan.products], targets, place)
        return losses

    def _losses(self, said: dict[str, Any], targets: dict[str, Any]) -> Any:
        kinds, looks, shown = said["kind"], said["look"], self.plan.products
        losses = [masked_cross_entropy(said["ten"], targets["categories"])]
        losses += [masked_cross_entropy(head(kinds), targets[name], SMOOTHING) for name, head in self.heads.items()]
        gallery = tf.concat([looks[:shown], self.memory], 0)
        theirs = Sought(
            tf.concat([targets["ids"], self.memory_ids], 0),
            tf.concat([targets["categories"][:shown], self.memory_categories], 0),
        )
        scenes = self.plan.scenes
        sought = Sought(targets["ids"][:scenes], targets["categories"][:scenes])
        losses.append(same_product(looks[shown : shown + scenes], gallery, sought, theirs, self.plan.temperature))
        return tf.stack(losses)

    def _remember(self, looks: Any, targets: dict[str, Any], place: Any) -> None:
        shown = self.plan.products
        rows = ((place + tf.range(shown)) % self.plan.memory)[:, None]
        kept = (looks, targets["ids"], targets["categories"][:shown])
        for memory, values in zip((self.memory, self.memory_ids, self.memory_categories), kept, strict=True):
            memory.assign(tf.tensor_scatter_nd_update(memory, rows, tf.stop_gradient(values)))

    def take_means(self) -> None:
        """Put the running mean in the place of the weights."""
        for mean, variable in zip(self.means, self.deep + self.shallow, strict=True):
            variable.assign(mean)

    def variables(self) -> list[Any]:
        """Return all that a checkpoint holds, in an order that old checkpoints rely on."""
        optimizers = [v for optimizer in self.optimizers for v in optimizer.variables]
        return [
            *self.deep,
            *self.shallow,
            *self.means,
            *optimizers,
            self.memory,
            self.memory_ids,
            self.memory_categories,
        ]
