import shutil
from collections import namedtuple
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

import services.cli.train as cli
from tests.support.pictures.archives import make_archive
from training.errors import TrainingError
from training.options import TrainOptions
from training.progress import Terminal
from training.train import train

OPTIONS = TrainOptions(
    dataset=Path("/some/where/archive.zip"),
    model="baseline",
    out=Path("models/fashion/1"),
    seed=7,
    epochs=50,
    patience=12,
    batch_size=64,
    run_dir=Path("runs/x"),
)


def test_the_recorded_command_names_no_folder_of_this_machine() -> None:
    assert OPTIONS.command() == (
        "lookalike train --dataset archive.zip --model baseline --out models/fashion/1 --seed 7 --epochs 50 "
        "--patience 12 --batch-size 64"
    )
    elsewhere = replace(OPTIONS, out=Path("/home/me/models/fashion/2"), photos=Path("/tmp/photos.zip"))
    assert "/home" not in elsewhere.command()
    assert elsewhere.command().endswith("--photos photos.zip")


def test_a_full_disk_is_reported_before_training(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage(10**9, 10**9, 5 * 2**20))
    options = replace(OPTIONS, dataset=make_archive(tmp_path / "a.zip", 1), out=tmp_path / "fashion" / "1")
    with pytest.raises(TrainingError, match="5 MB free; 400 MB are needed"):
        train(options, Terminal())
    assert not (tmp_path / "fashion").exists()


@pytest.mark.parametrize(
    ("error", "status", "message"),
    [
        (
            OSError(28, "No space left on device", "runs/x"),
            2,
            "runs/x cannot be read or written: No space left on device",
        ),
        (MemoryError(), 2, "there is not enough memory"),
        (TrainingError("the loss is no number"), 2, "the loss is no number"),
        (ModuleNotFoundError("No module named 'sklearn'", name="sklearn"), 2, "sklearn is not installed"),
        (KeyboardInterrupt(), 130, "interrupted: the same command resumes after the last checkpoint"),
    ],
)
def test_an_error_is_one_sentence(
    error: BaseException, status: int, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*arguments: Any) -> None:
        raise error

    monkeypatch.setattr("training.train.train", fail)
    app = typer.Typer()
    app.command()(cli.train)
    result = CliRunner().invoke(app, ["--dataset", str(tmp_path)])
    assert (result.exit_code, result.stdout) == (status, "")
    assert message in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1
