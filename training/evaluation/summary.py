"""The few figures that models are compared by."""

from typing import Any

# What each is called in tables, and whether it is a share to be printed as per cent.
NAMES = {
    "studio_accuracy": ("nine-way accuracy, studio shots", True),
    "photos_accuracy": ("nine-way accuracy, people's photos", True),
    "article_type": ("precision@10, article type", True),
    "base_colour": ("precision@10, base colour", True),
    "both": ("precision@10, both", True),
    "self_retrieval": ("same product on another background found first", True),
    "self_retrieval_photos": ("– on the floors and beds of people's photos", True),
    "auroc": ("clothing against none, AUROC", False),
    "kept": ("clothing kept where 90 % of none is refused", True),
    "kept_photos": ("– of people's photos of clothing", True),
    "studio_ece": ("calibration error, studio shots", True),
    "photos_ece": ("calibration error, people's photos", True),
    "cost": ("time of one image on one core, in the baseline's", False),
}
# What the network that ships was to reach; a cost at most.
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
    "auroc": ("nothing", "against", "all", "all", "auroc"),
    "kept": ("nothing", "against", "all", "all", "kept"),
    "kept_photos": ("nothing", "against", "all", "photos", "kept"),
    "studio_ece": ("calibration", "studio", "ece"),
    "photos_ece": ("calibration", "photos", "ece"),
    "cost": ("cost", "ratio"),
}


def summary(figures: dict[str, Any]) -> dict[str, float]:
    """Return the figures by the names above; what was not measured is left out."""
    found = {name: _at(figures, place) for name, place in PLACES.items()}
    return {name: float(value) for name, value in found.items() if value is not None}


def written(name: str, value: float | None) -> str:
    """Return a figure as tables have it, or a dash where it was not measured."""
    if value is None:
        return "–"
    return f"{100 * value:.1f} %" if NAMES[name][1] else f"{value:.3f}"


def goal(name: str) -> str:
    """Return what was to be reached as tables have it; empty where nothing was."""
    if name not in GOALS:
        return ""
    return f"{'≤' if name == 'cost' else '≥'} {written(name, GOALS[name])}"


def _at(document: Any, place: tuple[str, ...]) -> Any:
    for key in place:
        document = document.get(key) if isinstance(document, dict) else None
    return document
