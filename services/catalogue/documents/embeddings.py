"""Embeddings in product documents: `embeddings: {model: {prediction, images: [{sha256, vector}]}}`.

The first of `images` is the main image that the prediction is of. In the entry of the document's own `model` it has no
vector: that is the document's `vector`. A writer that does not know a model leaves its entry as it is; the hashes tell
whether the entry belongs to the images that the product has now. An entry that cannot be read counts as missing.

Before schema 2 an entry was `{vector, prediction, image_sha256, images: [{sha256, vector}]}`, with the additional
images only in `images`, and a document had none for its own model.
"""

from collections.abc import Mapping
from typing import Any

from services.catalogue.documents.names import shown_name, stored_name
from services.catalogue.documents.vectors import read_vector, stored_vector
from services.catalogue.product import ImageVector, Prediction, ProductEmbedding, unit_vector
from services.contracts.wire.embedding import BatchEmbedding, Embedding

FIELD = "embeddings"
UNKNOWN = "unknown"  # the name of the entry of a document that names no model


def entry_name(model: str | None) -> str:
    """Return the name of a model's entry."""
    return UNKNOWN if model is None else stored_name(model)


def embedding_of(response: Embedding | BatchEmbedding, image_sha256: str | None) -> ProductEmbedding:
    """Return a product's embedding from the embedding service's response for its main image."""
    prediction = Prediction(response.category.id, response.category.probability)
    return ProductEmbedding((ImageVector(image_sha256, response.array),), prediction)


def stored_embedding(embedding: ProductEmbedding, *, own: bool = False) -> dict[str, Any]:
    """Return an embedding as a document holds it.

    Args:
        embedding: what a model computes of the product's images.
        own: whether it is the document's own model, whose main vector is the document's `vector`.

    Raises:
        InvalidVector: a vector has no direction.
    """
    main, *others = embedding.images
    stored_main: dict[str, Any] = {"sha256": main.sha256}
    if not own:
        stored_main["vector"] = stored_vector(main.vector)
    images = [{"sha256": image.sha256, "vector": stored_vector(image.vector)} for image in others]
    return {"prediction": stored_prediction(embedding.prediction), "images": [stored_main, *images]}


def stored_embeddings(embeddings: Mapping[str | None, ProductEmbedding], own: str | None) -> dict[str, Any]:
    """Return the embeddings of several models as a document of the model `own` holds them."""
    return {entry_name(model): stored_embedding(embedding, own=model == own) for model, embedding in embeddings.items()}


def read_embeddings(value: Any, without: str | None = None) -> dict[str | None, ProductEmbedding]:
    """Return the embeddings in a document by model, except that of the model `without`."""
    embeddings: dict[str | None, ProductEmbedding] = {}
    for name, entry in value.items() if isinstance(value, Mapping) else ():
        model = shown_name(str(name))
        if model not in (without, UNKNOWN) and (embedding := read_embedding(entry)) is not None:
            embeddings[model] = embedding
    return embeddings


def read_embedding(entry: Any) -> ProductEmbedding | None:
    """Return the embedding in an entry of either form that has all its vectors, or None if it cannot be read."""
    if not isinstance(entry, Mapping) or (prediction := read_prediction(entry.get("prediction"))) is None:
        return None
    images = _entries(entry.get("images"))
    if "vector" in entry:
        images = [{"sha256": entry.get("image_sha256"), "vector": entry["vector"]}, *images]
    try:
        return ProductEmbedding(_image_vectors(images), prediction)
    except ValueError:
        return None


def stored_prediction(prediction: Prediction | None) -> dict[str, Any] | None:
    """Return a prediction as documents hold it."""
    return None if prediction is None else {"category": prediction.category, "probability": prediction.probability}


def read_prediction(value: Any) -> Prediction | None:
    """Return the prediction that a document holds, or None."""
    match value:
        case {"category": int(category), "probability": int() | float() as probability} if category >= 0:
            return Prediction(int(category), float(probability))
        case _:
            return None


def _entries(value: Any) -> list[Mapping[str, Any]]:
    return [entry for entry in value if isinstance(entry, Mapping)] if isinstance(value, list) else []


def _image_vectors(entries: list[Mapping[str, Any]]) -> tuple[ImageVector, ...]:
    if not entries:
        raise ValueError("there is no image")
    main, *others = entries
    vector = unit_vector(read_vector(main.get("vector")))
    vectors = [ImageVector(_text(main.get("sha256")), vector)]
    for entry in (entry for entry in others if "sha256" in entry):
        image = unit_vector(read_vector(entry.get("vector")), len(vector))
        vectors.append(ImageVector(str(entry["sha256"]), image))
    return tuple(vectors)


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None
