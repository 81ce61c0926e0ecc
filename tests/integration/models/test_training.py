"""Training from an archive to a model version directory, on drawn shapes; and the shipped model on the real archive."""

import json
import os
import shutil
import signal
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import typer
from typer.testing import CliRunner

from services.catalogue.sources.formats.kaggle_archive import CATEGORIES, KaggleArchive, KaggleRow
from services.cli.train import evaluate, train
from services.contracts.domain.manifest import load_manifest
from tests.support.pictures.archives import make_archive, make_photos, products
from tests.support.waiting import WITHIN_S, eventually

ROOT = Path(__file__).parents[3]
SHIPPED = ROOT / "models" / "fashion" / "1"
app = typer.Typer()
app.command()(train)
app.command()(evaluate)


def run(*arguments: object) -> tuple[int, str, str]:
    """Run the program in this process; return exit status, stdout and stderr."""
    result = CliRunner().invoke(app, [str(a) for a in arguments], catch_exceptions=False)
    return result.exit_code, result.stdout, result.stderr


def train_command(archive: Path, out: Path, run_dir: Path, *more: object) -> list[object]:
    options = ["--model", "baseline", "--out", out, "--run-dir", run_dir, "--seed", 3, "--batch-size", 16]
    return ["train", "--dataset", archive, *options, *more]


@pytest.fixture(scope="module", autouse=True)
def small_pictures() -> Iterator[None]:
    """Draw the reports with few pixels."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("training.report.plots.DPI", 20)
        yield


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_archive(tmp_path_factory.mktemp("data") / "shapes.zip", 12, ("1,bad", "2,,,Sandal,,,,,,Outside"))


@pytest.fixture(scope="module")
def trained(archive: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("trained")
    out = folder / "fashion" / "1"
    status, _, output = run(*train_command(archive, out, folder / "run", "--epochs", 2))
    assert status == 0, output
    return out


def weights(model_dir: Path) -> list[np.ndarray]:
    import tensorflow as tf

    return [w.numpy() for w in tf.saved_model.load(str(model_dir)).weights]


def test_a_trained_model_is_a_version_directory_that_honours_the_contract(trained: Path) -> None:
    import tensorflow as tf

    manifest = load_manifest(trained)
    assert (manifest.model_id, manifest.architecture, manifest.parameters) == ("fashion/1", "baseline", 701_161)
    assert manifest.categories == CATEGORIES
    assert manifest.dataset["products"] == 108
    assert set(manifest.thresholds) == {"no_clothing", "no_close_match"}
    serve = tf.saved_model.load(str(trained)).signatures["serving_default"]
    ((), inputs) = serve.structured_input_signature
    assert {name: (spec.dtype, spec.shape.as_list()) for name, spec in inputs.items()} == {
        "image": (tf.uint8, [None, 80, 80, 3])
    }
    outputs = {name: (spec.dtype, spec.shape.as_list()) for name, spec in serve.structured_outputs.items()}
    assert outputs == {"probabilities": (tf.float32, [None, 9]), "vector": (tf.float32, [None, 64])}


def test_the_directory_holds_the_report_and_no_optimizer_state(trained: Path) -> None:
    names = {p.relative_to(trained).as_posix() for p in trained.rglob("*") if p.is_file()}
    assert {"manifest.json", "saved_model.pb", "README.md", "report/report.md", "report/report.json"} <= names
    assert {"report/curves.png", "report/confusion.png", "report/retrieval.png"} <= names
    assert "fingerprint.pb" not in names
    assert sum(p.stat().st_size for p in (trained / "variables").iterdir()) < 1.05 * 701_161 * 4
    assert [p.name for p in trained.parent.iterdir()] == ["1"]


def test_an_existing_version_is_not_overwritten_without_force(archive: Path, trained: Path, tmp_path: Path) -> None:
    before = (trained / "saved_model.pb").stat().st_mtime_ns
    status, _, output = run(*train_command(archive, trained, tmp_path / "run", "--epochs", 1))
    assert status == 2
    assert "exists already" in output
    assert (trained / "saved_model.pb").stat().st_mtime_ns == before


def test_a_resumed_run_ends_with_the_weights_of_an_uninterrupted_one(
    archive: Path, trained: Path, tmp_path: Path
) -> None:
    assert run(*train_command(archive, tmp_path / "a" / "1", tmp_path / "run", "--epochs", 1))[0] == 0
    status, _, output = run(*train_command(archive, tmp_path / "b" / "1", tmp_path / "run", "--epochs", 2))
    assert status == 0
    assert "resuming the run in" in output and "after epoch   1/2" in output
    for ours, theirs in zip(weights(tmp_path / "b" / "1"), weights(trained), strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-5)


def test_a_run_with_another_batch_size_is_refused_until_it_starts_again(
    archive: Path, trained: Path, tmp_path: Path
) -> None:
    run_dir = shutil.copytree(trained.parents[1] / "run", tmp_path / "run")
    command = train_command(archive, tmp_path / "b" / "1", run_dir, "--epochs", 1, "--batch-size", 32)
    status, _, output = run(*command)
    assert status == 2
    assert "batch_size 16, not 32" in output
    assert not (tmp_path / "b").exists()
    status, _, output = run(*command, "--fresh")
    assert status == 0
    assert "epoch   1/1" in output


def test_ctrl_c_leaves_a_checkpoint_and_says_how_to_resume(archive: Path, tmp_path: Path) -> None:
    endless = ("--epochs", 10_000, "--patience", 10_000)
    command = [str(a) for a in train_command(archive, tmp_path / "fashion" / "1", tmp_path / "run", *endless)]
    # As a terminal starts it: in a shell's background job, SIGINT is ignored, and Python inherits that.
    handler = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)"
    program = f"{handler}; from tests.integration.models.test_training import app; app()"
    process = subprocess.Popen([sys.executable, "-c", program, *command], cwd=ROOT, stderr=subprocess.PIPE, text=True)
    eventually((tmp_path / "run" / "checkpoint.npz").exists)
    process.send_signal(signal.SIGINT)
    output = process.communicate(timeout=WITHIN_S)[1]
    assert process.returncode == 130
    assert output.splitlines()[-1] == "interrupted: the same command resumes after the last checkpoint"
    assert "Traceback" not in output
    assert not (tmp_path / "fashion" / "1").exists()


def test_evaluate_prints_the_reports_figures_as_json_and_nothing_else(archive: Path, trained: Path) -> None:
    status, printed, _ = run("evaluate", "--no-cost", "--model", trained, "--dataset", archive)
    assert status == 0
    figures = json.loads(printed)
    report = json.loads((trained / "report" / "report.json").read_text("utf-8"))
    assert figures["queries"]["part"] == "test"
    assert figures["classification"]["confusion"] == report["classification"]["confusion"]
    assert figures["retrieval"]["precision"] == pytest.approx(report["retrieval"]["precision"])
    assert figures["rows"]["bad_rows"] == 1
    assert figures["rows"]["skipped"] == 1


def test_the_unpacked_archive_is_recognised_as_that_of_the_training(
    archive: Path, trained: Path, tmp_path: Path
) -> None:
    zipfile.ZipFile(archive).extractall(tmp_path / "unpacked")
    figures = json.loads(run("evaluate", "--no-cost", "--model", trained, "--dataset", tmp_path / "unpacked")[1])
    assert figures["queries"]["part"] == "test"


def test_another_archive_is_evaluated_as_a_whole_and_against_a_gallery(
    archive: Path, trained: Path, tmp_path: Path
) -> None:
    other = make_archive(tmp_path / "other.zip", 3)
    figures = json.loads(run("evaluate", "--no-cost", "--model", trained, "--dataset", other)[1])
    assert (figures["queries"], figures["gallery"]["part"]) == ({"part": "all", "count": 27}, "all but the query")
    figures = json.loads(run("evaluate", "--no-cost", "--model", trained, "--dataset", other, "--gallery", archive)[1])
    assert (figures["gallery"]["part"], figures["gallery"]["count"]) == ("shapes.zip", 108)


def test_peoples_photos_are_evaluated(archive: Path, trained: Path, tmp_path: Path) -> None:
    pictures = {str(number): picture for number, category, _, picture in products(2) if category == "Topwear"}
    photos = make_photos(tmp_path / "photos.zip", tuple(f"{name},9,T-Shirt,False" for name in pictures), pictures)
    figures = json.loads(run("evaluate", "--no-cost", "--model", trained, "--dataset", archive, "--photos", photos)[1])
    assert (figures["photos"]["senders"], figures["photos"]["classification"]["count"]) == (1, 2)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["train", "--model", "baseline", "--dataset", "nowhere.zip"], "there is no data set at nowhere.zip"),
        (["train", "--model", "baseline", "--dataset", "text.zip"], "is not a zip archive"),
        (["train", "--dataset", "shapes.zip", "--model", "resnet"], "there is no network called 'resnet'"),
        (
            ["train", "--model", "baseline", "--dataset", "shapes.zip", "--out", "fashion"],
            "must end in a name and a version number",
        ),
        (["train", "--dataset", "shapes.zip", "--epochs", "0"], "Invalid value for '--epochs'"),
        (["train", "--dataset", "shapes.zip", "--seed", "-1"], "Invalid value for '--seed'"),
        (
            ["train", "--model", "baseline", "--dataset", "shapes.zip", "--photos", "none.zip"],
            "there are no photos at none.zip",
        ),
        (
            ["train", "--model", "baseline", "--dataset", "shapes.zip", "--out", "text.zip/fashion/1"],
            "is not a writable folder",
        ),
        (["train", "--model", "baseline", "--dataset", "one.zip"], "part is empty: the archive has too few products"),
        (["train", "--dataset", "shapes.zip"], "the network fashion is trained on people's photos too: add --photos"),
        (["evaluate", "--model", "nowhere", "--dataset", "shapes.zip"], "there is no model directory nowhere"),
        (["evaluate", "--model", "empty", "--dataset", "shapes.zip"], "has no manifest.json"),
    ],
)
def test_an_error_is_one_sentence_and_status_2(
    arguments: list[str], message: str, archive: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "text.zip").write_text("no zip")
    (tmp_path / "empty").mkdir()
    (tmp_path / "shapes.zip").symlink_to(archive)
    make_archive(tmp_path / "one.zip", 1)
    status, printed, errors = run(*arguments)
    assert (status, printed) == (2, "")
    assert message in " ".join(errors.replace("│", " ").split())  # Typer prints its own errors in a box
    assert not (tmp_path / "models").exists()


def test_a_damaged_saved_model_is_one_sentence(archive: Path, trained: Path, tmp_path: Path) -> None:
    copy = tmp_path / "fashion" / "1"
    copy.mkdir(parents=True)
    (copy / "manifest.json").write_bytes((trained / "manifest.json").read_bytes())
    (copy / "saved_model.pb").write_bytes((trained / "saved_model.pb").read_bytes()[:1000])
    status, printed, errors = run("evaluate", "--model", copy, "--dataset", archive)
    assert (status, printed) == (2, "")
    assert "cannot be loaded" in errors


def real(variable: str) -> Path:
    """Return the path that an environment variable gives, or skip."""
    if not os.environ.get(variable):
        pytest.skip(f"set {variable} to the path of the archive: this test reads real data")
    return Path(os.environ[variable])


@pytest.mark.real_data
def test_the_shipped_model_has_its_accuracy_on_the_test_part() -> None:
    from services.contracts.images.preparation import prepare_image
    from training.data.split import part_of
    from training.evaluation.evaluated_model import EvaluatedModel
    from training.progress import Terminal

    model = EvaluatedModel.load(SHIPPED)
    with KaggleArchive.open(real("DATASET")) as archive:
        rows = [row for row in archive.rows() if isinstance(row, KaggleRow) and row.category in CATEGORIES]
        test_part = [row for row in rows if part_of(row.id, model.manifest.seed) == "test"]
        data = [archive.read_image(row.id) for row in test_part]
    assert len(rows) == 32_082
    images = np.stack([prepare_image(image, model.manifest.input)[0] for image in data])
    labels = np.array([CATEGORIES.index(str(row.category)) for row in test_part])
    accuracy = float((model.predict(images, Terminal())[0].argmax(axis=1) == labels).mean())
    assert accuracy >= 0.975
    assert accuracy == pytest.approx(model.manifest.metrics["test_accuracy"], abs=0.002)


def test_the_shipped_model_is_the_baseline_and_its_command_has_no_local_folder() -> None:
    manifest = load_manifest(SHIPPED)
    assert (manifest.architecture, manifest.parameters, manifest.dimension) == ("baseline", 701_161, 64)
    assert manifest.command.startswith("lookalike train --dataset fashion-product-images-small.zip")
    assert manifest.metrics["test_accuracy"] >= 0.975
