"""Which vectors the further images of products have, of the model that searches use and of the one beside it."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from services.catalogue.product import Float32Array, FurtherImage, Product

Vectors = dict[tuple[str, str, str], Float32Array]  # by the product's key, the image's hash and the model
Listed = Iterable[tuple[str | None, str]]  # URL and hash of each further image


def own_vectors(products: Iterable[Product]) -> Vectors:
    """Return the vectors of the products' own models that their further images have."""
    return {
        (product.key, sha256, product.model): vector
        for product in products
        if product.model is not None
        for sha256, vector in _by_hash(product.images).items()
    }


def standing_vectors(products: Iterable[Product], models: Sequence[str]) -> Vectors:
    """Return the vectors of these models that products have as they stand, of whatever image."""
    found: Vectors = {}
    for product in products:
        for model in models:
            seen = _seen(product, model)
            found |= {(product.key, sha256, model): vector for sha256, vector in seen if sha256 is not None}
    return found


def with_images(listed: Listed, product: Product, old: Product | None, vectors: Vectors) -> Product:
    """Return a product with its further images, and with what the model beside makes of them.

    Args:
        listed: its images, in their order; one without a vector of the product's model is left out.
        product: as it is to be, but for them.
        old: as it stands, where it was looked up: it has the vectors of the model beside, if the main image is the same.
        vectors: those that are known.
    """
    assert product.model is not None
    found = ((url, sha256, vectors.get((product.key, sha256, product.model))) for url, sha256 in listed)
    images = tuple(FurtherImage(vector, url, sha256) for url, sha256, vector in found if vector is not None)
    others = {**(old.embeddings if old is not None else {}), **product.embeddings}
    embeddings = {
        name: replace(seen, images=_known(name, product.key, images, vectors))
        for name, seen in others.items()
        if name != product.model and seen.image_sha256 == product.image_sha256
    }
    return replace(product, images=images, embeddings=embeddings)


def relinked(listed: Listed, product: Product) -> Product:
    """Return a product, whose images are the same, with the addresses that they have now."""
    urls = {sha256: url for url, sha256 in listed}
    images = (replace(image, url=urls.get(image.sha256 or "", image.url)) for image in product.images)
    return replace(product, images=tuple(images))


def _seen(product: Product, model: str) -> list[tuple[str | None, Float32Array]]:
    """Return hash and vector of each image that a model has seen, also of a main one that is another by now."""
    if product.model == model:
        return [(product.image_sha256, product.vector), *_by_hash(product.images).items()]
    seen = product.embeddings.get(model)
    return [] if seen is None else [(seen.image_sha256, seen.vector), *seen.images.items()]


def _by_hash(images: Sequence[FurtherImage]) -> dict[str, Float32Array]:
    return {image.sha256: image.vector for image in images if image.sha256 is not None}


def _known(model: str, key: str, images: Sequence[FurtherImage], vectors: Vectors) -> dict[str, Float32Array]:
    found = {image.sha256: vectors.get((key, image.sha256, model)) for image in images if image.sha256 is not None}
    return {sha256: vector for sha256, vector in found.items() if vector is not None}
