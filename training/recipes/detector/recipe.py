"""The recipe of the detector: `lookalike train --model detector`."""

from collections.abc import Mapping
from dataclasses import asdict
from types import MappingProxyType
from typing import Any

import keras
import numpy as np

from services.catalogue.sources.formats.kaggle_archive import CATEGORIES
from services.contracts.domain.manifest import InputSize
from training.context import TrainingContext
from training.data.backgrounds import read_backgrounds
from training.data.scenes import SIZE, SceneOptions, ScenePhotos
from training.data.sources import TrainingSources
from training.data.training_images import NONE, PeoplePhotos, read_people, read_studio
from training.evaluation.detector import SHOT_SIZE, drawn_scenes
from training.networks.backbone import Backbone
from training.networks.detector import detector_head, feature_maps
from training.networks.imagenet_weights import pretrained_path
from training.options import TrainOptions
from training.publishing.publish_detector import TrainedDetector, publish_detector
from training.recipes.detector.learner import DetectorLearner, DetectorMaterial
from training.recipes.detector.plan import DetectorPlan
from training.recipes.detector.trainer import DetectorTrainer
from training.recipes.recipe import CompletedRun
from training.run.checkpoint import Checkpoint
from training.run.settings import RunSettings


class DetectorRecipe:
    """Trains a head on the feature maps of scenes that are composed of the products."""

    defaults: Mapping[str, int | None] = MappingProxyType({"steps": 1_152, "backgrounds": None})

    def settings(self, context: TrainingContext) -> RunSettings:
        """Return what identifies the run."""
        digests = TrainingSources.of(context.options).digests("dataset", "photos", "backgrounds")
        return RunSettings(context.options.model, digests, asdict(_plan(context.options)))

    def learner(self, context: TrainingContext, checkpoint: Checkpoint | None) -> DetectorLearner:
        """Read the images and build the network."""
        options, terminal = context.options, context.terminal
        studio = read_studio(options.dataset, SHOT_SIZE, options.seed, terminal)
        people = _people(context)
        backgrounds = read_backgrounds(options.backgrounds, people, options.seed, terminal)
        scenes = drawn_scenes(studio, "training", backgrounds, SceneOptions(options.seed), _photos(people))
        features, head = _network(options.seed)
        material = DetectorMaterial(studio, backgrounds, scenes, features)
        return DetectorLearner(DetectorTrainer(head, _plan(options)), material)

    def publish(self, context: TrainingContext, learner: DetectorLearner, run: CompletedRun) -> None:
        """Calibrate on the validation part, evaluate and publish."""
        studio, backgrounds = learner.material.studio, learner.material.backgrounds
        options, sha256 = context.options, run.settings.sources
        facts = {"name": options.dataset.resolve().name, "products": len(studio.ids), "sha256": sha256["dataset"]}
        facts |= TrainingSources.of(options).facts(sha256)
        trained = TrainedDetector(learner.material.features, learner.trainer.head, run.history, facts, backgrounds)
        publish_detector(context, trained, studio)


def _plan(options: TrainOptions) -> DetectorPlan:
    assert options.steps
    return DetectorPlan(steps=options.steps, seed=options.seed)


def _people(context: TrainingContext) -> PeoplePhotos:
    """Return the photos, whose corners are backgrounds too; none without an archive of photos."""
    options = context.options
    if options.photos is not None:
        return read_people(options.photos, InputSize(height=SIZE, width=SIZE), options.seed, context.terminal)
    images = np.zeros((0, SHOT_SIZE.height, SHOT_SIZE.width, 3), np.uint8)
    return PeoplePhotos(images, np.zeros(0, np.int32), np.zeros(0, str), np.zeros(0, str))


def _photos(people: PeoplePhotos) -> ScenePhotos:
    """Return the training senders' photos of garments of the nine categories."""
    used = (people.parts == "training") & (people.categories != NONE)
    return ScenePhotos(people.images[used], people.categories[used])


def _network(seed: int) -> tuple[Any, Any]:
    """Return the fixed part with ImageNet's weights, and a head with weights drawn by the seed."""
    keras.utils.set_random_seed(seed)
    backbone = Backbone()
    features = feature_maps(backbone)
    backbone.load(features, pretrained_path())
    return features, detector_head(len(CATEGORIES))
