"""A product's images in its document: `images: [{url, sha256}]`, the main one first.

The vectors by the document's own model are in `vector` (the main image's) and in `embeddings` (the others'). Before
schema 2 the main image was `image_url` and `image_sha256`, and `images: [{url, sha256, vector}]` held the additional
ones.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from services.catalogue.documents.embeddings import FIELD as EMBEDDINGS
from services.catalogue.documents.embeddings import entry_name
from services.catalogue.documents.vectors import read_vector
from services.catalogue.product import MAX_IMAGES, Float32Array, ImageVector, ProductImage, unit_vector

FIELD = "images"
SCHEMA = 2  # of the documents that Lookalike writes; earlier ones do not have the field


@dataclass(frozen=True, slots=True)
class OwnImages:
    """The images of a document that have a vector of its own model, and the faults of the others."""

    images: tuple[ProductImage, ...]
    vectors: tuple[ImageVector, ...]
    faults: tuple[str, ...] = ()


def stored_images(images: Sequence[ProductImage]) -> list[dict[str, Any]]:
    """Return images as a document holds them.

    Raises:
        ValueError: there are too many.
    """
    if len(images) > MAX_IMAGES:
        raise ValueError(f"it has {len(images)} images: at most {MAX_IMAGES} are taken")
    return [{"url": image.url, "sha256": image.sha256} for image in images]


def read_images(document: Mapping[str, Any], main_vector: Float32Array) -> OwnImages:
    """Return the images of a document of either form.

    Args:
        document: as the database returns it.
        main_vector: the vector of its main image: the others have as many numbers.
    """
    main, *others = listed_images(document)
    images, vectors, faults = [main], [ImageVector(main.sha256, main_vector)], []
    stored = _vectors(document) if others else {}
    for number, image in enumerate(others):
        place = number if document.get("schema") is None else number + 1
        try:
            vector = unit_vector(read_vector(stored.get(number)), len(main_vector))
            if len(images) >= MAX_IMAGES:
                raise ValueError(f"at most {MAX_IMAGES} are taken")
        except ValueError as error:
            faults.append(f"{FIELD}[{place}]: {error}")
            continue
        images.append(image)
        vectors.append(ImageVector(image.sha256, vector))
    return OwnImages(tuple(images), tuple(vectors), tuple(faults))


def listed_images(document: Mapping[str, Any]) -> list[ProductImage]:
    """Return all images that a document of either form lists, the main one first; there is always one."""
    images = [ProductImage(_text(entry.get("url")), _text(entry.get("sha256"))) for entry in _entries(document)]
    if document.get("schema") is None:
        main = ProductImage(_text(document.get("image_url")), _text(document.get("image_sha256")))
        return [main, *images]
    return images or [ProductImage()]


def _vectors(document: Mapping[str, Any]) -> dict[int, Any]:
    """Return the stored vectors of the additional images by their place among these; missing ones are left out."""
    if document.get("schema") is None:
        return {number: entry.get("vector") for number, entry in enumerate(_entries(document))}
    entries = _own_entries(document)
    by_hash = {entry["sha256"]: entry.get("vector") for entry in entries if entry.get("sha256") is not None}
    unknown = iter([entry.get("vector") for entry in entries if entry.get("sha256") is None])
    hashes = [image.sha256 for image in listed_images(document)[1:]]
    return {
        number: next(unknown, None) if sha256 is None else by_hash.get(sha256) for number, sha256 in enumerate(hashes)
    }


def _own_entries(document: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return what the entry of the document's own model holds of the additional images."""
    embeddings = document.get(EMBEDDINGS)
    own = embeddings.get(entry_name(_text(document.get("model")))) if isinstance(embeddings, Mapping) else None
    images = own.get("images") if isinstance(own, Mapping) else None
    return [entry for entry in images[1:] if isinstance(entry, Mapping)] if isinstance(images, list) else []


def _entries(document: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Yield the entries of a document that are images.

    Before schema 2 an image had a vector: legacy documents may hold anything under this name.
    """
    value = document.get(FIELD)
    for entry in value if isinstance(value, list) else ():
        if isinstance(entry, Mapping) and (document.get("schema") is not None or "vector" in entry):
            yield entry


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None
