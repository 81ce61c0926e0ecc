"""`lookalike train`: from an archive to a model version directory with its report."""

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from services.catalogue.kaggle import CATEGORIES
from training.checkpoint import CHECKPOINT_NAME, RunSettings, RunState
from training.dataset import Dataset, read_dataset
from training.errors import TrainingError
from training.loop import Labelled, fit, make_deterministic
from training.networks import Network, architecture, build
from training.progress import Terminal
from training.publish import ModelName, publish
from training.split import Split, split

NEEDED_BYTES = 200 * 1024 * 1024  # a checkpoint twice (11 MB each for the baseline), the export, plots; with room


@dataclass(frozen=True)
class TrainOptions:
    """What the command line asked for."""

    dataset: Path
    model: str
    out: Path
    seed: int
    epochs: int
    patience: int
    batch_size: int
    run_dir: Path
    force: bool = False
    fresh: bool = False
    photos: Path | None = None

    def command(self) -> str:
        """Return the command that does this again; of the data set only the file's name, as paths differ by machine."""
        options = {
            "--dataset": self.dataset.resolve().name,
            "--model": self.model,
            "--out": self.out.as_posix() if not self.out.is_absolute() else "/".join(self.out.parts[-2:]),
            "--seed": self.seed,
            "--epochs": self.epochs,
            "--patience": self.patience,
            "--batch-size": self.batch_size,
        }
        if self.photos:
            options["--photos"] = self.photos.resolve().name
        return "lookalike train " + " ".join(f"{name} {value}" for name, value in options.items())


def train(options: TrainOptions, terminal: Terminal) -> Path:
    """Train, evaluate on the test part and publish the model version; return its directory.

    Raises:
        TrainingError, ArchiveError: what was asked for cannot be done; the text is one sentence.
        OSError: a disk is full or a folder cannot be written.
        KeyboardInterrupt: passed on; the same command goes on after the last whole epoch.
    """
    name = ModelName.of(options.out)
    plan = architecture(options.model)
    name.refuse_to_overwrite(options.force)
    if options.photos and not options.photos.exists():
        raise TrainingError(f"there are no photos at {options.photos}")
    _need_room(options.out)
    _need_room(options.run_dir)
    data = read_dataset(options.dataset, plan.input, terminal)
    parts = split(data.ids, options.seed)
    _refuse_empty(parts)
    terminal.line(
        f"{len(parts.training):,} for training, {len(parts.validation):,} for validation, {len(parts.test):,} for the test"
    )
    network, state = run(options, data, parts, terminal)
    publish(name, network, state, data, parts, options.command(), terminal, options.force, options.photos)
    terminal.line(f"the model is in {options.out}")
    return options.out


def run(options: TrainOptions, data: Dataset, parts: Split, terminal: Terminal) -> tuple[Network, RunState]:
    """Train or go on training; return the network with its best weights and the run's history."""
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
    labelled = [
        Labelled(data.images[part], data.labels[part], len(CATEGORIES)) for part in (parts.training, parts.validation)
    ]
    return network, fit(network, labelled[0], labelled[1], settings, options.run_dir, terminal)


def _need_room(folder: Path) -> None:
    """Refuse a folder that cannot be written or has no room, before hours are spent."""
    there = next(p for p in (folder, *folder.resolve().parents) if p.exists())
    if not there.is_dir() or not os.access(there, os.W_OK):
        raise TrainingError(f"{folder} cannot be written: {there} is not a folder one may write to")
    free = shutil.disk_usage(there).free
    if free < NEEDED_BYTES:
        raise TrainingError(f"{folder} has {free // 2**20} MB free where {NEEDED_BYTES // 2**20} are needed")


def _refuse_empty(parts: Split) -> None:
    for part in ("training", "validation", "test"):
        if not len(getattr(parts, part)):
            raise TrainingError(f"the {part} part is empty: the archive has too few products")
