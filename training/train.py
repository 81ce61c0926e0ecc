"""`lookalike train`: from an archive to a model version directory with its report."""

import os
import shutil
from pathlib import Path

from services.catalogue.sources.formats.kaggle_archive import KaggleArchive
from training.context import TrainingContext
from training.errors import TrainingError
from training.options import TrainOptions
from training.progress import Terminal
from training.recipes.look.recipe import train_look
from training.recipes.recipe import CompletedRun
from training.recipes.registry import recipe_of
from training.run.loop import TrainingRun, train_to_end

LOOK = "look"  # it is fitted in minutes, so it needs no checkpoints
NEEDED_BYTES = 400 * 1024 * 1024  # a checkpoint twice (120 MB each for the largest), the export and plots


def train(options: TrainOptions, terminal: Terminal) -> Path:
    """Train, evaluate on the test part and publish the model version; return its directory.

    Raises:
        TrainingError, ArchiveError: the options or the data do not allow it; the text is one sentence.
        OSError: a disk is full or a folder cannot be written.
        KeyboardInterrupt: passed on; the same command resumes after the last checkpoint.
    """
    if options.model == LOOK:
        context = TrainingContext(options.completed({"street": None}), terminal)
        _check(context)
        train_look(context)
        terminal.line(f"the model is in {options.out}")
        return options.out
    recipe = recipe_of(options.model)
    context = TrainingContext(options.completed(recipe.defaults), terminal)
    _check(context)
    run = TrainingRun(recipe.settings(context), options.run_dir, terminal)
    if options.fresh:
        run.discard()
    checkpoint = run.checkpoint()
    learner = recipe.learner(context, checkpoint)
    history = train_to_end(learner, run, checkpoint)
    recipe.publish(context, learner, CompletedRun(run.settings, history))
    terminal.line(f"the model is in {options.out}")
    return options.out


def _check(context: TrainingContext) -> None:
    """Refuse what cannot succeed before hours are spent."""
    options = context.options
    context.version.refuse_to_overwrite(options.force)
    paths = {
        "photos": options.photos,
        "backgrounds": options.backgrounds,
        "street garments": options.street,
        "street photos": options.street_photos,
        "negatives": options.negatives,
        "detailed shots": options.detailed,
    }
    for name, path in paths.items():
        if path and not path.exists():
            raise TrainingError(f"there are no {name} at {path}")
    for folder in (options.out, options.run_dir):
        _check_room(folder)
    with KaggleArchive.open(options.dataset):
        pass  # raises ArchiveError if it is no archive


def _check_room(folder: Path) -> None:
    existing = next(p for p in (folder, *folder.resolve().parents) if p.exists())
    if not existing.is_dir() or not os.access(existing, os.W_OK):
        raise TrainingError(f"{folder} cannot be written: {existing} is not a writable folder")
    free = shutil.disk_usage(existing).free
    if free < NEEDED_BYTES:
        raise TrainingError(f"{folder} has {free // 2**20} MB free; {NEEDED_BYTES // 2**20} MB are needed")
