import numpy as np

from training.evaluation.calibration import calibration
from training.evaluation.rejection import rejection
from training.report.sections import beside_baseline, calibrated, nothing, other_backgrounds

SCORES = np.linspace(0.2, 1, 50, dtype=np.float32)
KIND = {"count": 40, "first": 0.512, "first_ten": 0.8, "similarity": 0.91, "accuracy": 0.97}


def test_figures_stand_beside_the_baselines() -> None:
    figures = {
        "summary": {"studio_accuracy": 0.9912, "cost": 2.87},
        "baseline": {"model": "fashion/1", "summary": {"studio_accuracy": 0.9842, "cost": 1.0}},
    }
    told = beside_baseline(figures)
    assert "| nine-way accuracy, studio shots | ≥ 99.3 % | 98.4 % | 99.1 % |" in told
    assert "| time of one image on one core, in the baseline's | ≤ 5.000 | 1.000 | 2.870 |" in told
    assert "| precision@10, both | ≥ 52.0 % | – | – |" in told
    assert beside_baseline({"summary": {}}) == ""


def test_other_backgrounds_are_told_one_by_one() -> None:
    told = other_backgrounds({"self_retrieval": {"gallery": "all", "mean": KIND, "backgrounds": {"drawn": KIND}}})
    assert "**51.2 %**" in told
    assert "| drawn | 40 | 51.2 % | 80.0 % | 97.0 % | 0.910 |" in told
    assert other_backgrounds({"self_retrieval": None}) == ""


def test_pictures_without_clothing_are_told_with_the_threshold() -> None:
    told = nothing({"nothing": rejection({"studio": SCORES}, {"drawn": SCORES / 5}, 0.3)})
    assert "| drawn | 50 | 1.000 / 100.0 % | 1.000 / 100.0 % |" in told
    assert "The manifest's threshold, 0.300, keeps 86.0 % of studio" in told
    assert "threshold" not in nothing({"nothing": rejection({"studio": SCORES}, {"drawn": SCORES}, None)})
    assert nothing({}) == ""


def test_calibration_is_told_for_each_kind_of_picture() -> None:
    said = np.array([[0.8, 0.2]] * 10, np.float32)
    told = calibrated({"calibration": {"studio": calibration(said, np.zeros(10, int)), "temperature": {"best": 1.0}}})
    assert "| studio | 10 | 100.00 % | 80.00 % | 20.00 % |" in told
    assert calibrated({}) == ""
