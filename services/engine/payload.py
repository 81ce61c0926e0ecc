"""What a result shows of a product, kept beside its vector in as little memory as may be: one JSON text."""

from typing import Any

import orjson

from services.catalogue.product import Product
from services.contracts.domain.filters import AttributeValue

IMAGES = "images"  # the further images' URLs


def pack(product: Product) -> bytes | None:
    """Return the payload of a product; None when there is nothing to show but its id."""
    shown = {"url": product.url, "image_url": product.picture_url, "title": product.title}
    fields: dict[str, Any] = {name: value for name, value in shown.items() if value is not None}
    if product.images:
        fields[IMAGES] = product.further_urls
    if product.attributes:
        fields["attributes"] = dict(product.attributes)
    # As a copy: what orjson returns sits in a 4 kB allocation cut short, and the rest is never used again (measured:
    # 3.9 kB a product instead of 0.3).
    return bytes(memoryview(orjson.dumps(fields))) if fields else None


def unpack(payload: bytes | None, image: int = 0) -> dict[str, Any]:
    """Return the fields of a payload, by the names they have in an answer.

    Args:
        payload: a product's.
        image: which of its images is shown: 0 the main one, n the n-th further one.
    """
    fields: dict[str, Any] = {} if payload is None else orjson.loads(payload)
    further = fields.pop(IMAGES, [])
    if image and further[image - 1] is not None:
        fields["image_url"] = further[image - 1]
    return fields


def attributes_of(payload: bytes | None) -> dict[str, AttributeValue | list[AttributeValue]]:
    """Return the attributes in a payload."""
    attributes: dict[str, AttributeValue | list[AttributeValue]] = unpack(payload).get("attributes", {})
    return attributes
