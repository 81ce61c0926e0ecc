"""Fingerprints, by which an import finds that a product has not changed."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from services.catalogue.documents.embeddings import FIELD as EMBEDDINGS
from services.catalogue.documents.embeddings import read_embeddings
from services.catalogue.documents.images import listed_images
from services.catalogue.product import ProductImage

# The embeddings come whole, vectors too: the stand-in for MongoDB cannot project single fields of the entries of a
# list.
FINGERPRINT_FIELDS = (
    *("schema", "image_url", "image_sha256", "feed_sha256", "model", "category_source", "images"),
    EMBEDDINGS,
)


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """The hashes of a product.

    Attributes:
        images: its images, the main one first.
        feed_sha256: hash of the feed's description.
        model: the product's own model.
        models: all models, its own included, that have a vector of the main image.
        category_source: where the category comes from.
    """

    images: tuple[ProductImage, ...]
    feed_sha256: str | None
    model: str | None
    models: frozenset[str | None]
    category_source: str = "unknown"


def read_fingerprint(document: Mapping[str, Any]) -> Fingerprint:
    """Return the fingerprint in a document that has FINGERPRINT_FIELDS."""
    images = listed_images(document)
    model = document.get("model")
    others = read_embeddings(document.get(EMBEDDINGS), without=model)
    return Fingerprint(
        tuple(images),
        document.get("feed_sha256"),
        model,
        frozenset([model, *(name for name, embedding in others.items() if embedding.is_of(images[0]))]),
        document.get("category_source") or "unknown",
    )
