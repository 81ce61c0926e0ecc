"""The detector in training: a round draws scenes, computes their feature maps, and trains on them several times."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from services.catalogue.sources.formats.kaggle_archive import CATEGORIES
from training.data.archives.street_photos import StreetPhoto
from training.data.archives.training_images import PeoplePhotos, StudioShots
from training.data.composing.scenes import Scene
from training.networks.detector import DetectorNetwork
from training.recipes.detector.targets import TargetMaps, target_maps
from training.recipes.detector.trainer import LOSSES, DetectorTrainer
from training.run.checkpoint import History

SCENES_A_BATCH = 32  # in one run of the backbone
Levels = list[NDArray[np.float16]]


class FeatureExtractor:
    """Computes the maps of the fixed stages for scenes, in half precision: up to 456 kB a scene."""

    def __init__(self, network: Any) -> None:
        self._run = tf.function(lambda images: tf.nest.flatten(network(tf.cast(images, tf.float32), training=False)))

    def __call__(self, scenes: list[Scene]) -> Levels:
        """Return the maps of all scenes, one array a level, float16 (n, rows, columns, channels)."""
        batches = [scenes[start : start + SCENES_A_BATCH] for start in range(0, len(scenes), SCENES_A_BATCH)]
        maps = [self._maps(batch) for batch in batches]
        return [np.concatenate(levels) for levels in zip(*maps, strict=True)]

    def _maps(self, batch: list[Scene]) -> Levels:
        levels = self._run(tf.constant(np.stack([scene.picture for scene in batch])))
        return [level.numpy().astype(np.float16) for level in levels]


@dataclass(frozen=True)
class DetectorMaterial:
    """What a detector is trained on: the studio shots, people's photos, backgrounds uint8 (n, h, w, 3), the street
    photos by part, the training scenes by number, and the network.
    """

    studio: StudioShots
    people: PeoplePhotos
    backgrounds: NDArray[np.uint8]
    street: dict[str, list[StreetPhoto]]
    scenes: Callable[[int], Scene]
    network: DetectorNetwork


class DetectorLearner:
    """Trains the detector on the scenes of each round."""

    rounds_per_checkpoint = 1

    def __init__(self, trainer: DetectorTrainer, material: DetectorMaterial) -> None:
        self.trainer, self.material = trainer, material
        self.details: dict[str, Any] = {}
        self._extract = FeatureExtractor(material.network.fixed)

    def variables(self) -> list[Any]:
        """Return the trainer's variables."""
        return self.trainer.variables()

    def resume(self, history: History) -> None:
        """Continue after the last step of the history."""
        self.trainer.step = int(history[-1]["step"]) if history else 0

    def finished(self, history: History) -> bool:
        """Say whether all steps are done."""
        return self.trainer.step >= self.trainer.plan.steps

    def train_round(self, history: History) -> dict[str, float]:
        """Train on the scenes of the next round; return the mean of each loss."""
        trainer, plan = self.trainer, self.trainer.plan
        number = trainer.step // plan.round_steps
        levels, maps = self._round(number)
        rng, values = np.random.default_rng([plan.seed, 3, number]), []
        for _ in range(plan.epochs):
            order = rng.permutation(plan.round_scenes)
            for start in range(0, plan.round_scenes, plan.scenes):
                if trainer.step == plan.steps:
                    break
                batch = order[start : start + plan.scenes]
                targets = {name: targets[batch] for name, targets in maps.items()}
                values.append(trainer.train([level[batch] for level in levels], targets))
        return {"step": trainer.step, **dict(zip(LOSSES, np.mean(values, axis=0).tolist(), strict=True))}

    def progress(self, history: History) -> str:
        """Return the line about the last round."""
        last = history[-1]
        losses = "  ".join(f"{name} {last[name]:.3f}" for name in LOSSES)
        return f"step {last['step']:,}/{self.trainer.plan.steps:,}  {losses}  {last['seconds']:.0f} s"

    def _round(self, number: int) -> tuple[Levels, TargetMaps]:
        """Return the feature maps and the targets of a round's scenes."""
        count = self.trainer.plan.round_scenes
        scenes = [self.material.scenes(place) for place in range(number * count, (number + 1) * count)]
        return self._extract(scenes), target_maps(scenes, len(CATEGORIES))
