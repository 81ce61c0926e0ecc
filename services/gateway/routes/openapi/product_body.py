"""The OpenAPI description of a body that holds a product, whole or in part."""

from typing import Any

from services.gateway.products.body import ProductBody
from services.gateway.routes.openapi.components import named, named_model
from services.gateway.routes.openapi.example_image import EXAMPLE_IMAGE
from services.gateway.routes.openapi.photo_body import BINARY
from services.gateway.search.request import FORM, JSON

EXAMPLE = {
    "title": "Navy shirt",
    "url": "https://shop.example/products/15970",
    "image_base64": EXAMPLE_IMAGE,
    "attributes": {"gender": "Men", "price": 29.9},
}
MERGE_PATCH = "application/merge-patch+json"


_FORM_PROPERTIES = {
    "image": {**BINARY, "description": "the main image"},
    "images": {
        "type": "array",
        "items": BINARY,
        "description": "additional images, after those that `product` lists; with them, an existing product needs no "
        "`image`",
    },
}


def product_body() -> dict[str, Any]:
    """Return the `requestBody` of a whole product."""
    text = {"type": "string", "description": "the product as a JSON object, as in application/json"}
    form = {"type": "object", "properties": {**_FORM_PROPERTIES, "product": text}}
    return {
        "required": True,
        "content": {
            JSON: {"schema": named_model(ProductBody), "example": EXAMPLE},
            FORM: {"schema": named("ProductForm", form)},
        },
    }


def patch_body() -> dict[str, Any]:
    """Return the `requestBody` of changes of a product."""
    patch = {
        "type": "object",
        "description": "A JSON merge patch (RFC 7396): the fields of a product that change; null removes one",
        "additionalProperties": True,
    }
    text = {"type": "string", "description": "the changes as a JSON object"}
    form = {"type": "object", "properties": {**_FORM_PROPERTIES, "product": text}}
    example = {"title": "Another title", "attributes": {"price": 24.9, "sale": None}}
    return {
        "required": True,
        "content": {
            MERGE_PATCH: {"schema": named("ProductPatch", patch), "example": example},
            FORM: {"schema": named("ProductPatchForm", form)},
        },
    }
