"""`lookalike train`, `evaluate`, `evaluate-detector`, `evaluate-look`. TensorFlow is imported when one of them runs."""

import importlib
import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from services.cli.dataclass_command import with_options

BAD_INPUT = 2
INTERRUPTED = 130  # 128 + SIGINT, as in shells
SHIPPED = {
    "baseline": Path("models/fashion/1"),
    "fashion": Path("models/fashion/3"),
    "detector": Path("models/detector/2"),
    "look": Path("models/look/1"),
}
DatasetPath = Annotated[Path, typer.Option(help="Kaggle's archive of Fashion Product Images: the zip or its folder.")]


class QueryPart(StrEnum):
    """Which products are the queries of an evaluation."""

    auto = "auto"
    test = "test"
    all = "all"


@dataclass(frozen=True)
class TrainCommand:
    """The options of `lookalike train`."""

    dataset: DatasetPath
    model: Annotated[str, typer.Option(help="What to train: fashion, baseline, detector or look.")] = "fashion"
    out: Annotated[
        Path | None,
        typer.Option(
            help="The model version directory to write.",
            show_default="models/fashion/3, models/fashion/1 (baseline), models/detector/2 or models/look/1",
        ),
    ] = None
    seed: Annotated[int, typer.Option(min=0, max=2**32 - 1, help="Of the split, the weights and all draws.")] = 7
    epochs: Annotated[
        int | None, typer.Option(min=1, max=10_000, help="baseline: the most epochs.", show_default="50")
    ] = None
    patience: Annotated[
        int | None,
        typer.Option(min=1, help="baseline: epochs without a lower validation loss that end it.", show_default="12"),
    ] = None
    batch_size: Annotated[
        int | None, typer.Option(min=1, max=65_536, help="baseline: images a step.", show_default="64")
    ] = None
    steps: Annotated[
        int | None,
        typer.Option(min=1, max=1_000_000, help="fashion, detector: number of steps.", show_default="600, 2688"),
    ] = None
    run_dir: Annotated[
        Path | None, typer.Option(help="The folder of the checkpoints.", show_default="runs/MODEL-SEED")
    ] = None
    photos: Annotated[
        Path | None,
        typer.Option(
            help="clothing-photos.zip: fashion is trained on it, detector on its backgrounds. The report has the "
            "accuracy on people's photos."
        ),
    ] = None
    street_photos: Annotated[
        Path | None,
        typer.Option(help="detector: street-photos.zip, whose photos are scenes with real boxes."),
    ] = None
    backgrounds: Annotated[
        Path | None,
        typer.Option(
            help="fashion, detector: a folder of pictures as backgrounds for the products (tools/backgrounds.py)."
        ),
    ] = None
    start: Annotated[
        Path | None,
        typer.Option(help="fashion, detector: the checkpoint of an earlier run whose weights to start from."),
    ] = None
    street: Annotated[
        Path | None,
        typer.Option(help="fashion, look: street-garments.zip, garments of street photos with their cut-outs."),
    ] = None
    negatives: Annotated[
        Path | None, typer.Option(help="fashion: negatives.zip, real pictures without clothing, with their kinds.")
    ] = None
    detailed: Annotated[
        Path | None,
        typer.Option(help="fashion: an archive of images/ID.jpg, some of the products with more pixels."),
    ] = None
    force: Annotated[bool, typer.Option("--force", help="Replace an existing model version.")] = False
    fresh: Annotated[bool, typer.Option("--fresh", help="Start again instead of resuming from a checkpoint.")] = False

    def values(self) -> dict[str, Any]:
        """Return the options with the default directories of the model."""
        out = self.out or SHIPPED.get(self.model, Path("models") / self.model / "1")
        return vars(self) | {"out": out, "run_dir": self.run_dir or Path("runs") / f"{self.model}-{self.seed}"}


@dataclass(frozen=True)
class EvaluateCommand:
    """The options of `lookalike evaluate`."""

    model: Annotated[Path, typer.Option(help="A model version directory.")]
    dataset: DatasetPath
    split: Annotated[
        QueryPart,
        typer.Option(
            help="The queries: the model's own test part, or all products. auto: test on its training archive."
        ),
    ] = QueryPart.auto
    gallery: Annotated[
        Path | None, typer.Option(help="Another archive to search in. All products of --dataset are the queries then.")
    ] = None
    photos: Annotated[
        Path | None,
        typer.Option(help="clothing-photos.zip: adds figures on people's photos, of senders not in the training data."),
    ] = None
    backgrounds: Annotated[
        Path | None,
        typer.Option(help="A folder of pictures as new backgrounds for the products; not in the training data."),
    ] = None
    negatives: Annotated[
        Path | None,
        typer.Option(
            help="Pictures without clothing, to be rejected: a folder that is not in the training data, or "
            "negatives.zip, of which the kinds of the test part are used."
        ),
    ] = None
    street: Annotated[
        Path | None,
        typer.Option(help="street-garments.zip: adds figures on street garments, of photos not in the training data."),
    ] = None
    street_photos: Annotated[
        Path | None,
        typer.Option(
            help="street-photos.zip: adds what whole photos of dressed people get, of photos that --detector was not "
            "trained on."
        ),
    ] = None
    detector: Annotated[Path, typer.Option(help="The detector's version directory, for --street-photos.")] = SHIPPED[
        "detector"
    ]
    cost: Annotated[bool, typer.Option(help="Measure the time of one image on one core too.")] = True
    grids: Annotated[
        Path | None, typer.Option(help="A folder for pictures of queries with their ten results. They show your data.")
    ] = None
    unusual: Annotated[
        bool,
        typer.Option(
            "--unusual", help="Measure photos of screens, drawings, collages and the like too, made of --photos."
        ),
    ] = False


@with_options
def train(command: TrainCommand) -> None:
    """Train a network and write a model version directory with its report.

    You can interrupt it at any time: the same command resumes after the last checkpoint.
    """
    with _errors_as_sentences("the same command resumes after the last checkpoint"):
        _import_tensorflow_quietly()
        from training.options import TrainOptions
        from training.progress import Terminal
        from training.train import train as run

        run(TrainOptions(**command.values()), Terminal())


@with_options
def evaluate(command: EvaluateCommand) -> None:
    """Print the figures of a model as JSON; progress goes to stderr.

    Categories, retrieval, people's photos, products on other backgrounds, pictures without clothing, calibration, cost.
    """
    with _errors_as_sentences("nothing was changed"):
        _import_tensorflow_quietly()
        from training.data.evaluation_images import EvaluationSources
        from training.progress import Terminal
        from training.report.evaluate import EvaluationOptions, evaluate_directory

        sources = EvaluationSources(
            command.dataset,
            command.photos,
            command.backgrounds,
            command.negatives,
            command.street,
            command.street_photos,
        )
        options = EvaluationOptions(
            sources,
            str(command.split),
            command.gallery,
            command.cost,
            grids=command.grids,
            unusual=command.unusual,
            detector=command.detector,
        )
        _print_json(evaluate_directory(command.model, options, Terminal()))


def evaluate_detector(
    dataset: DatasetPath,
    model: Annotated[Path, typer.Option(help="A detector's version directory.")] = SHIPPED["detector"],
    backgrounds: Annotated[
        Path | None,
        typer.Option(help="A folder of pictures as backgrounds for the products; not in the training data."),
    ] = None,
    scenes: Annotated[int, typer.Option(min=1, max=100_000, help="The number of scenes of each kind.")] = 1000,
    photos: Annotated[
        Path | None,
        typer.Option(help="clothing-photos.zip: adds figures on people's photos, of senders not in the training data."),
    ] = None,
    street_photos: Annotated[
        Path | None,
        typer.Option(help="street-photos.zip: adds figures on its photos that are not in the training data."),
    ] = None,
) -> None:
    """Print the figures of a detector as JSON: how many garments it finds in composed scenes and in photos."""
    with _errors_as_sentences("nothing was changed"):
        _import_tensorflow_quietly()
        from training.evaluation.detector.figures import DetectorEvaluation
        from training.evaluation.detector.figures import evaluate_detector as run
        from training.progress import Terminal

        _print_json(run(model, DetectorEvaluation(dataset, backgrounds, scenes, photos, street_photos), Terminal()))


def evaluate_look(
    street: Annotated[Path, typer.Option(help="street-garments.zip: its photos that are not in the training data.")],
    model: Annotated[Path, typer.Option(help="A look model's version directory.")] = SHIPPED["look"],
    embedding: Annotated[Path, typer.Option(help="The embedding model's version directory.")] = SHIPPED["fashion"],
) -> None:
    """Print the figures of a look model as JSON: fill-in-the-blank and AUC, next to what it is compared with."""
    with _errors_as_sentences("nothing was changed"):
        _import_tensorflow_quietly()
        from training.progress import Terminal
        from training.report.evaluate_look import evaluate_look as run

        _print_json(run(model, embedding, street, Terminal()))


def _print_json(figures: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(figures, indent=2, ensure_ascii=False) + "\n")


def _import_tensorflow_quietly() -> None:
    """Import TensorFlow without the lines that it writes to stderr before its log level takes effect."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    sys.stderr.flush()
    stderr, null = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 2)
    try:
        importlib.import_module("tensorflow")
    finally:
        os.dup2(stderr, 2)
        os.close(stderr)
        os.close(null)


@contextmanager
def _errors_as_sentences(after_interruption: str) -> Iterator[None]:
    """Turn an error into a sentence on stderr and an exit status, without a traceback."""
    try:
        from services.catalogue.sources.formats.kaggle_archive import ArchiveError
        from services.contracts.domain.manifest import ManifestError
        from training.errors import TrainingError

        yield
    except KeyboardInterrupt:
        typer.echo(f"interrupted: {after_interruption}", err=True)
        raise typer.Exit(INTERRUPTED) from None
    except (ArchiveError, ManifestError, TrainingError) as error:
        raise _failure(str(error)) from None
    except OSError as error:
        file, reason = error.filename or "a file", error.strerror or error
        raise _failure(f"{file} cannot be read or written: {reason}") from None
    except MemoryError:
        raise _failure("there is not enough memory: try a smaller archive or --batch-size") from None
    except ModuleNotFoundError as error:
        raise _failure(f"{error.name} is not installed: training needs the extras training and serving") from None


def _failure(sentence: str) -> typer.Exit:
    typer.echo(f"error: {sentence}", err=True)
    return typer.Exit(BAD_INPUT)
