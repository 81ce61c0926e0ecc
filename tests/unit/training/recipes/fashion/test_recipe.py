"""The whole of `lookalike train` with the metric recipe, on drawn squares and a small network."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from services.contracts.domain.manifest import load_manifest
from services.sample_shop.catalogue import sample_products
from tests.support.tiny_network import ARCHITECTURE, SIZE, archives, plan
from training.data.backgrounds import pictures_in
from training.data.evidence import Sources
from training.data.photos import sender_mark
from training.data.split import part_of
from training.errors import TrainingError
from training.evaluation.served_model import ServedModel
from training.networks import architectures as networks
from training.options import TrainOptions
from training.progress import Terminal
from training.recipes.fashion import recipe
from training.report.evaluate import Asked, evaluate_directory
from training.train import train


@pytest.fixture(scope="module")
def options(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TrainOptions]:
    """A run of the small network that is trained and published."""
    folder = tmp_path_factory.mktemp("recipe")
    dataset, photos = archives(folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(networks.ARCHITECTURES, "tiny", ARCHITECTURE)
        patch.setattr(recipe, "Plan", lambda steps, seed: plan(steps, seed=seed))
        patch.setattr("training.data.backgrounds.DRAWN", 6)
        patch.setattr("training.report.grids.sample_products", lambda: sample_products(per_category=2))
        patch.setattr("training.report.grids.ASKED", 1)
        tf.config.run_functions_eagerly(True)
        asked = TrainOptions(dataset, "tiny", folder / "fashion" / "2", 3, folder / "run", steps=2, photos=photos)
        train(asked, Terminal())
        tf.config.run_functions_eagerly(False)
        yield asked


def test_a_trained_network_is_a_version_directory_that_honours_the_contract(options: TrainOptions) -> None:
    model = ServedModel.load(options.out)
    manifest = model.manifest
    assert (manifest.model_id, manifest.architecture, manifest.unit_length) == ("fashion/2", "tiny", True)
    assert manifest.command.endswith("--seed 3 --steps 2 --photos photos.zip")
    assert set(manifest.thresholds) == {"no_clothing", "no_close_match"}
    images = np.random.default_rng(1).integers(0, 256, (3, SIZE, SIZE, 3), np.uint8)
    probabilities, vectors = model.predict(images, Terminal())
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=1e-5)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)


def test_the_manifest_records_what_was_used_and_whose_photos_were_seen(options: TrainOptions) -> None:
    data = load_manifest(options.out).dataset
    seen = {str(n) for n in range(12) if part_of(f"sender {n}", 3) != "test"}
    assert data["photos"]["senders_seen"] == sorted(sender_mark(sender) for sender in seen)
    assert len(data["photos"]["sha256"]) == 64
    assert "backgrounds" not in data


def test_people_whose_photos_were_trained_on_are_left_out_of_the_measure(options: TrainOptions) -> None:
    said = evaluate_directory(options.out, Asked(Sources(options.dataset, options.photos), cost=False), Terminal())[
        "photos"
    ]
    apart = [n for n in range(12) if part_of(f"sender {n}", 3) == "test" and n % 6 < 4]
    assert apart
    assert said["senders"] == len(apart)
    assert said["classification"]["count"] == 6 * len(apart)


def test_the_report_tells_the_losses(options: TrainOptions) -> None:
    report = options.out / "report"
    history = json.loads((report / "report.json").read_text("utf-8"))["run"]["history"]
    assert [entry["step"] for entry in history] == [2]
    assert "2 steps of 18 pictures" in (report / "report.md").read_text("utf-8")
    text = (report / "report.md").read_text("utf-8")
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


def test_the_card_tells_materials_licences_and_failures(options: TrainOptions) -> None:
    card = (options.out / "README.md").read_text("utf-8")
    for told in ("Apache-2.0", "CC0", "MIT licence", "lookalike train --dataset products.zip", "found first among all"):
        assert told in card


def test_grids_of_real_data_go_to_a_folder_of_ones_own(options: TrainOptions, tmp_path: Path) -> None:
    asked = Asked(Sources(options.dataset, options.photos), cost=False, grids=tmp_path / "grids")
    evaluate_directory(options.out, asked, Terminal())
    assert {path.name for path in (tmp_path / "grids").iterdir()} == {"products.png", "backgrounds.png", "photos.png"}


def test_a_complete_run_is_published_again_without_training(
    options: TrainOptions, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(*arguments: object) -> None:
        raise AssertionError("the run is complete")

    monkeypatch.setattr(recipe, "fit", never)
    monkeypatch.setattr(recipe, "read_studio", never)
    again = replace(options, out=tmp_path / "fashion" / "3")
    train(again, Terminal())
    images = np.random.default_rng(1).integers(0, 256, (3, SIZE, SIZE, 3), np.uint8)
    for ours, theirs in zip(
        ServedModel.load(again.out).predict(images, Terminal()),
        ServedModel.load(options.out).predict(images, Terminal()),
        strict=True,
    ):
        np.testing.assert_allclose(ours, theirs, atol=1e-3)  # the temperature is fitted anew


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ({"photos": None}, "the network tiny learns from people's photos too: give --photos"),
        ({"photos": Path("none.zip")}, "there are no photos at none.zip"),
        ({"backgrounds": Path("none")}, "there are no backgrounds at none"),
        ({"start": Path("none.npz")}, "there is no checkpoint at none.npz"),
        ({"epochs": 3}, "the network tiny takes no --epochs"),
        ({"batch_size": 3}, "the network tiny takes no --batch-size"),
        ({"steps": 3}, "has steps 2, not 3"),
        ({"model": "baseline"}, "the network baseline takes no --steps"),
    ],
)
def test_what_makes_no_sense_is_refused(
    options: TrainOptions, asked: dict[str, object], told: str, tmp_path: Path
) -> None:
    with pytest.raises(TrainingError, match=told):
        train(replace(options, **{"out": tmp_path / "fashion" / "3"} | asked), Terminal())  # type: ignore[arg-type]
    assert not (tmp_path / "fashion").exists()


def test_a_folder_without_pictures_is_refused_before_anything_is_read(options: TrainOptions, tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="holds no JPEG"):
        train(replace(options, out=tmp_path / "fashion" / "3", backgrounds=tmp_path), Terminal())
    with pytest.raises(TrainingError):
        pictures_in(tmp_path)


def test_a_photo_archive_that_is_none_is_refused(options: TrainOptions, tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match=r"images\.csv"):
        train(replace(options, out=tmp_path / "fashion" / "3", photos=options.dataset, fresh=True), Terminal())
