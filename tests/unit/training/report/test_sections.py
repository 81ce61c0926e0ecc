import numpy as np

from training.evaluation.calibration import calibration
from training.evaluation.rejection import rejection
from training.report.sections import backgrounds_section, calibration_section, comparison_section, rejection_section

SCORES = np.linspace(0.2, 1, 50, dtype=np.float32)
KIND = {"count": 40, "first": 0.512, "first_ten": 0.8, "similarity": 0.91, "accuracy": 0.97}


def test_figures_are_next_to_the_baselines() -> None:
    figures = {
        "summary": {"studio_accuracy": 0.9912, "cost": 2.87},
        "baseline": {"model": "fashion/1", "summary": {"studio_accuracy": 0.9842, "cost": 1.0}},
    }
    section = comparison_section(figures)
    assert "| nine-way accuracy, studio shots | ≥ 99.3 % | 98.4 % | 99.1 % |" in section
    assert "| time of one image on one core, relative to the baseline | ≤ 8.000 | 1.000 | 2.870 |" in section
    assert "| precision@10, both | ≥ 55.0 % | – | – |" in section
    assert comparison_section({"summary": {}}) == ""


def test_other_backgrounds_have_a_row_each() -> None:
    section = backgrounds_section({"self_retrieval": {"gallery": "all", "mean": KIND, "backgrounds": {"drawn": KIND}}})
    assert "**51.2 %**" in section
    assert "| drawn | 40 | 51.2 % | 80.0 % | 97.0 % | 0.910 |" in section
    assert backgrounds_section({"self_retrieval": None}) == ""


def test_the_rejection_section_has_the_threshold() -> None:
    section = rejection_section({"rejection": rejection({"studio": SCORES}, {"drawn": SCORES / np.float32(5)}, 0.3)})
    assert "| drawn | 50 | 1.000 / 100.0 % | 1.000 / 100.0 % |" in section
    assert "The manifest's threshold, 0.300, keeps 86.0 % of studio" in section
    assert "threshold" not in rejection_section({"rejection": rejection({"studio": SCORES}, {"drawn": SCORES}, None)})
    assert rejection_section({}) == ""


def test_calibration_has_a_row_for_each_kind_of_picture() -> None:
    probabilities = np.array([[0.8, 0.2]] * 10, np.float32)
    section = calibration_section(
        {"calibration": {"studio": calibration(probabilities, np.zeros(10, int)), "temperature": {"best": 1.0}}}
    )
    assert "| studio | 10 | 100.00 % | 80.00 % | 20.00 % |" in section
    assert calibration_section({}) == ""
