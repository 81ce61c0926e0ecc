"""The vectors of products' images by product, image and model, and how they become a product's embeddings."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from services.catalogue.product import Float32Array, ImageVector, Product, ProductEmbedding, ProductImage

Vectors = dict[tuple[str, str, str], Float32Array]  # by the product's key, the image's hash and the model


def known_vectors(products: Iterable[Product], models: Sequence[str | None]) -> Vectors:
    """Return the vectors of these models that products have, also of images that they no longer show."""
    return {
        (product.key, image.sha256, model): image.vector
        for product in products
        for model in models
        if model is not None and model in product.embeddings
        for image in product.embeddings[model].images
        if image.sha256 is not None
    }


def with_images(product: Product, images: Sequence[ProductImage], old: Product | None, vectors: Vectors) -> Product:
    """Return a product with its images and the embeddings of them.

    Args:
        product: as it is to be, with the embeddings of the main image.
        images: all its images, the main one first. Additional ones without a vector of the product's model are left
            out.
        old: the product as it is stored, where it was read. The embeddings of its other models stay if the main image
            is the same.
        vectors: those that are known.
    """
    assert product.model is not None
    main, *others = images
    usable = [image for image in others if (product.key, image.sha256, product.model) in vectors]
    stored = {} if old is None else old.embeddings
    embeddings: dict[str | None, ProductEmbedding] = {
        model: _extended(product.key, str(model), embedding, usable, vectors)
        for model, embedding in {**stored, **product.embeddings}.items()
        if model is not None and embedding.is_of(main)
    }
    return replace(product, images=(main, *usable), embeddings=embeddings)


def with_urls(product: Product, images: Iterable[ProductImage]) -> Product:
    """Return a product, whose images are the same, with the URLs that they have now."""
    urls = {image.sha256: image.url for image in images}
    main, *others = product.images
    linked = (replace(image, url=urls.get(image.sha256, image.url)) for image in others)
    return replace(product, images=(main, *linked))


def _extended(
    key: str, model: str, embedding: ProductEmbedding, images: Sequence[ProductImage], vectors: Vectors
) -> ProductEmbedding:
    """Return a main image's embedding with the vectors of additional images."""
    known = ((image.sha256, vectors.get((key, str(image.sha256), model))) for image in images)
    additional = (ImageVector(sha256, vector) for sha256, vector in known if vector is not None)
    return replace(embedding, images=(embedding.images[0], *additional))
