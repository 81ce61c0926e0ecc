"""The figures of a model: categories, retrieval, similarity, photos, other backgrounds, pictures without clothing, calibration."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from services.catalogue.sources.formats.kaggle_archive import CATEGORIES
from training.data.dataset import Dataset
from training.data.evidence import Evidence
from training.data.photos import Photos
from training.errors import TrainingError
from training.evaluation.calibration import best_temperature, calibration, softened
from training.evaluation.classification import classification
from training.evaluation.new_backgrounds import place, self_retrieval
from training.evaluation.rejection import Scores, rejection
from training.evaluation.retrieval import Embedded, of_nothing_known, precision_at_k, unit
from training.evaluation.served_model import ServedModel
from training.evaluation.similarity import similarity
from training.progress import Terminal

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Answers:
    """What the network says of each product of a data set: `embedded.vectors` are unit length."""

    probabilities: Floats
    embedded: Embedded
    zero_vectors: int


@dataclass(frozen=True)
class Measured:
    """The products measured: `queries` are positions of those asked for, int64 (n,), `gallery` is what is searched.

    `validation` are positions of products that neither trained nor are asked for, to fit on; empty where there are none.
    """

    data: Dataset
    said: Answers
    queries: NDArray[np.int64]
    gallery: Embedded
    validation: NDArray[np.int64]
    seed: int


def answers(model: ServedModel, data: Dataset, terminal: Terminal) -> Answers:
    """Run the network over a whole data set.

    Raises:
        TrainingError: what it answers are not all numbers.
    """
    probabilities, vectors = model.predict(data.images, terminal, f"network over {data.name}")
    if not np.isfinite(vectors).all() or not np.isfinite(probabilities).all():
        raise TrainingError(f"the network's answers to {data.name} are not all numbers")
    zero = int((np.linalg.norm(vectors, axis=1) == 0).sum())
    embedded = Embedded(np.array(data.ids), data.labels, data.article_types, data.base_colours, unit(vectors))
    return Answers(probabilities, embedded, zero)


def figures(model: ServedModel, measured: Measured, evidence: Evidence, terminal: Terminal) -> dict[str, Any]:
    """Return all figures, ready for JSON."""
    said, queries = measured.said, measured.queries
    labels, probabilities = measured.data.labels[queries], said.probabilities[queries]
    found: dict[str, Any] = {
        "classification": classification(labels, probabilities, CATEGORIES),
        "retrieval": precision_at_k(said.embedded.take(queries), measured.gallery, CATEGORIES),
    }
    photos: Embedded | None = None
    clothing, calibrated = {"studio": probabilities.max(axis=1)}, {"studio": calibration(probabilities, labels)}
    if evidence.photos is not None:
        of_photos, vectors = model.predict(evidence.photos.images, terminal, "network over photos")
        found["photos"] = _photos(evidence.photos, of_photos)
        photos = of_nothing_known(evidence.photos.labels, unit(vectors))
        clothing["photos"] = of_photos.max(axis=1)
        calibrated["photos"] = calibration(of_photos, evidence.photos.labels)
    found["similarity"] = similarity(said.embedded.take(queries), measured.gallery, photos, CATEGORIES)
    found["self_retrieval"] = _self_retrieval(model, measured, evidence, terminal)
    threshold = model.manifest.thresholds.get("no_clothing")
    found["nothing"] = rejection(clothing, nothing_scores(model, evidence, terminal), threshold)
    found["calibration"] = calibrated | _temperature(measured, probabilities, labels)
    return found


def nothing_scores(model: ServedModel, evidence: Evidence, terminal: Terminal) -> Scores:
    """Return the greatest probability of each picture without clothing, by kind."""
    return {
        name: model.predict(pictures, terminal, f"network over {name}")[0].max(axis=1)
        for name, pictures in evidence.nothing.items()
    }


def _photos(photos: Photos, probabilities: Floats) -> dict[str, Any]:
    return {
        "archive": photos.name,
        "senders": len(set(photos.senders.tolist())),
        "which_senders": "those that training has not seen" if photos.senders_left_out else "all in the archive",
        "senders_left_out": photos.senders_left_out,
        "outside_the_nine": photos.outside_the_nine,
        "unreadable": photos.unreadable,
        "classification": classification(photos.labels, probabilities, CATEGORIES),
    }


def _self_retrieval(
    model: ServedModel, measured: Measured, evidence: Evidence, terminal: Terminal
) -> dict[str, Any] | None:
    """Return the figures on each kind of background, and their mean; None for a network whose input is no square."""
    size = model.manifest.input
    if size.height != size.width:
        return None
    kinds = {}
    for number, (name, grounds) in enumerate(sorted(evidence.grounds.items())):
        placed = place(measured.data.images, measured.queries, grounds, [measured.seed, 6, number])
        probabilities, vectors = model.predict(placed.pictures, terminal, f"network over products on {name}")
        kinds[name] = self_retrieval(unit(vectors), probabilities, placed, measured.said.embedded)
    keys = ("first", "first_ten", "similarity", "accuracy")
    mean = {key: float(np.mean([kind[key] for kind in kinds.values()])) for key in keys}
    return {"gallery": "all products of its category", "mean": mean, "backgrounds": kinds}


def _temperature(measured: Measured, probabilities: Floats, labels: NDArray[np.int64]) -> dict[str, Any]:
    """Return which temperature would fit the validation part best, and what it would do to the queries."""
    if not len(measured.validation):
        return {}
    of_validation = measured.said.probabilities[measured.validation]
    best = best_temperature(of_validation, measured.data.labels[measured.validation])
    return {
        "temperature": {"best": best, "studio_ece_with_it": calibration(softened(probabilities, best), labels)["ece"]}
    }
