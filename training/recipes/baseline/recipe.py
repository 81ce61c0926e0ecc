"""The baseline's recipe: `lookalike train --model baseline`."""

from collections.abc import Mapping
from dataclasses import asdict
from functools import partial
from types import MappingProxyType

from services.catalogue.sources.formats.kaggle_archive import CATEGORIES
from training.context import TrainingContext
from training.data.archives.dataset import read_dataset
from training.data.sources import TrainingSources
from training.data.split import refuse_empty, split
from training.evaluation.thresholds import validation_thresholds
from training.networks.architectures import architecture, build
from training.options import TrainOptions
from training.publishing.export import export_saved_model
from training.publishing.publish import TrainedNetwork, publish
from training.recipes.baseline.card import card_markdown
from training.recipes.baseline.learner import BaselineLearner, BaselinePlan, make_deterministic
from training.recipes.baseline.report_section import EpochSection
from training.recipes.recipe import CompletedRun
from training.run.checkpoint import TrainingCheckpoint
from training.run.settings import RunSettings


class BaselineRecipe:
    """Trains in epochs over the products of the nine categories, with early stopping."""

    defaults: Mapping[str, int | None] = MappingProxyType({"epochs": 50, "patience": 12, "batch_size": 64})

    def settings(self, context: TrainingContext) -> RunSettings:
        """Return what identifies the run; other epochs or another patience are the same run, stopped elsewhere."""
        digests = TrainingSources.of(context.options).digests("dataset")
        adjustable = frozenset({"epochs", "patience"})
        return RunSettings(context.options.model, digests, asdict(_plan(context.options)), adjustable)

    def learner(self, context: TrainingContext, checkpoint: TrainingCheckpoint | None) -> BaselineLearner:
        """Read the products and build the network."""
        options, terminal = context.options, context.terminal
        data = read_dataset(options.dataset, architecture(options.model).input, terminal)
        parts = split(data.ids, options.seed)
        refuse_empty(parts)
        sizes = ", ".join(f"{len(getattr(parts, part)):,} {part}" for part in ("training", "validation", "test"))
        terminal.line(f"products of each part: {sizes}")
        make_deterministic(options.seed)
        network = build(options.model, len(CATEGORIES))
        return BaselineLearner(network, data, parts, _plan(options), terminal)

    def publish(self, context: TrainingContext, learner: BaselineLearner, run: CompletedRun) -> None:
        """Publish the network with the weights of the best epoch."""
        learner.take_best()
        trained = TrainedNetwork(
            architecture=learner.network.architecture,
            section=EpochSection(run),
            export=partial(export_saved_model, learner.network),
            thresholds=validation_thresholds,
            card=card_markdown,
        )
        publish(context, trained, learner.data, learner.parts)


def _plan(options: TrainOptions) -> BaselinePlan:
    assert options.epochs and options.patience and options.batch_size
    return BaselinePlan(options.seed, options.epochs, options.patience, options.batch_size)
