"""`lookalike train` and `lookalike evaluate`. TensorFlow is imported only when one of them runs."""

import importlib
import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

BAD_INPUT = 2
INTERRUPTED = 130  # 128 + SIGINT, as shells have it


class Part(StrEnum):
    """Which products `evaluate` takes as queries."""

    auto = "auto"
    test = "test"
    all = "all"


DatasetPath = Annotated[Path, typer.Option(help="Kaggle's archive of Fashion Product Images: the zip or its folder.")]


def train(
    dataset: DatasetPath,
    model: Annotated[str, typer.Option(help="The network's name.")] = "baseline",
    out: Annotated[Path, typer.Option(help="The model version directory to write.")] = Path("models/fashion/1"),
    seed: Annotated[
        int, typer.Option(min=0, max=2**32 - 1, help="Of the split, the weights and the augmentation.")
    ] = 7,
    epochs: Annotated[int, typer.Option(min=1, max=10_000, help="At most so many.")] = 50,
    patience: Annotated[
        int, typer.Option(min=1, help="Stop after so many epochs without a better validation loss.")
    ] = 12,
    batch_size: Annotated[int, typer.Option(min=1, max=65_536, help="Pictures a step.")] = 64,
    run_dir: Annotated[Path | None, typer.Option(help="Where checkpoints go.", show_default="runs/MODEL-SEED")] = None,
    photos: Annotated[
        Path | None, typer.Option(help="clothing-photos.zip: report the accuracy on people's photos too.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace an existing model version.")] = False,
    fresh: Annotated[bool, typer.Option("--fresh", help="Begin again instead of going on from a checkpoint.")] = False,
) -> None:
    """Train a network and write a model version directory with its report.

    Interrupt it at any time: the same command goes on after the last whole epoch.
    """
    with _one_sentence("the same command goes on after the last whole epoch"):
        _quiet_tensorflow()
        from training.progress import Terminal
        from training.train import TrainOptions
        from training.train import train as run

        folder = run_dir or Path("runs") / f"{model}-{seed}"
        run(
            TrainOptions(dataset, model, out, seed, epochs, patience, batch_size, folder, force, fresh, photos),
            Terminal(),
        )


def evaluate(
    model: Annotated[Path, typer.Option(help="A model version directory.")],
    dataset: DatasetPath,
    split: Annotated[
        Part,
        typer.Option(help="Queries: the model's own test part, or all. auto: test if it was trained on this archive."),
    ] = Part.auto,
    gallery: Annotated[
        Path | None, typer.Option(help="Another archive to search in. Takes all of --dataset as queries.")
    ] = None,
    photos: Annotated[
        Path | None, typer.Option(help="clothing-photos.zip: accuracy on people's own photos as well.")
    ] = None,
) -> None:
    """Print accuracy, precision, recall and retrieval figures of a model as JSON; progress goes to stderr."""
    with _one_sentence("nothing was changed"):
        _quiet_tensorflow()
        from training.evaluate import evaluate_directory
        from training.progress import Terminal

        figures = evaluate_directory(model, dataset, str(split), Terminal(), gallery=gallery, photos=photos)
        sys.stdout.write(json.dumps(figures, indent=2, ensure_ascii=False) + "\n")


def _quiet_tensorflow() -> None:
    """Import TensorFlow without the lines it writes to stderr before its own log level counts."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    sys.stderr.flush()
    kept, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    try:
        importlib.import_module("tensorflow")
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)


@contextmanager
def _one_sentence(after_interruption: str) -> Iterator[None]:
    """Turn what goes wrong into a sentence on stderr and an exit status, never a traceback."""
    try:
        from services.catalogue.kaggle import ArchiveError
        from services.contracts.manifest import ManifestError
        from training.errors import TrainingError

        yield
    except KeyboardInterrupt:
        typer.echo(f"interrupted: {after_interruption}", err=True)
        raise typer.Exit(INTERRUPTED) from None
    except (ArchiveError, ManifestError, TrainingError) as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(BAD_INPUT) from None
    except OSError as error:
        typer.echo(
            f"error: {error.filename or 'a file'} cannot be read or written: {error.strerror or error}", err=True
        )
        raise typer.Exit(BAD_INPUT) from None
    except MemoryError:
        typer.echo("error: there is not enough memory: try a smaller --batch-size or a smaller archive", err=True)
        raise typer.Exit(BAD_INPUT) from None
    except ModuleNotFoundError as error:
        typer.echo(f"error: {error.name} is not installed: training needs the extras training and serving", err=True)
        raise typer.Exit(BAD_INPUT) from None
