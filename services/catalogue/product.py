"""A product of the shop's catalogue, as the rest of Lookalike sees it."""

import hashlib
import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Literal
from urllib.parse import quote

import numpy as np
from numpy.typing import NDArray

from services.contracts.domain.filters import AttributeValue

Float32Array = NDArray[np.float32]
Attributes = Mapping[str, AttributeValue | list[AttributeValue]]
MAX_KEY_LENGTH = 256
MAX_IMAGES = 20  # of one product, its main one among them
NAME_DIGITS = 16  # of a picture's hash: what tells it from the other pictures of its product


@dataclass(frozen=True)
class Prediction:
    """What the network said of the product's image, kept beside the category that counts."""

    category: int
    probability: float


@dataclass(frozen=True)
class Embedded:
    """What a further model makes of a product's images.

    Attributes:
        vector: of the main image: float32, shape (dimension,), unit length.
        prediction: the model's category for it.
        image_sha256: hash of the main image that the product had then: with another one, all this no longer counts.
        images: vectors of further images, by their hashes.
    """

    vector: Float32Array
    prediction: Prediction
    image_sha256: str | None = None
    images: Mapping[str, Float32Array] = field(default_factory=dict)


@dataclass(frozen=True)
class FurtherImage:
    """A picture of a product beside its main one. Products are found by it as well.

    Attributes:
        vector: float32, shape (dimension,), unit length, of the product's model.
        url: where the shop shows the picture; None where the catalogue keeps it.
        sha256: hash of the picture's bytes; None in documents that do not say.
    """

    vector: Float32Array
    url: str | None = None
    sha256: str | None = None


@dataclass(frozen=True)
class Product:
    """One product.

    Attributes:
        key: the product's id, unique in the catalogue; the document's `_id`.
        category: category id of the active model's manifest, 0 to 8 for the shipped models.
        vector: float32, shape (dimension,), unit length.
        model: the model the vector comes from, such as `fashion/2`; None in documents that do not say.
        url, image_url, title, attributes: what a result shows and filters by.
        category_source: who said the category: the feed, a mapping of the feed's words, or the network.
        prediction: the network's own opinion.
        image_sha256: hash of the main image's bytes, by which an import skips what has not changed.
        feed_sha256: hash of everything else that the feed said, for the same purpose.
        updated_at: when the document was written, UTC.
        embeddings: what models other than `model` make of its images, by their names; see `seen_by`.
        images: its pictures beside the main one, in the shop's order; all are of its category and model.
    """

    key: str
    category: int
    vector: Float32Array
    model: str | None = None
    url: str | None = None
    image_url: str | None = None
    title: str | None = None
    attributes: Attributes = field(default_factory=dict)
    category_source: Literal["feed", "mapping", "network", "unknown"] = "unknown"
    prediction: Prediction | None = None
    image_sha256: str | None = None
    feed_sha256: str | None = None
    updated_at: datetime | None = None
    embeddings: Mapping[str, Embedded] = field(default_factory=dict)
    images: tuple[FurtherImage, ...] = ()

    def seen_by(self, model: str) -> "Product | None":
        """Return the product as a model sees it: with its vectors, and in its category where the shop did not say one.
        Further images that the model has not seen are missing.

        None when the model has not seen its image as it is now.
        """
        if self.model == model:
            return self
        seen = self.embeddings.get(model)
        if seen is None or seen.image_sha256 != self.image_sha256:
            return None
        category = self.category if self.category_source in ("feed", "mapping") else seen.prediction.category
        known = [(image, seen.images.get(image.sha256 or "")) for image in self.images]
        images = tuple(replace(image, vector=vector) for image, vector in known if vector is not None)
        return replace(
            self, vector=seen.vector, model=model, category=category, prediction=seen.prediction, images=images
        )

    @property
    def vectors(self) -> Float32Array:
        """The vectors of all its images, the main one's first: float32, shape (images, dimension)."""
        if not self.images:
            return self.vector[None, :]
        return np.stack([self.vector, *(image.vector for image in self.images)])

    @property
    def picture_url(self) -> str | None:
        """Where the product's picture is: its own URL, or the gateway's path of the stored copy, or None."""
        if self.image_url is not None or self.image_sha256 is None:
            return self.image_url
        return f"/v1/products/{quote(self.key, safe='')}/image?v={self.image_sha256[:12]}"

    @property
    def further_urls(self) -> list[str | None]:
        """Where its further pictures are, in their order: as `picture_url`."""
        return [self._further_url(image) for image in self.images]

    def _further_url(self, image: FurtherImage) -> str | None:
        if image.url is not None or image.sha256 is None:
            return image.url
        return f"/v1/products/{quote(self.key, safe='')}/image?picture={picture_name(image.sha256)}"


@dataclass(frozen=True)
class StoredImage:
    """A product's picture that no web server of the shop has: the bytes as they came."""

    content_type: str
    data: bytes

    @property
    def sha256(self) -> str:
        """Hash of the bytes, hexadecimal."""
        return hashlib.sha256(self.data).hexdigest()


def picture_name(sha256: str) -> str:
    """Return by what a further picture is told from the others of its product."""
    return sha256[:NAME_DIGITS]


class InvalidVector(ValueError):
    """A stored vector cannot be used. The text says why."""


def unit_vector(values: Float32Array, dimension: int | None = None) -> Float32Array:
    """Return the vector at unit length.

    Args:
        values: shape (dimension,), any finite numbers that are not all zero.
        dimension: what the model asks for; not checked when None.

    Raises:
        InvalidVector: another length, NaN, infinity, or no direction (all zero).
    """
    array = np.asarray(values, dtype=np.float32)
    if array.ndim != 1 or (dimension is not None and array.shape[0] != dimension):
        raise InvalidVector(f"the vector has shape {array.shape}, not ({dimension},)")
    wide = array.astype(np.float64)
    length = math.sqrt(wide.dot(wide))
    if not math.isfinite(length) or length == 0.0:
        raise InvalidVector("the vector holds NaN or infinity, or is all zero")
    unit: Float32Array = array / np.float32(length)
    return unit
