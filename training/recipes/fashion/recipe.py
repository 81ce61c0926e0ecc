"""The recipe of the network that Lookalike ships: `lookalike train --model fashion`."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from functools import partial
from types import MappingProxyType

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from services.catalogue.sources.formats.kaggle_archive import CATEGORIES
from services.contracts.domain.manifest import InputSize
from training.context import TrainingContext
from training.data.archives.dataset import Dataset, read_dataset
from training.data.archives.negatives import read_negatives
from training.data.archives.street import read_street
from training.data.archives.training_images import (
    read_people,
    read_studio,
    refuse_empty_parts,
    sender_part,
    senders_seen,
)
from training.data.composing.backgrounds import read_backgrounds
from training.data.evaluation_images import EvaluationImages, ImageChoice, gather, in_part
from training.data.sources import TrainingSources
from training.data.split import Split, refuse_empty, split
from training.errors import TrainingError
from training.evaluation.evaluated_model import EvaluatedModel
from training.evaluation.figures import EvaluationOutputs, no_clothing_scores
from training.evaluation.search.retrieval import best_scores, unit, unlabelled_products
from training.evaluation.search.similarity import other_categories
from training.evaluation.thresholds import close_photo_threshold, keeping_threshold, rejecting_threshold, thresholds
from training.networks.architectures import architecture, build
from training.options import TrainOptions
from training.progress import Terminal
from training.publishing.publish import TrainedNetwork, evaluation_sources, publish
from training.publishing.served_form import export_served_form
from training.recipes.fashion.batches import Batches
from training.recipes.fashion.card import card_markdown
from training.recipes.fashion.head_finetune import HEAD_NAME, finetune_head, load_head, save_head
from training.recipes.fashion.learner import FashionLearner, steps_done
from training.recipes.fashion.materials import Materials
from training.recipes.fashion.plan import FashionPlan
from training.recipes.fashion.report_section import StepSection
from training.recipes.fashion.temperature import fitted_temperature, logits_of
from training.recipes.fashion.trainer import FashionTrainer
from training.recipes.fashion.warm_start import take_backbone
from training.recipes.recipe import CompletedRun
from training.run.checkpoint import TrainingCheckpoint
from training.run.settings import RunSettings

SOURCES = ("dataset", "photos", "backgrounds", "start", "street", "negatives", "detailed")
# The steps whose images fit the channel scaling: far from the steps of the training.
SCALING_FIRST_STEP, SCALING_STEPS = 1_000_000, 3


class FashionRecipe:
    """Trains the whole network in steps, then the layers of its vectors alone."""

    defaults: Mapping[str, int | None] = MappingProxyType(
        {"steps": 600} | dict.fromkeys(("backgrounds", "start", "street", "negatives", "detailed"))
    )

    def settings(self, context: TrainingContext) -> RunSettings:
        """Return what identifies the run."""
        options = context.options
        if options.photos is None:
            raise TrainingError(f"the network {options.model} is trained on people's photos too: add --photos")
        refuse_empty_parts(options.photos, options.seed)
        digests = TrainingSources.of(options).digests(*SOURCES)
        return RunSettings(options.model, digests, asdict(_plan(options)))

    def learner(self, context: TrainingContext, checkpoint: TrainingCheckpoint | None) -> FashionLearner:
        """Build the network; the data is read unless the run is complete."""
        options, plan = context.options, _plan(context.options)
        batches = None
        if checkpoint and steps_done(checkpoint.history) >= plan.steps:
            details = checkpoint.details
        else:
            (options.run_dir / HEAD_NAME).unlink(missing_ok=True)
            batches = _read_batches(context)
            plan, details = batches.plan, batches.materials.details()
        keras.utils.set_random_seed(options.seed)
        network = build(options.model, len(CATEGORIES))
        trainer = FashionTrainer(network.whole, details, plan)
        if batches and checkpoint is None:
            _initialise(trainer, batches, options)
        return FashionLearner(network, trainer, lambda: batches or _read_batches(context))

    def publish(self, context: TrainingContext, learner: FashionLearner, run: CompletedRun) -> None:
        """Finetune the head, calibrate on the validation part, and publish."""
        options, terminal = context.options, context.terminal
        network = learner.network
        learner.trainer.take_averages()
        if not load_head(network.whole, options.run_dir):
            finetune_head(learner.trainer, learner.batches, terminal)
            save_head(network.whole, options.run_dir)
        data = read_dataset(options.dataset, network.architecture.input, terminal)
        parts = split(data.ids, options.seed)
        refuse_empty(parts)
        validation = _validation_images(options, network.architecture.input, terminal)
        temperature = _temperature(network.whole, data, parts, validation)
        terminal.line(f"temperature of the probabilities: {temperature:.3f}")
        trained = TrainedNetwork(
            architecture=network.architecture,
            section=StepSection(run, learner.trainer.plan),
            export=partial(export_served_form, network, temperature=temperature),
            thresholds=partial(_thresholds, validation),
            card=card_markdown,
            materials=_materials(options, run.settings),
            sample_pictures=True,
        )
        publish(context, trained, data, parts)


def _plan(options: TrainOptions) -> FashionPlan:
    assert options.steps
    return FashionPlan(steps=options.steps, seed=options.seed)


def _read_batches(context: TrainingContext) -> Batches:
    options, terminal = context.options, context.terminal
    assert options.photos
    size, seed = architecture(options.model).input, options.seed
    studio = read_studio(options.dataset, size, seed, terminal, options.detailed)
    people = read_people(options.photos, size, seed, terminal)
    street = read_street(options.street, size, seed, terminal) if options.street else None
    negatives = read_negatives(options.negatives, size, seed, terminal) if options.negatives else None
    backgrounds = read_backgrounds(options.backgrounds, people, seed, terminal, negatives)
    counts = {"products": len(studio.ids), "photos": len(people.images), "backgrounds": len(backgrounds)}
    counts |= {"street garments": len(street.labels)} if street else {}
    counts |= {"pictures without clothing": len(negatives.kinds)} if negatives else {}
    terminal.line(", ".join(f"{count:,} {name}" for name, count in counts.items()))
    return Batches(_plan(options), Materials(studio, people, backgrounds, street, negatives))


def _initialise(trainer: FashionTrainer, batches: Batches, options: TrainOptions) -> None:
    if options.start is not None:
        take_backbone(trainer, options.start)
    steps = range(SCALING_FIRST_STEP, SCALING_FIRST_STEP + SCALING_STEPS)
    trainer.fit_scaling(tf.concat([batches(step, batches.size)[0] for step in steps], 0))


def _validation_images(options: TrainOptions, size: InputSize, terminal: Terminal) -> EvaluationImages:
    """Return the images of the validation part, with other drawn patterns than those of the evaluation."""

    def sender(name: str) -> bool:
        return sender_part(name, options.seed) == "validation"

    part = "validation"
    choice = ImageChoice(in_part(part, options.seed), sender, part, part, options.seed)
    return gather(evaluation_sources(options), size, choice, options.seed + 1, terminal)


def _temperature(network: keras.Model, data: Dataset, parts: Split, validation: EvaluationImages) -> float:
    labelled = [(data.images[parts.validation], data.labels[parts.validation]), *_clothing(validation)]
    return fitted_temperature([(logits_of(network, images), labels) for images, labels in labelled])


def _clothing(images: EvaluationImages) -> Iterator[tuple[NDArray[np.uint8], NDArray[np.int64]]]:
    """Yield people's photos and street garments of the nine categories, with their categories."""
    if images.photos is not None:
        yield images.photos.images, images.photos.labels
    if images.street is not None and images.street_chosen is not None and images.street_chosen.any():
        garments = images.street.take(images.street_chosen)
        yield garments.crops, garments.categories.astype(np.int64)


def _thresholds(
    validation: EvaluationImages, model: EvaluatedModel, outputs: EvaluationOutputs, parts: Split, terminal: Terminal
) -> dict[str, float]:
    fitted = thresholds(outputs, parts)
    predicted = [model.predict(images, terminal, "network over photos") for images, _ in _clothing(validation)]
    scores = no_clothing_scores(model, validation, terminal)
    if not predicted:
        return fitted | {"no_clothing": rejecting_threshold(scores)}
    probabilities, vectors = (np.concatenate(parts_of) for parts_of in zip(*predicted, strict=True))
    gallery = outputs.products.take(parts.training)
    photos = unlabelled_products(probabilities.argmax(axis=1), unit(vectors))
    others = other_categories(outputs.products.take(parts.validation), gallery)
    return fitted | {
        "no_clothing": keeping_threshold(probabilities.max(axis=1), scores),
        "close_photo": close_photo_threshold(best_scores(photos, gallery), others),
    }


def _materials(options: TrainOptions, settings: RunSettings) -> dict[str, object]:
    """Return what the manifest records of the sources other than the data set."""
    assert options.photos
    facts = TrainingSources.of(options).facts(settings.sources)
    facts["photos"]["senders_seen"] = senders_seen(options.photos, options.seed)
    return facts
