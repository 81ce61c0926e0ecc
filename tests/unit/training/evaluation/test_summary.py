from training.evaluation.summary import GOALS, LABELS, PLACES, formatted, goal, summary

FIGURES = {
    "classification": {"accuracy": 0.99},
    "retrieval": {"precision": {"article_type": 0.8, "base_colour": 0.6, "both": 0.5}},
    "self_retrieval": {"mean": {"first": 0.7}, "backgrounds": {"drawn": {"first": 0.7}}},
    "rejection": {"against": {"all": {"all": {"auroc": 0.98, "kept": 0.97}}}},
    "calibration": {"studio": {"ece": 0.01}},
    "cost": {"ms": 2.0, "reference_ms": None, "ratio": None},
}


def test_the_summary_has_the_measured_figures_by_name() -> None:
    assert summary(FIGURES) == {
        "studio_accuracy": 0.99,
        "article_type": 0.8,
        "base_colour": 0.6,
        "both": 0.5,
        "self_retrieval": 0.7,
        "auroc": 0.98,
        "kept": 0.97,
        "studio_ece": 0.01,
    }
    assert set(LABELS) == set(PLACES)


def test_a_network_without_a_square_input_has_no_self_retrieval() -> None:
    assert "self_retrieval" not in summary(FIGURES | {"self_retrieval": None})


def test_figures_are_formatted_as_shares_or_numbers() -> None:
    assert [formatted("kept", 0.9712), formatted("auroc", 0.98765), formatted("cost", None)] == ["97.1 %", "0.988", "–"]


def test_goals_are_formatted_as_their_figures() -> None:
    assert set(GOALS) < set(LABELS)
    assert [goal("article_type"), goal("cost"), goal("studio_ece")] == ["≥ 87.0 %", "≤ 8.000", ""]
