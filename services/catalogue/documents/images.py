"""A product's images beside its main one, as documents hold them: `images: [{url, sha256, vector}]`."""

from collections.abc import Sequence
from typing import Any

from services.catalogue.documents.vectors import read_vector, stored_vector
from services.catalogue.product import MAX_IMAGES, FurtherImage, unit_vector

FIELD = "images"


def stored_images(images: Sequence[FurtherImage]) -> list[dict[str, Any]]:
    """Return further images as a document holds them.

    Raises:
        ValueError: there are too many; InvalidVector where a vector has no direction.
    """
    if len(images) >= MAX_IMAGES:
        raise ValueError(f"it has {1 + len(images)} images: at most {MAX_IMAGES} are taken")
    return [{"url": image.url, "sha256": image.sha256, "vector": stored_vector(image.vector)} for image in images]


def read_images(value: Any, dimension: int) -> tuple[tuple[FurtherImage, ...], tuple[str, ...]]:
    """Return a document's further images, and what is wrong with those that cannot be used.

    Args:
        value: what the document holds.
        dimension: numbers of the main image's vector: the others have as many.
    """
    found: list[FurtherImage] = []
    faults: list[str] = []
    for number, entry in _entries(value):
        try:
            vector = unit_vector(read_vector(entry["vector"]), dimension)
            if len(found) + 1 >= MAX_IMAGES:
                raise ValueError(f"at most {MAX_IMAGES} are taken")
            found.append(FurtherImage(vector, _text(entry.get("url")), _text(entry.get("sha256"))))
        except ValueError as error:
            faults.append(f"{FIELD}[{number}]: {error}")
    return tuple(found), tuple(faults)


def image_facts(value: Any) -> tuple[tuple[str | None, str | None], ...]:
    """Return URL and hash of each further image of a document."""
    return tuple((_text(entry.get("url")), _text(entry.get("sha256"))) for _, entry in _entries(value))


def _entries(value: Any) -> list[tuple[int, dict[str, Any]]]:
    """Return what is an image, with its place.

    What has no vector is none of ours: documents of the older form may hold anything under this name.
    """
    entries = enumerate(value if isinstance(value, list) else ())
    return [(number, entry) for number, entry in entries if isinstance(entry, dict) and "vector" in entry]


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None
