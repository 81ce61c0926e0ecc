"""A product of the shop's catalogue."""

import hashlib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Literal
from urllib.parse import quote

import numpy as np
from numpy.typing import NDArray

from services.contracts.domain.filtering.filters import AttributeValue

Float32Array = NDArray[np.float32]
Attributes = Mapping[str, AttributeValue | list[AttributeValue]]
MAX_KEY_LENGTH = 256
MAX_ATTRIBUTES = 100  # of one product
MAX_GROUP_LENGTH = 256
MAX_IMAGES = 20  # of one product, its main one included
NAME_DIGITS = 16  # of a picture's hash: enough to distinguish the pictures of one product


@dataclass(frozen=True)
class Prediction:
    """The category that a model predicts for a product's main image."""

    category: int
    probability: float


@dataclass(frozen=True, slots=True)
class ProductImage:
    """An image of a product.

    Attributes:
        url: where the shop shows the image; None where the catalogue stores the picture, or none is known.
        sha256: hash of the picture's bytes; None in documents that do not say.
    """

    url: str | None = None
    sha256: str | None = None


@dataclass(frozen=True, slots=True)
class ImageVector:
    """The vector of an image by a model: float32, shape (dimension,), unit length. `sha256` identifies the image."""

    sha256: str | None
    vector: Float32Array


@dataclass(frozen=True)
class ProductEmbedding:
    """What a model computes of a product's images.

    Attributes:
        images: the vectors; the first is that of the main image at the time.
        prediction: the category that the model predicts for that image; None in documents that do not say.
    """

    images: tuple[ImageVector, ...]
    prediction: Prediction | None = None

    @property
    def vector(self) -> Float32Array:
        """The vector of the main image."""
        return self.images[0].vector

    def is_of(self, main: ProductImage) -> bool:
        """Whether it belongs to a product with this main image: with another one, it no longer counts."""
        return self.images[0].sha256 == main.sha256

    def vectors_of(self, images: Sequence[ProductImage]) -> list[Float32Array | None]:
        """Return the vector of each image, None where there is none.

        Images are matched by their hashes, and images without a hash by their order.
        """
        by_hash = {image.sha256: image.vector for image in self.images}
        unknown = iter([image.vector for image in self.images if image.sha256 is None])
        return [next(unknown, None) if image.sha256 is None else by_hash.get(image.sha256) for image in images]


@dataclass(frozen=True)
class Product:
    """One product.

    Attributes:
        key: the product's id, unique in the catalogue; the document's `_id`.
        category: category id of the active model's manifest, 0 to 8 for the shipped models.
        embeddings: the embeddings of the images, by the model's name; `model` is always one of them.
        model: the model by which the product is searched, such as `fashion/2`; None in documents that do not say.
        images: the images in the shop's order, the main one first; there is always one, if need be one of which nothing
            is known. `embeddings[model]` has a vector of each.
        url, title, attributes: what a result shows and filters by.
        group: what the variants of a style share, such as a feed's `item_group_id`; None for a product by itself.
        category_source: where the category comes from: the feed, a mapping of the feed's words, or the network.
        feed_sha256: hash of the feed's description, by which an import skips unchanged products.
        updated_at: when the document was written, UTC.
        created_at: when Lookalike first wrote the document, UTC; a later write does not change it. None in documents
            that do not say.
    """

    key: str
    category: int
    embeddings: Mapping[str | None, ProductEmbedding]
    model: str | None = None
    images: tuple[ProductImage, ...] = (ProductImage(),)
    url: str | None = None
    title: str | None = None
    attributes: Attributes = field(default_factory=dict)
    group: str | None = None
    category_source: Literal["feed", "mapping", "network", "unknown"] = "unknown"
    feed_sha256: str | None = None
    updated_at: datetime | None = None
    created_at: datetime | None = None

    @property
    def embedding(self) -> ProductEmbedding:
        """The embedding by the product's own model."""
        return self.embeddings[self.model]

    @property
    def vector(self) -> Float32Array:
        """The vector of the main image: float32, shape (dimension,), unit length."""
        return self.embedding.vector

    @property
    def vectors(self) -> Float32Array:
        """The vectors of all images, in their order: float32, shape (images, dimension)."""
        if len(self.images) == 1:
            return self.vector[None, :]
        return np.stack([vector for vector in self.embedding.vectors_of(self.images) if vector is not None])

    def embedded_by(self, model: str) -> "Product | None":
        """Return the product with a model's vectors as its own, and in that model's category unless the shop gave one.

        Images of which the model has no vector are left out. None if the model has no vector of the main image.
        """
        if self.model == model:
            return self
        embedding = self.embeddings.get(model)
        if embedding is None or not embedding.is_of(self.images[0]):
            return None
        category = self.category
        if self.category_source not in ("feed", "mapping") and embedding.prediction is not None:
            category = embedding.prediction.category
        vectors = embedding.vectors_of(self.images)
        images = tuple(image for image, vector in zip(self.images, vectors, strict=True) if vector is not None)
        return replace(self, model=model, category=category, images=images)

    @property
    def picture_urls(self) -> list[str | None]:
        """Where its pictures are: the shop's URL, or the gateway's path of the stored copy, or None."""
        return [self._picture_url(number, image) for number, image in enumerate(self.images)]

    def _picture_url(self, number: int, image: ProductImage) -> str | None:
        if image.url is not None or image.sha256 is None:
            return image.url
        query = f"v={image.sha256[:12]}" if number == 0 else f"picture={picture_name(image.sha256)}"
        return f"/v1/products/{quote(self.key, safe='')}/image?{query}"


@dataclass(frozen=True)
class StoredImage:
    """A picture that no web server of the shop has: the bytes as they came."""

    content_type: str
    data: bytes

    @property
    def sha256(self) -> str:
        """Hash of the bytes, hexadecimal."""
        return hashlib.sha256(self.data).hexdigest()


def picture_name(sha256: str) -> str:
    """Return a picture's name among the pictures of its product."""
    return sha256[:NAME_DIGITS]


class InvalidVector(ValueError):
    """A stored vector cannot be used. The text says why."""


def unit_vector(values: Float32Array, dimension: int | None = None) -> Float32Array:
    """Return the vector at unit length.

    Args:
        values: shape (dimension,), any finite numbers that are not all zero.
        dimension: the model's; None for any.

    Raises:
        InvalidVector: the shape is another, or the vector holds NaN or infinity, or is all zero.
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
