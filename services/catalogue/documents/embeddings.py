"""Vectors of further models in a product's document, beside those that the document itself is of.

`embeddings: {"fashion/2": {vector, prediction: {category, probability}, image_sha256, images: [{sha256, vector}]}}`. Whoever writes
a product without knowing of them leaves them where they are: `image_sha256` says which picture a vector was made of, so
one of an earlier picture is as good as missing. What cannot be read is missing too, and is computed anew.
"""

from collections.abc import Mapping
from typing import Any

from services.catalogue.documents.vectors import read_vector, stored_vector
from services.catalogue.product import Embedded, Float32Array, Prediction, unit_vector
from services.contracts.wire.embedding import BatchEmbedding, Embedding

FIELD = "embeddings"


def embedded(seen: Embedding | BatchEmbedding, image_sha256: str | None) -> Embedded:
    """Return what a further model makes of a product, from the embedding service's answer for its main image."""
    prediction = Prediction(seen.category.id, seen.category.probability)
    return Embedded(seen.array, prediction, image_sha256)


def stored_embedding(seen: Embedded) -> dict[str, Any]:
    """Return what a further model makes of a product as its document holds it.

    Raises:
        InvalidVector: a vector has no direction.
    """
    return {
        "vector": stored_vector(seen.vector),
        "prediction": {"category": seen.prediction.category, "probability": seen.prediction.probability},
        "image_sha256": seen.image_sha256,
        "images": [{"sha256": sha256, "vector": stored_vector(vector)} for sha256, vector in seen.images.items()],
    }


def stored_embeddings(embeddings: Mapping[str, Embedded]) -> dict[str, Any]:
    """Return the same of several models, by their names."""
    return {model: stored_embedding(seen) for model, seen in embeddings.items()}


def read_embeddings(value: Any) -> dict[str, Embedded]:
    """Return the embeddings of a document by model; those that are not whole are left out."""
    found: dict[str, Embedded] = {}
    for model, entry in value.items() if isinstance(value, Mapping) else ():
        seen = _read(entry)
        if seen is not None:
            found[str(model)] = seen
    return found


def current_models(value: Any, image_sha256: str | None) -> frozenset[str]:
    """Return the models whose vectors in a document are of the image that it has."""
    found = read_embeddings(value)
    return frozenset(model for model, seen in found.items() if seen.image_sha256 == image_sha256)


def read_prediction(value: Any) -> Prediction | None:
    """Return a network's opinion as documents hold it, or None."""
    match value:
        case {"category": int(category), "probability": int() | float() as probability} if category >= 0:
            return Prediction(int(category), float(probability))
        case _:
            return None


def _read(entry: Any) -> Embedded | None:
    if not isinstance(entry, Mapping):
        return None
    prediction = read_prediction(entry.get("prediction"))
    if prediction is None:
        return None
    try:
        vector = unit_vector(read_vector(entry.get("vector")))
        images = _images(entry.get("images"), len(vector))
    except ValueError:
        return None
    sha256 = entry.get("image_sha256")
    return Embedded(vector, prediction, sha256 if isinstance(sha256, str) else None, images)


def _images(value: Any, dimension: int) -> dict[str, Float32Array]:
    entries = [entry for entry in value if isinstance(entry, Mapping)] if isinstance(value, list) else []
    return {
        str(entry["sha256"]): unit_vector(read_vector(entry.get("vector")), dimension)
        for entry in entries
        if "sha256" in entry
    }
