"""What a result shows of a product, as one JSON text: it takes little memory."""

from typing import Any

import orjson

from services.catalogue.product import Product
from services.contracts.domain.filtering.filters import AttributeValue

GROUP = "group"
IMAGES = "images"  # the URLs of the additional images; snapshots hold payloads of this form


def pack(product: Product) -> bytes | None:
    """Return the payload of a product; None if a result shows nothing but its id."""
    values = {"url": product.url, "image_url": product.picture_urls[0], "title": product.title, GROUP: product.group}
    fields: dict[str, Any] = {name: value for name, value in values.items() if value is not None}
    if len(product.images) > 1:
        fields[IMAGES] = product.picture_urls[1:]
    if product.attributes:
        fields["attributes"] = dict(product.attributes)
    # A copy: orjson returns bytes in a shortened allocation of 4 kB whose rest is never used again (measured: 3.9 kB a
    # product instead of 0.3).
    return bytes(memoryview(orjson.dumps(fields))) if fields else None


def unpack(payload: bytes | None, image_index: int = 0) -> dict[str, Any]:
    """Return the fields of a payload, named as in a response.

    Args:
        payload: of a product.
        image_index: the product's image whose URL is returned; 0 is the main image.
    """
    fields: dict[str, Any] = {} if payload is None else orjson.loads(payload)
    additional = fields.pop(IMAGES, [])
    if image_index and additional[image_index - 1] is not None:
        fields["image_url"] = additional[image_index - 1]
    return fields


def attributes_of(payload: bytes | None) -> dict[str, AttributeValue | list[AttributeValue]]:
    """Return the attributes in a payload, for filters and facets; the group is one of them, unless one has its name."""
    fields: dict[str, Any] = {} if payload is None else orjson.loads(payload)
    attributes: dict[str, AttributeValue | list[AttributeValue]] = fields.get("attributes", {})
    return {GROUP: fields[GROUP], **attributes} if GROUP in fields else attributes
