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
SHIPPED = {
    "baseline": Path("models/fashion/1"),
    "fashion": Path("models/fashion/2"),
    "detector": Path("models/detector/1"),
}


class Part(StrEnum):
    """Which products `evaluate` takes as queries."""

    auto = "auto"
    test = "test"
    all = "all"


DatasetPath = Annotated[Path, typer.Option(help="Kaggle's archive of Fashion Product Images: the zip or its folder.")]


def train(
    dataset: DatasetPath,
    model: Annotated[str, typer.Option(help="The network's name: fashion, baseline, or detector.")] = "fashion",
    out: Annotated[
        Path | None,
        typer.Option(
            help="The model version directory to write.",
            show_default="models/fashion/2 (baseline: 1), models/detector/1",
        ),
    ] = None,
    seed: Annotated[
        int, typer.Option(min=0, max=2**32 - 1, help="Of the split, the weights and the augmentation.")
    ] = 7,
    epochs: Annotated[
        int | None, typer.Option(min=1, max=10_000, help="baseline: at most so many.", show_default="50")
    ] = None,
    patience: Annotated[
        int | None,
        typer.Option(min=1, help="baseline: stop after so many without a better validation loss.", show_default="12"),
    ] = None,
    batch_size: Annotated[
        int | None, typer.Option(min=1, max=65_536, help="baseline: pictures a step.", show_default="64")
    ] = None,
    steps: Annotated[
        int | None, typer.Option(min=1, max=1_000_000, help="fashion, detector: so many.", show_default="13000, 1152")
    ] = None,
    run_dir: Annotated[Path | None, typer.Option(help="Where checkpoints go.", show_default="runs/MODEL-SEED")] = None,
    photos: Annotated[
        Path | None,
        typer.Option(
            help="clothing-photos.zip: fashion learns from it, detector from its backgrounds; the report has the accuracy on people's photos."
        ),
    ] = None,
    backgrounds: Annotated[
        Path | None,
        typer.Option(help="fashion, detector: a folder of pictures to compose products onto (tools/backgrounds.py)."),
    ] = None,
    start: Annotated[
        Path | None, typer.Option(help="fashion: an earlier run's checkpoint, whose backbone is begun with.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace an existing model version.")] = False,
    fresh: Annotated[bool, typer.Option("--fresh", help="Begin again instead of going on from a checkpoint.")] = False,
) -> None:
    """Train a network and write a model version directory with its report.

    Interrupt it at any time: the same command goes on after the last checkpoint.
    """
    with _one_sentence("the same command goes on after the last checkpoint"):
        _quiet_tensorflow()
        from training.options import TrainOptions
        from training.progress import Terminal
        from training.train import train as run

        options = TrainOptions(
            dataset=dataset,
            model=model,
            out=out or SHIPPED.get(model, Path("models") / model / "1"),
            seed=seed,
            run_dir=run_dir or Path("runs") / f"{model}-{seed}",
            epochs=epochs,
            patience=patience,
            batch_size=batch_size,
            steps=steps,
            force=force,
            fresh=fresh,
            photos=photos,
            backgrounds=backgrounds,
            start=start,
        )
        run(options, Terminal())


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
        Path | None,
        typer.Option(help="clothing-photos.zip: figures on people's own photos, of senders never trained on."),
    ] = None,
    backgrounds: Annotated[
        Path | None, typer.Option(help="A folder of pictures to put products on, to find them again; never trained on.")
    ] = None,
    negatives: Annotated[
        Path | None, typer.Option(help="A folder of pictures without clothing, to be refused; never trained on.")
    ] = None,
    cost: Annotated[bool, typer.Option(help="Measure the time of one image on one core, too.")] = True,
    grids: Annotated[
        Path | None, typer.Option(help="A folder for pictures of queries with their ten results. They show your data.")
    ] = None,
) -> None:
    """Print the figures of a model as JSON; progress goes to stderr.

    Categories, retrieval, people's photos, products on other backgrounds, pictures without clothing, calibration, cost.
    """
    with _one_sentence("nothing was changed"):
        _quiet_tensorflow()
        from training.data.evidence import Sources
        from training.progress import Terminal
        from training.report.evaluate import Asked, evaluate_directory

        sources = Sources(dataset, photos, backgrounds, negatives)
        figures = evaluate_directory(model, Asked(sources, str(split), gallery, cost, grids=grids), Terminal())
        sys.stdout.write(json.dumps(figures, indent=2, ensure_ascii=False) + "\n")


def evaluate_detector(
    dataset: DatasetPath,
    model: Annotated[Path, typer.Option(help="A detector's version directory.")] = SHIPPED["detector"],
    backgrounds: Annotated[
        Path | None, typer.Option(help="A folder of pictures to compose products onto; never trained on.")
    ] = None,
    scenes: Annotated[int, typer.Option(min=1, max=100_000, help="How many scenes of each kind.")] = 1000,
) -> None:
    """Print the figures of a detector as JSON: how many garments of composed scenes it finds."""
    with _one_sentence("nothing was changed"):
        _quiet_tensorflow()
        from training.progress import Terminal
        from training.recipes.detector.evaluate import evaluate_detector as run

        figures = run(model, dataset, backgrounds, scenes, Terminal())
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
        from services.catalogue.sources.formats.kaggle_archive import ArchiveError
        from services.contracts.domain.manifest import ManifestError
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
        typer.echo("error: there is not enough memory: try a smaller archive or --batch-size", err=True)
        raise typer.Exit(BAD_INPUT) from None
    except ModuleNotFoundError as error:
        typer.echo(f"error: {error.name} is not installed: training needs the extras training and serving", err=True)
        raise typer.Exit(BAD_INPUT) from None
