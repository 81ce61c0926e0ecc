"""The figures of a model: categories, retrieval, similarity, photos, other backgrounds, rejection and calibration."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from services.catalogue.sources.formats.kaggle_archive import CATEGORIES
from training.data.dataset import Dataset
from training.data.evaluation_images import EvaluationImages
from training.data.photos import EvaluationPhotos
from training.errors import TrainingError
from training.evaluation.calibration import best_temperature, calibration, with_temperature
from training.evaluation.classification import classification
from training.evaluation.evaluated_model import EvaluatedModel
from training.evaluation.rejection import Scores, rejection
from training.evaluation.retrieval import EmbeddedProducts, precision_at_k, unit, unlabelled_products
from training.evaluation.self_retrieval import compose, self_retrieval
from training.evaluation.similarity import similarity
from training.progress import Terminal

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class NetworkOutputs:
    """A network's outputs for each product of a data set: probabilities float32 (n, categories), and unit vectors."""

    probabilities: Floats
    products: EmbeddedProducts
    zero_vectors: int


@dataclass(frozen=True)
class EvaluationSet:
    """The products of an evaluation.

    Attributes:
        data: the data set.
        outputs: of the network, for the data set.
        queries: positions, int64 (n,).
        gallery: the products to search in.
        validation: positions of products that are neither trained on nor queries, to fit on; may be empty.
        seed: of all draws.
    """

    data: Dataset
    outputs: NetworkOutputs
    queries: NDArray[np.int64]
    gallery: EmbeddedProducts
    validation: NDArray[np.int64]
    seed: int


def network_outputs(model: EvaluatedModel, data: Dataset, terminal: Terminal) -> NetworkOutputs:
    """Run the network over a whole data set.

    Raises:
        TrainingError: an output is not a finite number.
    """
    probabilities, vectors = model.predict(data.images, terminal, f"network over {data.name}")
    if not np.isfinite(vectors).all() or not np.isfinite(probabilities).all():
        raise TrainingError(f"the network's outputs for {data.name} are not all finite numbers")
    zero = int((np.linalg.norm(vectors, axis=1) == 0).sum())
    ids = np.array(data.ids)
    products = EmbeddedProducts(ids, data.labels, data.article_types, data.base_colours, unit(vectors))
    return NetworkOutputs(probabilities, products, zero)


def all_figures(
    model: EvaluatedModel, products: EvaluationSet, images: EvaluationImages, terminal: Terminal
) -> dict[str, Any]:
    """Return all figures, ready for JSON."""
    outputs, queries = products.outputs, products.queries
    labels, probabilities = products.data.labels[queries], outputs.probabilities[queries]
    query_products = outputs.products.take(queries)
    figures: dict[str, Any] = {
        "classification": classification(labels, probabilities, CATEGORIES),
        "retrieval": precision_at_k(query_products, products.gallery, CATEGORIES),
    }
    photos: EmbeddedProducts | None = None
    clothing, calibrations = {"studio": probabilities.max(axis=1)}, {"studio": calibration(probabilities, labels)}
    if images.photos is not None:
        photo_probabilities, vectors = model.predict(images.photos.images, terminal, "network over photos")
        figures["photos"] = _photo_figures(images.photos, photo_probabilities)
        photos = unlabelled_products(images.photos.labels, unit(vectors))
        clothing["photos"] = photo_probabilities.max(axis=1)
        calibrations["photos"] = calibration(photo_probabilities, images.photos.labels)
    figures["similarity"] = similarity(query_products, products.gallery, photos, CATEGORIES)
    figures["self_retrieval"] = _self_retrieval(model, products, images, terminal)
    threshold = model.manifest.thresholds.get("no_clothing")
    figures["rejection"] = rejection(clothing, no_clothing_scores(model, images, terminal), threshold)
    figures["calibration"] = calibrations | _temperature(products, probabilities, labels)
    return figures


def no_clothing_scores(model: EvaluatedModel, images: EvaluationImages, terminal: Terminal) -> Scores:
    """Return the highest probability of each picture without clothing, by kind."""
    return {
        name: model.predict(pictures, terminal, f"network over {name}")[0].max(axis=1)
        for name, pictures in images.no_clothing.items()
    }


def _photo_figures(photos: EvaluationPhotos, probabilities: Floats) -> dict[str, Any]:
    return {
        "archive": photos.name,
        "senders": len(set(photos.senders.tolist())),
        "which_senders": "those that training has not seen" if photos.senders_excluded else "all in the archive",
        "senders_excluded": photos.senders_excluded,
        "skipped": photos.skipped,
        "unreadable": photos.unreadable,
        "classification": classification(photos.labels, probabilities, CATEGORIES),
    }


def _self_retrieval(
    model: EvaluatedModel, products: EvaluationSet, images: EvaluationImages, terminal: Terminal
) -> dict[str, Any] | None:
    """Return the figures on each kind of background, and their mean; None for a network whose input is not square."""
    size = model.manifest.input
    if size.height != size.width:
        return None
    kinds = {}
    for number, (name, backgrounds) in enumerate(sorted(images.backgrounds.items())):
        composed = compose(products.data.images, products.queries, backgrounds, [products.seed, 6, number])
        probabilities, vectors = model.predict(composed.images, terminal, f"network over products on {name}")
        kinds[name] = self_retrieval(unit(vectors), probabilities, composed, products.outputs.products)
    keys = ("first", "first_ten", "similarity", "accuracy")
    mean = {key: float(np.mean([kind[key] for kind in kinds.values()])) for key in keys}
    return {"gallery": "all products of its category", "mean": mean, "backgrounds": kinds}


def _temperature(products: EvaluationSet, probabilities: Floats, labels: NDArray[np.int64]) -> dict[str, Any]:
    """Return the temperature that fits the validation part best, and the queries' calibration error with it."""
    validation = products.validation
    if not len(validation):
        return {}
    best = best_temperature(products.outputs.probabilities[validation], products.data.labels[validation])
    error = calibration(with_temperature(probabilities, best), labels)["ece"]
    return {"temperature": {"best": best, "studio_ece_with_it": error}}
