"""The recipe of the network that Lookalike ships: `lookalike train --model fashion`."""

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf

from services.catalogue.sources.formats.kaggle_archive import CATEGORIES
from services.contracts.domain.manifest import InputSize
from training.data.backgrounds import pictures_in, read_backgrounds
from training.data.dataset import Dataset, archive_sha256, read_dataset
from training.data.evidence import Evidence, Sources, gather, in_part
from training.data.material import read_people, read_studio, refuse_empty_parts, sender_part, senders_seen
from training.data.split import Split, refuse_empty, split
from training.errors import TrainingError
from training.evaluation.figures import Answers, nothing_scores
from training.evaluation.served_model import ServedModel
from training.evaluation.thresholds import against_nothing, thresholds
from training.networks.architectures import Network, architecture, build
from training.options import TrainOptions
from training.progress import Terminal
from training.publishing.publish import ModelName, publish
from training.recipes.baseline.checkpoint import CHECKPOINT_NAME
from training.recipes.fashion.batches import Batches
from training.recipes.fashion.card import card_markdown
from training.recipes.fashion.checkpoint import History, RunSettings, find_checkpoint, load_checkpoint
from training.recipes.fashion.head_finetune import POLISHED_NAME, load_polished, polish, save_polished
from training.recipes.fashion.loop import fit
from training.recipes.fashion.plan import Plan
from training.recipes.fashion.report_text import StepsStory
from training.recipes.fashion.serving import export_served_form
from training.recipes.fashion.temperature import fitted_temperature, logits
from training.recipes.fashion.trainer import Trainer
from training.recipes.fashion.warm_start import take_backbone
from training.report.training_story import Trained

SETTLED_ON, SETTLED_BY = 1_000_000, 3  # steps whose pictures settle the scales, far from those that are trained on


def train_metric(options: TrainOptions, name: ModelName, terminal: Terminal) -> None:
    """Train and publish, or only publish a run that is complete; errors as of `training.train.train`."""
    if options.photos is None:
        raise TrainingError(f"the network {options.model} learns from people's photos too: give --photos")
    refuse_empty_parts(options.photos, options.seed)
    sources = _Sources(options.dataset, options.photos, options.backgrounds, options.start)
    network, story = _trained(options, sources, terminal)
    data = read_dataset(options.dataset, network.architecture.input, terminal)
    parts = split(data.ids, options.seed)
    refuse_empty(parts)
    held = _held(sources, network.architecture.input, options.seed, terminal)
    trained = Trained(
        architecture=network.architecture,
        story=story,
        export=partial(export_served_form, network, temperature=_temperature(network, data, parts, held, terminal)),
        thresholds=partial(_thresholds, held),
        card=card_markdown,
        materials=sources.facts(story.settings),
        drawn=True,
    )
    publish(name, trained, data, parts, options, terminal)


def _held(sources: "_Sources", size: InputSize, seed: int, terminal: Terminal) -> Evidence:
    """Return what belongs to the validation part, and other patterns than those that the model is measured on."""

    def sender(name: str) -> bool:
        return sender_part(name, seed) == "validation"

    return gather(
        Sources(sources.dataset, sources.photos), size, in_part("validation", seed), sender, seed + 1, terminal
    )


def _temperature(network: Network, data: Dataset, parts: Split, held: Evidence, terminal: Terminal) -> float:
    sets = [(data.images[parts.validation], data.labels[parts.validation])]
    sets += [(held.photos.images, held.photos.labels)] if held.photos else []
    found = fitted_temperature([(logits(network.whole, images), labels) for images, labels in sets])
    terminal.line(f"temperature of the probabilities: {found:.3f}")
    return found


def _thresholds(
    held: Evidence, model: ServedModel, said: Answers, parts: Split, terminal: Terminal
) -> dict[str, float]:
    return thresholds(said, parts) | {"no_clothing": against_nothing(nothing_scores(model, held, terminal))}


@dataclass(frozen=True)
class _Sources:
    """Where the pictures come from."""

    dataset: Path
    photos: Path
    backgrounds: Path | None
    start: Path | None

    def settings(self, model: str, plan: Plan) -> RunSettings:
        """Return the settings of a run on these."""
        grounds = self.backgrounds
        if grounds is not None:
            pictures_in(grounds)
        if self.start is not None and not self.start.is_file():
            raise TrainingError(f"there is no checkpoint at {self.start}")
        return RunSettings(
            model=model,
            dataset_sha256=archive_sha256(self.dataset),
            photos_sha256=archive_sha256(self.photos),
            backgrounds_sha256=archive_sha256(grounds) if grounds else None,
            start_sha256=archive_sha256(self.start) if self.start else None,
            plan=plan,
        )

    def batches(self, plan: Plan, size: InputSize, terminal: Terminal) -> Batches:
        """Read everything: 3 GB for the archives and 1,500 backgrounds."""
        studio = read_studio(self.dataset, size, plan.seed, terminal)
        people = read_people(self.photos, size, plan.seed, terminal)
        grounds = read_backgrounds(self.backgrounds, people, plan.seed, terminal)
        terminal.line(f"{len(studio.ids):,} products, {len(people.images):,} photos, {len(grounds):,} backgrounds")
        return Batches(plan, studio, people, grounds)

    def facts(self, settings: RunSettings) -> dict[str, Any]:
        """Return what the manifest records of them, beside the archive."""
        seen = senders_seen(self.photos, settings.plan.seed)
        photos = {"name": self.photos.resolve().name, "sha256": settings.photos_sha256, "senders_seen": seen}
        facts: dict[str, Any] = {"photos": photos}
        if self.backgrounds is not None:
            count = len(pictures_in(self.backgrounds))
            name = self.backgrounds.resolve().name
            facts["backgrounds"] = {"name": name, "pictures": count, "sha256": settings.backgrounds_sha256}
        if self.start is not None:
            facts["start"] = {"name": self.start.name, "sha256": settings.start_sha256}
        return facts


def _trained(options: TrainOptions, sources: _Sources, terminal: Terminal) -> tuple[Network, StepsStory]:
    """Train, go on training, or take the weights of a run that is complete."""
    assert options.steps
    plan, size = Plan(steps=options.steps, seed=options.seed), architecture(options.model).input
    if not options.dataset.exists():
        read_dataset(options.dataset, size, terminal)  # says so
    settings = sources.settings(options.model, plan)
    if options.fresh:
        (options.run_dir / CHECKPOINT_NAME).unlink(missing_ok=True)
    stored = find_checkpoint(options.run_dir, settings)
    if stored and stored.step >= plan.steps:
        terminal.line(f"the run in {options.run_dir} is complete")
        batches, history = None, stored.history
        network, trainer = _begin(options, stored.classes, plan)
        load_checkpoint(options.run_dir, stored, trainer)
    else:
        batches = sources.batches(plan, size, terminal)
        network, trainer = _begin(options, batches.studio.classes(), plan)
        history = _fitted(trainer, batches, settings, options, terminal)
    trainer.take_means()
    if not load_polished(network.whole, options.run_dir):
        polish(trainer, batches or sources.batches(plan, size, terminal), terminal)
        save_polished(network.whole, options.run_dir)
    return network, StepsStory(settings, history)


def _fitted(
    trainer: Trainer, batches: Batches, settings: RunSettings, options: TrainOptions, terminal: Terminal
) -> History:
    """Train to the plan's end; return the losses along the way."""
    (options.run_dir / POLISHED_NAME).unlink(missing_ok=True)
    if options.start is not None:
        take_backbone(trainer, options.start)
    trainer.settle(tf.concat([batches(SETTLED_ON + i, batches.size)[0] for i in range(SETTLED_BY)], 0))
    return fit(trainer, batches, settings, options.run_dir, terminal)


def _begin(options: TrainOptions, classes: dict[str, int], plan: Plan) -> tuple[Network, Trainer]:
    keras.utils.set_random_seed(options.seed)
    network = build(options.model, len(CATEGORIES))
    return network, Trainer(network.whole, classes, plan)
