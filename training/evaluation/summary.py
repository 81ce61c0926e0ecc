"""The figures that models are compared by."""

from typing import Any

# The label of each figure in tables, and whether it is a share, printed in per cent.
LABELS = {
    "studio_accuracy": ("nine-way accuracy, studio shots", True),
    "photos_accuracy": ("nine-way accuracy, people's photos", True),
    "article_type": ("precision@10, article type", True),
    "base_colour": ("precision@10, base colour", True),
    "both": ("precision@10, both", True),
    "self_retrieval": ("same product on another background is the first result", True),
    "self_retrieval_photos": ("– on the floors and beds of people's photos", True),
    "auroc": ("clothing against no clothing, AUROC", False),
    "kept": ("clothing kept where 90 % of no clothing is rejected", True),
    "kept_photos": ("– of people's photos of clothing", True),
    "studio_ece": ("calibration error, studio shots", True),
    "photos_ece": ("calibration error, people's photos", True),
    "cost": ("time of one image on one core, relative to the baseline", False),
}
# The goals for the network that ships; the cost is an upper bound.
GOALS = {
    "studio_accuracy": 0.993,
    "photos_accuracy": 0.93,
    "article_type": 0.87,
    "base_colour": 0.62,
    "both": 0.52,
    "self_retrieval": 0.85,
    "auroc": 0.98,
    "kept": 0.95,
    "cost": 5.0,
}
PLACES = {
    "studio_accuracy": ("classification", "accuracy"),
    "photos_accuracy": ("photos", "classification", "accuracy"),
    "article_type": ("retrieval", "precision", "article_type"),
    "base_colour": ("retrieval", "precision", "base_colour"),
    "both": ("retrieval", "precision", "both"),
    "self_retrieval": ("self_retrieval", "mean", "first"),
    "self_retrieval_photos": ("self_retrieval", "backgrounds", "photos", "first"),
    "auroc": ("rejection", "against", "all", "all", "auroc"),
    "kept": ("rejection", "against", "all", "all", "kept"),
    "kept_photos": ("rejection", "against", "all", "photos", "kept"),
    "studio_ece": ("calibration", "studio", "ece"),
    "photos_ece": ("calibration", "photos", "ece"),
    "cost": ("cost", "ratio"),
}


def summary(figures: dict[str, Any]) -> dict[str, float]:
    """Return the figures by name, without those that were not measured."""
    values = {name: _value_at(figures, place) for name, place in PLACES.items()}
    return {name: float(value) for name, value in values.items() if value is not None}


def formatted(name: str, value: float | None) -> str:
    """Return a figure for a table, a dash if it was not measured."""
    if value is None:
        return "–"
    return f"{100 * value:.1f} %" if LABELS[name][1] else f"{value:.3f}"


def goal(name: str) -> str:
    """Return the goal of a figure for a table, empty if it has none."""
    if name not in GOALS:
        return ""
    return f"{'≤' if name == 'cost' else '≥'} {formatted(name, GOALS[name])}"


def _value_at(document: Any, place: tuple[str, ...]) -> Any:
    for key in place:
        document = document.get(key) if isinstance(document, dict) else None
    return document
