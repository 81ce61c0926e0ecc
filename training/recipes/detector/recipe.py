"""The recipe of the detector: `lookalike train --model detector`."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np

from services.catalogue.sources.formats.kaggle_archive import CATEGORIES
from services.contracts.domain.manifest import InputSize
from training.data.backgrounds import pictures_in, read_backgrounds
from training.data.dataset import archive_sha256
from training.data.material import NONE, People, read_people, read_studio
from training.networks.backbone import Backbone
from training.networks.detector import feature_maps, head
from training.networks.imagenet_weights import pretrained_path
from training.options import TrainOptions
from training.progress import Terminal
from training.publishing.publish import ModelName
from training.recipes.baseline.checkpoint import CHECKPOINT_NAME
from training.recipes.detector.checkpoint import DetectorRun
from training.recipes.detector.evaluate import SHOTS, drawn_scenes
from training.recipes.detector.loop import Features, Rounds, fit
from training.recipes.detector.plan import DetectorPlan
from training.recipes.detector.publish import Trained, publish_detector
from training.recipes.detector.scenes import SIZE, Draw, Photos
from training.recipes.detector.trainer import DetectorTrainer


def train_detector(options: TrainOptions, name: ModelName, terminal: Terminal) -> None:
    """Train and publish, or only publish a run that is complete; errors as of `training.train.train`."""
    assert options.steps
    sources = _Sources(options.dataset, options.photos, options.backgrounds)
    plan = DetectorPlan(steps=options.steps, seed=options.seed)
    run = sources.run(plan)
    if options.fresh:
        (options.run_dir / CHECKPOINT_NAME).unlink(missing_ok=True)
    studio = read_studio(options.dataset, SHOTS, options.seed, terminal)
    people = sources.people(options.seed, terminal)
    grounds = read_backgrounds(options.backgrounds, people, options.seed, terminal)
    scenes = drawn_scenes(studio, "training", grounds, Draw(options.seed), _photos(people))
    features, network = _network(options.seed)
    trainer = DetectorTrainer(network, plan)
    history = fit(trainer, Rounds(scenes, Features(features), plan, len(CATEGORIES)), run, options.run_dir, terminal)
    trained = Trained(features, network, history, sources.facts(run, len(studio.ids)), grounds)
    publish_detector(name, trained, studio, options, terminal)


def _photos(people: People) -> Photos:
    """Return the training senders' photos of garments of the nine categories."""
    used = (people.parts == "training") & (people.categories != NONE)
    return Photos(people.images[used], people.categories[used])


def _network(seed: int) -> tuple[Any, Any]:
    """Return the fixed part with ImageNet's weights, and a head with weights drawn by the seed."""
    keras.utils.set_random_seed(seed)
    backbone = Backbone()
    features = feature_maps(backbone)
    backbone.load(features, pretrained_path())
    return features, head(len(CATEGORIES))


@dataclass(frozen=True)
class _Sources:
    """Where the pictures come from."""

    dataset: Path
    photos: Path | None
    backgrounds: Path | None

    def run(self, plan: DetectorPlan) -> DetectorRun:
        """Return the settings of a run on these."""
        if self.backgrounds is not None:
            pictures_in(self.backgrounds)
        photos, grounds = (archive_sha256(path) if path else None for path in (self.photos, self.backgrounds))
        return DetectorRun(archive_sha256(self.dataset), photos, grounds, plan)

    def people(self, seed: int, terminal: Terminal) -> People:
        """Return the photos, whose corners are backgrounds, too; none without an archive of them."""
        if self.photos is not None:
            return read_people(self.photos, InputSize(height=SIZE, width=SIZE), seed, terminal)
        empty = np.zeros((0, SHOTS.height, SHOTS.width, 3), np.uint8)
        return People(empty, np.zeros(0, np.int32), np.zeros(0, str), np.zeros(0, str))

    def facts(self, run: DetectorRun, products: int) -> dict[str, Any]:
        """Return what the manifest records of them."""
        facts: dict[str, Any] = {
            "name": self.dataset.resolve().name,
            "products": products,
            "sha256": run.dataset_sha256,
        }
        if self.photos:
            facts["photos"] = {"name": self.photos.resolve().name, "sha256": run.photos_sha256}
        if self.backgrounds:
            count = len(pictures_in(self.backgrounds))
            sha256 = run.backgrounds_sha256
            facts["backgrounds"] = {"name": self.backgrounds.resolve().name, "pictures": count, "sha256": sha256}
        return facts
