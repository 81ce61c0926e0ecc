"""Products for tests, described by what matters to a test."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from services.catalogue.product import (
    Float32Array,
    ImageVector,
    Prediction,
    Product,
    ProductEmbedding,
    ProductImage,
)


def embedding(
    vector: Float32Array,
    sha256: str | None = None,
    *,
    prediction: Prediction | None = None,
    additional: Mapping[str, Float32Array] | None = None,
) -> ProductEmbedding:
    """Return what a model computes: of the main image of this hash, and of additional ones by their hashes."""
    others = (ImageVector(name, other) for name, other in (additional or {}).items())
    return ProductEmbedding((ImageVector(sha256, vector), *others), prediction)


def additional_image(
    vector: Any, url: str | None = None, sha256: str | None = None
) -> tuple[ProductImage, Float32Array]:
    """Return an additional image with its vector by the product's own model, for `make_product`."""
    return ProductImage(url, sha256), np.asarray(vector, np.float32)


def make_product(
    key: str,
    category: int,
    vector: Float32Array,
    model: str | None = None,
    *,
    image_url: str | None = None,
    image_sha256: str | None = None,
    prediction: Prediction | None = None,
    images: Sequence[tuple[ProductImage, Float32Array]] = (),
    embeddings: Mapping[str | None, ProductEmbedding] | None = None,
    **facts: Any,
) -> Product:
    """Return a product with a main image of which only these facts are known.

    Args:
        key, category, model: the product's.
        vector: the main image's.
        image_url, image_sha256, prediction: of the main image.
        images: the additional ones; see `additional_image`.
        embeddings: those of other models.
        facts: other fields of the product.
    """
    vectors = [ImageVector(image_sha256, vector), *(ImageVector(image.sha256, other) for image, other in images)]
    return Product(
        key=key,
        category=category,
        embeddings={**(embeddings or {}), model: ProductEmbedding(tuple(vectors), prediction)},
        model=model,
        images=(ProductImage(image_url, image_sha256), *(image for image, _ in images)),
        **facts,
    )
