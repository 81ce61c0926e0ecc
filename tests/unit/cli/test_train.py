"""`lookalike train`, `evaluate` and `evaluate-detector`: options, and errors as sentences. Nothing is trained."""

import os
import sys
from contextlib import nullcontext
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
import typer.main
from typer.testing import CliRunner

from services.catalogue.sources.formats.kaggle_archive import ArchiveError
from services.cli import train as module
from services.cli.main import app
from services.cli.train import SHIPPED, TrainCommand, train
from services.contracts.domain.manifest import ManifestError
from training.errors import TrainingError
from training.networks.architectures import ARCHITECTURES, DETECTOR
from training.options import RECIPE_OPTIONS, TrainOptions
from training.recipes.registry import RECIPES
from training.train import LOOK

RUN = CliRunner()


class Recorder:
    """Stands in for a function of the training.

    Attributes:
        arguments: of the last call.
        error: what the next call raises.
    """

    def __init__(self) -> None:
        self.arguments: tuple[Any, ...] = ()
        self.error: BaseException | None = None

    def __call__(self, *arguments: Any) -> dict[str, Any]:
        self.arguments = arguments
        if self.error is not None:
            raise self.error
        return {"right": 0.5, "name": "Höhe"}


@pytest.fixture
def training(monkeypatch: pytest.MonkeyPatch) -> Recorder:
    """Put a recorder in the place of the three programs, and an empty module in that of TensorFlow."""
    recorder = Recorder()
    monkeypatch.setitem(sys.modules, "tensorflow", ModuleType("tensorflow"))
    monkeypatch.setattr("training.train.train", recorder)
    monkeypatch.setattr("training.report.evaluate.evaluate_directory", recorder)
    monkeypatch.setattr("training.evaluation.detector.figures.evaluate_detector", recorder)
    return recorder


def test_help_has_the_defaults_of_the_recipes() -> None:
    app = typer.Typer()
    app.command()(train)
    options = {option.name: option for option in typer.main.get_command(app).params}
    for name in RECIPE_OPTIONS:
        defaults = [recipe.defaults.get(name) for recipe in RECIPES.values()]
        values = [str(default) for default in defaults if default is not None]
        if values:
            assert options[name].show_default == ", ".join(values)  # type: ignore[attr-defined]


def test_each_network_has_a_version_directory_to_write() -> None:
    assert set(SHIPPED) == {*ARCHITECTURES, DETECTOR, LOOK}


def test_each_network_has_a_recipe() -> None:
    assert {known.recipe for known in ARCHITECTURES.values()} | {DETECTOR} == set(RECIPES)


def test_folders_follow_from_the_network_unless_they_are_given() -> None:
    default = TrainCommand(Path("a.zip")).values()
    assert (default["out"], default["run_dir"]) == (Path("models/fashion/3"), Path("runs/fashion-7"))
    other = TrainCommand(Path("a.zip"), model="mine", seed=3).values()
    assert (other["out"], other["run_dir"]) == (Path("models/mine/1"), Path("runs/mine-3"))
    given = TrainCommand(Path("a.zip"), out=Path("b"), run_dir=Path("c")).values()
    assert (given["out"], given["run_dir"]) == (Path("b"), Path("c"))


def test_training_gets_the_options(training: Recorder) -> None:
    done = RUN.invoke(app, ["train", "--dataset", "a.zip", "--steps", "5", "--photos", "p.zip", "--fresh"])
    assert done.exit_code == 0, done.output
    options = training.arguments[0]
    assert isinstance(options, TrainOptions)
    assert (options.dataset, options.model, options.steps) == (Path("a.zip"), "fashion", 5)
    assert (options.photos, options.street, options.seed) == (Path("p.zip"), None, 7)
    assert (options.fresh, options.force) == (True, False)


def test_an_evaluation_is_printed_as_json(training: Recorder) -> None:
    done = RUN.invoke(app, ["evaluate", "--model", "m", "--dataset", "a.zip", "--split", "all", "--no-cost"])
    assert done.exit_code == 0, done.output
    assert done.stdout == '{\n  "right": 0.5,\n  "name": "Höhe"\n}\n'
    folder, options, _ = training.arguments
    assert (folder, options.part, options.cost) == (Path("m"), "all", False)
    assert options.sources.dataset == Path("a.zip")


def test_an_evaluation_searches_whole_photos_with_the_shipped_detector(training: Recorder) -> None:
    done = RUN.invoke(app, ["evaluate", "--model", "m", "--dataset", "a.zip", "--street-photos", "s.zip"])
    assert done.exit_code == 0, done.output
    options = training.arguments[1]
    assert (options.sources.street_photos, options.detector) == (Path("s.zip"), SHIPPED["detector"])


def test_an_evaluation_of_a_detector_gets_its_sources(training: Recorder) -> None:
    done = RUN.invoke(app, ["evaluate-detector", "--dataset", "a.zip", "--scenes", "3", "--street-photos", "s.zip"])
    assert done.exit_code == 0, done.output
    folder, options, _ = training.arguments
    assert (folder, options.dataset, options.scenes) == (SHIPPED["detector"], Path("a.zip"), 3)
    assert (options.photos, options.street_photos) == (None, Path("s.zip"))


@pytest.mark.parametrize(
    ("error", "status", "sentence"),
    [
        (ArchiveError("a.zip has no table"), 2, "error: a.zip has no table\n"),
        (ManifestError("the manifest is cut"), 2, "error: the manifest is cut\n"),
        (TrainingError("no photo is left"), 2, "error: no photo is left\n"),
        (OSError(28, "No space left on device", "runs/x"), 2, "error: runs/x cannot be read or written: No space left"),
        (OSError("odd"), 2, "error: a file cannot be read or written: odd\n"),
        (MemoryError(), 2, "error: there is not enough memory: try a smaller archive or --batch-size\n"),
        (ModuleNotFoundError(name="keras"), 2, "error: keras is not installed: training needs the extras"),
        (KeyboardInterrupt(), 130, "interrupted: the same command resumes after the last checkpoint\n"),
    ],
)
def test_an_error_is_a_sentence(training: Recorder, error: BaseException, status: int, sentence: str) -> None:
    training.error = error
    done = RUN.invoke(app, ["train", "--dataset", "a.zip"])
    assert (done.exit_code, done.stdout) == (status, "")
    assert done.stderr.startswith(sentence)
    assert len(done.stderr.splitlines()) == 1


def test_an_interrupted_evaluation_says_that_nothing_has_changed(training: Recorder) -> None:
    training.error = KeyboardInterrupt()
    done = RUN.invoke(app, ["evaluate", "--model", "m", "--dataset", "a.zip"])
    assert (done.exit_code, done.stderr) == (130, "interrupted: nothing was changed\n")


class Descriptors:
    """The module `os`, which notes the descriptors that are opened and not closed. `environ` is empty."""

    def __init__(self) -> None:
        self.environ: dict[str, str] = {}
        self.left_open: set[int] = set()

    def __getattr__(self, name: str) -> Any:
        return getattr(os, name)

    def open(self, *arguments: Any) -> int:
        return self._noted(os.open(*arguments))

    def dup(self, descriptor: int) -> int:
        return self._noted(os.dup(descriptor))

    def close(self, descriptor: int) -> None:
        os.close(descriptor)
        self.left_open.discard(descriptor)

    def _noted(self, descriptor: int) -> int:
        self.left_open.add(descriptor)
        return descriptor


@pytest.mark.parametrize("error", [None, ModuleNotFoundError(name="tensorflow")])
def test_lines_that_tensorflow_writes_to_stderr_while_it_is_imported_are_not_shown(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, error: Exception | None
) -> None:
    levels: list[str | None] = []

    def imported(name: str) -> None:
        levels.append(descriptors.environ.get("TF_CPP_MIN_LOG_LEVEL"))
        os.write(2, f"{name} writes a line\n".encode())
        sys.stderr.flush()
        if error is not None:
            raise error

    descriptors = Descriptors()
    monkeypatch.setattr(module, "os", descriptors)
    monkeypatch.setattr(module, "importlib", SimpleNamespace(import_module=imported))
    saved, shown = os.dup(2), tmp_path / "stderr"
    try:
        with shown.open("wb") as file, os.fdopen(2, "w", closefd=False) as buffered:
            os.dup2(file.fileno(), 2)
            monkeypatch.setattr(sys, "stderr", buffered)
            buffered.write("before\n")
            with nullcontext() if error is None else pytest.raises(ModuleNotFoundError):
                module._import_tensorflow_quietly()
            os.write(2, b"after\n")
    finally:
        os.dup2(saved, 2)
        os.close(saved)
    assert shown.read_text() == "before\nafter\n"
    assert levels == ["3"]
    assert descriptors.left_open == set()
