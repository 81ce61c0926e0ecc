"""The whole of `lookalike train --model fashion`, on drawn squares and a small network."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from services.catalogue.sources.formats.kaggle_archive import CATEGORIES
from services.contracts.domain.manifest import ManifestError, load_manifest
from services.sample_shop.catalogue import sample_products
from tests.support.pictures.street import make_negatives, make_street
from tests.support.pictures.street_photos import street_archive
from tests.support.pictures.tiny_network import ARCHITECTURE, SIZE, archives, network, plan
from training.data.archives.negatives import read_negatives
from training.data.archives.photos import sender_mark
from training.data.archives.street import read_street
from training.data.archives.street_photos import street_part
from training.data.composing.backgrounds import pictures_in
from training.data.evaluation_images import EvaluationSources
from training.data.split import part_of
from training.errors import TrainingError
from training.evaluation.evaluated_model import EvaluatedModel
from training.networks import architectures as networks
from training.options import TrainOptions
from training.progress import Terminal
from training.recipes.fashion import recipe
from training.recipes.fashion.trainer import FashionTrainer
from training.report.evaluate import EvaluationOptions, evaluate_directory
from training.train import train

DETECTOR = Path(__file__).parents[5] / "models" / "detector" / "2"


@pytest.fixture(scope="module")
def options(tmp_path_factory: pytest.TempPathFactory, narrow_networks: None) -> Iterator[TrainOptions]:
    """A run of the small network that is trained and published."""
    folder = tmp_path_factory.mktemp("recipe")
    dataset, photos = archives(folder)
    with pytest.MonkeyPatch.context() as patch:
        parameters = sum(int(variable.shape.num_elements()) for variable in network().trainable_variables)
        patch.setitem(networks.ARCHITECTURES, "tiny", replace(ARCHITECTURE, parameters=parameters))
        patch.setattr(recipe, "FashionPlan", lambda steps, seed: plan(steps, seed=seed))
        patch.setattr("training.data.composing.backgrounds.DRAWN", 6)
        patch.setattr("training.report.grids.sample_products", lambda: sample_products(per_category=2))
        patch.setattr("training.recipes.fashion.look_finetune.EPOCHS", 2)
        patch.setattr("training.report.plots.DPI", 20)
        for name, number in {"SAMPLE_QUERIES": 1, "ROWS": 2, "BACKGROUNDS": 2, "PHOTOS": 2, "K": 3}.items():
            patch.setattr(f"training.report.grids.{name}", number)
        tf.config.run_functions_eagerly(True)
        options = TrainOptions(
            *(dataset, "tiny", folder / "fashion" / "2", 3, folder / "run"),
            steps=2,
            photos=photos,
            street=make_street(folder / "street.zip"),
            negatives=make_negatives(folder / "negatives.zip"),
        )
        train(options, Terminal())
        tf.config.run_functions_eagerly(False)
        yield options


def test_a_trained_network_is_a_version_directory_that_honours_the_contract(options: TrainOptions) -> None:
    model = EvaluatedModel.load(options.out)
    manifest = model.manifest
    assert (manifest.model_id, manifest.architecture, manifest.unit_length) == ("fashion/2", "tiny", True)
    assert manifest.command.endswith(
        "--seed 3 --steps 2 --photos photos.zip --street street.zip --negatives negatives.zip"
    )
    assert set(manifest.thresholds) == {"no_clothing", "no_close_match", "close_photo"}
    images = np.random.default_rng(1).integers(0, 256, (3, SIZE, SIZE, 3), np.uint8)
    probabilities, vectors = model.predict(images, Terminal())
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=1e-5)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)


def test_the_manifest_records_the_sources_and_the_senders_of_the_training_data(options: TrainOptions) -> None:
    data = load_manifest(options.out).dataset
    view = {str(n) for n in range(12) if part_of(f"sender {n}", 3) != "test"}
    assert data["photos"]["senders_seen"] == sorted(sender_mark(sender) for sender in view)
    assert len(data["photos"]["sha256"]) == 64
    assert {data[name]["name"] for name in ("street", "negatives")} == {"street.zip", "negatives.zip"}
    assert "backgrounds" not in data


def test_senders_of_the_training_data_are_excluded_from_the_evaluation(options: TrainOptions) -> None:
    evaluation = EvaluationOptions(EvaluationSources(options.dataset, options.photos), cost=False)
    photos = evaluate_directory(options.out, evaluation, Terminal())["photos"]
    test_part = [n for n in range(12) if part_of(f"sender {n}", 3) == "test" and n % 6 < 4]
    assert test_part
    assert photos["senders"] == len(test_part)
    assert photos["classification"]["count"] == 6 * len(test_part)


def test_the_report_has_the_losses_and_pictures(options: TrainOptions) -> None:
    report = options.out / "report"
    history = json.loads((report / "report.json").read_text("utf-8"))["run"]["history"]
    assert [entry["step"] for entry in history] == [2]
    text = (report / "report.md").read_text("utf-8")
    assert "2 steps in" in text
    assert "A step has 32 images: 8 products on white" in text
    for heading in ("## Street garments", "## Outcomes", "## People's own photos"):
        assert heading in text
    for name in (
        "curves",
        "confusion",
        "confusion_photos",
        "retrieval",
        "scores",
        "calibration",
        "grid",
        "backgrounds",
    ):
        assert f"({name}.png)" in text
        assert (report / f"{name}.png").is_file()


def test_the_card_has_materials_licences_and_limits(options: TrainOptions) -> None:
    card = (options.out / "README.md").read_text("utf-8")
    for part in (
        "Apache-2.0",
        "CC0",
        "MIT licence",
        "lookalike train --dataset products.zip",
        "first result among all",
    ):
        assert part in card


def test_grids_of_real_data_are_written_to_a_folder(options: TrainOptions, tmp_path: Path) -> None:
    evaluation = EvaluationOptions(
        EvaluationSources(options.dataset, options.photos, street=options.street), cost=False, grids=tmp_path / "grids"
    )
    evaluate_directory(options.out, evaluation, Terminal())
    names = {"products.png", "backgrounds.png", "photos.png", "street.png"}
    assert {path.name for path in (tmp_path / "grids").iterdir()} == names


def test_street_garments_and_kinds_of_the_training_data_are_excluded_from_the_evaluation(options: TrainOptions) -> None:
    sources = EvaluationSources(options.dataset, options.photos, negatives=options.negatives, street=options.street)
    figures = evaluate_directory(options.out, EvaluationOptions(sources, cost=False), Terminal())
    size = ARCHITECTURE.input
    assert options.street and options.negatives
    street = read_street(options.street, size, 3, Terminal())
    judged = (street.parts == "test") & (street.categories < len(CATEGORIES))
    assert figures["street"]["classification"]["count"] == judged.sum()
    assert figures["street"]["own_cutout"]["count"] == (judged & street.has_cutout).sum()
    negatives = read_negatives(options.negatives, size, 3, Terminal())
    assert figures["unseen_kinds"]["count"] == (negatives.unseen & (negatives.parts == "test")).sum()
    assert figures["outcomes"]["street"]["count"] == judged.sum()


def test_whole_street_photos_are_searched_with_a_detector(options: TrainOptions, tmp_path: Path) -> None:
    sources = EvaluationSources(options.dataset, street_photos=street_archive(tmp_path / "street-photos.zip"))
    evaluation = EvaluationOptions(sources, cost=False, detector=DETECTOR)
    figures = evaluate_directory(options.out, evaluation, Terminal())
    assert figures["whole_photos"]["detector"] == "detector/2"
    assert figures["whole_photos"]["photos"] == sum(street_part(f"{number:04}", 7) == "test" for number in range(60))
    assert figures["summary"]["whole_answered"] == figures["whole_photos"]["answered"]


@pytest.mark.parametrize(
    ("detector", "error"),
    [(None, TrainingError), (Path("models/detector/none"), ManifestError)],
    ids=["none", "missing"],
)
def test_street_photos_without_a_detector_are_refused_at_once(
    options: TrainOptions, detector: Path | None, error: type[Exception]
) -> None:
    sources = EvaluationSources(options.dataset, street_photos=Path("street-photos.zip"))
    with pytest.raises(error, match="detector"):
        evaluate_directory(options.out, EvaluationOptions(sources, cost=False, detector=detector), Terminal())


def test_a_complete_run_is_published_again_without_training(
    options: TrainOptions, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(*arguments: object) -> None:
        raise AssertionError("the run is complete")

    monkeypatch.setattr(FashionTrainer, "train", never)
    monkeypatch.setattr(recipe, "read_studio", never)
    again = replace(options, out=tmp_path / "fashion" / "3")
    train(again, Terminal())
    images = np.random.default_rng(1).integers(0, 256, (3, SIZE, SIZE, 3), np.uint8)
    for ours, theirs in zip(
        EvaluatedModel.load(again.out).predict(images, Terminal()),
        EvaluatedModel.load(options.out).predict(images, Terminal()),
        strict=True,
    ):
        np.testing.assert_allclose(ours, theirs, atol=1e-3)  # the temperature is fitted again


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"photos": None}, "the network tiny is trained on people's photos too: add --photos"),
        ({"photos": Path("none.zip")}, "there are no photos at none.zip"),
        ({"backgrounds": Path("none")}, "there are no backgrounds at none"),
        ({"street": Path("none.zip")}, "there are no street garments at none.zip"),
        ({"negatives": Path("none.zip")}, "there are no negatives at none.zip"),
        ({"start": Path("none.npz")}, "there is no checkpoint at none.npz"),
        ({"epochs": 3}, "the network tiny does not take --epochs"),
        ({"batch_size": 3}, "the network tiny does not take --batch-size"),
        ({"steps": 3}, "has steps 2, not 3"),
        ({"model": "baseline"}, "the network baseline does not take --steps"),
    ],
)
def test_wrong_options_are_refused(
    options: TrainOptions, changes: dict[str, object], message: str, tmp_path: Path
) -> None:
    with pytest.raises(TrainingError, match=message):
        train(replace(options, **{"out": tmp_path / "fashion" / "3"} | changes), Terminal())  # type: ignore[arg-type]
    assert not (tmp_path / "fashion").exists()


def test_a_folder_without_pictures_is_refused_before_anything_is_read(options: TrainOptions, tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="holds no JPEG"):
        train(replace(options, out=tmp_path / "fashion" / "3", backgrounds=tmp_path), Terminal())
    with pytest.raises(TrainingError):
        pictures_in(tmp_path)


def test_an_archive_that_has_no_photos_is_refused(options: TrainOptions, tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match=r"images\.csv"):
        train(replace(options, out=tmp_path / "fashion" / "3", photos=options.dataset, fresh=True), Terminal())
