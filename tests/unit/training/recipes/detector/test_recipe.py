"""From archives to a detector's version directory: a few steps of a real run."""

import json
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from services.contracts.domain.manifest import load_detector_manifest
from tests.support.pictures.street_photos import street_archive
from tests.support.pictures.tiny_network import archives
from training.data.archives.street_photos import read_street_photos
from training.errors import TrainingError
from training.evaluation.detector.evaluated_detector import EvaluatedDetector
from training.evaluation.detector.figures import (
    PHOTOS_KIND,
    SCENE_KINDS,
    STREET_KIND,
    DetectorEvaluation,
    evaluate_detector,
)
from training.networks import detector as network
from training.networks.backbone import Backbone, Stages
from training.options import TrainOptions
from training.progress import Terminal
from training.publishing import publish_detector
from training.publishing.export_detector import PlattScaling, export_detector
from training.publishing.publish_detector import INPUT
from training.recipes.detector import recipe
from training.recipes.detector.learner import DetectorLearner, FeatureExtractor
from training.recipes.detector.plan import DetectorPlan
from training.recipes.detector.targets import target_maps
from training.recipes.detector.trainer import DetectorTrainer
from training.report.detector_sheet import sample_scenes
from training.run.checkpoint import CHECKPOINT_NAME, History
from training.train import train

STAGES: Stages = ((1, 3, 1, 1, 4), (1, 3, 2, 2, 4), (1, 3, 2, 2, 8), (1, 3, 2, 2, 8), (1, 3, 1, 2, 8), (1, 3, 2, 2, 12))
drawn_scenes = cache(sample_scenes)  # the products are drawn once
TINY = {"side": 96, "scenes": 4, "round_scenes": 8, "epochs": 1, "warm_up": 2}


def tiny_plan(options: TrainOptions) -> DetectorPlan:
    assert options.steps
    plan = DetectorPlan.tuning(options.steps, options.seed) if options.start else DetectorPlan(options.steps)
    return replace(plan, seed=options.seed, **TINY)


@pytest.fixture(scope="module")
def patched() -> Iterator[None]:
    """Rounds of two steps, few scenes to evaluate on, and a small backbone of random weights.

    Each step runs operation by operation: making a graph of it takes longer than the few steps here.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(publish_detector, "sample_scenes", drawn_scenes)
        patch.setattr(recipe, "_plan", tiny_plan)
        patch.setattr(publish_detector, "SCENES", 12)
        patch.setattr(recipe, "pretrained_path", lambda: None)
        patch.setattr(recipe, "Backbone", lambda: Backbone(STAGES))
        patch.setattr(Backbone, "load", lambda self, model, path: None)
        patch.setattr(network, "DEPTHS", (4, 8, 8, 12))
        tf.config.run_functions_eagerly(True)
        yield
        tf.config.run_functions_eagerly(False)


@pytest.fixture(scope="module")
def options(tmp_path_factory: pytest.TempPathFactory, patched: None) -> TrainOptions:
    """A run that was interrupted after its first round, resumed and published."""
    folder = tmp_path_factory.mktemp("detector")
    products, photos = archives(folder)
    (folder / "grounds").mkdir()
    Image.new("RGB", (64, 64), (90, 60, 30)).save(folder / "grounds" / "brown.png")
    options = TrainOptions(
        dataset=products,
        model="detector",
        out=folder / "models" / "detector" / "1",
        seed=7,
        run_dir=folder / "run",
        steps=4,
        photos=photos,
        backgrounds=folder / "grounds",
        street_photos=street_archive(folder / "street.zip"),
    )
    with pytest.MonkeyPatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(DetectorLearner, "train_round", _interrupted_in_the_second_round)
        train(options, Terminal())
    train(options, Terminal())
    return options


TRAIN_ROUND = DetectorLearner.train_round


def _interrupted_in_the_second_round(learner: DetectorLearner, history: History) -> dict[str, float]:
    if history:
        raise KeyboardInterrupt
    return TRAIN_ROUND(learner, history)


def test_a_trained_detector_is_a_version_directory_that_honours_the_contract(options: TrainOptions) -> None:
    detector, manifest = EvaluatedDetector.load(options.out)
    assert manifest.model_id == "detector/1"
    scene = drawn_scenes(1)(0)
    (garments,) = detector([scene])
    assert garments.boxes.shape == (manifest.boxes, 4)
    assert garments.probabilities.shape == (manifest.boxes, 9)
    assert (garments.boxes[:, 2:] >= garments.boxes[:, :2]).all()
    assert (np.diff(garments.scores) <= 1e-6).all()


def test_an_interrupted_run_resumes_after_its_last_round(options: TrainOptions) -> None:
    history = json.loads((options.out / "report" / "report.json").read_text())["history"]
    assert [entry["step"] for entry in history] == [2, 4]


def test_the_manifest_records_the_sources_and_the_command(options: TrainOptions) -> None:
    manifest = load_detector_manifest(options.out)
    assert manifest.dataset["photos"]["name"] == "photos.zip"
    assert manifest.dataset["backgrounds"]["pictures"] == 1
    assert manifest.dataset["street_photos"]["name"] == "street.zip"
    assert "--model detector" in manifest.command
    assert "--street-photos street.zip" in manifest.command
    assert "--steps 4" in manifest.command
    assert (options.out / "report" / "scenes.jpg").stat().st_size > 1000
    assert "recall" in (options.out / "README.md").read_text()


def test_the_calibration_of_the_probabilities_is_in_the_graph(patched: None, tmp_path: Path) -> None:
    features, top = network.feature_maps(Backbone(STAGES)), network.detector_head(9)
    scene = drawn_scenes(1)(0)
    chances = []
    for number, scaling in enumerate((PlattScaling(), PlattScaling(2.0, 1.5))):
        export_detector(features, top, tmp_path / str(number), scaling)
        (garments,) = EvaluatedDetector(tmp_path / str(number), INPUT)([scene])
        chances.append(garments.scores[garments.scores > 0].astype(float))
    logits = np.log(chances[0] / (1 - chances[0]))
    assert len(logits) > 3
    np.testing.assert_allclose(chances[1], 1 / (1 + np.exp(-(2 * logits + 1.5))), atol=1e-4)


def test_it_is_evaluated_on_new_backgrounds_only(options: TrainOptions, tmp_path: Path) -> None:
    assert options.backgrounds
    with pytest.raises(TrainingError, match="was trained on the pictures"):
        evaluate_detector(options.out, DetectorEvaluation(options.dataset, options.backgrounds, 3), Terminal())
    Image.new("RGB", (64, 64), (10, 60, 30)).save(tmp_path / "green.png")
    figures = evaluate_detector(options.out, DetectorEvaluation(options.dataset, tmp_path, 3), Terminal())
    kind = figures["two to four garments, apart"]
    assert kind["scenes"] == 3
    assert 0 <= kind["recall"] <= 1
    assert kind["garments"] >= 3
    assert STREET_KIND not in figures


def test_it_is_evaluated_on_the_photos_of_its_test_part(options: TrainOptions) -> None:
    evaluation = DetectorEvaluation(options.dataset, None, 3, options.photos, options.street_photos)
    figures = evaluate_detector(options.out, evaluation, Terminal())
    assert figures[PHOTOS_KIND]["scenes"] == 3
    assert options.street_photos
    photos = read_street_photos(options.street_photos, 7, Terminal())["test"]
    assert figures[STREET_KIND]["photos"] == len(photos)
    assert figures[STREET_KIND]["garments"] == 2 * len(photos)


def test_a_run_that_starts_with_a_trained_head_tunes_the_backbone_too(options: TrainOptions) -> None:
    start = options.run_dir / CHECKPOINT_NAME
    out, run_dir = options.out.with_name("2"), options.run_dir.with_name("tuned")
    tuned = replace(options, start=start, out=out, run_dir=run_dir, steps=2)
    train(tuned, Terminal())
    head, both = load_detector_manifest(options.out), load_detector_manifest(out)
    assert both.parameters > head.parameters
    assert both.dataset["start"]["name"] == CHECKPOINT_NAME
    assert "later stages" in (out / "README.md").read_text()
    assert "later stages" not in (options.out / "README.md").read_text()


def test_tuning_changes_the_backbones_later_stages_and_leaves_the_first_as_they_are(patched: None) -> None:
    network_of = network.detector_network(Backbone(STAGES), 9, is_tuned=True)
    scenes = [drawn_scenes(1)(number) for number in range(4)]
    pictures = np.stack([scene.picture for scene in scenes]).astype(np.float32)
    before = [level.numpy() for level in network_of.features(pictures)]
    trainer = DetectorTrainer(network_of, replace(DetectorPlan.tuning(8, 7), peak_rate=0.05, warm_up=1))
    maps = FeatureExtractor(network_of.fixed)(scenes)
    assert [level.shape[1] for level in maps] == [len(scenes[0].picture) // 4]
    trainer.train(maps, target_maps(scenes, 9))
    after = [level.numpy() for level in network_of.features(pictures)]
    assert (before[0] == after[0]).all()
    assert all((document != other).any() for document, other in zip(before[1:], after[1:], strict=True))


def test_the_network_has_the_mean_weights_in_the_end(patched: None) -> None:
    network_of = network.detector_network(Backbone(STAGES), 9, is_tuned=True)
    scenes = [drawn_scenes(1)(number) for number in range(4)]
    trainer = DetectorTrainer(network_of, replace(DetectorPlan.tuning(8, 7), warm_up=1, averaging=0.5))
    maps, weights = FeatureExtractor(network_of.fixed)(scenes), []
    for _ in range(2):
        trainer.train(maps, target_maps(scenes, 9))
        weights.append(network_of.tuned[0].numpy())
    trainer.settle()
    assert (weights[0] != weights[1]).any()
    np.testing.assert_allclose(network_of.tuned[0].numpy(), (weights[0] + weights[1]) / 2, atol=1e-6)


def test_a_run_without_street_photos_has_composed_scenes_only(options: TrainOptions) -> None:
    out, run_dir = options.out.with_name("3"), options.run_dir.with_name("composed")
    train(replace(options, street_photos=None, photos=None, out=out, run_dir=run_dir, steps=2), Terminal())
    manifest = load_detector_manifest(out)
    assert "street_photos" not in manifest.dataset
    assert set(manifest.metrics["test_parts"]) == {"threshold", "overlap", *SCENE_KINDS}


@pytest.mark.parametrize(("changes", "message"), [({"seed": 8}, "seed 7, not 8"), ({"steps": 6}, "steps 4, not 6")])
def test_another_run_is_refused(options: TrainOptions, changes: dict[str, int], message: str) -> None:
    with pytest.raises(TrainingError, match=message):
        train(replace(options, **changes, force=True), Terminal())  # type: ignore[arg-type]


def test_a_damaged_checkpoint_is_one_sentence(options: TrainOptions, tmp_path: Path) -> None:
    (tmp_path / CHECKPOINT_NAME).write_bytes(b"no archive")
    with pytest.raises(TrainingError, match="is damaged"):
        train(replace(options, run_dir=tmp_path, force=True), Terminal())


def test_options_of_other_recipes_are_refused(options: TrainOptions) -> None:
    with pytest.raises(TrainingError, match="does not take --epochs"):
        train(replace(options, epochs=3, out=options.out.with_name("2")), Terminal())
