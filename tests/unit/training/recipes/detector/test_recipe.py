"""From archives to a detector's version directory: a few steps of a real run."""

import json
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from services.contracts.domain.manifest import load_detector_manifest
from tests.support.tiny_network import archives
from training.errors import TrainingError
from training.networks import detector as network
from training.networks.backbone import Backbone, Stages
from training.options import TrainOptions
from training.progress import Terminal
from training.recipes.baseline.checkpoint import CHECKPOINT_NAME
from training.recipes.detector import publish, recipe
from training.recipes.detector.evaluate import evaluate_detector
from training.recipes.detector.plan import DetectorPlan
from training.recipes.detector.served import ServedDetector
from training.recipes.detector.serving import Scale, export_detector
from training.train import train

pytestmark = pytest.mark.timeout(400)  # TensorFlow compiles several graphs, on a machine that may be busy
STAGES: Stages = ((1, 3, 1, 1, 4), (1, 3, 2, 2, 4), (1, 3, 2, 2, 8), (1, 3, 2, 2, 8), (1, 3, 1, 2, 8), (1, 3, 2, 2, 12))
TINY = partial(DetectorPlan, scenes=4, round_scenes=8, epochs=1, warm_up=2)


@pytest.fixture(scope="module")
def patched() -> Iterator[None]:
    """Rounds of two steps, few scenes to measure on, and a small backbone of random weights."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(recipe, "DetectorPlan", TINY)
        patch.setattr(publish, "SCENES", 12)
        patch.setattr(recipe, "pretrained_path", lambda: None)
        patch.setattr(recipe, "Backbone", lambda: Backbone(STAGES))
        patch.setattr(Backbone, "load", lambda self, model, path: None)
        patch.setattr(network, "DEPTHS", (8, 8, 12))
        yield


@pytest.fixture(scope="module")
def options(tmp_path_factory: pytest.TempPathFactory, patched: None) -> TrainOptions:
    """A run that was interrupted after its first round, gone on with, and published."""
    folder = tmp_path_factory.mktemp("detector")
    products, photos = archives(folder)
    (folder / "grounds").mkdir()
    Image.new("RGB", (64, 64), (90, 60, 30)).save(folder / "grounds" / "brown.png")
    chosen = TrainOptions(
        dataset=products,
        model="detector",
        out=folder / "models" / "detector" / "1",
        seed=7,
        run_dir=folder / "run",
        steps=4,
        photos=photos,
        backgrounds=folder / "grounds",
    )
    with pytest.MonkeyPatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(recipe, "fit", _stopped_after_a_round)
        train(chosen, Terminal())
    train(chosen, Terminal())
    return chosen


def _stopped_after_a_round(trainer: Any, *rest: Any) -> Any:
    from training.recipes.detector.loop import fit

    whole, trainer.plan = trainer.plan, replace(trainer.plan, steps=2)
    fit(trainer, *rest)
    trainer.plan = whole
    raise KeyboardInterrupt


def test_a_trained_detector_is_a_version_directory_that_honours_the_contract(options: TrainOptions) -> None:
    detector, manifest = ServedDetector.load(options.out)
    assert manifest.model_id == "detector/1"
    scene = publish.sample_scenes(1)(0)
    (found,) = detector([scene])
    assert found.boxes.shape == (manifest.boxes, 4)
    assert found.probabilities.shape == (manifest.boxes, 9)
    assert (found.boxes[:, 2:] >= found.boxes[:, :2]).all()
    assert (np.diff(found.scores) <= 1e-6).all()


def test_an_interrupted_run_went_on_after_its_last_round(options: TrainOptions) -> None:
    history = json.loads((options.out / "report" / "report.json").read_text())["history"]
    assert [entry["step"] for entry in history] == [2, 4]


def test_the_manifest_records_what_was_used_and_how_to_do_it_again(options: TrainOptions) -> None:
    manifest = load_detector_manifest(options.out)
    assert manifest.dataset["photos"]["name"] == "photos.zip"
    assert manifest.dataset["backgrounds"]["pictures"] == 1
    assert "--model detector" in manifest.command
    assert "--steps 4" in manifest.command
    assert (options.out / "report" / "scenes.jpg").stat().st_size > 1000
    assert "recall" in (options.out / "README.md").read_text()


def test_the_scale_of_the_probabilities_is_in_the_graph(patched: None, tmp_path: Path) -> None:
    features, top = network.feature_maps(Backbone(STAGES)), network.head(9)
    scene = publish.sample_scenes(1)(0)
    chances = []
    for number, scale in enumerate((Scale(), Scale(2.0, 1.5))):
        export_detector(features, top, tmp_path / str(number), scale)
        (found,) = ServedDetector(tmp_path / str(number))([scene])
        chances.append(found.scores[found.scores > 0].astype(float))
    logits = np.log(chances[0] / (1 - chances[0]))
    assert len(logits) > 3
    np.testing.assert_allclose(chances[1], 1 / (1 + np.exp(-(2 * logits + 1.5))), atol=1e-4)


def test_it_is_measured_on_other_backgrounds_and_not_on_those_it_has_seen(
    options: TrainOptions, tmp_path: Path
) -> None:
    assert options.backgrounds
    with pytest.raises(TrainingError, match="was trained on the pictures"):
        evaluate_detector(options.out, options.dataset, options.backgrounds, 3, Terminal())
    Image.new("RGB", (64, 64), (10, 60, 30)).save(tmp_path / "green.png")
    figures = evaluate_detector(options.out, options.dataset, tmp_path, 3, Terminal())
    kind = figures["two to four garments, apart"]
    assert kind["scenes"] == 3
    assert 0 <= kind["recall"] <= 1
    assert kind["garments"] >= 3


@pytest.mark.parametrize(("changes", "told"), [({"seed": 8}, "other settings"), ({"steps": 6}, "other settings")])
def test_another_run_is_refused(options: TrainOptions, changes: dict[str, int], told: str) -> None:
    with pytest.raises(TrainingError, match=told):
        train(replace(options, **changes, force=True), Terminal())  # type: ignore[arg-type]


def test_a_damaged_checkpoint_is_one_sentence(options: TrainOptions, tmp_path: Path) -> None:
    (tmp_path / CHECKPOINT_NAME).write_bytes(b"no archive")
    with pytest.raises(TrainingError, match="is damaged"):
        train(replace(options, run_dir=tmp_path, force=True), Terminal())


def test_options_of_other_recipes_are_refused(options: TrainOptions) -> None:
    with pytest.raises(TrainingError, match="takes no --epochs"):
        train(replace(options, epochs=3, out=options.out.with_name("2")), Terminal())
