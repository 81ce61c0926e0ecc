"""Checkpoints of version 0.1.0 are read; those of the baseline are resumed by the same command.

The plans of the other recipes have changed since, so their runs are refused in a sentence.
"""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from training.errors import TrainingError
from training.recipes.baseline.learner import BaselinePlan
from training.recipes.detector.plan import DetectorPlan
from training.recipes.fashion.plan import FashionPlan
from training.run.checkpoint import CHECKPOINT_NAME, load_checkpoint
from training.run.legacy_checkpoint import RENAMED
from training.run.settings import RunSettings

HISTORY = [{"step": 100, "loss": 0.5}]
ARRAYS = [np.zeros(2, np.float32), np.ones(3, np.float32)]
FASHION_PLAN = {
    "steps": 4, "seed": 7, "products": 56, "scenes": 28, "photos": 10, "nothing": 6, "memory": 4096,
    "peak_rate": 1.6e-3, "backbone_rate": 0.35, "warm_up": 150, "decay": 2e-5, "mean": 0.998, "temperature": 0.07,
    "weights": [1.0, 1.0, 1.0, 0.7, 0.05, 0.5], "small": 80, "smallest": 64, "views": 2, "together": 512, "rounds": 30,
}  # fmt: skip
DETECTOR_PLAN = {
    "steps": 4, "seed": 7, "scenes": 32, "round_scenes": 1024, "epochs": 3, "peak_rate": 2e-3, "decay": 1e-4,
    "warm_up": 50,
}  # fmt: skip
RENAMED_FASHION_PLAN = {RENAMED.get(name, name): value for name, value in FASHION_PLAN.items()}
SOURCES = {"dataset": "aa", "photos": "bb", "backgrounds": None}
DIGESTS = {f"{name}_sha256": digest for name, digest in SOURCES.items()}
BASELINE_SETTINGS = {"model": "baseline", "dataset_sha256": "aa"} | asdict(BaselinePlan(7))


def write(folder: Path, about: dict[str, Any], names: tuple[str, str] = ("0000", "0001")) -> None:
    arrays = dict(zip(names, ARRAYS, strict=True))
    np.savez(folder / CHECKPOINT_NAME, about=np.array(json.dumps(about)), **arrays)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("about", "settings", "details"),
    [
        (
            {"settings": {"model": "fashion", **DIGESTS, "start_sha256": None, "plan": FASHION_PLAN}, "step": 100}
            | {"classes": {"kinds": 3}, "history": HISTORY},
            RunSettings("fashion", SOURCES | {"start": None}, RENAMED_FASHION_PLAN),
            {"classes": {"kinds": 3}},
        ),
        (
            {"run": DIGESTS | {"plan": DETECTOR_PLAN}, "step": 100, "history": HISTORY},
            RunSettings("detector", SOURCES, DETECTOR_PLAN),
            {},
        ),
        (
            {"settings": BASELINE_SETTINGS, "best_epoch": 1, "history": HISTORY},
            RunSettings("baseline", {"dataset": "aa"}, asdict(BaselinePlan(7))),
            {},
        ),
    ],
    ids=["fashion", "detector", "baseline"],
)
def test_a_checkpoint_of_version_0_1_0_is_loaded(
    tmp_path: Path, about: dict[str, Any], settings: RunSettings, details: dict[str, Any]
) -> None:
    write(tmp_path, about)
    loaded = load_checkpoint(tmp_path, settings)
    assert loaded is not None
    assert (loaded.history, loaded.details) == (HISTORY, details)
    np.testing.assert_array_equal(loaded.arrays[1], ARRAYS[1])


@pytest.mark.parametrize(
    ("about", "settings", "difference"),
    [
        (
            {"settings": {"model": "fashion", **DIGESTS, "start_sha256": None, "plan": FASHION_PLAN}, "step": 100}
            | {"classes": {"kinds": 3}, "history": HISTORY},
            RunSettings("fashion", SOURCES | {"start": None}, asdict(FashionPlan(4))),
            "start again with --fresh",
        ),
        (
            {"run": DIGESTS | {"plan": DETECTOR_PLAN}, "step": 100, "history": HISTORY},
            RunSettings("detector", SOURCES, asdict(DetectorPlan(4))),
            "scenes 32, not 16",
        ),
    ],
    ids=["fashion", "detector"],
)
def test_a_run_by_another_plan_is_refused(
    tmp_path: Path, about: dict[str, Any], settings: RunSettings, difference: str
) -> None:
    write(tmp_path, about)
    with pytest.raises(TrainingError, match=difference):
        load_checkpoint(tmp_path, settings)


def test_the_baselines_arrays_have_the_same_order(tmp_path: Path) -> None:
    """Version 0.1.0 names the groups; in order of name the best weights come first, as now."""
    write(tmp_path, {"settings": BASELINE_SETTINGS, "best_epoch": 1, "history": HISTORY}, ("weights.000", "best.000"))
    loaded = load_checkpoint(tmp_path, RunSettings("baseline", {"dataset": "aa"}, asdict(BaselinePlan(7))))
    assert loaded is not None
    assert [array.shape for array in loaded.arrays] == [(3,), (2,)]
