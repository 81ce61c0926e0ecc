"""The baseline's recipe: epochs over the products of the nine categories, early stopping."""

from functools import partial

from services.catalogue.sources.formats.kaggle_archive import CATEGORIES
from training.data.dataset import Dataset, read_dataset
from training.data.split import Split, refuse_empty, split
from training.evaluation.thresholds import of_the_least_certain
from training.networks.architectures import architecture, build
from training.options import TrainOptions
from training.progress import Terminal
from training.publishing.export import export_saved_model
from training.publishing.publish import ModelName, publish
from training.recipes.baseline.checkpoint import CHECKPOINT_NAME, RunSettings
from training.recipes.baseline.loop import Labelled, fit, make_deterministic
from training.report.report import card_markdown
from training.report.training_story import EpochsStory, Trained


def train_in_epochs(options: TrainOptions, name: ModelName, terminal: Terminal) -> None:
    """Train and publish; errors as of `training.train.train`."""
    data = read_dataset(options.dataset, architecture(options.model).input, terminal)
    parts = split(data.ids, options.seed)
    refuse_empty(parts)
    terminal.line(
        f"{len(parts.training):,} for training, {len(parts.validation):,} for validation, {len(parts.test):,} for the test"
    )
    publish(name, _trained(options, data, parts, terminal), data, parts, options, terminal)


def _trained(options: TrainOptions, data: Dataset, parts: Split, terminal: Terminal) -> Trained:
    """Train or go on training; return the network with its best weights."""
    assert options.epochs and options.patience and options.batch_size
    settings = RunSettings(
        model=options.model,
        dataset_sha256=data.sha256,
        seed=options.seed,
        epochs=options.epochs,
        patience=options.patience,
        batch_size=options.batch_size,
    )
    if options.fresh:
        (options.run_dir / CHECKPOINT_NAME).unlink(missing_ok=True)
    make_deterministic(options.seed)
    network = build(options.model, len(CATEGORIES))
    training, validation = (
        Labelled(data.images[part], data.labels[part], len(CATEGORIES)) for part in (parts.training, parts.validation)
    )
    state = fit(network, training, validation, settings, options.run_dir, terminal)
    return Trained(
        architecture=network.architecture,
        story=EpochsStory(state),
        export=partial(export_saved_model, network),
        thresholds=of_the_least_certain,
        card=card_markdown,
    )
