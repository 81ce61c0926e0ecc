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
    "street_accuracy": ("nine-way accuracy, street garments", True),
    "street_macro": ("– mean of the categories", True),
    "photo_types": ("type agreement of people's photos, mean of the labels", True),
    "street_types": ("type agreement of street garments", True),
    "own_cutout": ("a street garment finds its own cut-out first", True),
    "own_cutout_ten": ("– among the first ten", True),
    "unseen_refused": ("unseen kinds refused where 98 % of photos of clothing are kept", True),
    "photos_ok": ("people's photos of clothing answered `ok`", True),
    "whole_answered": ("whole street photos answered `ok`, or with a garment chosen by itself", True),
    "whole_worn": ("– the category of these is worn", True),
    "others_close": ("products of other categories with a close match", True),
    "cost": ("time of one image on one core, relative to the baseline", False),
}
UPPER_BOUNDS = frozenset({"cost", "others_close"})
# The goals for the network that ships.
GOALS = {
    "studio_accuracy": 0.993,
    "photos_accuracy": 0.96,
    "article_type": 0.87,
    "base_colour": 0.63,
    "both": 0.55,
    "self_retrieval": 0.75,
    "auroc": 0.98,
    "kept": 0.95,
    "street_accuracy": 0.94,
    "street_macro": 0.90,
    "photo_types": 0.78,
    "street_types": 0.75,
    "own_cutout": 0.50,
    "own_cutout_ten": 0.85,
    "unseen_refused": 0.95,
    "photos_ok": 0.85,
    "whole_answered": 0.85,
    "whole_worn": 0.95,
    "others_close": 0.05,
    "cost": 8.0,
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
    "street_accuracy": ("street", "classification", "accuracy"),
    "street_macro": ("street", "classification", "macro"),
    "photo_types": ("photos", "type_agreement", "mean"),
    "street_types": ("street", "type_agreement", "overall"),
    "own_cutout": ("street", "own_cutout", "first"),
    "own_cutout_ten": ("street", "own_cutout", "first_ten"),
    "unseen_refused": ("unseen_kinds", "refused"),
    "photos_ok": ("outcomes", "photos", "ok"),
    "whole_answered": ("whole_photos", "answered"),
    "whole_worn": ("whole_photos", "worn_category"),
    "others_close": ("similarity", "all", "others", "close"),
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
    return f"{'≤' if name in UPPER_BOUNDS else '≥'} {formatted(name, GOALS[name])}"


def _value_at(document: Any, place: tuple[str, ...]) -> Any:
    for key in place:
        document = document.get(key) if isinstance(document, dict) else None
    return document
