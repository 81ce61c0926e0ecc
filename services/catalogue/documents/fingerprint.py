"""What tells an import that a product has not changed."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from services.catalogue.documents.embeddings import current_models
from services.catalogue.documents.images import image_facts

# The images come whole, vectors too: the stand-in for MongoDB cannot project single fields of what is in a list.
FINGERPRINT_FIELDS = {
    "image_sha256": 1,
    "feed_sha256": 1,
    "model": 1,
    "category_source": 1,
    "images": 1,
    "embeddings": 1,
}


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """The hashes of a product.

    Attributes:
        image_sha256: hash of the main image's bytes.
        feed_sha256: hash of the description that the feed gave.
        model: the model that the product's own vector comes from.
        category_source: where the category comes from.
        images: URL and hash of each additional image.
        beside: other models with vectors of the current main image.
    """

    image_sha256: str | None
    feed_sha256: str | None
    model: str | None
    category_source: str
    images: tuple[tuple[str | None, str | None], ...] = ()
    beside: frozenset[str] = frozenset()

    def seen_by(self, model: str) -> bool:
        """Whether the product has a vector of a model."""
        return self.model == model or model in self.beside


def read_fingerprint(document: Mapping[str, Any]) -> Fingerprint:
    """Return the fingerprint in a document that has FINGERPRINT_FIELDS."""
    return Fingerprint(
        document.get("image_sha256"),
        document.get("feed_sha256"),
        document.get("model"),
        document.get("category_source") or "unknown",
        image_facts(document.get("images")),
        current_models(document.get("embeddings"), document.get("image_sha256")),
    )
