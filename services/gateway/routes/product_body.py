"""The OpenAPI description of a body that holds a product, whole or in part."""

from typing import Any

from services.gateway.products.body import ProductBody
from services.gateway.routes.photo_body import BINARY
from services.gateway.search.request import FORM, JSON

MERGE_PATCH = "application/merge-patch+json"


def product_body() -> dict[str, Any]:
    """Return the `requestBody` of a whole product."""
    schema = ProductBody.model_json_schema()
    # A reference to `#/$defs` leads nowhere from here: references are resolved from the document's root.
    image_list, _ = schema["properties"]["images"]["anyOf"]
    image_list["items"] = schema.pop("$defs")["ImageBody"]
    form = {
        "type": "object",
        "required": ["image"],
        "properties": {
            "image": BINARY,
            "images": {
                "type": "array",
                "items": BINARY,
                "description": "additional images, after those that `product` lists; with them, an existing product "
                "needs no `image`",
            },
            "product": {"type": "string", "description": "the product as a JSON object, as in application/json"},
        },
    }
    return {"required": True, "content": {JSON: {"schema": schema}, FORM: {"schema": form}}}


def patch_body() -> dict[str, Any]:
    """Return the `requestBody` of changes of a product."""
    whole = product_body()["content"]
    fields = whole[JSON]["schema"]["properties"]
    patch = {
        "type": "object",
        "description": "A JSON merge patch: the fields to change, null to remove one",
        "properties": fields,
        "additionalProperties": False,
        "example": {"title": "Another title", "attributes": {"price": 24.9, "sale": None}},
    }
    form = {**whole[FORM]["schema"], "required": []}
    return {"required": True, "content": {MERGE_PATCH: {"schema": patch}, FORM: {"schema": form}}}
