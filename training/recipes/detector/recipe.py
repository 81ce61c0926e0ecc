"""The recipe of the detector: `lookalike train --model detector`."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from types import MappingProxyType

import keras
import numpy as np

from services.catalogue.sources.formats.kaggle_archive import CATEGORIES
from training.context import TrainingContext
from training.data.archives.street_photos import StreetPhoto, read_street_photos
from training.data.archives.training_images import PeoplePhotos, read_studio
from training.data.composing.backgrounds import read_backgrounds
from training.data.composing.scenes import SceneOptions
from training.data.composing.street_scenes import StreetScenes
from training.data.sources import TrainingSources
from training.evaluation.detector.figures import (
    SHOT_SIZE,
    DetectorTestParts,
    drawn_scenes,
    photos_of,
    read_scene_people,
)
from training.networks.backbone import Backbone
from training.networks.detector import DetectorNetwork, detector_network
from training.networks.imagenet_weights import pretrained_path
from training.options import TrainOptions
from training.publishing.publish_detector import TrainedDetector, publish_detector
from training.recipes.detector.learner import DetectorLearner, DetectorMaterial
from training.recipes.detector.mixture import mixed
from training.recipes.detector.plan import DetectorPlan
from training.recipes.detector.trainer import DetectorTrainer
from training.recipes.detector.warm_start import take_weights
from training.recipes.recipe import CompletedRun
from training.run.checkpoint import TrainingCheckpoint
from training.run.settings import RunSettings


class DetectorRecipe:
    """Trains on street photos, and on scenes that are composed of the products.

    Without a start, the head is trained on maps of the fixed backbone; with one, the head of the start is trained
    together with the backbone's later stages, which are those of the start too if it has them.
    """

    defaults: Mapping[str, int | None] = MappingProxyType(
        {"steps": 2_688, "backgrounds": None, "street_photos": None, "start": None}
    )

    def settings(self, context: TrainingContext) -> RunSettings:
        """Return what identifies the run."""
        digests = TrainingSources.of(context.options).digests(
            "dataset", "photos", "street_photos", "backgrounds", "start"
        )
        return RunSettings(context.options.model, digests, asdict(_plan(context.options)))

    def learner(self, context: TrainingContext, checkpoint: TrainingCheckpoint | None) -> DetectorLearner:
        """Read the images and build the network."""
        options, terminal = context.options, context.terminal
        studio = read_studio(options.dataset, SHOT_SIZE, options.seed, terminal)
        people = _people(context)
        backgrounds = read_backgrounds(options.backgrounds, people, options.seed, terminal)
        photos = photos_of(people, "training")
        composed = drawn_scenes(studio, "training", backgrounds, SceneOptions(options.seed), photos)
        street, plan = _street(context), _plan(options)
        varied = StreetScenes(street["training"], plan.side, options.seed, composed.shot) if street else None
        network = _network(options, _labels(street.get("training", [])))
        material = DetectorMaterial(studio, people, backgrounds, street, mixed(composed, varied, plan), network)
        return DetectorLearner(DetectorTrainer(network, plan), material)

    def publish(self, context: TrainingContext, learner: DetectorLearner, run: CompletedRun) -> None:
        """Calibrate on the validation part, evaluate and publish."""
        learner.trainer.settle()
        material = learner.material
        options, sha256 = context.options, run.settings.sources
        facts = {
            "name": options.dataset.resolve().name,
            "products": len(material.studio.ids),
            "sha256": sha256["dataset"],
        }
        facts |= TrainingSources.of(options).facts(sha256)
        photos = photos_of(material.people, "test")
        parts = DetectorTestParts(
            material.studio, photos if len(photos.images) else None, material.street.get("test", [])
        )
        validation = material.street.get("validation", [])
        trained = TrainedDetector(material.network, run.history, facts, material.backgrounds)
        publish_detector(context, trained, parts, validation)


def _plan(options: TrainOptions) -> DetectorPlan:
    assert options.steps
    return (DetectorPlan.tuning if options.start else DetectorPlan)(options.steps, options.seed)


def _people(context: TrainingContext) -> PeoplePhotos:
    """Return the photos, whose corners are backgrounds too; none without an archive of photos."""
    options = context.options
    if options.photos is not None:
        return read_scene_people(options.photos, options.seed, context.terminal)
    images = np.zeros((0, SHOT_SIZE.height, SHOT_SIZE.width, 3), np.uint8)
    return PeoplePhotos(images, np.zeros(0, np.int32), np.zeros(0, str), np.zeros(0, str))


def _street(context: TrainingContext) -> dict[str, list[StreetPhoto]]:
    """Return the street photos by part; none without an archive of them."""
    path = context.options.street_photos
    return read_street_photos(path, context.options.seed, context.terminal) if path else {}


def _labels(photos: Sequence[StreetPhoto]) -> int:
    """Return the number of values in the masks of the photos; 0 without masks."""
    return max((int(photo.mask.max()) + 1 for photo in photos if photo.mask.size), default=0)


def _network(options: TrainOptions, labels: int) -> DetectorNetwork:
    """Return the network with the weights of the start; without one with ImageNet's, and a head of random weights."""
    keras.utils.set_random_seed(options.seed)
    backbone = Backbone()
    network = detector_network(backbone, len(CATEGORIES), is_tuned=options.start is not None, labels=labels)
    backbone.load(network.features, pretrained_path())
    if options.start is not None:
        take_weights(network, options.start)
    return network
