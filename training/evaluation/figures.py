"""The figures of a model: categories, retrieval, similarity, photos, other backgrounds, rejection and calibration."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from services.catalogue.sources.formats.kaggle_archive import CATEGORIES
from training.data.archives.dataset import Dataset
from training.data.archives.photos import EvaluationPhotos
from training.data.evaluation_images import EvaluationImages
from training.data.garment_types import JUDGED_LABELS, PHOTO_TYPES
from training.errors import TrainingError
from training.evaluation.calibration import best_temperature, calibration, with_temperature
from training.evaluation.classification import classification
from training.evaluation.evaluated_model import EvaluatedModel
from training.evaluation.outcomes import Scales, outcomes
from training.evaluation.rejection import Scores, refused_where_kept, rejection
from training.evaluation.search.retrieval import EmbeddedProducts, precision_at_k, unit, unlabelled_products
from training.evaluation.search.self_retrieval import compose, self_retrieval
from training.evaluation.search.similarity import scale_of, similarity
from training.evaluation.search.type_agreement import type_agreement
from training.evaluation.street import street_figures
from training.progress import Terminal

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class EvaluationOutputs:
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
    outputs: EvaluationOutputs
    queries: NDArray[np.int64]
    gallery: EmbeddedProducts
    validation: NDArray[np.int64]
    seed: int


@dataclass(frozen=True)
class QueryPictures:
    """Pictures by their outputs: true categories int64 (n,), probabilities and unit vectors, float32."""

    labels: NDArray[np.int64]
    probabilities: Floats
    vectors: Floats

    @property
    def confidence(self) -> Floats:
        """The highest probability of each picture, float32 (n,)."""
        return np.asarray(self.probabilities.max(axis=1))


def network_outputs(model: EvaluatedModel, data: Dataset, terminal: Terminal) -> EvaluationOutputs:
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
    return EvaluationOutputs(probabilities, products, zero)


def all_figures(
    model: EvaluatedModel, products: EvaluationSet, images: EvaluationImages, terminal: Terminal
) -> dict[str, Any]:
    """Return all figures, ready for JSON."""
    outputs, queries, thresholds = products.outputs, products.queries, model.manifest.thresholds
    labels, probabilities = products.data.labels[queries], outputs.probabilities[queries]
    query_products, close = outputs.products.take(queries), thresholds.get("close_photo")
    figures: dict[str, Any] = {
        "classification": classification(labels, probabilities, CATEGORIES),
        "retrieval": precision_at_k(query_products, products.gallery, CATEGORIES),
    }
    pictures = {"studio": QueryPictures(labels, probabilities, outputs.products.vectors[queries])}
    if images.photos is not None:
        pictures["photos"] = _pictures(model, images.photos.images, images.photos.labels, terminal, "photos")
        figures["photos"] = _photo_figures(images.photos, pictures["photos"], products.gallery)
    if images.street is not None and images.street_chosen is not None and images.street_chosen.any():
        garments = images.street.take(images.street_chosen)
        labels_there = garments.categories.astype(np.int64)
        pictures["street"] = _pictures(model, garments.crops, labels_there, terminal, "street garments")
        figures["street"] = street_figures(
            model, images.street, garments, pictures["street"], products.gallery, terminal
        )
    photos = pictures.get("photos")
    photo_products = unlabelled_products(photos.labels, photos.vectors) if photos else None
    figures["similarity"] = similarity(query_products, products.gallery, photo_products, CATEGORIES, close)
    figures["self_retrieval"] = _self_retrieval(model, products, images, terminal)
    no_clothing = no_clothing_outputs(model, images, terminal)
    figures |= _rejection_figures(pictures, no_clothing, images, thresholds)
    figures["outcomes"] = _outcomes(pictures, no_clothing, products.gallery, thresholds)
    errors = {name: calibration(of.probabilities, of.labels) for name, of in pictures.items()}
    figures["calibration"] = errors | _temperature(products, probabilities, labels)
    return figures


def no_clothing_outputs(
    model: EvaluatedModel, images: EvaluationImages, terminal: Terminal
) -> dict[str, QueryPictures]:
    """Return the outputs for the pictures without clothing of the nine categories, by kind; their labels are -1."""
    return {
        name: _pictures(model, pictures, np.full(len(pictures), -1), terminal, name)
        for name, pictures in images.no_clothing.items()
    }


def _pictures(
    model: EvaluatedModel, images: NDArray[np.uint8], labels: NDArray[np.int64], terminal: Terminal, name: str
) -> QueryPictures:
    probabilities, vectors = model.predict(images, terminal, f"network over {name}")
    return QueryPictures(labels, probabilities, unit(vectors))


def _rejection_figures(
    clothing: dict[str, QueryPictures],
    no_clothing: dict[str, QueryPictures],
    images: EvaluationImages,
    thresholds: dict[str, float],
) -> dict[str, Any]:
    """Return `rejection`, and `unseen_kinds` if there are pictures without clothing of kinds kept apart."""
    scores = {name: pictures.confidence for name, pictures in no_clothing.items()}
    kept = {name: pictures.confidence for name, pictures in clothing.items()}
    figures = {"rejection": rejection(kept, scores, thresholds.get("no_clothing"))}
    photos = [pictures.confidence for name, pictures in clothing.items() if name != "studio"]
    unseen = [scores[name] for name in images.unseen_kinds if name in scores]
    if photos and unseen:
        threshold = thresholds.get("no_clothing")
        figures["unseen_kinds"] = refused_where_kept(np.concatenate(photos), np.concatenate(unseen), threshold)
    return figures


def category_scales(gallery: EmbeddedProducts, thresholds: dict[str, float]) -> Scales:
    """Return the scale of similarity of each category."""
    close = thresholds.get("close_photo")
    return {place: scale_of(gallery.take(gallery.labels == place), close) for place in range(len(CATEGORIES))}


def _outcomes(
    clothing: dict[str, QueryPictures],
    no_clothing: dict[str, QueryPictures],
    gallery: EmbeddedProducts,
    thresholds: dict[str, float],
) -> dict[str, Any]:
    """Return the shares of the outcomes of each kind of picture, searched in its predicted category."""
    scales = category_scales(gallery, thresholds)
    pictures, least = clothing | no_clothing, thresholds.get("no_clothing", 0.0)
    return {name: outcomes(of.probabilities, of.vectors, gallery, scales, least) for name, of in pictures.items()}


def no_clothing_scores(model: EvaluatedModel, images: EvaluationImages, terminal: Terminal) -> Scores:
    """Return the highest probability of each picture without clothing, by kind."""
    return {name: of.confidence for name, of in no_clothing_outputs(model, images, terminal).items()}


def _photo_figures(photos: EvaluationPhotos, pictures: QueryPictures, gallery: EmbeddedProducts) -> dict[str, Any]:
    judged = np.isin(photos.types, JUDGED_LABELS)
    queries = unlabelled_products(pictures.probabilities.argmax(axis=1)[judged], pictures.vectors[judged])
    types = {label: PHOTO_TYPES[label] for label in JUDGED_LABELS}
    return {
        "archive": photos.name,
        "senders": len(set(photos.senders.tolist())),
        "which_senders": "those that training has not seen" if photos.senders_excluded else "all in the archive",
        "senders_excluded": photos.senders_excluded,
        "skipped": photos.skipped,
        "unreadable": photos.unreadable,
        "classification": classification(photos.labels, pictures.probabilities, CATEGORIES),
        "type_agreement": type_agreement(photos.types[judged], queries, gallery, types),
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
