"""The OpenAPI description of a body that holds a photo, in each of its forms, and of the errors of such a body."""

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel

from services.contracts.domain import errors
from services.gateway.routes.openapi.components import named, without_default
from services.gateway.search.options import LIKE, UNLIKE, NoOptions, Schema, json_properties, text_properties
from services.gateway.search.request import EXAMPLES, FORM, JSON

NAMES = {"filter": "Filter", "box": "BoxOrEdges", "rules": "SearchRules"}  # of the options whose schemas are objects
BYTES = "application/octet-stream"
BINARY: Schema = {"type": "string", "format": "binary"}
IMAGE_SOURCES: dict[str, Schema] = {
    "image_url": {"type": "string", "description": "URL of the photo"},
    "image_base64": {"type": "string", "description": "the image file in base64, or a data: URL"},
}
PHOTO_ERRORS = (
    errors.InvalidRequest,
    errors.InvalidImage,
    errors.ImageUrlRefused,
    errors.ImageUrlFailed,
    errors.ImageTooLarge,
    errors.RequestTooLarge,
    errors.UnsupportedImage,
)


def photo_body(name: str, examples: Mapping[str, Schema], options: type[BaseModel] = NoOptions) -> dict[str, Any]:
    """Return the `requestBody` of a route.

    Args:
        name: what the bodies' names in the OpenAPI document begin with.
        examples: of the body in JSON.
        options: the route's options, which travel in the body with the photo.
    """
    takes_examples = set(EXAMPLES) <= set(options.model_fields)
    needs_photo = not takes_examples and not {"query_product", "product"} & set(options.model_fields)
    form: Schema = {
        "type": "object",
        **({"required": ["image"]} if needs_photo else {}),
        "description": "The photo as a file, with the options as text",
        "properties": {"image": BINARY, **without_default(text_properties(options)), **_example_parts(options)},
    }
    # Which of the two sources is given cannot be said with `required` alone: generators make `Any` of a `oneOf` of it.
    json: Schema = {
        "type": "object",
        "description": "The photo by exactly one of `image_url` and `image_base64`, with the options",
        "properties": {
            **IMAGE_SOURCES,
            **_named(without_default(json_properties(options))),
            **(_examples_in_json() if takes_examples else {}),
        },
        "additionalProperties": False,
    }
    return {
        "required": True,
        "description": "The photo: as a form's file, in JSON, or as the body itself, whose type may also be `image/*`.",
        "content": {
            FORM: {"schema": named(f"{name}Form", form)},
            JSON: {"schema": named(f"{name}Body", json), "examples": examples},
            BYTES: {"schema": BINARY},
        },
    }


def _named(properties: Mapping[str, Schema]) -> dict[str, Schema]:
    """Return options with names for the schemas of those that are objects."""
    return {name: named(NAMES[name], schema) if name in NAMES else schema for name, schema in properties.items()}


def _examples_in_json() -> dict[str, Schema]:
    """Return the schemas of what to like and not: ids of products, and images."""
    image = {"type": "object", "properties": IMAGE_SOURCES, "additionalProperties": False}
    item = {"anyOf": [{"type": "string", "description": "id of a product"}, named("ExampleImage", image)]}
    return {
        name: {"type": "array", "items": item, "description": text}
        for name, text in (("like", LIKE), ("unlike", UNLIKE))
    }


def _example_parts(options: type[BaseModel]) -> dict[str, Schema]:
    """Return the parts of a form that are images to like or not; ids are text parts of the same names."""
    text = "images; an id of a product is a text part of the same name"
    return {
        name: {"type": "array", "items": BINARY, "description": text}
        for name in EXAMPLES
        if name in options.model_fields
    }
